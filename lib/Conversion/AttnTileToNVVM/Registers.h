//===- Registers.h - Tiles as the registers of one thread ------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_ATTNTILETONVVM_REGISTERS_H
#define SPARSEATTN_LIB_CONVERSION_ATTNTILETONVVM_REGISTERS_H

#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::attn_tile {

/// One tile becomes as many values as one thread owns of it, a matrix its base
/// and its number of rows, a shared tile its byte offset in shared memory.
///
/// An accumulator tile's registers are numbered ((i·nt + j)·4 + e): piece i of
/// 16 rows, piece j of 8 columns, e the element of mma.m16n8's accumulator
/// (0, 1: row lane/4; 2, 3: eight rows below). 16-bit elements come in pairs of
/// adjacent columns. A row tile's registers are numbered (2·i + half).
class RegisterConverter : public TypeConverter {
public:
  RegisterConverter();
  /// Types of the registers of one tile.
  static SmallVector<Type> registerTypes(RankedTensorType tile);
};

inline bool isTile(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa_and_nonnull<TileLayoutInterface>(tensor.getEncoding());
}

/// Whether elements of this type are held two to a register.
inline bool isPaired(Type element) {
  return element.isF16() || element.isBF16();
}

/// Values that every pattern needs, computed once at the kernel's entry.
struct ThreadIndices {
  Value thread, lane, warp;
  Value group;  // lane / 4: the row in an accumulator piece
  Value member; // lane % 4: half the column in an accumulator piece
  Value shared; // base of dynamic shared memory
  int64_t warps = 0;
};

/// Byte offset in shared memory of what an operation keeps there, set before
/// the conversion: a tile of alloc_shared, the scratch words of sum_rows.
constexpr StringLiteral scratchAttr = "attn_tile.offset";

/// A builder with the few operations that addresses are made of.
class AddressBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  Value i32(int64_t value) {
    return LLVM::ConstantOp::create(*this, getI32Type(),
                                    getI32IntegerAttr(value));
  }
  Value i64(int64_t value) {
    return LLVM::ConstantOp::create(*this, getI64Type(),
                                    getI64IntegerAttr(value));
  }
  Value add(Value a, Value b) { return LLVM::AddOp::create(*this, a, b); }
  Value add(Value a, int64_t b) { return b ? add(a, i32(b)) : a; }
  Value mul(Value a, int64_t b) {
    return LLVM::MulOp::create(*this, a, i32(b));
  }
  Value shl(Value a, int64_t b) {
    return LLVM::ShlOp::create(*this, a, i32(b));
  }
  Value shr(Value a, int64_t b) {
    return LLVM::LShrOp::create(*this, a, i32(b));
  }
  Value bits(Value a, int64_t mask) {
    return LLVM::AndOp::create(*this, a, i32(mask));
  }
  Value exclusiveOr(Value a, Value b) {
    return LLVM::XOrOp::create(*this, a, b);
  }
  Value exclusiveOr(Value a, int64_t b) {
    return b ? exclusiveOr(a, i32(b)) : a;
  }
  Value less(Value a, Value b) {
    return LLVM::ICmpOp::create(*this, LLVM::ICmpPredicate::slt, a, b);
  }
  Value extend(Value a) { return LLVM::SExtOp::create(*this, getI64Type(), a); }
  /// `pointer` moved by `bytes`, a value or a number.
  Value move(Value pointer, LLVM::GEPArg bytes) {
    return LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                               bytes);
  }
  Value extract(Value aggregate, int64_t index) {
    return LLVM::ExtractValueOp::create(*this, aggregate, index);
  }
  /// First row of warp `warp` in piece `piece` of 16·warps rows, plus the row
  /// of this lane's group.
  Value accumulatorRow(const ThreadIndices &t, int64_t piece, int64_t half) {
    return add(add(shl(t.warp, 4), t.group), 16 * t.warps * piece + 8 * half);
  }
};

/// Where a 16-byte chunk of a shared tile lies: the position of chunk c in row
/// r is c XOR swizzle(r), which moves it inside its group of `span` chunks.
struct SharedLayout {
  explicit SharedLayout(SharedType type)
      : rowBytes(type.getRowBytes()),
        span(std::min<int64_t>(8, (rowBytes / 16) & -(rowBytes / 16))) {}
  int64_t rowBytes;
  /// The largest power of two that divides the chunks of a row, 8 at most.
  int64_t span;
  /// The swizzle of `row`, whose multiples of 8 do not count. Rows that are
  /// 8/span apart start in the same bank: they get different numbers.
  Value swizzle(AddressBuilder &b, Value row) const {
    int64_t period = 8 / span;
    return b.bits(period == 1 ? row : b.shr(row, llvm::Log2_64(period)),
                  span - 1);
  }
  /// `lane` moved by `bytes` along the row: inside a group of chunks by XOR,
  /// which the swizzle commutes with, by an immediate from group to group.
  std::pair<Value, int32_t> along(AddressBuilder &b, Value lane,
                                  int64_t bytes) const {
    int64_t inside = bytes & (16 * span - 1);
    return {b.exclusiveOr(lane, inside), static_cast<int32_t>(bytes - inside)};
  }
};

/// A pattern that sees tiles as registers.
template <typename Op>
struct TilePattern : OpConversionPattern<Op> {
  TilePattern(const TypeConverter &converter, MLIRContext *context,
              const ThreadIndices &indices)
      : OpConversionPattern<Op>(converter, context), t(indices) {}
  using Adaptor = typename OpConversionPattern<Op>::OneToNOpAdaptor;

protected:
  static void replace(ConversionPatternRewriter &rewriter, Operation *op,
                      ArrayRef<Value> registers) {
    rewriter.replaceOpWithMultiple(
        op, ArrayRef<SmallVector<Value>>{SmallVector<Value>(registers)});
  }
  const ThreadIndices &t;
};

void populateElementwisePatterns(RewritePatternSet &patterns,
                                 const RegisterConverter &converter,
                                 const ThreadIndices &indices);
void populateMemoryPatterns(RewritePatternSet &patterns,
                            const RegisterConverter &converter,
                            const ThreadIndices &indices);
void populateMmaPatterns(RewritePatternSet &patterns,
                         const RegisterConverter &converter,
                         const ThreadIndices &indices);
void populateReductionPatterns(RewritePatternSet &patterns,
                               const RegisterConverter &converter,
                               const ThreadIndices &indices);
/// Scalar math with an instruction or a short expansion; never libdevice.
void populateScalarMathPatterns(RewritePatternSet &patterns);

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_CONVERSION_ATTNTILETONVVM_REGISTERS_H

//===- MmaPatterns.cpp - Products on the tensor cores of sm_80 ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// mma.sync with fragments by ldmatrix. Fragment layouts: PTX ISA, "Matrix
// Fragments for mma.m16n8k16" and "mma.m16n8k8". A fragment step is 32 bytes of
// the contracted dimension: k16 of 16-bit elements, k8 of tf32.
//
//===----------------------------------------------------------------------===//

#include "Registers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::attn_tile;
using sparse_attn::Precision;

namespace {

using Fragment = SmallVector<Value, 4>;

/// Loads fragments of a tile in shared memory. Addresses are a lane's own part
/// moved along the row by the step, plus an immediate.
class SharedReader {
public:
  SharedReader(AddressBuilder &b, const ThreadIndices &t, SharedType type,
               Value offset)
      : b(b), t(t), layout(type), offset(offset) {}

  /// ldmatrix.x4 of 16 rows by 32 bytes: eight rows by 16 bytes each, the
  /// second matrix eight rows (A) or 16 bytes (B) further.
  Fragment matrices(Value rows, Value chunk, int64_t row, int64_t step,
                    bool transpose) {
    Value lane = b.add(b.mul(rows, layout.rowBytes),
                       b.shl(b.exclusiveOr(chunk, layout.swizzle(b, rows)), 4));
    Value address = at(lane, row, 32 * step);
    Type type = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(4, b.getI32Type()));
    Value all = NVVM::LdMatrixOp::create(
        b, type, address, 4u,
        transpose ? NVVM::MMALayout::col : NVVM::MMALayout::row,
        NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
        NVVM::LdStMatrixEltType::B16);
    Fragment registers;
    for (int64_t i = 0; i < 4; ++i)
      registers.push_back(b.extract(all, i));
    return registers;
  }

  /// Adjacent f32 elements: row `laneRow` + `row`, from column `laneColumn` +
  /// `column` on, where `column` has the bits that `laneColumn` has not.
  Value elements(Value laneRow, int64_t row, Value laneColumn, int64_t column,
                 Type type) {
    Value chunk = b.shr(laneColumn, 2);
    Value lane =
        b.add(b.mul(laneRow, layout.rowBytes),
              b.add(b.shl(b.exclusiveOr(chunk, layout.swizzle(b, laneRow)), 4),
                    b.shl(b.bits(laneColumn, 3), 2)));
    Value address = at(lane, row, 4 * column);
    return LLVM::LoadOp::create(b, type, address,
                                isa<VectorType>(type) ? 8 : 4);
  }

private:
  /// The address of a lane's part, moved by rows and by bytes in the row.
  Value at(Value lane, int64_t row, int64_t bytes) {
    auto [start, further] = layout.along(b, b.add(offset, lane), bytes);
    return b.move(b.move(t.shared, start),
                  static_cast<int32_t>(row * layout.rowBytes) + further);
  }

  AddressBuilder &b;
  const ThreadIndices &t;
  SharedLayout layout;
  Value offset;
};

/// What distinguishes the element types: fragments in, one product out.
class Multiplier {
public:
  Multiplier(AddressBuilder &b, Type element,
             std::optional<Precision> precision)
      : b(b), element(element), precision(precision) {}

  /// The registers of a fragment that the products need: tf32x3 keeps what
  /// rounding takes off beside it.
  Fragment prepare(ArrayRef<Value> raw) {
    if (!element.isF32() || precision == Precision::bf16)
      return Fragment(raw);
    Fragment high, low;
    for (Value word : raw) {
      Value number = toFloat(word);
      high.push_back(round(number));
      if (precision == Precision::tf32x3)
        low.push_back(
            round(LLVM::FSubOp::create(b, number, toFloat(high.back()))));
    }
    high.append(low);
    return high;
  }

  /// acc += a · b, with `c` the accumulator's four registers.
  void multiply(ArrayRef<Value> a, ArrayRef<Value> bRegisters,
                MutableArrayRef<Value> c) {
    if (precision != Precision::tf32x3)
      return one(a, bRegisters, c);
    // The small products first.
    one(a.slice(4), bRegisters.take_front(2), c);
    one(a.take_front(4), bRegisters.slice(2), c);
    one(a.take_front(4), bRegisters.take_front(2), c);
  }

  Value pack(Value low, Value high) {
    auto wide = VectorType::get(2, b.getF32Type());
    auto narrow = VectorType::get(2, b.getBF16Type());
    Value pair = vector::FromElementsOp::create(b, wide, ValueRange{low, high});
    return LLVM::BitcastOp::create(b, b.getI32Type(),
                                   arith::TruncFOp::create(b, narrow, pair));
  }
  Value toWord(Value value) {
    return value.getType().isInteger(32)
               ? value
               : Value(LLVM::BitcastOp::create(b, b.getI32Type(), value));
  }

private:
  Value toFloat(Value word) {
    return word.getType().isF32()
               ? word
               : Value(LLVM::BitcastOp::create(b, b.getF32Type(), word));
  }
  Value round(Value number) {
    return NVVM::ConvertFloatToTF32Op::create(b, b.getI32Type(), number,
                                              NVVM::FPRoundingMode::RNA);
  }
  void one(ArrayRef<Value> a, ArrayRef<Value> bRegisters,
           MutableArrayRef<Value> c) {
    bool tf32 = element.isF32() && precision != Precision::bf16;
    NVVM::MMATypes type = tf32              ? NVVM::MMATypes::tf32
                          : element.isF16() ? NVVM::MMATypes::f16
                                            : NVVM::MMATypes::bf16;
    auto operands = [&](ArrayRef<Value> words) {
      SmallVector<Value> result(words);
      if (type == NVVM::MMATypes::f16)
        for (Value &word : result)
          word = LLVM::BitcastOp::create(b, VectorType::get(2, b.getF16Type()),
                                         word);
      return result;
    };
    Type result = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(4, b.getF32Type()));
    Value product = NVVM::MmaOp::create(
        b, result, operands(a), operands(bRegisters), ValueRange(c),
        ArrayRef<int64_t>{16, 8, tf32 ? 8 : 16}, std::nullopt, std::nullopt,
        std::array{type, type},
        std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      c[i] = b.extract(product, i);
  }

  AddressBuilder &b;
  Type element;
  std::optional<Precision> precision;
};

struct MmaPattern : TilePattern<MmaOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(MmaOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto bType = dyn_cast<SharedType>(op.getB().getType());
    if (!bType)
      return rewriter.notifyMatchFailure(op, "expected b in shared memory");
    Type element = bType.getElementType();
    bool narrowed = op.getPrecision() == Precision::bf16;
    AddressBuilder b(op.getLoc(), rewriter);
    Multiplier multiplier(b, element, op.getPrecision());
    auto result = cast<RankedTensorType>(op.getResult().getType());
    int64_t contracted =
        op.getTransposeB() ? bType.getColumns() : bType.getRows();
    int64_t step = element.isF32() && !narrowed ? 8 : 16;
    int64_t rowPieces = result.getDimSize(0) / (16 * t.warps);
    int64_t columnPieces = result.getDimSize(1) / 8;
    if (contracted % step || columnPieces % 2)
      return rewriter.notifyMatchFailure(op, "expected whole fragments");

    SmallVector<Value> accumulators(adaptor.getAccumulator());
    for (int64_t k = 0; k < contracted / step; ++k) {
      SmallVector<Fragment> a;
      for (int64_t i = 0; i < rowPieces; ++i)
        a.push_back(multiplier.prepare(
            aFragment(b, multiplier, op, adaptor, i, k, narrowed)));
      for (int64_t j = 0; j < columnPieces; j += 2) {
        Fragment pair = bFragments(b, multiplier, op, adaptor, j, k, narrowed);
        for (int64_t side : {0, 1}) {
          Fragment one = multiplier.prepare(ArrayRef(pair).slice(2 * side, 2));
          for (int64_t i = 0; i < rowPieces; ++i)
            multiplier.multiply(
                a[i], one,
                MutableArrayRef(accumulators)
                    .slice(4 * (i * columnPieces + j + side), 4));
        }
      }
    }
    replace(rewriter, op, accumulators);
    return success();
  }

private:
  /// Rows 16·(warp + warps·piece) on, contracted step `k`.
  Fragment aFragment(AddressBuilder &b, Multiplier &m, MmaOp op,
                     Adaptor adaptor, int64_t piece, int64_t k,
                     bool narrowed) const {
    ValueRange registers = adaptor.getA();
    if (auto shared = dyn_cast<SharedType>(op.getA().getType())) {
      SharedReader reader(b, t, shared, registers.front());
      int64_t row = 16 * t.warps * piece;
      if (!narrowed) {
        Value rows = b.add(b.shl(t.warp, 4), b.bits(t.lane, 15));
        return reader.matrices(rows, b.shr(t.lane, 4), row, k, false);
      }
      Value rows = b.add(b.shl(t.warp, 4), t.group);
      Fragment words;
      for (int64_t half : {0, 8})
        for (int64_t below : {0, 8})
          words.push_back(
              narrowPair(b, m, reader, rows, row + below, half, 16 * k));
      return words;
    }
    auto tile = cast<RankedTensorType>(op.getA().getType());
    if (isa<OperandAttr>(tile.getEncoding())) {
      int64_t steps = tile.getDimSize(1) * tile.getElementTypeBitWidth() / 256;
      return Fragment(registers.slice(4 * (piece * steps + k), 4));
    }
    int64_t pieces = tile.getDimSize(1) / 8;
    if (isPaired(tile.getElementType())) {
      // Two 8-column pieces of the accumulator are one k16 fragment.
      Fragment words;
      for (int64_t i = 0; i < 4; ++i)
        words.push_back(m.toWord(registers[2 * (piece * pieces + 2 * k) + i]));
      return words;
    }
    if (narrowed) {
      Fragment words;
      for (int64_t i = 0; i < 4; ++i) {
        int64_t first = 4 * (piece * pieces + 2 * k) + 2 * i;
        words.push_back(m.pack(registers[first], registers[first + 1]));
      }
      return words;
    }
    // A lane holds columns 2t and 2t + 1 where the fragment has t and t + 4:
    // contract in that order; bFragments reads the rows of b accordingly.
    ValueRange c = registers.slice(4 * (piece * pieces + k), 4);
    return {c[0], c[2], c[1], c[3]};
  }

  /// Two f32 of shared memory, columns `first` + 2·member + `half` on, as one
  /// word of bf16.
  Value narrowPair(AddressBuilder &b, Multiplier &m, SharedReader &reader,
                   Value laneRow, int64_t row, int64_t half,
                   int64_t first) const {
    Value column = b.add(b.shl(t.member, 1), half);
    Value pair = reader.elements(laneRow, row, column, first,
                                 VectorType::get(2, b.getF32Type()));
    return m.pack(vector::ExtractOp::create(b, pair, int64_t(0)),
                  vector::ExtractOp::create(b, pair, int64_t(1)));
  }

  /// The fragments of column pieces `j` and `j` + 1: two words each.
  Fragment bFragments(AddressBuilder &b, Multiplier &m, MmaOp op,
                      Adaptor adaptor, int64_t j, int64_t k,
                      bool narrowed) const {
    auto type = cast<SharedType>(op.getB().getType());
    SharedReader reader(b, t, type, adaptor.getB().front());
    bool f32 = type.getElementType().isF32();
    if (op.getTransposeB() && !narrowed) {
      Value rows = b.add(b.bits(t.lane, 7), b.shl(b.shr(t.lane, 4), 3));
      Value chunk = b.bits(b.shr(t.lane, 3), 1);
      return reader.matrices(rows, chunk, 8 * j, k, false);
    }
    if (!f32)
      return reader.matrices(b.bits(t.lane, 15), b.shr(t.lane, 4), 16 * k,
                             j / 2, true);
    Fragment words;
    if (op.getTransposeB()) {
      for (int64_t side : {0, 1})
        for (int64_t half : {0, 8})
          words.push_back(
              narrowPair(b, m, reader, t.group, 8 * (j + side), half, 16 * k));
      return words;
    }
    // b as it lies has its columns in a row: element by element.
    auto element = [&](int64_t odd, int64_t row, int64_t side) {
      Value laneRow = b.add(b.shl(t.member, 1), odd);
      return reader.elements(laneRow, row, t.group, 8 * (j + side),
                             b.getF32Type());
    };
    for (int64_t side : {0, 1}) {
      if (narrowed) {
        for (int64_t half : {0, 8})
          words.push_back(m.pack(element(0, 16 * k + half, side),
                                 element(1, 16 * k + half, side)));
        continue;
      }
      for (int64_t odd : {0, 1})
        words.push_back(element(odd, 8 * k, side));
    }
    return words;
  }
};

struct LoadSharedPattern : TilePattern<LoadSharedOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(LoadSharedOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto tile = cast<RankedTensorType>(op.getResult().getType());
    if (!isa<OperandAttr>(tile.getEncoding()))
      return rewriter.notifyMatchFailure(op, "no operand tile");
    AddressBuilder b(op.getLoc(), rewriter);
    SharedReader reader(b, t, op.getTile().getType(),
                        adaptor.getTile().front());
    Value rows = b.add(b.shl(t.warp, 4), b.bits(t.lane, 15));
    SmallVector<Value> registers;
    for (int64_t i = 0; i < tile.getDimSize(0) / (16 * t.warps); ++i)
      for (int64_t k = 0;
           k < tile.getDimSize(1) * tile.getElementTypeBitWidth() / 256; ++k)
        registers.append(reader.matrices(rows, b.shr(t.lane, 4),
                                         16 * t.warps * i, k, false));
    replace(rewriter, op, registers);
    return success();
  }
};

} // namespace

void attn_tile::populateMmaPatterns(RewritePatternSet &patterns,
                                    const RegisterConverter &converter,
                                    const ThreadIndices &indices) {
  patterns.add<MmaPattern, LoadSharedPattern>(converter, patterns.getContext(),
                                              indices);
}

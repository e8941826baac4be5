//===- MemoryPatterns.cpp - Global and shared memory ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Registers.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::attn_tile;

/// Bytes of one element in memory; an i1 takes a byte.
static int64_t bytesOf(Type element) {
  return std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

namespace {

struct ViewPattern : TilePattern<ViewOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(ViewOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    Value bytes = LLVM::MulOp::create(
        b, adaptor.getOffset().front(),
        b.i64(bytesOf(op.getResult().getType().getElementType())));
    replace(rewriter, op,
            {b.move(adaptor.getPointer().front(), bytes),
             adaptor.getRows().front()});
    return success();
  }
};

/// Adjacent columns two to a register.
SmallVector<Value> pairUp(AddressBuilder &b, Type element,
                          ArrayRef<Value> elements) {
  SmallVector<Value> pairs;
  for (size_t i = 0; i < elements.size(); i += 2)
    pairs.push_back(vector::FromElementsOp::create(
        b, VectorType::get(2, element),
        ValueRange{elements[i], elements[i + 1]}));
  return pairs;
}

/// The four elements that a thread owns of each 16 x 8 piece.
struct LoadElementsPattern : TilePattern<LoadElementsOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(LoadElementsOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getResult().getType());
    if (!isa<AccumulatorAttr>(tile.getEncoding()))
      return rewriter.notifyMatchFailure(op, "no accumulator tile");
    MatrixType matrix = op.getMatrix().getType();
    Type element = matrix.getElementType();
    Type stored = element.isInteger(1) ? b.getI8Type() : element;
    int64_t size = bytesOf(element);
    Value base = adaptor.getMatrix().front();
    Value rows = adaptor.getRows().front();
    Value columns = adaptor.getColumns().front();
    // An index past the end reads the last element, whose value is not used:
    // no branch an element.
    auto clamp = [&](Value index, Value count) {
      return Value(LLVM::SMinOp::create(b, index, b.add(count, b.i32(-1))));
    };
    auto moveBy = [&](Value address, Value count, Value bytes) {
      Value distance = LLVM::MulOp::create(b, b.extend(count), bytes);
      return b.move(address, distance);
    };
    Value rowBytes = b.i64(size);
    if (ShapedType::isDynamic(matrix.getRowPitch()))
      rowBytes = LLVM::MulOp::create(b, b.extend(columns), rowBytes);
    else
      rowBytes = b.i64(matrix.getRowPitch() * size);
    Value zero = LLVM::ConstantOp::create(b, stored, b.getZeroAttr(stored));
    SmallVector<Value> elements;
    for (int64_t i = 0; i < tile.getDimSize(0) / (16 * t.warps); ++i)
      for (int64_t j = 0; j < tile.getDimSize(1) / 8; ++j)
        for (int64_t e = 0; e < 4; ++e) {
          Value row =
              b.add(adaptor.getRow().front(), b.accumulatorRow(t, i, e / 2));
          Value column =
              b.add(b.add(adaptor.getColumn().front(), b.shl(t.member, 1)),
                    8 * j + e % 2);
          Value address = base;
          if (matrix.getRowPitch())
            address = moveBy(address, clamp(row, rows), rowBytes);
          if (matrix.getColumnPitch())
            address = moveBy(address, clamp(column, columns),
                             b.i64(matrix.getColumnPitch() * size));
          Value value = LLVM::LoadOp::create(b, stored, address, size);
          Value inside = LLVM::AndOp::create(b, b.less(row, rows),
                                             b.less(column, columns));
          value = LLVM::SelectOp::create(b, inside, value, zero);
          if (element.isInteger(1))
            value =
                LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, value, zero);
          elements.push_back(value);
        }
    if (!isPaired(element)) {
      replace(rewriter, op, elements);
      return success();
    }
    replace(rewriter, op, pairUp(b, element, elements));
    return success();
  }
};

struct GatherPattern : TilePattern<GatherOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(GatherOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    Type element = getElementTypeOrSelf(op.getResult());
    Type stored = element.isInteger(1) ? b.getI8Type() : element;
    int64_t size = bytesOf(element);
    SmallVector<Value> elements;
    for (Value offset : adaptor.getOffset()) {
      Value bytes = LLVM::MulOp::create(b, b.extend(offset), b.i64(size));
      Value value = LLVM::LoadOp::create(
          b, stored, b.move(adaptor.getPointer().front(), bytes), size);
      if (element.isInteger(1))
        value = LLVM::ICmpOp::create(
            b, LLVM::ICmpPredicate::ne, value,
            LLVM::ConstantOp::create(b, stored, b.getZeroAttr(stored)));
      elements.push_back(value);
    }
    auto tile = dyn_cast<RankedTensorType>(op.getResult().getType());
    if (tile && isPaired(element) && isa<AccumulatorAttr>(tile.getEncoding()))
      elements = pairUp(b, element, elements);
    replace(rewriter, op, elements);
    return success();
  }
};

struct StorePattern : TilePattern<StoreOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(StoreOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getTile().getType());
    if (isa<OperandAttr>(tile.getEncoding()))
      return rewriter.notifyMatchFailure(op, "a tile in operand layout");
    MatrixType matrix = op.getMatrix().getType();
    int64_t size = bytesOf(tile.getElementType());
    bool twoD = tile.getRank() == 2;
    int64_t pieces = twoD ? tile.getDimSize(1) / 8 : 1;
    int64_t columns = matrix.getColumns();
    if (twoD && columns % 2)
      return rewriter.notifyMatchFailure(op, "expected pairs of columns");
    ValueRange registers = adaptor.getTile();
    for (int64_t i = 0; i < tile.getDimSize(0) / (16 * t.warps); ++i)
      for (int64_t half : {0, 1}) {
        b.setInsertionPoint(op);
        Value row =
            b.add(adaptor.getRow().front(), b.accumulatorRow(t, i, half));
        Value inside = b.less(row, adaptor.getMatrix()[1]);
        if (!twoD)
          // The four lanes of a row hold the same element.
          inside = LLVM::AndOp::create(
              b, inside,
              LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, t.member,
                                   b.i32(0)));
        auto branch = scf::IfOp::create(b, inside, /*withElseRegion=*/false);
        b.setInsertionPointToStart(branch.thenBlock());
        Value offset = LLVM::MulOp::create(b, b.extend(row),
                                           b.i64(matrix.getRowPitch() * size));
        Value address = b.move(adaptor.getMatrix()[0], offset);
        if (!twoD) {
          LLVM::StoreOp::create(b, registers[2 * i + half], address, size);
          continue;
        }
        address = b.move(address, b.mul(t.member, 2 * size));
        for (int64_t j = 0; 8 * j < columns; ++j) {
          // The tile's last columns may be past the matrix's.
          if (8 * j + 8 > columns) {
            Value mine = b.less(t.member, b.i32((columns - 8 * j) / 2));
            auto rest = scf::IfOp::create(b, mine, /*withElseRegion=*/false);
            b.setInsertionPointToStart(rest.thenBlock());
          }
          LLVM::StoreOp::create(
              b, pairOf(b, tile, registers, (i * pieces + j) * 2 + half),
              b.move(address, static_cast<int32_t>(8 * j * size)), 2 * size);
        }
      }
    rewriter.eraseOp(op);
    return success();
  }

private:
  /// Two adjacent columns as one value.
  static Value pairOf(AddressBuilder &b, RankedTensorType tile,
                      ValueRange registers, int64_t index) {
    if (isPaired(tile.getElementType()))
      return registers[index];
    return vector::FromElementsOp::create(
        b, VectorType::get(2, tile.getElementType()),
        ValueRange{registers[2 * index], registers[2 * index + 1]});
  }
};

struct StoreScalarPattern : TilePattern<StoreScalarOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(StoreScalarOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    Value first =
        LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, t.thread, b.i32(0));
    auto branch = scf::IfOp::create(b, first, /*withElseRegion=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
    Value offset = LLVM::MulOp::create(b, adaptor.getIndex().front(), b.i64(4));
    LLVM::StoreOp::create(b, adaptor.getValue().front(),
                          b.move(adaptor.getPointer().front(), offset), 4);
    rewriter.eraseOp(op);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

struct AllocSharedPattern : TilePattern<AllocSharedOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(AllocSharedOp op, Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(
        op, b.i32(op->getAttrOfType<IntegerAttr>(scratchAttr).getInt()));
    return success();
  }
};

struct CopyAsyncPattern : TilePattern<CopyAsyncOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(CopyAsyncOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    SharedType tile = op.getTile().getType();
    SharedLayout layout(tile);
    int64_t chunksPerRow = layout.rowBytes / 16;
    int64_t matrixBytes =
        op.getMatrix().getType().getColumns() * bytesOf(tile.getElementType());
    if (matrixBytes % 16)
      return rewriter.notifyMatchFailure(op, "expected rows of whole chunks");
    // As many threads copy a row as a power of two of them share it evenly:
    // each takes every so many of its chunks, of as many rows as are left.
    int64_t threads = 32 * t.warps;
    int64_t threadsPerRow =
        std::min(threads & -threads, chunksPerRow & -chunksPerRow);
    int64_t rowsAtOnce = threads / threadsPerRow;
    int64_t pitch =
        op.getMatrix().getType().getRowPitch() * bytesOf(tile.getElementType());

    Value chunk = b.bits(t.thread, threadsPerRow - 1);
    Value firstRow = b.shr(t.thread, llvm::Log2_64(threadsPerRow));
    Value matrixRow = b.add(adaptor.getRow().front(), firstRow);
    Value column = b.shl(chunk, 4), wideRow = b.extend(matrixRow);
    Value before = LLVM::MulOp::create(b, wideRow, b.i64(pitch));
    Value source = b.move(b.move(adaptor.getMatrix()[0], before), column);
    auto targetAt = [&](Value row) {
      Value position = b.exclusiveOr(chunk, layout.swizzle(b, row));
      Value offset = b.add(b.mul(row, layout.rowBytes), b.shl(position, 4));
      return b.move(t.shared, b.add(adaptor.getTile().front(), offset));
    };
    Value target = targetAt(firstRow);
    for (int64_t row = 0; row < tile.getRows(); row += rowsAtOnce) {
      // Threads beyond a small tile have nothing to copy.
      b.setInsertionPoint(op);
      if (tile.getRows() - row < rowsAtOnce) {
        Value mine = b.less(firstRow, b.i32(tile.getRows() - row));
        auto branch = scf::IfOp::create(b, mine, /*withElseRegion=*/false);
        b.setInsertionPointToStart(branch.thenBlock());
      }
      // The swizzle repeats every eight rows.
      Value to =
          rowsAtOnce % 8 == 0
              ? b.move(target, static_cast<int32_t>(row * layout.rowBytes))
              : targetAt(b.add(firstRow, row));
      Value from = row ? b.move(source, b.i64(row * pitch)) : source;
      Value present;
      if (!op.getInBounds())
        present = b.less(b.add(matrixRow, row), adaptor.getMatrix()[1]);
      for (int64_t first = 0; first < chunksPerRow; first += threadsPerRow) {
        Value wanted = present;
        if (16 * (first + threadsPerRow) > matrixBytes) {
          Value inside = b.less(chunk, b.i32(matrixBytes / 16 - first));
          wanted = wanted ? LLVM::AndOp::create(b, wanted, inside) : inside;
        }
        Value bytes;
        if (wanted)
          bytes = LLVM::SelectOp::create(b, wanted, b.i32(16), b.i32(0));
        auto step = static_cast<int32_t>(16 * first);
        Value stepTo = first ? b.move(to, step) : to;
        Value stepFrom = first ? b.move(from, step) : from;
        NVVM::CpAsyncOp::create(b, stepTo, stepFrom, 16u,
                                NVVM::LoadCacheModifierKind::CG, bytes);
      }
    }
    b.setInsertionPoint(op);
    NVVM::CpAsyncCommitGroupOp::create(b);
    rewriter.eraseOp(op);
    return success();
  }
};

struct WaitCopiesPattern : TilePattern<WaitCopiesOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(WaitCopiesOp op, Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    NVVM::CpAsyncWaitGroupOp::create(rewriter, op.getLoc(), 0u);
    NVVM::Barrier0Op::create(rewriter, op.getLoc());
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void attn_tile::populateMemoryPatterns(RewritePatternSet &patterns,
                                       const RegisterConverter &converter,
                                       const ThreadIndices &indices) {
  patterns.add<ViewPattern, LoadElementsPattern, GatherPattern, StorePattern,
               StoreScalarPattern, AllocSharedPattern, CopyAsyncPattern,
               WaitCopiesPattern>(converter, patterns.getContext(), indices);
}

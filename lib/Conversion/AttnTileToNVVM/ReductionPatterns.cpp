//===- ReductionPatterns.cpp - Rows, columns and votes --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Registers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::attn_tile;

namespace {

Value combine(OpBuilder &b, Location loc, ReduceKind kind, Value x, Value y) {
  if (kind == ReduceKind::max)
    return arith::MaxNumFOp::create(b, loc, x, y);
  return arith::AddFOp::create(b, loc, x, y);
}

/// `value` of the lane whose number differs by `mask`.
Value shuffle(AddressBuilder &b, Value value, int64_t mask) {
  return NVVM::ShflOp::create(b, value.getType(), b.i32(-1), value, b.i32(mask),
                              b.i32(31), NVVM::ShflKind::bfly, UnitAttr());
}

int64_t columnPieces(Type tile) {
  return cast<RankedTensorType>(tile).getDimSize(1) / 8;
}

struct ReduceRowsPattern : TilePattern<ReduceRowsOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(ReduceRowsOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    ValueRange in = adaptor.getTile();
    int64_t pieces = columnPieces(op.getTile().getType());
    SmallVector<Value> results;
    for (size_t first = 0; first < in.size(); first += 4 * pieces)
      for (int64_t half : {0, 1}) {
        Value value;
        for (int64_t j = 0; j < pieces; ++j)
          for (int64_t e : {0, 1}) {
            Value x = in[first + 4 * j + 2 * half + e];
            value = value ? combine(b, op.getLoc(), op.getKind(), value, x) : x;
          }
        // The four lanes of a row.
        for (int64_t mask : {1, 2})
          value = combine(b, op.getLoc(), op.getKind(), value,
                          shuffle(b, value, mask));
        results.push_back(value);
      }
    replace(rewriter, op, results);
    return success();
  }
};

struct FoldColumnsPattern : TilePattern<FoldColumnsOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(FoldColumnsOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    int64_t from = columnPieces(op.getTile().getType());
    int64_t to = columnPieces(op.getResult().getType());
    ValueRange in = adaptor.getTile();
    SmallVector<Value> results;
    for (size_t first = 0; first < in.size(); first += 4 * from)
      for (int64_t j = 0; j < to; ++j)
        for (int64_t e = 0; e < 4; ++e) {
          Value value = in[first + 4 * j + e];
          for (int64_t other = j + to; other < from; other += to)
            value = combine(rewriter, op.getLoc(), op.getKind(), value,
                            in[first + 4 * other + e]);
          results.push_back(value);
        }
    replace(rewriter, op, results);
    return success();
  }
};

struct FoldPairsPattern : TilePattern<FoldPairsOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(FoldPairsOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ValueRange in = adaptor.getTile();
    SmallVector<Value> results;
    for (size_t i = 0; i < in.size(); i += 2)
      results.append(
          2, combine(rewriter, op.getLoc(), op.getKind(), in[i], in[i + 1]));
    replace(rewriter, op, results);
    return success();
  }
};

struct ExpandRowsPattern : TilePattern<ExpandRowsOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(ExpandRowsOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (isPaired(op.getResult().getType().getElementType()))
      return rewriter.notifyMatchFailure(op, "rows of 16-bit floats");
    int64_t pieces = columnPieces(op.getResult().getType());
    ValueRange in = adaptor.getRows();
    SmallVector<Value> results;
    for (size_t i = 0; i < in.size(); i += 2)
      for (int64_t j = 0; j < pieces; ++j)
        results.append({in[i], in[i], in[i + 1], in[i + 1]});
    replace(rewriter, op, results);
    return success();
  }
};

struct RowIndexPattern : TilePattern<RowIndexOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(RowIndexOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    int64_t rows = op.getResult().getType().getDimSize(0);
    SmallVector<Value> results;
    for (int64_t piece = 0; piece < rows / (16 * t.warps); ++piece)
      for (int64_t half : {0, 1})
        results.push_back(
            b.add(adaptor.getBase().front(), b.accumulatorRow(t, piece, half)));
    replace(rewriter, op, results);
    return success();
  }
};

struct ColumnIndexPattern : TilePattern<ColumnIndexOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(ColumnIndexOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    auto type = op.getResult().getType();
    int64_t rowPieces = type.getDimSize(0) / (16 * t.warps);
    Value first = b.add(adaptor.getBase().front(), b.shl(t.member, 1));
    SmallVector<Value> results;
    for (int64_t i = 0; i < rowPieces; ++i)
      for (int64_t j = 0; j < columnPieces(type); ++j)
        for (int64_t e = 0; e < 4; ++e)
          results.push_back(b.add(first, 8 * j + e % 2));
    replace(rewriter, op, results);
    return success();
  }
};

struct AnyRowPattern : TilePattern<AnyRowOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(AnyRowOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    Value any;
    for (Value row : adaptor.getRows())
      any = any ? Value(LLVM::OrOp::create(b, any, row)) : row;
    Value predicate = LLVM::ZExtOp::create(b, b.getI32Type(), any);
    Value result =
        NVVM::BarrierOp::create(b, b.getI32Type(), Value(), Value(),
                                NVVM::BarrierReductionAttr::get(
                                    b.getContext(), NVVM::BarrierReduction::OR),
                                predicate)
            .getRes();
    rewriter.replaceOpWithNewOp<LLVM::ICmpOp>(op, LLVM::ICmpPredicate::ne,
                                              result, b.i32(0));
    return success();
  }
};

/// Blocks of one row: the quad that owns it sums its columns. Blocks of eight
/// rows: all lanes do, for one half of a piece of 16 rows at a time.
struct StoreBlockSumsPattern : TilePattern<StoreBlockSumsOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(StoreBlockSumsOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getTile().getType());
    MatrixType matrix = op.getMatrix().getType();
    ValueRange in = adaptor.getTile();
    int64_t rows = op.getBlock()[0], columns = op.getBlock()[1];
    int64_t pieces = columnPieces(tile);
    // A piece of 8 columns holds a part of a block, or several side by side.
    int64_t piecesPerBlock = llvm::divideCeil(columns, 8);
    int64_t blocksPerPiece = llvm::divideCeil(8, columns);
    // The lanes of a block: four of each row hold two columns each.
    int64_t members = 4 / blocksPerPiece;
    int64_t others = 4 * (rows - 1) + members - 1;
    Value writer = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq,
                                        b.bits(t.lane, others), b.i32(0));
    Value firstColumn = b.add(adaptor.getColumn().front(),
                              b.shr(t.member, llvm::Log2_64(members)));
    Value base = adaptor.getMatrix()[0];
    for (int64_t piece = 0; piece < tile.getDimSize(0) / (16 * t.warps);
         ++piece)
      for (int64_t half : {0, 1}) {
        Value row =
            b.shr(b.accumulatorRow(t, piece, half), llvm::Log2_64(rows));
        row = b.add(adaptor.getRow().front(), row);
        Value rowThere = b.less(row, adaptor.getMatrix()[1]);
        Value rowOffset =
            LLVM::MulOp::create(b, b.extend(row), b.i64(matrix.getRowPitch()));
        for (int64_t first = 0; first < pieces; first += piecesPerBlock) {
          Value sum;
          for (int64_t j = first; j < first + piecesPerBlock; ++j)
            for (int64_t e : {0, 1}) {
              Value x = in[(piece * pieces + j) * 4 + 2 * half + e];
              sum = sum ? Value(arith::AddFOp::create(b, sum, x)) : x;
            }
          for (int64_t mask : {1, 2, 4, 8, 16})
            if (mask & others)
              sum = arith::AddFOp::create(b, sum, shuffle(b, sum, mask));
          Value column =
              b.add(firstColumn, first / piecesPerBlock * blocksPerPiece);
          Value wanted = LLVM::AndOp::create(
              b, writer, b.less(column, b.i32(matrix.getColumns())));
          wanted = LLVM::AndOp::create(b, wanted, rowThere);
          auto branch = scf::IfOp::create(b, wanted, /*withElseRegion=*/false);
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(branch.thenBlock());
          Value offset = LLVM::AddOp::create(b, rowOffset, b.extend(column));
          Value bytes = LLVM::MulOp::create(b, offset, b.i64(4));
          LLVM::StoreOp::create(b, sum, b.move(base, bytes), 4);
        }
      }
    rewriter.eraseOp(op);
    return success();
  }
};

/// Lanes by shuffles, then warps through shared memory, always in one order.
struct SumRowsPattern : TilePattern<SumRowsOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(SumRowsOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    AddressBuilder b(op.getLoc(), rewriter);
    Value sum;
    for (Value row : adaptor.getRows())
      sum = sum ? Value(arith::AddFOp::create(b, sum, row)) : row;
    // The four lanes of a row hold the same: sum over the eight groups only.
    for (int64_t mask : {4, 8, 16})
      sum = arith::AddFOp::create(b, sum, shuffle(b, sum, mask));
    Value scratch = b.move(
        t.shared, static_cast<int32_t>(
                      op->getAttrOfType<IntegerAttr>(scratchAttr).getInt()));
    LLVM::StoreOp::create(b, sum, b.move(scratch, b.shl(t.warp, 2)), 4);
    NVVM::Barrier0Op::create(b);
    Value total;
    for (int64_t warp = 0; warp < t.warps; ++warp) {
      Value part = LLVM::LoadOp::create(
          b, b.getF32Type(), b.move(scratch, static_cast<int32_t>(4 * warp)),
          4);
      total = total ? Value(arith::AddFOp::create(b, total, part)) : part;
    }
    NVVM::Barrier0Op::create(b);
    rewriter.replaceOp(op, total);
    return success();
  }
};

} // namespace

void attn_tile::populateReductionPatterns(RewritePatternSet &patterns,
                                          const RegisterConverter &converter,
                                          const ThreadIndices &indices) {
  patterns.add<ReduceRowsPattern, FoldColumnsPattern, FoldPairsPattern,
               ExpandRowsPattern, RowIndexPattern, ColumnIndexPattern,
               AnyRowPattern, StoreBlockSumsPattern, SumRowsPattern>(
      converter, patterns.getContext(), indices);
}

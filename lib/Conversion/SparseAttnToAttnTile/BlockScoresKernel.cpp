//===- BlockScoresKernel.cpp - Softmax mass of blocks, fused --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two loops over the key tiles: the first finds maximum and sum of each row,
// the second computes the scores again, now normalised, and sums them to
// blocks. Recomputing costs a product; keeping the scores would cost memory of
// the size of the attention matrix.
//
//===----------------------------------------------------------------------===//

#include "BlockKernel.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

using IPredicate = arith::CmpIPredicate;

static constexpr double log2e = 1.4426950408889634;

namespace {

class ScoresKernel : BlockKernel {
public:
  ScoresKernel(func::FuncOp function, BlockScoresOp op)
      : BlockKernel(function, op), op(op), dims(op.getDims()),
        tile(getScoreTile(op)) {}
  void build();

private:
  Value rowsView(Value operand, AffineMap map, unsigned rowDim,
                 ValueRange batch);
  /// The product of the query tile with the keys from `firstKey`, in log2
  /// units before the row's maximum is taken off.
  Value score(Value firstKey);
  scf::ForOp createLoop(ValueRange init);

  BlockScoresOp op;
  BlockScoresOp::Dims dims;
  ScoreTile tile;
  Value query, key;
  int64_t keys = 0;
};

} // namespace

Value ScoresKernel::rowsView(Value operand, AffineMap map, unsigned rowDim,
                             ValueRange batch) {
  auto type = cast<RankedTensorType>(operand.getType());
  auto matrix = MatrixType::get(b.getContext(), op.getDimSize(dims.features),
                                type.getElementType(),
                                *getPitch(type, *getPosition(map, rowDim)), 1);
  return ViewOp::create(b, matrix, pointer(operand),
                        batchOffset(operand, map, dims.batch, batch),
                        b.i32(op.getDimSize(rowDim)));
}

Value ScoresKernel::score(Value firstKey) {
  Type element = getElementTypeOrSelf(op.getKey());
  int64_t columns = getTileColumns(op.getDimSize(dims.features));
  Value tileKeys = LoadOp::create(b, b.tile({tile.keys, columns}, element), key,
                                  firstKey, /*in_bounds=*/false);
  PrecisionAttr precision;
  if (element.isF32())
    precision = op.getPrecisionAttr()
                    ? op.getPrecisionAttr()
                    : PrecisionAttr::get(b.getContext(), Precision::tf32x3);
  auto type = b.f32Tile({tile.rows, tile.keys});
  Value products = MmaOp::create(b, type, query, tileKeys, b.full(type, 0.0),
                                 /*transpose_b=*/true, precision);
  Value scores =
      b.mul(products, b.f32(op.getScale().convertToDouble() * log2e));
  if (keys % tile.keys == 0)
    return scores;
  Value number = ColumnIndexOp::create(
      b, b.tile(type.getShape(), b.getI32Type()), firstKey);
  return b.select(b.compare(IPredicate::slt, number, b.i32(keys)), scores,
                  b.f32(-TileBuilder::infinity));
}

scf::ForOp ScoresKernel::createLoop(ValueRange init) {
  return scf::ForOp::create(b, b.i32(0), b.i32(keys), b.i32(tile.keys), init);
}

void ScoresKernel::build() {
  keys = getCountedTokens(op, dims.keys);
  int64_t queries = getCountedTokens(op, dims.queries);
  SmallVector<Value> batch =
      splitBatch(dims.batch, [&](unsigned dim) { return op.getDimSize(dim); });
  Value queryMatrix =
      rowsView(op.getQuery(), op.getQueryMap(), dims.queries, batch);
  key = rowsView(op.getKey(), op.getKeyMap(), dims.keys, batch);
  Value firstQuery = b.muli(x, b.i32(tile.rows));
  query = LoadOp::create(
      b,
      b.tile({tile.rows, getTileColumns(op.getDimSize(dims.features))},
             getElementTypeOrSelf(op.getQuery())),
      queryMatrix, firstQuery, /*in_bounds=*/false);

  // Every tile has a key, so the maximum is finite behind the first one.
  Value maxima = b.full(b.f32Tile(tile.rows), -TileBuilder::infinity);
  Value sums = b.full(b.f32Tile({tile.rows, 8}), 0.0);
  auto first = createLoop({maxima, sums});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(first.getBody());
    Value scores = score(first.getInductionVar());
    Value before = first.getRegionIterArgs()[0];
    Value now = b.max(before, b.reduceRows(ReduceKind::max, scores));
    Value correction = b.exp2(b.sub(before, now));
    Value masses = b.exp2(b.sub(scores, b.expandRows(now, tile.keys)));
    Value sum = b.fma(first.getRegionIterArgs()[1], b.expandRows(correction, 8),
                      b.foldColumns(ReduceKind::add, masses, 8));
    scf::YieldOp::create(b, ValueRange{now, sum});
  }
  maxima = first.getResult(0);
  Value total = b.reduceRows(ReduceKind::add, first.getResult(1));
  Value inverse =
      b.div(b.full(cast<RankedTensorType>(total.getType()), 1.0), total);
  if (queries % tile.rows) {
    // Rows that are none have no mass.
    Value number =
        RowIndexOp::create(b, b.tile(tile.rows, b.getI32Type()), firstQuery);
    inverse = b.select(b.compare(IPredicate::slt, number, b.i32(queries)),
                       inverse, b.f32(0.0));
  }

  ArrayRef<int64_t> shape = shapeOf(op.getInit());
  int64_t columns = shape.back(), rows = shape[shape.size() - 2];
  Value offset = b.muli(b.extend64(y), b.i64(rows * columns));
  Value result = ViewOp::create(
      b, MatrixType::get(b.getContext(), columns, b.getF32Type(), columns, 1),
      pointer(op.getInit()), offset, b.i32(rows));
  auto second = createLoop({});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(second.getBody());
    Value firstKey = second.getInductionVar();
    Value scores = score(firstKey);
    Value masses = b.exp2(b.sub(scores, b.expandRows(maxima, tile.keys)));
    masses = b.mul(masses, b.expandRows(inverse, tile.keys));
    StoreBlockSumsOp::create(
        b, masses, result, b.divi(firstQuery, b.i32(op.getBlock()[0])),
        b.divi(firstKey, b.i32(op.getBlock()[1])), op.getBlock());
  }
  gpu::ReturnOp::create(b, ValueRange());
}

void attn_tile::buildBlockScoresKernel(func::FuncOp function,
                                       BlockScoresOp op) {
  ScoresKernel(function, op).build();
}

//===- BlockScores.cpp - Block scores without pooling ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/BlockScores.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Value sparse_attn::poolTokens(OpBuilder &b, Location loc, Value source,
                              int64_t dim, int64_t tile, bool variance,
                              bool zeroPadded) {
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(source.getType()).getShape());
  shape[dim] = llvm::divideCeil(shape[dim], tile);
  Value init = tensor::EmptyOp::create(b, loc, shape, b.getF32Type());
  return PoolTokensOp::create(b, loc, init.getType(), source, init, dim, tile,
                              variance, zeroPadded);
}

BlockScoresOp sparse_attn::takePoolingOut(RewriterBase &rewriter,
                                          BlockScoresOp op) {
  if (op.getTile() == 1)
    return op;
  BlockScoresOp::Dims dims = op.getDims();
  auto pooled = [&](Value operand, AffineMap map, unsigned dim) {
    unsigned position =
        *map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    return poolTokens(rewriter, op.getLoc(), operand, position, op.getTile(),
                      /*variance=*/false, op.getZeroPadded());
  };
  rewriter.setInsertionPoint(op);
  Value query = pooled(op.getQuery(), op.getQueryMap(), dims.queries);
  Value key = pooled(op.getKey(), op.getKeyMap(), dims.keys);
  int64_t tile = op.getTile();
  SmallVector<int64_t> block = {op.getBlock()[0] / tile,
                                op.getBlock()[1] / tile};
  return rewriter.replaceOpWithNewOp<BlockScoresOp>(
      op, op.getResult().getType(), query, key, op.getInit(),
      op.getIndexingMapsAttr(), op.getScaleAttr(),
      rewriter.getI64IntegerAttr(1), rewriter.getDenseI64ArrayAttr(block),
      op.getZeroPaddedAttr(), op.getPrecisionAttr());
}

//===- BlockScoresToLinalg.cpp - Reference semantics of block scores ------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinalgSteps.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

/// Sums over the tokens of a run, where there are any.
struct LowerPool : OpRewritePattern<PoolTokensOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PoolTokensOp op,
                                PatternRewriter &rewriter) const override {
    LinalgSteps b(op.getLoc(), rewriter);
    auto source = cast<RankedTensorType>(op.getSource().getType());
    auto type = cast<RankedTensorType>(op.getResult().getType());
    unsigned rank = type.getRank();
    int64_t tokens = source.getDimSize(op.getDim());

    auto sumOf =
        [&](ValueRange inputs,
            function_ref<Value(LinalgSteps &, Value, ValueRange)> term) {
          return b.sumOver(
              type.getShape(), op.getTile(), inputs,
              [&](LinalgSteps &b, ValueRange args) {
                SmallVector<Value> at = b.indices(rank);
                Value token =
                    b.addi(b.muli(at[op.getDim()], b.index(op.getTile())),
                           b.iteration(rank));
                Value there = b.less(token, b.index(tokens));
                at[op.getDim()] = b.clamp(token, tokens);
                Value element = b.toF32(b.extract(op.getSource(), at));
                return b.select(there, term(b, element, args), b.f32(0.0));
              });
        };
    auto divided = [&](Value sums) {
      return b.generic({sums}, b.empty(type.getShape(), b.getF32Type()),
                       {b.leading(rank), b.leading(rank)},
                       [&](LinalgSteps &b, ValueRange args) {
                         Value count = b.f32(op.getTile());
                         if (!op.getZeroPadded()) {
                           Value first = b.muli(b.iteration(op.getDim()),
                                                b.index(op.getTile()));
                           Value left = b.mini(b.subi(b.index(tokens), first),
                                               b.index(op.getTile()));
                           count = b.indexToF32(left);
                         }
                         return b.div(args[0], count);
                       });
    };
    Value mean = divided(
        sumOf({}, [](LinalgSteps &, Value x, ValueRange) { return x; }));
    if (op.getVariance())
      mean =
          divided(sumOf({mean}, [](LinalgSteps &b, Value x, ValueRange args) {
            Value distance = b.sub(x, args[0]);
            return b.mul(distance, distance);
          }));
    rewriter.replaceOp(op, mean);
    return success();
  }
};

/// exp(x - max) over the last dimension, and its sums.
static Value emitSoftmax(LinalgSteps &b, Value scores) {
  ArrayRef<int64_t> shape = b.shapeOf(scores);
  unsigned rank = shape.size();
  AffineMap all = b.leading(rank), rows = b.leading(rank, 1);
  Value maxima =
      b.generic({scores}, b.filled(shape.drop_back(), -LinalgSteps::infinity),
                {all, rows}, [](LinalgSteps &b, ValueRange args) {
                  return b.maximum(args[0], args[1]);
                });
  Value masses =
      b.generic({scores, maxima}, b.empty(shape, b.getF32Type()),
                {all, rows, all}, [](LinalgSteps &b, ValueRange args) {
                  return b.exp(b.sub(args[0], args[1]));
                });
  Value sums = b.generic(
      {masses}, b.filled(shape.drop_back(), 0.0), {all, rows},
      [](LinalgSteps &b, ValueRange args) { return b.add(args[1], args[0]); });
  return b.generic(
      {masses, sums}, b.empty(shape, b.getF32Type()), {all, rows, all},
      [](LinalgSteps &b, ValueRange args) { return b.div(args[0], args[1]); });
}

/// `map` in the space of the result's dimensions, in order, and the features.
static AffineMap localMap(AffineMap map, AffineMap result) {
  SmallVector<AffineExpr> exprs;
  unsigned rank = result.getNumResults();
  for (AffineExpr expr : map.getResults()) {
    auto position = result.getResultPosition(expr);
    exprs.push_back(
        getAffineDimExpr(position.value_or(rank), map.getContext()));
  }
  return AffineMap::get(rank + 1, 0, exprs, map.getContext());
}

struct LowerScores : OpRewritePattern<BlockScoresOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BlockScoresOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getTile() != 1)
      return rewriter.notifyMatchFailure(op, "the pooling is still in it");
    LinalgSteps b(op.getLoc(), rewriter);
    BlockScoresOp::Dims dims = op.getDims();
    AffineMap result = op.getResultMap();
    Value query = op.getQuery(), key = op.getKey();
    if (op.getZeroPadded()) {
      query =
          padTokens(b, query, op.getQueryMap(), dims.queries, op.getBlock()[0]);
      key = padTokens(b, key, op.getKeyMap(), dims.keys, op.getBlock()[1]);
    }
    SmallVector<int64_t> shape;
    for (AffineExpr expr : result.getResults()) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      int64_t size = op.getDimSize(dim);
      if (op.getZeroPadded() && (dim == dims.queries || dim == dims.keys))
        size = llvm::alignTo(size, op.getBlock()[dim == dims.keys]);
      shape.push_back(size);
    }
    unsigned rank = shape.size();
    Value products = b.generic(
        {query, key}, b.filled(shape, 0.0),
        {localMap(op.getQueryMap(), result), localMap(op.getKeyMap(), result),
         b.leading(rank + 1, 1)},
        [](LinalgSteps &b, ValueRange args) {
          return b.add(args[2], b.mul(b.toF32(args[0]), b.toF32(args[1])));
        });
    Value scores = b.generic(
        {products}, b.empty(shape, b.getF32Type()),
        {b.leading(rank), b.leading(rank)},
        [&](LinalgSteps &b, ValueRange args) {
          return b.mul(args[0], b.f32(op.getScale().convertToDouble()));
        });
    rewriter.replaceOp(op, sumBlocks(b, emitSoftmax(b, scores), op.getBlock()));
    return success();
  }

private:
  /// `x` with zeros behind dimension `dim` up to a multiple of `block`.
  static Value padTokens(LinalgSteps &b, Value x, AffineMap map, unsigned dim,
                         int64_t block) {
    unsigned position =
        *map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    SmallVector<int64_t> shape(b.shapeOf(x));
    shape[position] = llvm::alignTo(shape[position], block);
    return b.pad(x, shape);
  }

  /// The sums over blocks of the last two dimensions.
  static Value sumBlocks(LinalgSteps &b, Value x, ArrayRef<int64_t> block) {
    SmallVector<int64_t> padded(b.shapeOf(x)), shape;
    unsigned rank = padded.size();
    for (unsigned i : {0, 1})
      padded[rank - 2 + i] = llvm::alignTo(padded[rank - 2 + i], block[i]);
    x = b.pad(x, padded);
    SmallVector<ReassociationIndices> groups;
    auto expanded = llvm::to_vector(ArrayRef<int64_t>(padded).drop_back(2));
    shape = expanded;
    for (int64_t i = 0; i < rank - 2; ++i)
      groups.push_back({i});
    int64_t next = rank - 2;
    for (unsigned i : {0, 1}) {
      int64_t blocks = padded[rank - 2 + i] / block[i];
      llvm::append_range(expanded, ArrayRef<int64_t>{blocks, block[i]});
      shape.push_back(blocks);
      groups.push_back({next, next + 1});
      next += 2;
    }
    Value split = tensor::ExpandShapeOp::create(
        b, RankedTensorType::get(expanded, b.getF32Type()), x, groups);
    SmallVector<AffineExpr> kept;
    for (unsigned i = 0; i < rank - 2; ++i)
      kept.push_back(b.getAffineDimExpr(i));
    for (unsigned i : {rank - 2, rank})
      kept.push_back(b.getAffineDimExpr(i));
    return b.generic({split}, b.filled(shape, 0.0),
                     {b.leading(rank + 2),
                      AffineMap::get(rank + 2, 0, kept, b.getContext())},
                     [](LinalgSteps &b, ValueRange args) {
                       return b.add(args[1], args[0]);
                     });
  }
};

struct LowerGaussian : OpRewritePattern<GaussianScoresOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GaussianScoresOp op,
                                PatternRewriter &rewriter) const override {
    LinalgSteps b(op.getLoc(), rewriter);
    auto map = [&](unsigned index) {
      return cast<AffineMapAttr>(op.getIndexingMaps()[index]).getValue();
    };
    AffineMap query = localMap(map(0), map(2)), key = localMap(map(1), map(2));
    ArrayRef<int64_t> shape = b.shapeOf(op.getInit());
    unsigned rank = shape.size();
    double scale = op.getScale().convertToDouble();
    Value logs = b.generic(
        {op.getQueryMean(), op.getQueryVariance(), op.getKeyMean(),
         op.getKeyVariance()},
        b.filled(shape, 0.0), {query, query, key, key, b.leading(rank + 1, 1)},
        [&](LinalgSteps &b, ValueRange args) {
          Value qm = args[0], qv = args[1], km = args[2], kv = args[3];
          Value spread = b.add(b.mul(b.add(b.mul(qm, qm), qv), kv),
                               b.mul(qv, b.mul(km, km)));
          Value term = b.add(b.mul(b.f32(scale), b.mul(qm, km)),
                             b.mul(b.f32(0.5 * scale * scale), spread));
          return b.add(args[4], term);
        });
    // The logarithm of the number of keys of a block.
    Value counted =
        b.generic({logs}, b.empty(shape, b.getF32Type()),
                  {b.leading(rank), b.leading(rank)},
                  [&](LinalgSteps &b, ValueRange args) {
                    Value first = b.muli(b.iteration(rank - 1),
                                         b.index(op.getBlockKeys()));
                    Value keys = b.mini(b.subi(b.index(op.getKeys()), first),
                                        b.index(op.getBlockKeys()));
                    return b.add(args[0], b.log(b.indexToF32(keys)));
                  });
    rewriter.replaceOp(op, emitSoftmax(b, counted));
    return success();
  }
};

} // namespace

void sparse_attn::populateBlockScoresToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerPool, LowerScores, LowerGaussian>(patterns.getContext());
}

//===- LinalgAttention.cpp - The steps of attention in linalg -------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;

static constexpr double minusInfinity =
    -std::numeric_limits<double>::infinity();

Value sparse_attn::emitGeneric(OpBuilder &builder, Location loc,
                               ValueRange inputs, Value init,
                               ArrayRef<AffineMap> maps, LinalgBody body) {
  AffineMap result = maps.back();
  SmallVector<utils::IteratorType> iterators(result.getNumDims(),
                                             utils::IteratorType::reduction);
  for (AffineExpr expr : result.getResults())
    iterators[cast<AffineDimExpr>(expr).getPosition()] =
        utils::IteratorType::parallel;
  return linalg::GenericOp::create(
             builder, loc, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &b, Location at, ValueRange args) {
               linalg::YieldOp::create(b, at, body(b, at, args));
             })
      .getResult(0);
}

AttentionSlice AttentionSlice::whole(AttentionOp op) {
  AttentionSlice slice;
  slice.query = op.getQuery();
  slice.key = op.getKey();
  slice.value = op.getValue();
  slice.mask = op.getMask();
  slice.batch = op.getDims().batch;
  return slice;
}

LinalgAttention::LinalgAttention(OpBuilder &builder, AttentionOp op,
                                 AttentionSlice slice)
    : builder(builder), loc(op.getLoc()), op(op), slice(std::move(slice)),
      dims(op.getDims()) {}

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

AffineMap LinalgAttention::localize(AffineMap map, ArrayRef<unsigned> local) {
  SmallVector<AffineExpr> exprs;
  for (AffineExpr expr : map.getResults()) {
    const auto *found =
        llvm::find(local, cast<AffineDimExpr>(expr).getPosition());
    if (found != local.end())
      exprs.push_back(builder.getAffineDimExpr(found - local.begin()));
  }
  return AffineMap::get(local.size(), 0, exprs, builder.getContext());
}

SmallVector<unsigned> LinalgAttention::local(ArrayRef<unsigned> tail) {
  SmallVector<unsigned> result = slice.batch;
  llvm::append_range(result, tail);
  return result;
}

AffineMap LinalgAttention::leading(unsigned rank, unsigned dropped) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim = 0; dim + dropped < rank; ++dim)
    exprs.push_back(builder.getAffineDimExpr(dim));
  return AffineMap::get(rank, 0, exprs, builder.getContext());
}

Value LinalgAttention::constant(double value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32Type(),
                                   builder.getF32FloatAttr(value));
}

Value LinalgAttention::filled(ArrayRef<OpFoldResult> sizes, Value scalar) {
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, scalar.getType());
  return linalg::FillOp::create(builder, loc, scalar, empty).getResult(0);
}

Value LinalgAttention::filledRows(double value) {
  return filled(getRowSizes(), constant(value));
}

Value LinalgAttention::generic(ValueRange inputs, Value init,
                               ArrayRef<AffineMap> maps, Body body) {
  return emitGeneric(builder, loc, inputs, init, maps, body);
}

Value LinalgAttention::toF32(OpBuilder &b, Location at, Value x) {
  if (x.getType().isF32())
    return x;
  return arith::ExtFOp::create(b, at, b.getF32Type(), x);
}

static Value floatConstant(OpBuilder &b, Location loc, double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

/// x == at ? value : otherwise
static Value replaceAt(OpBuilder &b, Location loc, Value x, double at,
                       double value, Value otherwise) {
  Value equal = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x,
                                      floatConstant(b, loc, at));
  return arith::SelectOp::create(b, loc, equal, floatConstant(b, loc, value),
                                 otherwise);
}

static Value addBody(OpBuilder &b, Location loc, ValueRange args) {
  return arith::AddFOp::create(b, loc, args[0], args[1]);
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// The size of dimension `dim` of the local space, from an operand.
static OpFoldResult sizeIn(OpBuilder &b, Location loc, Value operand,
                           AffineMap map, unsigned dim) {
  return tensor::getMixedSize(b, loc, operand,
                              *map.getResultPosition(b.getAffineDimExpr(dim)));
}

SmallVector<OpFoldResult> LinalgAttention::getRowSizes() {
  AffineMap query = localize(op.getQueryMap(), local({dims.m, dims.k1}));
  SmallVector<OpFoldResult> sizes;
  for (auto [index, dim] : llvm::enumerate(local({dims.m})))
    sizes.push_back(op.getQueryMap().isFunctionOfDim(dim)
                        ? sizeIn(builder, loc, slice.query, query, index)
                        : builder.getIndexAttr(op.getDimSize(dim)));
  return sizes;
}

/// Keeps the indices inside the tensor, as the region's reads are defined.
static void clampIndices(OpBuilder &b, tensor::ExtractOp extract) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(extract);
  Location loc = extract.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  for (auto [dim, index] : llvm::enumerate(extract.getIndicesMutable())) {
    Value size = tensor::DimOp::create(b, loc, extract.getTensor(), dim);
    Value last = arith::SubIOp::create(b, loc, size, one);
    Value inside = arith::MinSIOp::create(b, loc, index.get(), last);
    index.set(arith::MaxSIOp::create(b, loc, inside, zero));
  }
}

Value LinalgAttention::inlineScore(OpBuilder &b, Location at, Value score) {
  Block &block = op.getScore().front();
  IRMapping mapping;
  mapping.map(block.getArgument(0), score);
  unsigned batch = dims.batch.size();
  auto offset = [&](Value index, Value first) -> Value {
    return first ? arith::AddIOp::create(b, at, index, first) : index;
  };
  for (unsigned i = 0; i < batch; ++i)
    mapping.map(block.getArgument(1 + i),
                slice.batchIndices.empty()
                    ? linalg::IndexOp::create(b, at, i).getResult()
                    : slice.batchIndices[i]);
  unsigned m = slice.batch.size();
  mapping.map(block.getArgument(1 + batch),
              offset(linalg::IndexOp::create(b, at, m), slice.firstQuery));
  mapping.map(block.getArgument(2 + batch),
              offset(linalg::IndexOp::create(b, at, m + 1), slice.firstKey));
  for (Operation &inner : block.without_terminator()) {
    Operation *copy = b.clone(inner, mapping);
    if (auto extract = dyn_cast<tensor::ExtractOp>(copy))
      clampIndices(b, extract);
  }
  return mapping.lookupOrDefault(
      cast<YieldOp>(block.getTerminator()).getScore());
}

Value LinalgAttention::scores() {
  SmallVector<unsigned> space = local({dims.m, dims.k2, dims.k1});
  unsigned rank = space.size();
  AffineMap query = localize(op.getQueryMap(), space);
  AffineMap key = localize(op.getKeyMap(), space);
  SmallVector<OpFoldResult> sizes = getRowSizes();
  sizes.push_back(sizeIn(builder, loc, slice.key, key, rank - 2));
  Value dot = generic({slice.query, slice.key}, filled(sizes, constant(0.0)),
                      {query, key, leading(rank, 1)},
                      [&](OpBuilder &b, Location at, ValueRange args) -> Value {
                        Value query = toF32(b, at, args[0]);
                        Value key = toF32(b, at, args[1]);
                        Value product =
                            arith::MulFOp::create(b, at, query, key);
                        return arith::AddFOp::create(b, at, args[2], product);
                      });

  space.pop_back();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  if (slice.mask) {
    inputs.push_back(slice.mask);
    maps.push_back(localize(op.getMaskMap(), space));
  }
  maps.push_back(leading(rank - 1));
  double scale = op.getScale().convertToDouble();
  return generic(
      inputs, dot, maps,
      [&](OpBuilder &b, Location at, ValueRange args) -> Value {
        Value score = arith::MulFOp::create(b, at, args.back(),
                                            floatConstant(b, at, scale));
        if (op.hasScore())
          score = inlineScore(b, at, score);
        if (!slice.mask)
          return score;
        Value mask = args.front();
        if (mask.getType().isInteger(1))
          return arith::SelectOp::create(b, at, mask, score,
                                         floatConstant(b, at, minusInfinity));
        return arith::AddFOp::create(b, at, score, toF32(b, at, mask));
      });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Value LinalgAttention::rowMaxima(Value scores) {
  unsigned rank = slice.batch.size() + 2;
  return generic({scores}, filledRows(minusInfinity),
                 {leading(rank), leading(rank, 1)},
                 [](OpBuilder &b, Location at, ValueRange args) -> Value {
                   return arith::MaximumFOp::create(b, at, args[0], args[1]);
                 });
}

Value LinalgAttention::rowSums(Value weights) {
  unsigned rank = slice.batch.size() + 2;
  return generic({weights}, filledRows(0.0), {leading(rank), leading(rank, 1)},
                 addBody);
}

Value LinalgAttention::exponentials(Value scores, Value maxima) {
  unsigned rank = slice.batch.size() + 2;
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, scores),
      builder.getF32Type());
  return generic(
      {scores, maxima}, empty, {leading(rank), leading(rank, 1), leading(rank)},
      [](OpBuilder &b, Location at, ValueRange args) -> Value {
        Value shifted = arith::SubFOp::create(b, at, args[0], args[1]);
        Value weight = math::ExpOp::create(b, at, shifted);
        // -inf - -inf is no number, but the weight of a masked key is 0.
        return replaceAt(b, at, args[0], minusInfinity, 0.0, weight);
      });
}

Value LinalgAttention::product(Value weights, Value acc) {
  SmallVector<unsigned> space = local({dims.m, dims.n, dims.k2});
  unsigned rank = space.size();
  AffineMap value = localize(op.getValueMap(), space);
  SmallVector<unsigned> weightDims = local({dims.m, dims.k2});
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : weightDims)
    exprs.push_back(
        builder.getAffineDimExpr(llvm::find(space, dim) - space.begin()));
  AffineMap weight = AffineMap::get(rank, 0, exprs, builder.getContext());
  if (!acc) {
    SmallVector<OpFoldResult> sizes = getRowSizes();
    sizes.push_back(sizeIn(builder, loc, slice.value, value, rank - 2));
    acc = filled(sizes, constant(0.0));
  }
  return generic({weights, slice.value}, acc, {weight, value, leading(rank, 1)},
                 [&](OpBuilder &b, Location at, ValueRange args) -> Value {
                   Value product = arith::MulFOp::create(b, at, args[0],
                                                         toF32(b, at, args[1]));
                   return arith::AddFOp::create(b, at, args[2], product);
                 });
}

Value LinalgAttention::scaleRows(Value x, Value factor) {
  unsigned rank = slice.batch.size() + 2;
  return generic({factor}, x, {leading(rank, 1), leading(rank)},
                 [](OpBuilder &b, Location at, ValueRange args) -> Value {
                   return arith::MulFOp::create(b, at, args[1], args[0]);
                 });
}

Value LinalgAttention::mapRows(ValueRange rows, Type element, Body body) {
  unsigned rank = slice.batch.size() + 1;
  Value empty = tensor::EmptyOp::create(builder, loc, getRowSizes(), element);
  SmallVector<AffineMap> maps(rows.size() + 1, leading(rank));
  return generic(rows, empty, maps, body);
}

Value LinalgAttention::reduceAll(Value x, Value identity, Body body) {
  unsigned rank = cast<RankedTensorType>(x.getType()).getRank();
  Value reduced = generic({x}, filled({}, identity),
                          {leading(rank), leading(rank, rank)}, body);
  return tensor::ExtractOp::create(builder, loc, reduced);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

Value LinalgAttention::store(ValueRange inputs, ArrayRef<AffineMap> maps,
                             AffineMap result, ArrayRef<unsigned> space,
                             Value init, Body body) {
  SmallVector<AffineMap> all(maps);
  all.push_back(localize(result, space));
  return generic(inputs, init, all,
                 [&](OpBuilder &b, Location at, ValueRange args) -> Value {
                   Value x = body(b, at, args);
                   if (args.back().getType().isF32())
                     return x;
                   return arith::TruncFOp::create(b, at, args.back().getType(),
                                                  x);
                 });
}

Value LinalgAttention::normalized(Value acc, Value sums, Value init) {
  SmallVector<unsigned> space = local({dims.m, dims.n});
  unsigned rank = space.size();
  return store({acc, sums}, {leading(rank), leading(rank, 1)},
               op.getOutputMap(), space, init,
               [](OpBuilder &b, Location at, ValueRange args) -> Value {
                 Value share = arith::DivFOp::create(b, at, args[0], args[1]);
                 return replaceAt(b, at, args[1], 0.0, 0.0, share);
               });
}

Value LinalgAttention::logSumExp(Value maxima, Value sums, Value init) {
  SmallVector<unsigned> space = local({dims.m});
  AffineMap rows = leading(space.size());
  return store({maxima, sums}, {rows, rows}, op.getRowMap(), space, init,
               [](OpBuilder &b, Location at, ValueRange args) -> Value {
                 Value log = math::LogOp::create(b, at, args[1]);
                 return arith::AddFOp::create(b, at, args[0], log);
               });
}

Value LinalgAttention::recallBound(Value sums, Value skipped, Value init) {
  SmallVector<unsigned> space = local({dims.m});
  AffineMap rows = leading(space.size());
  return store({sums, skipped}, {rows, rows}, op.getRowMap(), space, init,
               [](OpBuilder &b, Location at, ValueRange args) -> Value {
                 Value all = arith::AddFOp::create(b, at, args[0], args[1]);
                 Value share = arith::DivFOp::create(b, at, args[0], all);
                 return replaceAt(b, at, args[0], 0.0, 1.0, share);
               });
}

//===----------------------------------------------------------------------===//
// Dense attention
//===----------------------------------------------------------------------===//

bool sparse_attn::dependsOnTiles(AttentionOp op) {
  return op.getBlockCounts() || op.getTileCounts() ||
         (op.getDecisionTile() && op.getFilterOrDefault().canSkip());
}

SmallVector<Value> sparse_attn::emitDenseAttention(OpBuilder &builder,
                                                   AttentionOp op) {
  LinalgAttention steps(builder, op, AttentionSlice::whole(op));
  Value scores = steps.scores();
  Value maxima = steps.rowMaxima(scores);
  Value weights = steps.exponentials(scores, maxima);
  Value sums = steps.rowSums(weights);
  SmallVector<Value> results = {
      steps.normalized(steps.product(weights), sums, op.getOutput())};
  if (Value init = op.getLogSumExp())
    results.push_back(steps.logSumExp(maxima, sums, init));
  if (Value init = op.getRecallBound())
    results.push_back(steps.recallBound(sums, steps.filledRows(0.0), init));
  return results;
}

//===- AttentionPartialReduction.cpp - Splitting the keys of attention ----===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A share of the keys gives an output of its own and its log-sum-exp, both in
// f32: attention again. Two shares merge exactly, each weighted by exp(lse).
// Partial results have one more dimension than the results, the last one, with
// an entry for each share. In a sequential loop one share is merged after the
// other into entry 0 and the other entries keep the neutral element.
//
//===----------------------------------------------------------------------===//

#include "AttentionSlices.h"
#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;

static constexpr double minusInfinity =
    -std::numeric_limits<double>::infinity();

/// Partial results of the op, in this order.
enum Partial : unsigned { PartialOutput = 0, PartialLogSumExp = 1 };

static LogicalResult verifySplit(AttentionOp op,
                                 const llvm::SetVector<unsigned> &dims) {
  if (dims.size() != 1 || dims[0] != op.getDims().k2)
    return op.emitOpError("can be split in its keys only");
  if (op.getFilterOrDefault().canSkip())
    return op.emitOpError("cannot be split in its keys: decisions of the "
                          "filter '")
           << op.getFilterOrDefault().getPolicy()
           << "' depend on the tiles before";
  if (op.getBlockCounts())
    return op.emitOpError("cannot be split in its keys: a block list orders "
                          "them");
  if (op.getRecallBound() || op.getTileCounts())
    return op.emitOpError("cannot be split in its keys beside recall_bound or "
                          "tile_counts");
  return success();
}

//===----------------------------------------------------------------------===//
// Maps: the output's dimensions, in its order, then the split
//===----------------------------------------------------------------------===//

namespace {

/// A local iteration space of the output's dimensions and, behind them, the
/// shares.
struct SplitSpace {
  explicit SplitSpace(AttentionOp op)
      : rank(op.getOutputMap().getNumResults()), context(op.getContext()) {
    n = *op.getOutputMap().getResultPosition(
        getAffineDimExpr(op.getDims().n, context));
  }
  /// The output's dimensions (or a row's), with or without the shares.
  AffineMap map(bool ofRow, bool withShare, bool shareInSpace = true) const {
    SmallVector<AffineExpr> exprs;
    for (unsigned dim = 0; dim < rank; ++dim)
      if (!ofRow || dim != n)
        exprs.push_back(getAffineDimExpr(dim, context));
    if (withShare)
      exprs.push_back(getAffineDimExpr(rank, context));
    return AffineMap::get(rank + shareInSpace, 0, exprs, context);
  }
  unsigned rank, n = 0;
  MLIRContext *context;
};

} // namespace

static Value constantF32(OpBuilder &b, Location loc, double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

/// exp(lse - top), 0 for a share without a key.
static Value weightOf(OpBuilder &b, Location loc, Value lse, Value top) {
  Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, lse,
                                     constantF32(b, loc, minusInfinity));
  Value shifted = arith::SubFOp::create(b, loc, lse, top);
  Value weight = math::ExpOp::create(b, loc, shifted);
  Value zero = constantF32(b, loc, 0.0);
  return arith::SelectOp::create(b, loc, none, zero, weight);
}

/// sum / total, 0 for a row without a key.
static Value shareOf(OpBuilder &b, Location loc, Value sum, Value total) {
  Value zero = constantF32(b, loc, 0.0);
  Value empty =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, total, zero);
  return arith::SelectOp::create(b, loc, empty, zero,
                                 arith::DivFOp::create(b, loc, sum, total));
}

static Value emptyLike(OpBuilder &b, Location loc, Value shaped) {
  return tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, shaped),
                                 b.getF32Type());
}

static Value filledLike(OpBuilder &b, Location loc,
                        ArrayRef<OpFoldResult> sizes, double value) {
  Value empty = tensor::EmptyOp::create(b, loc, sizes, b.getF32Type());
  return linalg::FillOp::create(b, loc, constantF32(b, loc, value), empty)
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// PartialReductionOpInterface
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>>
AttentionOp::generateInitialTensorForPartialReduction(
    OpBuilder &b, Location loc, ArrayRef<OpFoldResult> tileSizes,
    const SetVector<unsigned> &reductionDims) {
  if (failed(verifySplit(*this, reductionDims)))
    return failure();
  SmallVector<Value> inits;
  for (auto [map, neutral] : {std::pair<AffineMap, double>{getOutputMap(), 0.0},
                              {getRowMap(), minusInfinity}}) {
    SmallVector<OpFoldResult> sizes;
    for (AffineExpr expr : map.getResults()) {
      auto [operand, position] =
          getDimSource(cast<AffineDimExpr>(expr).getPosition());
      sizes.push_back(tensor::getMixedSize(b, loc, operand, position));
    }
    sizes.push_back(tileSizes[reductionDims[0]]);
    inits.push_back(filledLike(b, loc, sizes, neutral));
  }
  return inits;
}

LogicalResult AttentionOp::getPartialResultTilePosition(
    OpBuilder &b, unsigned resultNumber, ReductionTilingStrategy strategy,
    ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
    const SetVector<unsigned> &, ArrayRef<OpFoldResult> splitReductionIvs,
    SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  AffineMap map = resultNumber == PartialOutput ? getOutputMap() : getRowMap();
  for (AffineExpr expr : map.getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    resultOffsets.push_back(offsets[dim]);
    resultSizes.push_back(sizes[dim]);
  }
  bool parallel =
      strategy == ReductionTilingStrategy::PartialReductionOuterParallel;
  resultOffsets.push_back(parallel ? splitReductionIvs[0]
                                   : OpFoldResult(b.getIndexAttr(0)));
  resultSizes.push_back(b.getIndexAttr(1));
  return success();
}

/// Merges a share into what an entry holds.
static SmallVector<Value> mergeTwo(OpBuilder &b, Location loc,
                                   const SplitSpace &space, ValueRange before,
                                   ValueRange share) {
  AffineMap out = space.map(/*ofRow=*/false, /*withShare=*/false,
                            /*shareInSpace=*/false);
  AffineMap row = space.map(/*ofRow=*/true, /*withShare=*/false,
                            /*shareInSpace=*/false);
  AffineMap rows =
      AffineMap::getMultiDimIdentityMap(space.rank - 1, space.context);
  auto weights = [](OpBuilder &b, Location loc, Value x, Value y) {
    Value top = arith::MaximumFOp::create(b, loc, x, y);
    return std::array<Value, 3>{top, weightOf(b, loc, x, top),
                                weightOf(b, loc, y, top)};
  };
  Value output = emitGeneric(
      b, loc,
      {before[PartialOutput], before[PartialLogSumExp], share[PartialOutput],
       share[PartialLogSumExp]},
      emptyLike(b, loc, share[PartialOutput]), {out, row, out, row, out},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        auto [top, first, second] = weights(b, loc, args[1], args[3]);
        Value x = arith::MulFOp::create(b, loc, first, args[0]);
        Value y = arith::MulFOp::create(b, loc, second, args[2]);
        Value sum = arith::AddFOp::create(b, loc, x, y);
        return shareOf(b, loc, sum,
                       arith::AddFOp::create(b, loc, first, second));
      });
  Value logSumExp = emitGeneric(
      b, loc, {before[PartialLogSumExp], share[PartialLogSumExp]},
      emptyLike(b, loc, share[PartialLogSumExp]), {rows, rows, rows},
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        auto [top, first, second] = weights(b, loc, args[0], args[1]);
        Value total = arith::AddFOp::create(b, loc, first, second);
        return arith::AddFOp::create(b, loc, top,
                                     math::LogOp::create(b, loc, total));
      });
  return {output, logSumExp};
}

FailureOr<TilingResult> AttentionOp::tileToPartialReduction(
    OpBuilder &b, Location loc, ReductionTilingStrategy strategy,
    ValueRange init, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, const SetVector<unsigned> &reductionDims,
    ArrayRef<OpFoldResult> splitReductionIvs) {
  if (failed(verifySplit(*this, reductionDims)))
    return failure();
  SmallVector<Operation *> slices;
  auto extract = [&](Value from, ArrayRef<OpFoldResult> at,
                     ArrayRef<OpFoldResult> extent,
                     RankedTensorType type = {}) -> Value {
    SmallVector<OpFoldResult> strides(at.size(), b.getIndexAttr(1));
    auto slice = type ? tensor::ExtractSliceOp::create(b, loc, type, from, at,
                                                       extent, strides)
                      : tensor::ExtractSliceOp::create(b, loc, from, at, extent,
                                                       strides);
    slices.push_back(slice);
    return slice;
  };
  SmallVector<Value> inputs;
  for (unsigned number = 0, end = getMask() ? 4 : 3; number < end; ++number) {
    OpOperand &operand = (*this)->getOpOperand(number);
    SmallVector<OpFoldResult> at, extent;
    AffineMap map = cast<AffineMapAttr>(getIndexingMaps()[number]).getValue();
    for (AffineExpr expr : map.getResults()) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      at.push_back(offsets[dim]);
      extent.push_back(sizes[dim]);
    }
    inputs.push_back(extract(operand.get(), at, extent));
  }
  // The entry of the share, without the dimension of the shares.
  SmallVector<Value> entries;
  for (unsigned number : {PartialOutput, PartialLogSumExp}) {
    SmallVector<OpFoldResult> at, extent;
    (void)getPartialResultTilePosition(b, number, strategy, offsets, sizes,
                                       reductionDims, splitReductionIvs, at,
                                       extent);
    SmallVector<int64_t> shape;
    std::tie(shape, std::ignore) = decomposeMixedValues(extent);
    shape.pop_back();
    entries.push_back(extract(init[number], at, extent,
                              RankedTensorType::get(shape, b.getF32Type())));
  }
  bool parallel =
      strategy == ReductionTilingStrategy::PartialReductionOuterParallel;
  SmallVector<Value> inits = entries;
  if (!parallel)
    for (Value &entry : inits)
      entry = emptyLike(b, loc, entry);
  auto share = AttentionOp::create(
      b, loc, TypeRange(ValueRange(inits)), inputs[0], inputs[1], inputs[2],
      getMask() ? inputs[3] : Value(), /*block_counts=*/Value(),
      /*block_indices=*/Value(), inits[PartialOutput], inits[PartialLogSumExp],
      /*recall_bound=*/Value(), /*tile_counts=*/Value(), getIndexingMapsAttr(),
      getScaleAttr(), getFilterAttr(), getDecisionTileAttr(),
      /*block_shape=*/DenseI64ArrayAttr(), getPrecisionAttr());
  if (hasScore()) {
    IRMapping mapping;
    b.cloneRegionBefore(getScore(), share.getScore(), share.getScore().end(),
                        mapping);
    shiftScore(b, share, offsets);
  }
  SmallVector<Value> results(share->getResults());
  if (!parallel)
    results = mergeTwo(b, loc, SplitSpace(*this), entries, results);
  return TilingResult{{share}, results, slices};
}

FailureOr<MergeResult>
AttentionOp::mergeReductions(OpBuilder &b, Location loc,
                             ValueRange partialReduce,
                             const SetVector<unsigned> &reductionDims) {
  if (failed(verifySplit(*this, reductionDims)))
    return failure();
  SplitSpace space(*this);
  Value outputs = partialReduce[PartialOutput];
  Value logSumExps = partialReduce[PartialLogSumExp];
  auto rowSizes = tensor::getMixedSizes(b, loc, logSumExps);
  rowSizes.pop_back();
  // The spaces of rows: all dimensions of a row, then the shares.
  AffineMap rowShares =
      AffineMap::getMultiDimIdentityMap(space.rank, space.context);
  AffineMap rows = rowShares.dropResult(space.rank - 1);
  Value tops = emitGeneric(
      b, loc, {logSumExps}, filledLike(b, loc, rowSizes, minusInfinity),
      {rowShares, rows},
      [](OpBuilder &b, Location loc, ValueRange args) -> Value {
        return arith::MaximumFOp::create(b, loc, args[0], args[1]);
      });
  Value weights =
      emitGeneric(b, loc, {logSumExps, tops}, emptyLike(b, loc, logSumExps),
                  {rowShares, rows, rowShares},
                  [](OpBuilder &b, Location loc, ValueRange args) -> Value {
                    return weightOf(b, loc, args[0], args[1]);
                  });
  auto add = [](OpBuilder &b, Location loc, ValueRange args) -> Value {
    return arith::AddFOp::create(b, loc, args[0], args[1]);
  };
  Value totals =
      emitGeneric(b, loc, {weights}, filledLike(b, loc, rowSizes, 0.0),
                  {rowShares, rows}, add);
  auto outputSizes = tensor::getMixedSizes(b, loc, outputs);
  outputSizes.pop_back();
  Value sums = emitGeneric(
      b, loc, {outputs, weights}, filledLike(b, loc, outputSizes, 0.0),
      {space.map(false, true), space.map(true, true), space.map(false, false)},
      [](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Value part = arith::MulFOp::create(b, loc, args[0], args[1]);
        return arith::AddFOp::create(b, loc, args[2], part);
      });
  AffineMap out = space.map(false, false, false);
  Value output =
      emitGeneric(b, loc, {sums, totals}, getOutput(),
                  {out, space.map(true, false, false), out},
                  [](OpBuilder &b, Location loc, ValueRange args) -> Value {
                    Value value = shareOf(b, loc, args[0], args[1]);
                    Type type = args[2].getType();
                    if (type.isF32())
                      return value;
                    return arith::TruncFOp::create(b, loc, type, value);
                  });
  MergeResult result;
  result.mergeOps.push_back(output.getDefiningOp());
  result.replacements.push_back(output);
  if (getLogSumExp()) {
    AffineMap row =
        AffineMap::getMultiDimIdentityMap(space.rank - 1, space.context);
    result.replacements.push_back(emitGeneric(
        b, loc, {tops, totals}, getLogSumExp(), {row, row, row},
        [](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return arith::AddFOp::create(b, loc, args[0],
                                       math::LogOp::create(b, loc, args[1]));
        }));
  }
  return result;
}

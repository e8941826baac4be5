//===- SplitKeys.cpp - Shares of the keys for blocks of their own ---------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ScoreStructure.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPLITKEYS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Blocks that occupy the GPUs that we compile for: twice the 108
/// multiprocessors of an A100.
static constexpr int64_t enoughBlocks = 216;
/// A share of fewer keys than this costs more to merge than it saves.
static constexpr int64_t fewestKeys = 512;
/// Shares begin where key tiles of every schedule do.
static constexpr int64_t shareMultiple = 128;

/// How the keys are shared out.
struct Shares {
  int64_t count = 0;
  int64_t keys = 0; // of a share; 0 where the number of keys is dynamic
};

/// How many entries the block list of `op` has room for; dynamic sizes of a
/// list are not shared out.
static int64_t getListLength(AttentionOp op) {
  auto type = cast<RankedTensorType>(op.getBlockIndices().getType());
  return type.getDimSize(type.getRank() - (op.hasBlockFlags() ? 2 : 1));
}

/// The keys that `op` may visit.
static int64_t getVisitedKeys(AttentionOp op) {
  if (!op.getBlockCounts())
    return op.getDimSize(op.getDims().k2);
  int64_t keys;
  if (llvm::MulOverflow(getListLength(op), (*op.getBlockShape())[1], keys))
    return 0;
  return keys;
}

static bool canShareList(AttentionOp op) {
  return !op.getBlockCounts() ||
         (cast<RankedTensorType>(op.getBlockCounts().getType())
              .hasStaticShape() &&
          cast<RankedTensorType>(op.getBlockIndices().getType())
              .hasStaticShape());
}

static bool canSplit(AttentionOp op) {
  AttentionOp::Dims dims = op.getDims();
  SmallVector<unsigned> fixed(dims.batch);
  fixed.append({dims.m, dims.k1, dims.n});
  AffineMap output = op.getOutputMap();
  return llvm::none_of(fixed,
                       [&](unsigned dim) {
                         return ShapedType::isDynamic(op.getDimSize(dim));
                       }) &&
         !op.getDecisionTile() && canShareList(op) && !op.getRecallBound() &&
         !op.getTileCounts() &&
         output.getDimPosition(output.getNumResults() - 1) == dims.n;
}

/// Shares of at most `keys` each if that is not 0, else as many as let the
/// blocks of `op` occupy a GPU; fewer than two to leave it whole.
static Shares chooseShares(AttentionOp op, int64_t perShare) {
  AttentionOp::Dims dims = op.getDims();
  int64_t queries = op.getDimSize(dims.m), keys = getVisitedKeys(op);
  if (perShare && op.getBlockCounts()) {
    // Whole blocks, as many as have at most that many keys.
    int64_t entries = std::max<int64_t>(perShare / (*op.getBlockShape())[1], 1);
    return {llvm::divideCeilSigned(getListLength(op), entries), perShare};
  }
  if (perShare && !ShapedType::isDynamic(keys))
    return {llvm::divideCeilSigned(keys, perShare), perShare};
  if (perShare || queries > fewQueries)
    return {};
  int64_t blocks = 1;
  for (unsigned dim : dims.batch)
    // Heads that share a key head may become rows of one block.
    if (op.getKeyMap().isFunctionOfDim(dim) || queries > 1)
      if (llvm::MulOverflow(blocks, op.getDimSize(dim), blocks))
        return {};
  if (blocks == 0)
    return {};
  int64_t shares = enoughBlocks / blocks;
  if (ShapedType::isDynamic(keys))
    return {shares, 0};
  shares = std::min(shares, keys / fewestKeys);
  if (shares < 2)
    return {};
  int64_t each =
      llvm::alignTo(llvm::divideCeilSigned(keys, shares), shareMultiple);
  return {llvm::divideCeilSigned(keys, each), each};
}

/// The first key of each share, and behind them the end of the last, for a
/// number of keys that is known when the graph runs: tensor<(count+1)xi64>.
static Value createBoundaries(ImplicitLocOpBuilder &b, AttentionOp op,
                              int64_t count) {
  auto [operand, position] = op.getDimSource(op.getDims().k2);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
  };
  Value length = arith::IndexCastOp::create(
      b, b.getI64Type(), tensor::DimOp::create(b, operand, position));
  Value each = arith::CeilDivSIOp::create(b, length, constant(count));
  each = arith::MaxSIOp::create(b, each, constant(fewestKeys));
  each = arith::CeilDivSIOp::create(b, each, constant(shareMultiple));
  each = arith::MulIOp::create(b, each, constant(shareMultiple));
  // One computation: each element of a tensor.from_elements would be a launch
  // of its own in a program for a GPU.
  Value init = tensor::EmptyOp::create(b, {count + 1}, b.getI64Type());
  return emitGeneric(b, b.getLoc(), {}, init, {b.getMultiDimIdentityMap(1)},
                     [&](OpBuilder &inner, Location loc, ValueRange) -> Value {
                       Value share = arith::IndexCastOp::create(
                           inner, loc, inner.getI64Type(),
                           linalg::IndexOp::create(inner, loc, 0));
                       return arith::MulIOp::create(inner, loc, each, share);
                     });
}

/// Hides the keys of other shares in the region of `op`, whose batch indices
/// end in the share's.
static void hideOtherShares(ImplicitLocOpBuilder &b, AttentionOp op,
                            const Shares &shares) {
  Value boundaries;
  if (!shares.keys) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(op);
    boundaries = createBoundaries(b, op, shares.count);
  }
  Block &region = op.getScore().front();
  auto yield = cast<YieldOp>(region.getTerminator());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(yield);
  unsigned count = region.getNumArguments();
  Value share = region.getArgument(count - 3);
  Value key = region.getArgument(count - 1);
  Value first, next;
  if (boundaries) {
    auto boundary = [&](Value number) -> Value {
      Value key = tensor::ExtractOp::create(b, boundaries, number);
      return arith::IndexCastOp::create(b, b.getIndexType(), key);
    };
    first = boundary(share);
    Value one = arith::ConstantIndexOp::create(b, 1);
    next = boundary(arith::AddIOp::create(b, share, one));
  } else {
    Value size = arith::ConstantIndexOp::create(b, shares.keys);
    first = arith::MulIOp::create(b, share, size);
    next = arith::AddIOp::create(b, first, size);
  }
  using Predicate = arith::CmpIPredicate;
  Value from = arith::CmpIOp::create(b, Predicate::sge, key, first);
  Value to = arith::CmpIOp::create(b, Predicate::slt, key, next);
  Value mine = arith::AndIOp::create(b, from, to);
  Value none = createMinusInfinity(b, b.getLoc());
  yield.getScoreMutable().assign(
      arith::SelectOp::create(b, mine, yield.getScore(), none));
}

/// The counts and the indices of each share's part of the block list, with the
/// shares before the blocks of queries.
static std::pair<Value, Value> shareList(ImplicitLocOpBuilder &b,
                                         AttentionOp op, int64_t count) {
  int64_t length = getListLength(op);
  int64_t each = llvm::divideCeilSigned(length, count);
  auto index = [](OpBuilder &b, Location loc, int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto counts = cast<RankedTensorType>(op.getBlockCounts().getType());
  unsigned batch = counts.getRank() - 1;
  /// Where an element of the result comes from: the iteration without its
  /// share, and the share times the entries of one.
  auto locate = [&](OpBuilder &b, Location loc, unsigned rank) {
    SmallVector<Value> at;
    for (unsigned dim = 0; dim < rank; ++dim)
      at.push_back(linalg::IndexOp::create(b, loc, dim));
    Value before =
        arith::MulIOp::create(b, loc, at[batch], index(b, loc, each));
    at.erase(at.begin() + batch);
    return std::pair(at, before);
  };
  auto emit = [&](SmallVector<int64_t> shape, LinalgBody body) {
    Value init = tensor::EmptyOp::create(b, shape, b.getI32Type());
    return emitGeneric(b, b.getLoc(), {}, init,
                       {b.getMultiDimIdentityMap(shape.size())}, body);
  };

  SmallVector<int64_t> shape(counts.getShape());
  shape.insert(shape.begin() + batch, count);
  Value countsOfShares =
      emit(shape, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        auto [at, before] = locate(b, loc, batch + 2);
        Value all = tensor::ExtractOp::create(b, loc, op.getBlockCounts(), at);
        Value first =
            arith::IndexCastOp::create(b, loc, b.getI32Type(), before);
        auto number = [&](int64_t value) -> Value {
          return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
        };
        // Counts end at the length of the list.
        all = arith::MinSIOp::create(b, loc, all, number(length));
        Value left = arith::SubIOp::create(b, loc, all, first);
        left = arith::MinSIOp::create(b, loc, left, number(each));
        return arith::MaxSIOp::create(b, loc, left, number(0));
      });

  auto indices = cast<RankedTensorType>(op.getBlockIndices().getType());
  shape.assign(indices.getShape().begin(), indices.getShape().end());
  shape[batch + 1] = each;
  shape.insert(shape.begin() + batch, count);
  Value indicesOfShares =
      emit(shape, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        auto [at, before] = locate(b, loc, shape.size());
        Value entry = arith::AddIOp::create(b, loc, at[batch + 1], before);
        // What lies behind the list is in no share's count.
        at[batch + 1] =
            arith::MinSIOp::create(b, loc, entry, index(b, loc, length - 1));
        return tensor::ExtractOp::create(b, loc, op.getBlockIndices(), at);
      });
  return {countsOfShares, indicesOfShares};
}

static Value emptyF32(ImplicitLocOpBuilder &b, ArrayRef<int64_t> shape) {
  return tensor::EmptyOp::create(b, shape, b.getF32Type());
}

/// The attention of each share, with the shares before the output's last
/// dimension: outputs and log-sum-exps in f32.
static AttentionOp attendShares(ImplicitLocOpBuilder &b, AttentionOp op,
                                const Shares &shares) {
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  SmallVector<int64_t> shape(outputType.getShape());
  shape.insert(shape.end() - 1, shares.count);
  ArrayRef<int64_t> rows = ArrayRef(shape).drop_back();
  // The shares are the first dimension of the new space.
  SmallVector<AffineMap> maps;
  for (auto map : op.getIndexingMaps().getAsValueRange<AffineMapAttr>())
    maps.push_back(map.shiftDims(1));
  maps.back() =
      maps.back().insertResult(b.getAffineDimExpr(0), rows.size() - 1);
  Value inits[] = {emptyF32(b, shape), emptyF32(b, rows)};
  Value counts, indices;
  if (op.getBlockCounts())
    std::tie(counts, indices) = shareList(b, op, shares.count);
  auto part = AttentionOp::create(
      b, TypeRange(ValueRange(inits)), op.getQuery(), op.getKey(),
      op.getValue(), op.getMask(), counts, indices, inits[0], inits[1],
      /*recall_bound=*/Value(),
      /*tile_counts=*/Value(), b.getAffineMapArrayAttr(maps), op.getScaleAttr(),
      op.getFilterAttr(), /*decision_tile=*/DenseI64ArrayAttr(),
      op.getBlockShapeAttr(), op.getPrecisionAttr());
  unsigned batch = op.getDims().batch.size();
  if (op.hasScore()) {
    IRMapping mapping;
    b.cloneRegionBefore(op.getScore(), part.getScore(), part.getScore().end(),
                        mapping);
    part.getScore().front().insertArgument(1 + batch, b.getIndexType(),
                                           op.getLoc());
  } else if (!counts) {
    createIdentityScore(b, part);
  }
  // A share of a list names its keys by itself.
  if (!counts)
    hideOtherShares(b, part, shares);
  return part;
}

/// The attention over the shares of each row: scores are log-sum-exps.
static AttentionOp mergeShares(ImplicitLocOpBuilder &b, AttentionOp op,
                               AttentionOp part) {
  auto partType = cast<RankedTensorType>(part.getOutput().getType());
  unsigned rank = partType.getRank() - 2; // of a row
  ArrayRef<int64_t> rows = partType.getShape().take_front(rank);
  auto withRow = [&](ArrayRef<int64_t> tail) {
    SmallVector<int64_t> shape(rows);
    shape.append(tail.begin(), tail.end());
    return shape;
  };
  // (rows..., query, value, head_dim, share)
  unsigned query = rank, value = rank + 1, head = rank + 2, share = rank + 3;
  auto map = [&](ArrayRef<unsigned> tail) {
    auto dims = llvm::to_vector(llvm::seq<unsigned>(0, rank));
    dims.append(tail.begin(), tail.end());
    return AffineMap::getMultiDimMapWithTargets(rank + 4, dims, b.getContext());
  };
  // Any query and key do whose product is 0.
  constexpr int64_t headDim = 4;
  auto zeros = [&](int64_t count) -> Value {
    auto type =
        RankedTensorType::get(withRow({count, headDim}), b.getF32Type());
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(type, b.getF32FloatAttr(0.0)));
  };
  int64_t shares = partType.getDimSize(rank);
  int64_t width = partType.getDimSize(rank + 1);
  SmallVector<Value> inits = {emptyF32(b, withRow({1, width}))};
  if (op.getLogSumExp())
    inits.push_back(emptyF32(b, withRow({1})));
  SmallVector<AffineMap> maps = {map({query, head}), map({share, head}),
                                 map({share, value}), map({share}),
                                 map({query, value})};
  Value noQuery = zeros(1), noKeys = zeros(shares);
  auto merge = AttentionOp::create(
      b, TypeRange(ValueRange(inits)), noQuery, noKeys, part.getResult(0),
      part.getResult(1), /*block_counts=*/Value(),
      /*block_indices=*/Value(), inits[0],
      inits.size() > 1 ? inits[1] : Value(),
      /*recall_bound=*/Value(), /*tile_counts=*/Value(),
      b.getAffineMapArrayAttr(maps), b.getF64FloatAttr(1.0),
      DenseFilterAttr::get(b.getContext()),
      /*decision_tile=*/DenseI64ArrayAttr(),
      /*block_shape=*/DenseI64ArrayAttr(),
      PrecisionAttr::get(b.getContext(), Precision::tf32x3));
  merge->setAttr(mergeAttrName, b.getUnitAttr());
  return merge;
}

static void split(AttentionOp op, const Shares &shares) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  AttentionOp part = attendShares(b, op, shares);
  AttentionOp merge = mergeShares(b, op, part);
  // The merge has a query of its own behind each row.
  SmallVector<Value> results;
  for (auto [merged, result] :
       llvm::zip_equal(merge->getResults(), op->getResults())) {
    auto type = cast<RankedTensorType>(result.getType());
    unsigned lastRow = op.getRowMap().getNumResults() - 1;
    SmallVector<ReassociationIndices> groups(type.getRank());
    for (int64_t dim = 0; dim <= type.getRank(); ++dim)
      groups[dim - (dim > lastRow)].push_back(dim);
    Value flat = tensor::CollapseShapeOp::create(b, merged, groups);
    if (!type.getElementType().isF32())
      flat = arith::TruncFOp::create(b, type, flat);
    results.push_back(flat);
  }
  op->replaceAllUsesWith(results);
  op->erase();
}

namespace {
struct SplitKeys : sparse_attn::impl::SplitKeysBase<SplitKeys> {
  using SplitKeysBase::SplitKeysBase;

  void runOnOperation() override {
    if (keys < 0 || keys % shareMultiple) {
      getOperation()->emitError("expected a multiple of ")
          << shareMultiple << " keys of a share, found " << keys.getValue();
      return signalPassFailure();
    }
    SmallVector<AttentionOp> whole;
    getOperation()->walk([&](AttentionOp op) {
      // A kernel's body is its one attention.
      auto function = op->getParentOfType<FunctionOpInterface>();
      if (!(function && function->hasAttr(kernelAttrName)) && canSplit(op))
        whole.push_back(op);
    });
    for (AttentionOp op : whole) {
      Shares shares = chooseShares(op, keys);
      if (shares.count < 2)
        continue;
      split(op, shares);
      ++attentionsSplit;
    }
  }
};
} // namespace

//===- AttentionInterfaces.cpp - Decomposing and tiling attention ---------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Batch dimensions, queries and the value's head_dim can be tiled; a tile is
// the same op on slices. Where decisions are taken for tiles of query rows, a
// tile must be made of whole ones, so that tiling never changes a result.
//
//===----------------------------------------------------------------------===//

#include "AttentionSlices.h"
#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// AggregatedOpInterface
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>>
AttentionOp::decomposeOperation(OpBuilder &builder) {
  if (dependsOnTiles(*this))
    return emitOpError("does not decompose: its result depends on tiles (a "
                       "filter, a block list or tile_counts); use "
                       "convert-sparse-attn-to-linalg");
  return emitDenseAttention(builder, *this);
}

//===----------------------------------------------------------------------===//
// TilingInterface
//===----------------------------------------------------------------------===//

/// Whether some result is the same for all of the value's head_dim.
static bool hasRowResults(AttentionOp op) {
  return op.getLogSumExp() || op.getRecallBound() || op.getTileCounts();
}

SmallVector<utils::IteratorType> AttentionOp::getLoopIteratorTypes() {
  Dims dims = getDims();
  SmallVector<utils::IteratorType> types(getQueryMap().getNumDims(),
                                         utils::IteratorType::parallel);
  types[dims.k1] = types[dims.k2] = utils::IteratorType::reduction;
  // Tiles of n would write a row's results more than once.
  if (hasRowResults(*this))
    types[dims.n] = utils::IteratorType::reduction;
  return types;
}

SmallVector<Range> AttentionOp::getIterationDomain(OpBuilder &builder) {
  SmallVector<Range> domain;
  for (unsigned dim = 0, end = getQueryMap().getNumDims(); dim < end; ++dim) {
    auto [operand, position] = getDimSource(dim);
    domain.push_back(
        {builder.getIndexAttr(0),
         tensor::getMixedSize(builder, getLoc(), operand, position),
         builder.getIndexAttr(1)});
  }
  return domain;
}

/// Whether a tile is known to span all of `dim`.
static bool isWhole(AttentionOp op, unsigned dim, OpFoldResult offset,
                    OpFoldResult size) {
  if (!isConstantIntValue(offset, 0))
    return false;
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return *constant == op.getDimSize(dim);
  // Tiling asks getIterationDomain for the size of what it leaves whole.
  auto dimOp = cast<Value>(size).getDefiningOp<tensor::DimOp>();
  auto [operand, position] = op.getDimSource(dim);
  return dimOp && dimOp.getSource() == operand &&
         dimOp.getConstantIndex() == static_cast<int64_t>(position);
}

/// Whether `value` is known to be a multiple of `factor`.
static bool isMultiple(OpFoldResult value, int64_t factor) {
  if (factor == 1)
    return true;
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant % factor == 0;
  auto ssa = cast<Value>(value);
  if (auto apply = ssa.getDefiningOp<affine::AffineApplyOp>())
    return apply.getAffineMap().getResult(0).isMultipleOf(factor);
  // The last tile of a loop may be smaller: min(tile, rest).
  if (auto min = ssa.getDefiningOp<affine::AffineMinOp>())
    return llvm::any_of(min.getMap().getResults(), [&](AffineExpr expr) {
      auto constant = dyn_cast<AffineConstantExpr>(expr);
      return constant && constant.getValue() % factor == 0;
    });
  auto argument = dyn_cast<BlockArgument>(ssa);
  auto loop =
      argument
          ? dyn_cast<LoopLikeOpInterface>(argument.getOwner()->getParentOp())
          : LoopLikeOpInterface();
  if (!loop)
    return false;
  auto ivs = loop.getLoopInductionVars();
  auto lower = loop.getLoopLowerBounds();
  auto steps = loop.getLoopSteps();
  if (!ivs || !lower || !steps)
    return false;
  for (auto [iv, first, step] : llvm::zip_equal(*ivs, *lower, *steps))
    if (iv == ssa)
      return isMultiple(first, factor) && isMultiple(step, factor);
  return false;
}

/// The tile of the query dimension in units of `rows`.
static std::pair<OpFoldResult, OpFoldResult> inUnits(OpBuilder &b, Location loc,
                                                     OpFoldResult offset,
                                                     OpFoldResult size,
                                                     int64_t rows) {
  AffineExpr x = b.getAffineDimExpr(0);
  return {
      affine::makeComposedFoldedAffineApply(b, loc, x.floorDiv(rows), {offset}),
      affine::makeComposedFoldedAffineApply(b, loc, x.ceilDiv(rows), {size})};
}

OperandSlice sparse_attn::getOperandSlice(OpBuilder &b, AttentionOp op,
                                          OpOperand &operand,
                                          ArrayRef<OpFoldResult> offsets,
                                          ArrayRef<OpFoldResult> sizes) {
  Location loc = op.getLoc();
  Value value = operand.get();
  OperandSlice slice;
  AttentionOp::Dims dims = op.getDims();
  auto add = [&](OpFoldResult offset, OpFoldResult size) {
    slice.offsets.push_back(offset);
    slice.sizes.push_back(size);
  };
  auto addTiled = [&](int64_t rows) {
    for (unsigned dim : dims.batch)
      add(offsets[dim], sizes[dim]);
    auto [offset, size] = inUnits(b, loc, offsets[dims.m], sizes[dims.m], rows);
    add(offset, size);
    auto type = cast<RankedTensorType>(value.getType());
    for (int64_t at = dims.batch.size() + 1; at < type.getRank(); ++at)
      add(b.getIndexAttr(0), tensor::getMixedSize(b, loc, value, at));
  };
  unsigned number = operand.getOperandNumber();
  // The segment decides: one value may be several operands.
  auto is = [&](unsigned segment) {
    auto [first, length] = op.getODSOperandIndexAndLength(segment);
    return length && number == first;
  };
  if (is(4) || is(5))
    addTiled((*op.getBlockShape())[0]);
  else if (is(9))
    addTiled((*op.getDecisionTile())[0]);
  else
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      add(offsets[dim], sizes[dim]);
    }
  return slice;
}

void sparse_attn::shiftScore(OpBuilder &b, AttentionOp op,
                             ArrayRef<OpFoldResult> offsets) {
  if (!op.hasScore())
    return;
  OpBuilder::InsertionGuard guard(b);
  AttentionOp::Dims dims = op.getDims();
  SmallVector<unsigned> order = dims.batch;
  order.append({dims.m, dims.k2});
  Block &block = op.getScore().front();
  b.setInsertionPointToStart(&block);
  for (auto [dim, index] :
       llvm::zip_equal(order, block.getArguments().drop_front())) {
    if (isConstantIntValue(offsets[dim], 0) || index.use_empty())
      continue;
    Value offset =
        getValueOrCreateConstantIndexOp(b, op.getLoc(), offsets[dim]);
    auto shifted = arith::AddIOp::create(b, op.getLoc(), index, offset);
    index.replaceAllUsesExcept(shifted, shifted);
  }
}

static LogicalResult verifyTile(AttentionOp op, ArrayRef<OpFoldResult> offsets,
                                ArrayRef<OpFoldResult> sizes) {
  AttentionOp::Dims dims = op.getDims();
  auto whole = [&](unsigned dim) {
    return isWhole(op, dim, offsets[dim], sizes[dim]);
  };
  if (!whole(dims.k1) || !whole(dims.k2))
    return op.emitOpError("cannot be tiled in the query's head_dim or in keys; "
                          "keys can be split as a partial reduction");
  if (hasRowResults(op) && !whole(dims.n))
    return op.emitOpError("cannot be tiled in the value's head_dim beside "
                          "results of whole rows");
  if (!dependsOnTiles(op) || whole(dims.m))
    return success();
  auto fits = [&](StringRef name,
                  std::optional<ArrayRef<int64_t>> tile) -> LogicalResult {
    if (!tile || (isMultiple(offsets[dims.m], tile->front()) &&
                  isMultiple(sizes[dims.m], tile->front())))
      return success();
    return op.emitOpError("expected tiles of a multiple of ")
           << tile->front() << " queries, the rows of " << name;
  };
  if (failed(fits("decision_tile", op.getDecisionTile())))
    return failure();
  return fits("block_shape", op.getBlockShape());
}

FailureOr<TilingResult>
AttentionOp::getTiledImplementation(OpBuilder &b,
                                    ArrayRef<OpFoldResult> offsets,
                                    ArrayRef<OpFoldResult> sizes) {
  if (failed(verifyTile(*this, offsets, sizes)))
    return failure();
  SmallVector<Value> operands;
  SmallVector<Operation *> slices;
  for (OpOperand &operand : (*this)->getOpOperands()) {
    OperandSlice slice = getOperandSlice(b, *this, operand, offsets, sizes);
    SmallVector<OpFoldResult> strides(slice.sizes.size(), b.getIndexAttr(1));
    auto extract = tensor::ExtractSliceOp::create(
        b, getLoc(), operand.get(), slice.offsets, slice.sizes, strides);
    operands.push_back(extract);
    slices.push_back(extract);
  }
  auto tiled = cast<AttentionOp>(b.clone(*getOperation()));
  tiled->setOperands(operands);
  for (auto [result, init] :
       llvm::zip_equal(tiled->getResults(), tiled.getDpsInits()))
    result.setType(init.getType());
  shiftScore(b, tiled, offsets);
  return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()), slices};
}

LogicalResult AttentionOp::getResultTilePosition(
    OpBuilder &b, unsigned resultNumber, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  OperandSlice slice = getOperandSlice(
      b, *this, *getDpsInitOperand(resultNumber), offsets, sizes);
  resultOffsets = std::move(slice.offsets);
  resultSizes = std::move(slice.sizes);
  return success();
}

LogicalResult AttentionOp::getIterationDomainTileFromResultTile(
    OpBuilder &b, unsigned resultNumber, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  OpOperand *init = getDpsInitOperand(resultNumber);
  AffineMap map = getMatchingIndexingMap(init);
  // Rows of tile counts are not rows of queries.
  if (!map.isProjectedPermutation())
    return failure();
  for (const Range &range : getIterationDomain(b)) {
    domainOffsets.push_back(range.offset);
    domainSizes.push_back(range.size);
  }
  for (auto [position, expr] : llvm::enumerate(map.getResults())) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    domainOffsets[dim] = offsets[position];
    domainSizes[dim] = sizes[position];
  }
  return success();
}

FailureOr<TilingResult>
AttentionOp::generateResultTileValue(OpBuilder &b, unsigned resultNumber,
                                     ArrayRef<OpFoldResult> offsets,
                                     ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> domainOffsets, domainSizes;
  if (failed(getIterationDomainTileFromResultTile(
          b, resultNumber, offsets, sizes, domainOffsets, domainSizes)))
    return failure();
  FailureOr<TilingResult> tiled =
      getTiledImplementation(b, domainOffsets, domainSizes);
  if (failed(tiled))
    return failure();
  tiled->tiledValues = {tiled->tiledValues[resultNumber]};
  return tiled;
}

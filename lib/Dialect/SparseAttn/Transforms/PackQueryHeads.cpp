//===- PackQueryHeads.cpp - Heads as the rows of a query tile -------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_PACKQUERYHEADS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Whether kernels can step along dimension `dim` of this operand: the sizes
/// behind it are static, or it has no such dimension.
static bool hasPitch(Value operand, AffineMap map, unsigned dim) {
  if (!operand)
    return true;
  std::optional<unsigned> position = getPosition(map, dim);
  return !position ||
         getPitch(cast<RankedTensorType>(operand.getType()), *position);
}

/// Query tiles of one key head, none if there are too many to count.
static std::optional<int64_t> countTiles(int64_t rows, int64_t others) {
  int64_t tiles;
  if (llvm::MulOverflow(llvm::divideCeilSigned(rows, fewQueries), others,
                        tiles))
    return std::nullopt;
  return tiles;
}

/// The batch dimension that should be the rows instead of the queries: one that
/// key and value lack, and that fills fewer tiles.
static std::optional<unsigned> chooseGroup(AttentionOp op) {
  // Which rows vote together is settled, or visible in a result's shape.
  if (op.getDecisionTile() || op.getTileCounts() || op.getBlockCounts())
    return std::nullopt;
  AttentionOp::Dims dims = op.getDims();
  int64_t queries = op.getDimSize(dims.m);
  if (ShapedType::isDynamic(queries))
    return std::nullopt;
  for (unsigned dim : dims.batch) {
    int64_t heads = op.getDimSize(dim);
    if (op.getKeyMap().isFunctionOfDim(dim) ||
        !op.getQueryMap().isFunctionOfDim(dim) || ShapedType::isDynamic(heads))
      continue;
    std::optional<int64_t> now = countTiles(queries, heads);
    std::optional<int64_t> packed = countTiles(heads, queries);
    if (!now || !packed || *packed >= *now)
      continue;
    AffineMap rows = op.getRowMap();
    if (hasPitch(op.getQuery(), op.getQueryMap(), dim) &&
        hasPitch(op.getOutput(), op.getOutputMap(), dim) &&
        hasPitch(op.getLogSumExp(), rows, dim) &&
        hasPitch(op.getRecallBound(), rows, dim) &&
        hasPitch(op.getMask(), op.getMaskMap(), dim))
      return dim;
  }
  return std::nullopt;
}

/// Gives the region its indices in the order of `after`: the batch dimensions,
/// then the queries.
static void reorderIndices(Block &region, const AttentionOp::Dims &before,
                           const AttentionOp::Dims &after) {
  auto inOrder = [](const AttentionOp::Dims &dims) {
    SmallVector<unsigned> order(dims.batch);
    order.push_back(dims.m);
    return order;
  };
  SmallVector<unsigned> from = inOrder(before), to = inOrder(after);
  // All at once: each old argument gives way to a new one behind the key.
  unsigned first = region.getNumArguments();
  for (unsigned position = 0; position < to.size(); ++position)
    region.addArgument(region.getArgument(1).getType(),
                       region.getArgument(1).getLoc());
  for (auto [position, dim] : llvm::enumerate(from))
    region.getArgument(1 + position)
        .replaceAllUsesWith(region.getArgument(
            first + std::distance(to.begin(), llvm::find(to, dim))));
  // The key index goes last again.
  BlockArgument key = region.getArgument(first - 1);
  BlockArgument last = region.addArgument(key.getType(), key.getLoc());
  key.replaceAllUsesWith(last);
  region.eraseArguments(1, first - 1);
}

/// Exchanges the roles of the queries and of dimension `group`.
static void pack(AttentionOp op, unsigned group) {
  AttentionOp::Dims before = op.getDims();
  // The last dimension of the space that key and value lack is the queries.
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> exchanged;
  unsigned count = op.getQueryMap().getNumDims();
  for (unsigned dim = 0; dim < count; ++dim)
    exchanged.push_back(getAffineDimExpr(dim == before.m ? group
                                         : dim == group  ? before.m
                                                         : dim,
                                         context));
  SmallVector<Attribute> maps;
  for (auto map : op.getIndexingMaps().getAsValueRange<AffineMapAttr>())
    maps.push_back(
        AffineMapAttr::get(map.replaceDimsAndSymbols(exchanged, {}, count, 0)));
  op.setIndexingMapsAttr(ArrayAttr::get(context, maps));
  if (!op.hasScore())
    return;
  // In the names of the new space.
  auto renamed = [&](unsigned dim) {
    return cast<AffineDimExpr>(exchanged[dim]).getPosition();
  };
  for (unsigned &dim : before.batch)
    dim = renamed(dim);
  before.m = renamed(before.m);
  reorderIndices(op.getScore().front(), before, op.getDims());
}

namespace {
struct PackQueryHeads : sparse_attn::impl::PackQueryHeadsBase<PackQueryHeads> {
  void runOnOperation() override {
    getOperation()->walk([&](AttentionOp op) {
      if (std::optional<unsigned> group = chooseGroup(op)) {
        pack(op, *group);
        ++attentionsPacked;
      }
    });
  }
};
} // namespace

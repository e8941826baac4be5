//===- FoldConstantMasks.cpp - Conditions and lists for known masks -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/BlockPlan.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_FOLDCONSTANTMASKS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// A list is a small part of the memory that the operands take, or no list.
static constexpr int64_t mostEntries = 1 << 24;

static void dropMask(AttentionOp op) {
  SmallVector<Attribute> maps(op.getIndexingMaps().getValue());
  maps.erase(maps.begin() + 3);
  op.getMaskMutable().clear();
  op.setIndexingMapsAttr(ArrayAttr::get(op.getContext(), maps));
}

/// The mask as conditions behind those that the region has.
static void hideOutside(AttentionOp op, const ConstantMask::Band &band) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  if (!op.hasScore())
    createIdentityScore(b, op);
  Block &region = op.getScore().front();
  auto yield = cast<YieldOp>(region.getTerminator());
  b.setInsertionPoint(yield);
  Value key = region.getArguments().back();
  Value query = region.getArguments().drop_back().back();
  Value score = yield.getScore(), hidden = createMinusInfinity(b, op.getLoc());
  auto require = [&](arith::CmpIPredicate predicate,
                     std::optional<int64_t> distance) {
    if (!distance)
      return;
    Value bound = arith::AddIOp::create(
        b, query, arith::ConstantIndexOp::create(b, *distance));
    Value seen = arith::CmpIOp::create(b, predicate, key, bound);
    score = arith::SelectOp::create(b, seen, score, hidden);
  };
  require(arith::CmpIPredicate::sge, band.first);
  require(arith::CmpIPredicate::sle, band.last);
  yield.getScoreMutable().assign(score);
  dropMask(op);
}

/// Blocks as large as the tiles of any schedule, which divide them.
static SmallVector<int64_t> chooseBlock(AttentionOp op) {
  if (std::optional<ArrayRef<int64_t>> tile = op.getDecisionTile())
    return SmallVector<int64_t>(*tile);
  bool few = op.getDimSize(op.getDims().m) <= fewQueries;
  return {few ? fewQueries : 2 * fewQueries, 64};
}

/// Gives `op` the list of the blocks that its mask and its region show, with
/// flags for those that need the mask. Fails if that leaves nothing out.
static LogicalResult listBlocks(AttentionOp op, const ConstantMask &mask) {
  AttentionOp::Dims dims = op.getDims();
  SmallVector<int64_t> sizes;
  for (unsigned dim : dims.batch)
    sizes.push_back(op.getDimSize(dim));
  int64_t batches = 1;
  for (int64_t size : sizes)
    if (ShapedType::isDynamic(size) || size == 0 ||
        llvm::MulOverflow(batches, size, batches))
      return failure();
  SmallVector<int64_t> block = chooseBlock(op);
  int64_t keyBlocks = llvm::divideCeil(op.getDimSize(dims.k2), block[1]);
  int64_t queryBlocks = llvm::divideCeil(op.getDimSize(dims.m), block[0]);
  if (batches > mostEntries / std::max<int64_t>(1, queryBlocks * keyBlocks))
    return failure();

  struct Entry {
    int32_t block, flag;
  };
  std::vector<std::vector<Entry>> lists;
  std::optional<BlockPlan> shared; // where all batch indices agree
  bool useful = false;
  size_t longest = 1;
  SmallVector<int64_t> batch(sizes.size());
  for (int64_t number = 0; number < batches; ++number) {
    int64_t rest = number;
    for (size_t position = sizes.size(); position-- > 0;) {
      batch[position] = rest % sizes[position];
      rest /= sizes[position];
    }
    if (!shared || !mask.getBatchDims().empty() ||
        !getUsedBatchDims(op).empty())
      shared.emplace(op, block, batch, &mask);
    for (int64_t row = 0; row < queryBlocks; ++row) {
      std::vector<Entry> &list = lists.emplace_back();
      for (int64_t column = 0; column < keyBlocks; ++column) {
        TileKind kind = shared->getKind(row, column);
        useful |= kind != TileKind::Partial;
        if (kind != TileKind::Empty)
          list.push_back({int32_t(column), kind == TileKind::Partial});
      }
      longest = std::max(longest, list.size());
    }
  }
  if (!useful)
    return failure();

  SmallVector<int32_t> counts, indices;
  for (std::vector<Entry> &list : lists) {
    counts.push_back(list.size());
    list.resize(longest, Entry{-1, 0});
    for (const Entry &entry : list)
      indices.append({entry.block, entry.flag});
  }
  ImplicitLocOpBuilder b(op.getLoc(), op);
  sizes.push_back(queryBlocks);
  auto constant = [&](ArrayRef<int32_t> values) -> Value {
    auto type = RankedTensorType::get(sizes, b.getI32Type());
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
  };
  op.getBlockCountsMutable().assign(constant(counts));
  sizes.append({int64_t(longest), 2});
  op.getBlockIndicesMutable().assign(constant(indices));
  op.setBlockShape(block);
  return success();
}

namespace {
struct FoldConstantMasks
    : sparse_attn::impl::FoldConstantMasksBase<FoldConstantMasks> {
  void runOnOperation() override {
    getOperation()->walk([&](AttentionOp op) {
      std::optional<ConstantMask> mask = ConstantMask::get(op);
      // Lists that the graph gives say themselves what is visited.
      if (!mask || op.getBlockCounts())
        return;
      if (std::optional<ConstantMask::Band> band = mask->getBand()) {
        hideOutside(op, *band);
        ++masksFolded;
      } else if (!op.getTileCounts() && succeeded(listBlocks(op, *mask))) {
        ++listsCreated;
      }
    });
  }
};
} // namespace

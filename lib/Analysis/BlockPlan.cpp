//===- BlockPlan.cpp - Which key tiles a query tile visits ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/BlockPlan.h"

using namespace mlir;
using namespace mlir::sparse_attn;

TileRanges sparse_attn::roundToTiles(const VisibleKeys &keys, Number length,
                                     int64_t width, NumberMath &math) {
  // No number here is negative, which spares kernels without conditions the
  // arithmetic.
  auto lower = [&](Number x, Number y) {
    return x.is(0) || y.is(0) ? Number(0) : math.min(x, y);
  };
  auto higher = [&](Number x, Number y) {
    return x.is(0) ? y : y.is(0) ? x : math.max(x, y);
  };
  auto positive = [&](Number x) {
    return !x.value && x.constant <= 0 ? Number(0) : math.max(x, 0);
  };
  auto clamp = [&](Number x) { return lower(positive(x), length); };
  auto down = [&](Number x) {
    return math.scale(math.floorDiv(x, width), width);
  };
  TileRanges tiles;
  tiles.end = clamp(math.add(keys.some.last, 1));
  // Not clamped first: what begins behind the last key is no tile, not the
  // last.
  tiles.begin = lower(down(positive(keys.some.first)), tiles.end);
  tiles.fullBegin = tiles.fullEnd = tiles.begin;
  const auto &[first, last] = keys.every;
  if (!first.value && !last.value && first.constant > last.constant)
    return tiles;
  // Cut to what is visited at all, so that the three ranges follow each other
  // also where a condition contradicts itself.
  if (!first.is(-NumberMath::infinity))
    tiles.fullBegin =
        lower(higher(down(math.add(clamp(first), width - 1)), tiles.begin),
              tiles.end);
  Number fullEnd = down(clamp(math.add(last, 1)));
  tiles.fullEnd = higher(fullEnd, tiles.fullBegin);
  if (!same(tiles.fullEnd, tiles.end) &&
      !(same(tiles.end, length) && same(tiles.fullBegin, 0)))
    tiles.fullEnd = lower(tiles.fullEnd, tiles.end);
  return tiles;
}

BlockPlan::BlockPlan(AttentionOp op, ArrayRef<int64_t> tile,
                     ArrayRef<int64_t> batch, const ConstantMask *mask) {
  AttentionOp::Dims dims = op.getDims();
  int64_t queries = op.getDimSize(dims.m), keys = op.getDimSize(dims.k2);
  int64_t height = tile[0], width = tile[1];
  queryTiles = llvm::divideCeil(queries, height);
  keyTiles = llvm::divideCeil(keys, width);
  ScoreStructure structure = analyzeScore(op);
  NumberMath math;
  for (int64_t row = 0; row < queryTiles; ++row) {
    int64_t last = std::min((row + 1) * height, queries) - 1;
    VisibleKeys visible =
        findVisibleKeys(op, structure, row * height, last, batch);
    TileRanges ranges = roundToTiles(visible, keys, width, math);
    for (int64_t key = 0; key < keys; key += width) {
      auto within = [&](const Number &begin, const Number &end) {
        return key >= begin.constant && key < end.constant;
      };
      TileKind kind = !within(ranges.begin, ranges.end) ? TileKind::Empty
                      : within(ranges.fullBegin, ranges.fullEnd)
                          ? TileKind::Full
                          : TileKind::Partial;
      if (op.getMask() && kind != TileKind::Empty) {
        TileKind masked = mask ? mask->getKind(batch, row * height, last, key,
                                               std::min(key + width, keys) - 1)
                               : TileKind::Partial;
        if (masked != TileKind::Full)
          kind = masked;
      }
      kinds.push_back(kind);
    }
  }
}

int64_t BlockPlan::count(TileKind kind) const {
  return llvm::count(kinds, kind);
}

void BlockPlan::print(raw_ostream &os, int64_t limit) const {
  int64_t longest = std::max(queryTiles, keyTiles);
  int64_t step = std::max<int64_t>(1, llvm::divideCeil(longest, limit));
  for (int64_t top = 0; top < queryTiles; top += step) {
    for (int64_t left = 0; left < keyTiles; left += step) {
      TileKind kind = getKind(top, left);
      for (int64_t row = top; row < std::min(top + step, queryTiles); ++row)
        for (int64_t column = left; column < std::min(left + step, keyTiles);
             ++column)
          if (getKind(row, column) != kind)
            kind = TileKind::Partial;
      os << static_cast<char>(kind);
    }
    os << '\n';
  }
}

bool sparse_attn::mayHaveFullTiles(AttentionOp op) {
  AttentionOp::Dims dims = op.getDims();
  if (op.getMask())
    return op.hasBlockFlags();
  if (ShapedType::isDynamic(op.getDimSize(dims.m)) ||
      ShapedType::isDynamic(op.getDimSize(dims.k2)) ||
      !getUsedBatchDims(op).empty())
    return true;
  return BlockPlan(op, *op.getDecisionTile(), /*batch=*/{}, /*mask=*/nullptr)
             .count(TileKind::Full) > 0;
}

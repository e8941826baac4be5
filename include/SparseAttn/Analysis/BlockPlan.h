//===- BlockPlan.h - Which key tiles a query tile visits --------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_BLOCKPLAN_H
#define SPARSEATTN_ANALYSIS_BLOCKPLAN_H

#include "SparseAttn/Analysis/ConstantMask.h"
#include "SparseAttn/Analysis/KeyRanges.h"

namespace mlir::sparse_attn {

/// Key tiles in ascending order, as first keys: [begin, fullBegin) and
/// [fullEnd, end) need a look at each score, [fullBegin, fullEnd) do not.
struct TileRanges {
  Number begin, fullBegin, fullEnd, end;
};

/// Rounds the ranges to tiles of `width` keys and cuts them to `length` keys.
/// `end` is no multiple of the width where the last tile is ragged.
TileRanges roundToTiles(const VisibleKeys &keys, Number length, int64_t width,
                        NumberMath &math);

/// The kinds of all pairs for one index of the batch dimensions, by the
/// conditions of the region and a constant mask.
class BlockPlan {
public:
  /// For tiles of `tile` queries and keys. Needs static lengths; batch indices
  /// not given are 0.
  BlockPlan(AttentionOp op, ArrayRef<int64_t> tile, ArrayRef<int64_t> batch,
            const ConstantMask *mask);

  int64_t getQueryTiles() const { return queryTiles; }
  int64_t getKeyTiles() const { return keyTiles; }
  TileKind getKind(int64_t queryTile, int64_t keyTile) const {
    return kinds[queryTile * keyTiles + keyTile];
  }
  int64_t count(TileKind kind) const;

  /// A character for each pair, a line for each query tile. Plans of more than
  /// `limit` tiles a side are shrunk: full or empty where all pairs are.
  void print(raw_ostream &os, int64_t limit = 64) const;

  bool operator==(const BlockPlan &other) const {
    return keyTiles == other.keyTiles && kinds == other.kinds;
  }

private:
  int64_t queryTiles, keyTiles;
  std::vector<TileKind> kinds; // row by row
};

/// False where no pair of tiles is full, whatever the lengths at run time.
bool mayHaveFullTiles(AttentionOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_BLOCKPLAN_H

//===- TiledAttention.h - Attention as a loop over key tiles ----*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOLINALG_TILEDATTENTION_H
#define SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOLINALG_TILEDATTENTION_H

#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"

namespace mlir::sparse_attn {

/// What a query tile knows after some key tiles. Absent values are null and no
/// loop carries them.
struct TileState {
  /// Running maximum and sum of each row, over the tiles kept.
  Value maxima, sums;
  /// Upper bound of the mass skipped, in the units of `sums`; only with a
  /// filter that can skip.
  Value skippedMass;
  /// P V over the tiles kept, in the units of `sums`.
  Value acc;
  /// Numbers of tiles (i32); only with tile_counts.
  Value visited, skipped;

  /// The values that are there, in a fixed order, and back.
  SmallVector<Value> pack() const;
  TileState unpack(ValueRange values) const;
};

/// What a filter makes of one key tile.
struct TileDecision {
  /// i1: every row of the query tile agrees to skip.
  Value skip;
  /// Upper bound of each row's mass of the tile, in the units of the sums.
  Value mass;
};

/// Emits the rule of the op's filter for the tile with these scores and row
/// maxima, decided before the tile is merged.
TileDecision emitDecision(LinalgAttention &steps, const TileState &state,
                          Value scores, Value maxima);

/// Attention by tiles: any filter, block list and result.
SmallVector<Value> emitTiledAttention(OpBuilder &builder, AttentionOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOLINALG_TILEDATTENTION_H

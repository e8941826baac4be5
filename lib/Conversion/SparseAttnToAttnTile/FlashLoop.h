//===- FlashLoop.h - The fused loop over key tiles -------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_FLASHLOOP_H
#define SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_FLASHLOOP_H

#include "SparseAttn/Analysis/ScoreStructure.h"
#include "TileBuilder.h"

namespace mlir::attn_tile {

/// Where the tensors lie whose elements the score region reads.
struct CapturedTensors {
  struct Memory {
    Value pointer;
    SmallVector<Value> sizes; // i32
  };
  DenseMap<Value, Memory> tensors;
};

/// What the loop reads, prepared by the kernel's prologue. Sizes and indices
/// are i32.
struct FlashInputs {
  sparse_attn::AttentionOp op;
  sparse_attn::ScoreStructure structure;
  int64_t rows, keys; // the decision tile
  Value query;        // tile of the query, rows x head_dim
  Value key, value;   // matrices
  Value mask;         // matrix, or null
  Value maskRows, maskColumns;
  CapturedTensors captured; // and those of the block list
  SmallVector<Value> batch; // index of each batch dimension
  Value firstQuery, queryLength, keyLength;
};

/// What the loop leaves behind: rows as tensor<rowsxf32>.
struct FlashResults {
  Value accumulator; // not yet divided by the row sum
  Value rowMax;      // of the scaled score, in log2 units
  Value rowSum;
  Value skippedMass; // in the units of rowSum; null when nobody asked
  Value visited, skipped;
};

/// Emits the loop at `b`.
FlashResults buildFlashLoop(TileBuilder &b, const FlashInputs &inputs);

/// Where three loops over key tiles begin and end: masked tiles, full ones that
/// need no mask, masked ones again. First keys of tiles, i32: see TileRanges.
struct KeyBounds {
  Value begin, fullBegin, fullEnd, end;
};

/// Whether it is known that no key lies between `from` and `to`.
bool isEmptyRange(Value from, Value to);

/// The bounds for the query tile of `inputs`, computed at `b`.
KeyBounds findKeyBounds(TileBuilder &b, const FlashInputs &inputs);

/// A tile of keys that is visited.
struct KeyTile {
  Value firstKey;
  /// Whether a condition, the mask or the end of the keys may hide any of it.
  bool partial = true;
  /// Of a partial one, i1: whether nothing is hidden after all. May be null.
  Value full;
  /// Of a block list, i1: whether there are keys that it names. Null without.
  Value listed;
  /// i1: whether the mask is read; null where it is if there is one.
  Value masked;
};

/// The tiles that the block list of `inputs` names, by the number of the visit.
class ListedTiles {
public:
  /// Reads the counts at `b`; what `bounds` leave out is passed over.
  ListedTiles(TileBuilder &b, const FlashInputs &inputs,
              const KeyBounds &bounds);
  /// Number of visits, i32. Some may find no key.
  Value getCount() { return count; }
  /// The tile of visit `number`, which is less than the count.
  KeyTile at(Value number);

private:
  Value read(Value tensor, ValueRange at);

  TileBuilder &b;
  const FlashInputs &in;
  KeyBounds bounds;
  int64_t tilesPerBlock;
  SmallVector<Value> position; // of the query block's entries
  Value count;
};

/// The value `result` of the region of `op`, or what the region yields if that
/// is null, for a tile of scores.
Value applyScoreRegion(TileBuilder &b, sparse_attn::AttentionOp op,
                       Value result, const CapturedTensors &captured,
                       Value scores, ValueRange batch, Value queryIndex,
                       Value keyIndex);

/// The elements of a captured tensor at `indices`: i32 numbers, rows or tiles.
Value readElements(TileBuilder &b, const CapturedTensors &captured,
                   Value tensor, ArrayRef<Value> indices);

/// Why `op` cannot become a kernel; empty if it can.
std::string findObstacle(sparse_attn::AttentionOp op);

/// The first operation of the region that tiles have no form of, or null.
Operation *findUnsupportedScoreOp(sparse_attn::AttentionOp op);

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_FLASHLOOP_H

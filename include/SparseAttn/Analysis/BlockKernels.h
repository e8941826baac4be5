//===- BlockKernels.h - How kernels of block lists are launched -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_BLOCKKERNELS_H
#define SPARSEATTN_ANALYSIS_BLOCKKERNELS_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// Thread blocks of a kernel other than attention. All but those of
/// `block_scores` are one warp.
struct BlockGrid {
  int64_t x = 1, y = 1;
};
BlockGrid getBlockGrid(KernelOpInterface op);

/// A tensor around one of its dimensions: sizes before it, of it, behind it.
struct SplitShape {
  int64_t outer, size, inner;
};
SplitShape splitShape(ArrayRef<int64_t> shape, int64_t dim);

/// Queries and keys that a thread block of `block_scores` scores at a time.
struct ScoreTile {
  int64_t rows, keys;
};
ScoreTile getScoreTile(BlockScoresOp op);

/// Queries or keys that count: with `zero_padded` up to whole blocks.
int64_t getCountedTokens(BlockScoresOp op, unsigned dim);

/// Why `op` cannot become a kernel for a target with that much shared memory;
/// empty if it can.
std::string findKernelObstacle(KernelOpInterface op, int64_t maxSharedBytes);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_BLOCKKERNELS_H

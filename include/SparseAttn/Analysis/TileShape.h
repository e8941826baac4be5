//===- TileShape.h - What tiles of a kernel take up ------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_TILESHAPE_H
#define SPARSEATTN_ANALYSIS_TILESHAPE_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// Query tiles have this many rows where queries are no more.
constexpr int64_t fewQueries = 64;

/// The largest head_dim whose accumulators a thread's registers hold.
constexpr int64_t maxHeadDim = 256;

/// Columns of a tile whose rows hold `headDim` elements: whole fragments of
/// both products, in every element type.
int64_t getTileColumns(int64_t headDim);

/// Bytes of shared memory that a kernel of `op` takes with this decision tile,
/// for static head_dims.
int64_t getSharedBytes(AttentionOp op, int64_t rows, int64_t keys);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_TILESHAPE_H

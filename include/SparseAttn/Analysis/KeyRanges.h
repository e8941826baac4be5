//===- KeyRanges.h - Which keys a query tile can see ------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The conditions of a score region are solved for the key: for a tile of
// queries, one range holds every key that some row may see, another only keys
// that every row sees. Both follow from the comparisons by interval arithmetic.
// The same rules run on numbers, to print a plan, and on values, where they
// become the bounds of a kernel's loops.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_KEYRANGES_H
#define SPARSEATTN_ANALYSIS_KEYRANGES_H

#include "SparseAttn/Analysis/NumberMath.h"
#include "SparseAttn/Analysis/ScoreStructure.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {

/// first, ..., last; empty where first > last.
struct KeyRange {
  Number first, last;
  static KeyRange all() {
    return {-NumberMath::infinity, NumberMath::infinity};
  }
  static KeyRange none() {
    return {NumberMath::infinity, -NumberMath::infinity};
  }
};

/// What is known of the keys that a set of queries sees: every key that some
/// query may see is in `some`, and every query sees each key of `every`.
struct VisibleKeys {
  KeyRange some = KeyRange::all(), every = KeyRange::all();
};

/// Where the region is looked at: the queries of a tile, and one index for each
/// batch dimension.
struct QueryTile {
  Number firstQuery, lastQuery;
  SmallVector<Number> batch;
};

/// Solves the conditions of `structure` for the key. `load` gives an element of
/// a tensor that the region reads at indices which are the same for the whole
/// tile; without it such an element is unknown.
VisibleKeys
findVisibleKeys(AttentionOp op, const ScoreStructure &structure,
                const QueryTile &tile, NumberMath &math,
                llvm::function_ref<std::optional<Number>(tensor::ExtractOp,
                                                         ArrayRef<Number>)>
                    load = nullptr);

/// The same for the queries `first`, ..., `last`, in numbers: for the batch
/// indices `batch`, all 0 if none are given.
VisibleKeys findVisibleKeys(AttentionOp op, const ScoreStructure &structure,
                            int64_t first, int64_t last,
                            ArrayRef<int64_t> batch = {});

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_KEYRANGES_H

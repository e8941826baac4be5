//===- FilterReference.h - Filtered attention in double ---------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_EXECUTION_FILTERREFERENCE_H
#define SPARSEATTN_TEST_UNIT_EXECUTION_FILTERREFERENCE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <vector>

namespace sparse_attn_test {

/// An attention of heads x queries x depth on heads x keys x depth.
struct AttentionCase {
  int64_t heads, queries, keys, depth, tileRows, tileKeys;
  double scale;
  bool causal;

  int64_t getQueryTiles() const { return (queries + tileRows - 1) / tileRows; }
};

struct FilterReference {
  std::vector<double> output;
  /// Kept mass over all mass of each row.
  std::vector<double> recall;
  /// Visited and skipped key tiles of each query tile.
  std::vector<int32_t> counts;
  /// How far the closest decision was from being another, relative.
  double margin;

  int64_t totalSkipped() const;
};

/// Computes attention by the rules of the filter attributes; `filter` is such
/// an attribute as MLIR spells it.
FilterReference computeReference(const AttentionCase &shape,
                                 llvm::StringRef filter,
                                 llvm::ArrayRef<float> query,
                                 llvm::ArrayRef<float> key,
                                 llvm::ArrayRef<float> value);

} // namespace sparse_attn_test

#endif // SPARSEATTN_TEST_UNIT_EXECUTION_FILTERREFERENCE_H

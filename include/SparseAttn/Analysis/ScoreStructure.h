//===- ScoreStructure.h - Which keys a score region lets through --*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_SCORESTRUCTURE_H
#define SPARSEATTN_ANALYSIS_SCORESTRUCTURE_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// What is known of a score region before any tile is computed.
struct ScoreStructure {
  enum class Kind {
    /// No region: every key counts, scores are not modified.
    Identity,
    /// The region keeps a score as it is where `key <= query + offset` and
    /// makes it -inf elsewhere.
    Causal,
    /// Anything else: every tile must go through the region.
    General
  };
  Kind kind = Kind::Identity;
  int64_t offset = 0;
};

/// Analyses the region of `op` by data flow over its indices.
ScoreStructure analyzeScore(AttentionOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_SCORESTRUCTURE_H

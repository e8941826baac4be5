//===- ScoreStructure.h - Mask and modification of a score --*- C++ -*-----===//
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

/// Fills above this are no masks. Scores are taken to be far above it.
constexpr double largestFill = -1e37;

/// A condition of the region on the indices: i1, and the value under which the
/// score is kept.
struct ScoreCondition {
  Value value;
  bool keeps = true;
  /// Where the select reads what stands in the place of a hidden score.
  OpOperand *fill = nullptr;
};

/// A score region read as a mask around a modification: the region yields
/// `kept` where all conditions hold and -inf elsewhere.
struct ScoreStructure {
  SmallVector<ScoreCondition> conditions;
  /// f32 of the region; null where there is no region or the score stays as it
  /// is.
  Value kept;

  bool masks() const { return !conditions.empty(); }
  bool modifies() const { return kept != nullptr; }
};

/// Splits the region of `op`. Selects between -inf and something else, nested
/// or in a row, are conditions; what is inside them is the modification.
/// Constants up to `largestFill` stand for -inf.
ScoreStructure
analyzeScore(AttentionOp op,
             double largestFill = -std::numeric_limits<double>::infinity());

/// The f32 constant that hides a score.
Value createMinusInfinity(OpBuilder &b, Location loc);

/// Gives `op`, which has none, a score region that changes nothing.
void createIdentityScore(OpBuilder &b, AttentionOp op);

/// Positions, among the batch dimensions, of those that the region looks at.
SmallVector<unsigned> getUsedBatchDims(AttentionOp op);

/// The o of a lone condition `key <= query + o`, none for other conditions.
std::optional<int64_t> getCausalOffset(const ScoreStructure &structure);

/// The first and last of conditions that together are
/// `query + first <= key <= query + last`, none for other conditions.
std::optional<std::pair<int64_t, int64_t>>
getWindow(AttentionOp op, const ScoreStructure &structure);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_SCORESTRUCTURE_H

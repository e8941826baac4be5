//===- AttentionPlan.h - Attention found in a graph, before it is written --*-
// C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_ATTENTIONPLAN_H
#define SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_ATTENTIONPLAN_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreMatcher.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sparse_attn {

/// A tensor that could be an operand (or the result) of the attention.
struct Candidate {
  Value tensor;
  AxisView axes;
  /// The factor between this tensor and the one that the product reads.
  double scale = 1;
  /// Whether the step from the previous candidate is a reshape, which costs
  /// nothing, so that either side of it is as good.
  bool reshape = false;

  Type getElementType() const { return getElementTypeOrSelf(tensor.getType()); }
};

/// An attention with a choice of tensors. The lists of candidates begin at the
/// products and go up to the origin of query, key and value, and down for the
/// output.
struct AttentionPlan {
  explicit AttentionPlan(Operation *anchor) : anchor(anchor) {}

  /// Where refusals are told.
  Operation *anchor;
  SmallVector<Candidate> query, key, value, output;
  /// The loops of the products: keys, head_dim, head_dim of the values.
  AxisList keys, headDim, valueDim;
  ScoreMatch scores;
};

/// Lists `tensor` and what it is a copy of: through reshapes, transposes,
/// broadcasts and widening casts, and through products with constants if
/// `scaled`.
SmallVector<Candidate> findOrigins(Tracer &tracer, Value tensor, AxisView axes,
                                   bool scaled);

/// Lists `tensor` and its reordered and narrowed copies, as long as each is
/// all that its predecessor is used for.
SmallVector<Candidate> findCopies(Tracer &tracer, Value tensor, AxisView axes);

/// Chooses tensors, indexing maps and reshapes for `plan` and writes the
/// attention in place of the output's last chosen candidate. Changes nothing
/// if it fails.
FailureOr<AttentionOp> writeAttention(RewriterBase &rewriter, Tracer &tracer,
                                      AttentionPlan &plan, Refusal &refusal);

/// Erases those of `ops` that are unused, and what only they used.
void eraseDeadChains(RewriterBase &rewriter, ArrayRef<Operation *> ops);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_ATTENTIONPLAN_H

//===- ScoreMatcher.h - From the softmax up to query and key ---*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SCOREMATCHER_H
#define SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SCOREMATCHER_H

#include "SparseAttn/Analysis/ScoreStructure.h"
#include "SparseAttn/Conversion/LinalgToSparseAttn/SoftmaxMatcher.h"

namespace mlir::sparse_attn {

/// One change of the score in the attention's region.
struct ScoreStep {
  enum class Kind {
    /// The scalar op of `node`, of which operand `spine` is the score and the
    /// others are regional.
    apply,
    /// The float `node`, which is regional, is added.
    add,
    /// -inf where the i1 `node` differs from `keepWhen`.
    maskOut
  };
  Kind kind;
  Element node;
  unsigned spine = 0;
  bool keepWhen = true;
};

/// A part of an attention's mask operand, made of a tensor of the graph.
struct MaskPlan {
  enum class Kind {
    /// A float tensor that is added.
    additive,
    /// An i1 tensor, true where the score stays.
    keep,
    /// An i1 tensor, true where the score becomes -inf.
    drop,
    /// An i1 tensor; the score becomes the finite `fill` where it differs
    /// from `keepWhen`.
    fill
  };
  Kind kind;
  /// The tensor and its view.
  Element tensor;
  double fill = 0;
  bool keepWhen = true;
  /// What an additive mask is multiplied with.
  double factor = 1;
};

struct ScoreMatch {
  /// The product of query and key, the tensor that a contraction gives.
  Element product;
  double scale = 1;
  /// In the order of application, after the scale and before the mask.
  SmallVector<ScoreStep> steps;
  /// Masks that all apply, in order.
  SmallVector<MaskPlan> masks;
};

/// Matches `scores` as scale, region and mask on a product of two tensors.
FailureOr<ScoreMatch> matchScores(Tracer &tracer, const Element &scores,
                                  Operation *anchor, Trace &trace,
                                  Refusal &refusal);

/// Matches what a score region yields as scale and steps on `score`, its
/// argument, and adds them to `match`.
LogicalResult addScoreRegion(Tracer &tracer, Value yielded, BlockArgument score,
                             ScoreMatch &match, Operation *anchor,
                             Refusal &refusal);

/// Adds what an attention's mask operand does, given as the element of that
/// tensor, to `match`: as a step of the region if it depends on nothing but
/// indices.
LogicalResult addMaskOperand(Tracer &tracer, const Element &mask,
                             ScoreMatch &match, Operation *anchor,
                             Refusal &refusal);

/// Whether `element` depends on nothing but indices and constants, by ops that
/// can be repeated in a score region.
bool isIndexOnly(Tracer &tracer, const Element &element);

/// The same, but elements of tensors may take part, which the region then
/// reads.
bool isRegional(Tracer &tracer, const Element &element);

/// Whether `element` is regional and each tensor in it lacks a dimension that
/// the others, the indices or `beside` have. A tensor that has them all had
/// better be a mask operand.
bool isBroadcast(Tracer &tracer, const Element &element,
                 ArrayRef<AxisList> beside);

/// Whether `op` multiplies two float tensors and sums, from zero.
bool isZeroBasedContraction(Tracer &tracer, linalg::LinalgOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SCOREMATCHER_H

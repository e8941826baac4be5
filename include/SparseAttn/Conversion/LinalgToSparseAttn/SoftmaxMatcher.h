//===- SoftmaxMatcher.h - Finds normalised exponentials --------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SOFTMAXMATCHER_H
#define SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SOFTMAXMATCHER_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/Element.h"

namespace mlir::sparse_attn {

/// Why something that looks like attention was left alone.
struct Refusal {
  /// The exponential or linalg.softmax that the reason is told at.
  Operation *anchor = nullptr;
  std::string reason;

  /// Sets both and fails.
  LogicalResult operator()(Operation *op, const Twine &why) {
    anchor = op;
    reason = why.str();
    return failure();
  }
};

struct SoftmaxMatch {
  Operation *anchor = nullptr;
  /// What is exponentiated, before its maximum is subtracted; peeled.
  Element scores;
  /// Whether the maximum is subtracted, so that no exponential overflows.
  bool shifted = false;
  /// Whether rows with a score that is not a number are given 0.
  bool hidesNaN = false;
};

/// Matches `probabilities`, one operand's element of the product with the
/// values, as the softmax of something over `keys`, the axes that the product
/// sums over. Without an anchor in `refusal`, a failure means that there is no
/// softmax at all.
FailureOr<SoftmaxMatch> matchSoftmax(Tracer &tracer, Element probabilities,
                                     ArrayRef<unsigned> keys, Trace &trace,
                                     Refusal &refusal);

/// The divisor of `element`, be it written as division or as product with the
/// reciprocal; the dividend in `dividend`. None if it is no quotient.
std::optional<Element> matchQuotient(Tracer &tracer, const Element &element,
                                     Element &dividend, Trace &trace);

/// Whether `init` is what a row maximum may start from: nothing above any
/// score. The lowest finite value differs from -inf in empty rows only.
bool isMaximumStart(Tracer &tracer, const Element &init);

/// Where `op` is in the input: the bodies of named ops have no locations of
/// their own.
Location locate(Operation *op);

/// Whether `op` is an exponential that a sum runs over, or a linalg.softmax:
/// what a user would expect to be raised if it belongs to an attention.
bool looksLikeSoftmax(Operation *op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SOFTMAXMATCHER_H

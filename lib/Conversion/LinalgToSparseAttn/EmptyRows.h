//===- EmptyRows.h - Probabilities replaced in empty rows ------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_EMPTYROWS_H
#define SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_EMPTYROWS_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreMatcher.h"

namespace mlir::sparse_attn {

/// Probabilities of which some are replaced by a constant.
struct Replacement {
  /// Peeled.
  Element condition, kept;
  /// Whether they are replaced where the condition is true.
  bool when;
};

/// Matches a select of `element`, the probabilities as they are used: between
/// them and zero, or between them and any constant under a condition that no
/// number from 0 to 1 meets.
std::optional<Replacement>
matchReplacement(Tracer &tracer, const Element &element, Trace &trace);

/// Which probabilities a replacement meets.
enum class Replaced {
  /// None, or those that are 0 in attention: of scores that are -inf, in rows
  /// without any other too.
  hidden,
  /// The same, and those of rows with a score that is not a number.
  notNumbers,
  other
};
Replaced findReplaced(Tracer &tracer, const Replacement &replacement,
                      const SoftmaxMatch &softmax, ArrayRef<unsigned> keys,
                      Trace &trace);

/// Whether `scores` are -inf wherever `condition` is `when`.
bool isMaskedWhere(Tracer &tracer, Element scores, const Element &condition,
                   bool when, unsigned depth = 8);

/// The op through which a score may become NaN or +inf though query, key and
/// what else is read are numbers, masks numbers or -inf, and no sum overflows;
/// null if there is none.
Operation *findSourceOfNaN(Tracer &tracer, const ScoreMatch &scores);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_EMPTYROWS_H

//===- Reduction.h - Reductions over the keys ------------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_REDUCTION_H
#define SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_REDUCTION_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/Element.h"

namespace mlir::sparse_attn {

/// A reduction over the keys: what is reduced, how, and from what start.
struct Reduction {
  Operation *combiner;
  Element reduced;
  Element init;
};

/// Matches a reduction of one value over one loop that the result lacks. The
/// loop is bound to the keys; what is reduced over another dimension shows in
/// the axes of `reduced`.
std::optional<Reduction> matchReduction(Tracer &tracer, const Element &element,
                                        ArrayRef<unsigned> keys, Trace &trace);

/// The same if `element` is the maximum of `scores` over the keys.
std::optional<Reduction> matchRowMaximum(Tracer &tracer, const Element &element,
                                         const Element &scores,
                                         ArrayRef<unsigned> keys, Trace &trace);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_REDUCTION_H

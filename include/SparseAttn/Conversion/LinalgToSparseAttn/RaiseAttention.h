//===- RaiseAttention.h - Attention of linalg graphs -----------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_RAISEATTENTION_H
#define SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_RAISEATTENTION_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/AttentionPlan.h"

namespace mlir::sparse_attn {

/// Raises the attention that ends in `values`, a product with the values, if
/// it is one. Fails with an anchor and a reason in `refusal` where there is a
/// softmax that cannot be raised, and without where there is none.
FailureOr<AttentionOp> raiseAttention(RewriterBase &rewriter,
                                      linalg::LinalgOp values,
                                      Refusal &refusal);

/// The same as a pattern; its match failures are the reasons.
void populateLinalgToSparseAttnPatterns(RewritePatternSet &patterns);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_RAISEATTENTION_H

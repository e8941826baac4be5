//===- TokenDims.h - Operations that treat all tokens alike -----*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_TOKENDIMS_H
#define SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_TOKENDIMS_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// Which dimension of each operand and result of an operation are the tokens;
/// none where there are no tokens, or where the value does not matter.
struct TokenDims {
  SmallVector<std::optional<int64_t>> operands, results;
};

/// The token dimensions of `op`, if its operand number `operand` has them in
/// dimension `dim` and it does the same for each token; else fails and says in
/// `reason` what it does instead.
FailureOr<TokenDims> findTokensFromOperand(Operation *op, unsigned operand,
                                           int64_t dim, std::string &reason);

/// The same from result number `result`.
FailureOr<TokenDims> findTokensFromResult(Operation *op, unsigned result,
                                          int64_t dim, std::string &reason);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_TOKENDIMS_H

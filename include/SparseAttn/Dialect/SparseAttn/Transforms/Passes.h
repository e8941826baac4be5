//===- Passes.h - Decisions on sparse_attn -------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_TRANSFORMS_PASSES_H
#define SPARSEATTN_DIALECT_SPARSEATTN_TRANSFORMS_PASSES_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparse_attn {

/// Unit attribute of functions that hold exactly one attention, or one
/// operation around it, on their arguments, made by
/// sparse-attn-outline-kernels.
inline constexpr llvm::StringLiteral kernelAttrName = "sparse_attn.kernel";
/// Unit attribute of kernel arguments that hold what the graph did not ask
/// for, made by sparse-attn-request-statistics.
inline constexpr llvm::StringLiteral statisticAttrName =
    "sparse_attn.statistic";

/// Unit attribute of attentions, and of their calls, that merge what others
/// computed on shares of the keys, made by sparse-attn-split-keys.
inline constexpr llvm::StringLiteral mergeAttrName =
    "sparse_attn.merges_shares";

#define GEN_PASS_DECL
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_DIALECT_SPARSEATTN_TRANSFORMS_PASSES_H

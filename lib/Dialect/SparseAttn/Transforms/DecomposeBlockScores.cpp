//===- DecomposeBlockScores.cpp - Pooling as kernels of its own -----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/BlockScores.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_DECOMPOSEBLOCKSCORES
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
struct DecomposeBlockScores
    : sparse_attn::impl::DecomposeBlockScoresBase<DecomposeBlockScores> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk(
        [&](BlockScoresOp op) { takePoolingOut(rewriter, op); });
  }
};
} // namespace

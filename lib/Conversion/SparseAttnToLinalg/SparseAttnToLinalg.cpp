//===- SparseAttnToLinalg.cpp - Reference semantics of attention ----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/SparseAttnToLinalg/SparseAttnToLinalg.h"
#include "SparseAttn/Conversion/Passes.h"
#include "TiledAttention.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_CONVERTSPARSEATTNTOLINALG
#include "SparseAttn/Conversion/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

struct LowerAttention : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, dependsOnTiles(op)
                               ? emitTiledAttention(rewriter, op)
                               : emitDenseAttention(rewriter, op));
    return success();
  }
};

struct ConvertSparseAttnToLinalg
    : sparse_attn::impl::ConvertSparseAttnToLinalgBase<
          ConvertSparseAttnToLinalg> {
  void runOnOperation() override {
    getOperation()->walk([&](AttentionOp op) {
      if (dependsOnTiles(op))
        ++numTiled;
      else
        ++numDense;
    });
    RewritePatternSet patterns(&getContext());
    populateSparseAttnToLinalgPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace

void sparse_attn::populateSparseAttnToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerAttention>(patterns.getContext());
}

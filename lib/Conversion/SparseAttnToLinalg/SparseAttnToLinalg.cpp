//===- SparseAttnToLinalg.cpp - Reference semantics of attention ----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/SparseAttnToLinalg/SparseAttnToLinalg.h"
#include "LinalgSteps.h"
#include "SparseAttn/Conversion/Passes.h"
#include "SparseAttn/Dialect/SparseAttn/IR/BlockScores.h"
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

/// Each element from its place, by a table of positions.
struct LowerPermutation : OpRewritePattern<PermuteTokensOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PermuteTokensOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getResult().getType());
    std::vector<int32_t> positions = op.getSourcePositions();
    Value table = arith::ConstantOp::create(
        rewriter, loc,
        DenseElementsAttr::get(
            RankedTensorType::get(positions.size(), rewriter.getI32Type()),
            ArrayRef<int32_t>(positions)));
    Value init = tensor::EmptyOp::create(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, op.getSource()),
        type.getElementType());
    SmallVector<AffineMap> maps = {
        rewriter.getMultiDimIdentityMap(type.getRank())};
    SmallVector<utils::IteratorType> loops(type.getRank(),
                                           utils::IteratorType::parallel);
    rewriter.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, ValueRange(), init, maps, loops,
        [&](OpBuilder &b, Location at, ValueRange) {
          SmallVector<Value> from;
          for (int64_t dim = 0; dim < type.getRank(); ++dim)
            from.push_back(linalg::IndexOp::create(b, at, dim));
          Value position =
              tensor::ExtractOp::create(b, at, table, from[op.getDim()]);
          from[op.getDim()] =
              arith::IndexCastOp::create(b, at, b.getIndexType(), position);
          Value element =
              tensor::ExtractOp::create(b, at, op.getSource(), from);
          linalg::YieldOp::create(b, at, element);
        });
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
    // Patterns do not see the operations that patterns make.
    IRRewriter rewriter(&getContext());
    getOperation()->walk(
        [&](BlockScoresOp op) { takePoolingOut(rewriter, op); });
    RewritePatternSet patterns(&getContext());
    populateSparseAttnToLinalgPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace

void sparse_attn::populateSparseAttnToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerAttention, LowerPermutation>(patterns.getContext());
  populateBlockScoresToLinalgPatterns(patterns);
  populateBlockListsToLinalgPatterns(patterns);
}

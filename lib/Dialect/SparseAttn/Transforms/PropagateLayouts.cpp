//===- PropagateLayouts.cpp - Permutations to the graph's edges -----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inverse permutations sink: what follows an attention runs on tokens in its
// order, and other operands are permuted to match. Permutations rise. Where a
// model adds what it attends to onto a residual stream, the stream of all
// layers ends up in the attention's order.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "TokenDims.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_PROPAGATELAYOUTS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

static Value permute(OpBuilder &b, Location loc, Value value, int64_t dim,
                     PermuteTokensOp like, bool inverse) {
  return b.createOrFold<PermuteTokensOp>(
      loc, value.getType(), value, b.getI64IntegerAttr(dim), like.getLayout(),
      inverse ? b.getUnitAttr() : UnitAttr());
}

/// A copy of `op` on tokens in the order that `like` permutes them into, if
/// they are dimensions `dims` of its operands.
static Operation *cloneInOrder(PatternRewriter &rewriter, Operation *op,
                               const TokenDims &dims, PermuteTokensOp like) {
  rewriter.setInsertionPoint(op);
  SmallVector<Value> operands(op->getOperands());
  for (auto [operand, dim] : llvm::zip_equal(operands, dims.operands))
    if (dim)
      operand = permute(rewriter, like.getLoc(), operand, *dim, like,
                        /*inverse=*/false);
  Operation *copy = rewriter.clone(*op);
  rewriter.modifyOpInPlace(copy, [&] { copy->setOperands(operands); });
  return copy;
}

namespace {

/// op(inverse(x), y) becomes inverse(op(x, permute(y))).
struct SinkInverse : OpRewritePattern<PermuteTokensOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PermuteTokensOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getInverse())
      return failure();
    for (OpOperand &use : op.getResult().getUses()) {
      Operation *user = use.getOwner();
      std::string reason;
      if (isa<PermuteTokensOp>(user))
        continue;
      FailureOr<TokenDims> dims = findTokensFromOperand(
          user, use.getOperandNumber(), op.getDim(), reason);
      if (failed(dims))
        continue;
      Operation *copy = cloneInOrder(rewriter, user, *dims, op);
      SmallVector<Value> results(copy->getResults());
      for (auto [result, dim] : llvm::zip_equal(results, dims->results))
        if (dim)
          result = permute(rewriter, op.getLoc(), result, *dim, op,
                           /*inverse=*/true);
      rewriter.replaceOp(user, results);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no user treats tokens alike");
  }
};

/// permute(op(x, y)) becomes op(permute(x), permute(y)), where nobody else
/// needs the result.
struct RaisePermutation : OpRewritePattern<PermuteTokensOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PermuteTokensOp op,
                                PatternRewriter &rewriter) const override {
    auto result = dyn_cast<OpResult>(op.getSource());
    if (op.getInverse() || !result)
      return failure();
    Operation *producer = result.getOwner();
    if (isa<PermuteTokensOp>(producer))
      return failure();
    std::string reason;
    FailureOr<TokenDims> dims = findTokensFromResult(
        producer, result.getResultNumber(), op.getDim(), reason);
    if (failed(dims))
      return rewriter.notifyMatchFailure(op, reason);
    // What no operand's tokens go into is the same for each of them.
    if (llvm::none_of(dims->operands,
                      [](const auto &dim) { return dim.has_value(); })) {
      rewriter.replaceOp(op, result);
      return success();
    }
    auto isSame = [&](Operation *user) {
      auto other = dyn_cast<PermuteTokensOp>(user);
      return other && other.getLayout() == op.getLayout() &&
             other.getDim() == op.getDim() && !other.getInverse();
    };
    if (producer->getNumResults() != 1 ||
        !llvm::all_of(result.getUsers(), isSame))
      return rewriter.notifyMatchFailure(op, "others need the old order");
    Operation *copy = cloneInOrder(rewriter, producer, *dims, op);
    for (Operation *user : llvm::make_early_inc_range(result.getUsers()))
      rewriter.replaceOp(user, copy->getResults());
    return success();
  }
};

struct PropagateLayouts
    : sparse_attn::impl::PropagateLayoutsBase<PropagateLayouts> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkInverse, RaisePermutation>(&getContext());
    GreedyRewriteConfig config;
    config.setMaxIterations(GreedyRewriteConfig::kNoLimit);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    // What several operations need in order is put in order once.
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(getOperation());
    eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    getOperation()->walk([&](PermuteTokensOp op) {
      ++permutationsLeft;
      report(op);
    });
  }

private:
  /// Says why a permutation is still inside the graph.
  void report(PermuteTokensOp op) {
    std::string reason;
    auto say = [&](Operation *blocker) {
      InFlightDiagnostic remark = op.emitRemark("tokens are put ");
      remark << (op.getInverse() ? "back into raster order here"
                                 : "in order here")
             << ": '" << blocker->getName() << "' " << reason;
      remark.attachNote(blocker->getLoc()) << "see the operation";
    };
    if (!op.getInverse()) {
      if (auto result = dyn_cast<OpResult>(op.getSource())) {
        if (succeeded(findTokensFromResult(result.getOwner(),
                                           result.getResultNumber(),
                                           op.getDim(), reason)))
          reason = "gives them in raster order to others as well";
        say(result.getOwner());
      }
      return;
    }
    for (OpOperand &use : op.getResult().getUses())
      if (!use.getOwner()->hasTrait<OpTrait::IsTerminator>() &&
          failed(findTokensFromOperand(use.getOwner(), use.getOperandNumber(),
                                       op.getDim(), reason)))
        return say(use.getOwner());
  }
};

} // namespace

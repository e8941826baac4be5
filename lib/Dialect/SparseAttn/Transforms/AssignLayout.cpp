//===- AssignLayout.cpp - Attentions in another order of tokens -----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_ASSIGNLAYOUT
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Why the order of the tokens is part of the meaning of `op`; empty if not.
static StringRef findObstacle(AttentionOp op) {
  if (op.getBlockCounts())
    return "its block list names tokens by their position";
  if (op.getDecisionTile() || op.getTileCounts())
    return "its tiles are settled";
  if (op.hasScore())
    for (BlockArgument position :
         op.getScore().front().getArguments().take_back(2))
      if (!position.use_empty())
        return "its score region looks at positions";
  return {};
}

static void permute(AttentionOp op, LayoutAttrInterface layout) {
  AttentionOp::Dims dims = op.getDims();
  OpBuilder b(op);
  auto along = [&](Value value, unsigned position, bool inverse) -> Value {
    return PermuteTokensOp::create(b, op.getLoc(), value.getType(), value,
                                   b.getI64IntegerAttr(position), layout,
                                   inverse ? b.getUnitAttr() : UnitAttr());
  };
  auto permuteOperand = [&](OpOperand &operand, AffineMap map) {
    for (unsigned dim : {dims.m, dims.k2})
      if (std::optional<unsigned> position = getPosition(map, dim))
        operand.set(along(operand.get(), *position, /*inverse=*/false));
  };
  permuteOperand(op.getQueryMutable(), op.getQueryMap());
  permuteOperand(op.getKeyMutable(), op.getKeyMap());
  permuteOperand(op.getValueMutable(), op.getValueMap());
  if (op.getMask())
    permuteOperand(*op.getMaskMutable().begin(), op.getMaskMap());
  b.setInsertionPointAfter(op);
  for (Value result : op->getResults()) {
    AffineMap map =
        result == op->getResult(0) ? op.getOutputMap() : op.getRowMap();
    Value back = along(result, *getPosition(map, dims.m), /*inverse=*/true);
    result.replaceAllUsesExcept(back, back.getDefiningOp());
  }
}

namespace {
struct AssignLayout : sparse_attn::impl::AssignLayoutBase<AssignLayout> {
  using AssignLayoutBase::AssignLayoutBase;

  void runOnOperation() override {
    if (layout.empty())
      return;
    FailureOr<LayoutAttrInterface> parsed = parseLayoutSpelling(
        &getContext(), layout, [&] { return getOperation()->emitError(); });
    if (failed(parsed))
      return signalPassFailure();
    int64_t tokens = parsed->getTokenOrder().count();
    getOperation()->walk([&](AttentionOp op) {
      AttentionOp::Dims dims = op.getDims();
      // A kernel's body is its one attention.
      auto function = op->getParentOfType<FunctionOpInterface>();
      if (op.getDimSize(dims.m) != tokens || op.getDimSize(dims.k2) != tokens ||
          (function && function->hasAttr(kernelAttrName)))
        return;
      if (StringRef obstacle = findObstacle(op); !obstacle.empty()) {
        op.emitRemark("keeps its order of tokens: ") << obstacle;
        return;
      }
      permute(op, *parsed);
      ++attentionsPermuted;
    });
  }
};
} // namespace

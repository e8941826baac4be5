//===- Candidates.cpp - Tensors that attention could be written on --------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/AttentionPlan.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Takes a factor off `element` that is a product with a constant.
static bool takeFactor(Tracer &tracer, Element &element, double &scale) {
  Operation *op = element.getScalarOp();
  if (isa<arith::NegFOp>(op)) {
    scale = -scale;
    element = tracer.rawOperand(element, 0);
    return true;
  }
  if (!isa<arith::MulFOp, arith::DivFOp>(op))
    return false;
  unsigned variables = isa<arith::MulFOp>(op) ? 2 : 1;
  for (unsigned i = 0; i < variables; ++i) {
    std::optional<double> factor =
        tracer.getDouble(tracer.operand(element, 1 - i));
    if (!factor)
      continue;
    double by = isa<arith::MulFOp>(op) ? *factor : 1 / *factor;
    if (!std::isfinite(by))
      return false;
    scale *= by;
    element = tracer.rawOperand(element, i);
    return true;
  }
  return false;
}

SmallVector<Candidate> mlir::sparse_attn::findOrigins(Tracer &tracer,
                                                      Value tensor,
                                                      AxisView axes,
                                                      bool scaled) {
  SmallVector<Candidate> result;
  result.push_back({tensor, std::move(axes)});
  while (true) {
    const Candidate &last = result.back();
    double scale = last.scale;
    Operation *def = last.tensor.getDefiningOp();
    if (!def)
      return result;
    bool reshape = !isa<linalg::LinalgOp>(def);
    Element element = tracer.stepUp({last.tensor, nullptr, last.axes});
    // Through the body of an elementwise op back to one of its operands.
    while (element.value && !element.isTensor()) {
      if (isa_and_nonnull<arith::ExtFOp>(element.getScalarOp()))
        element = tracer.rawOperand(element, 0);
      else if (element.getScalarOp() && scaled &&
               takeFactor(tracer, element, scale))
        continue;
      else if (element.getScalarOp())
        return result;
      else
        element = tracer.stepUp(element);
    }
    if (!element.value || !isa<FloatType>(element.getElementType()))
      return result;
    result.push_back({element.value, element.axes, scale, reshape});
  }
}

/// The view of what `user` makes of `candidate`, if that is a reordering or a
/// narrowing; `reshape` tells which.
static std::optional<AxisView> stepDown(Tracer &tracer, Operation *user,
                                        const Candidate &candidate,
                                        bool &reshape) {
  AxisSpace &space = tracer.getSpace();
  reshape = true;
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(user)) {
    AxisView axes;
    for (const ReassociationIndices &group :
         collapse.getReassociationIndices()) {
      AxisList &list = axes.emplace_back();
      for (int64_t dim : group)
        llvm::append_range(list, candidate.axes[dim]);
    }
    return axes;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(user)) {
    AxisView axes;
    ArrayRef<int64_t> shape = expand.getResultType().getShape();
    for (auto [list, group] :
         llvm::zip_equal(candidate.axes, expand.getReassociationIndices())) {
      std::optional<AxisView> parts =
          space.distribute(list, shape.slice(group.front(), group.size()));
      if (!parts)
        return std::nullopt;
      llvm::append_range(axes, *parts);
    }
    return axes;
  }
  if (auto shaped = dyn_cast<tensor::ReshapeOp>(user))
    return tracer.throughReshape(shaped, candidate.axes, /*up=*/false);
  reshape = false;
  auto op = dyn_cast<linalg::LinalgOp>(user);
  if (!op || !op.hasPureTensorSemantics() || op->getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops())
    return std::nullopt;
  OpOperand *input = nullptr;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (operand->get() == candidate.tensor)
      input = operand;
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  if (auto narrow = yielded.getDefiningOp<arith::TruncFOp>())
    yielded = narrow.getIn();
  if (!input || yielded != op.getMatchingBlockArgument(input))
    return std::nullopt;
  std::optional<AxisView> loops =
      tracer.bindLoops(op, op.getMatchingIndexingMap(input), candidate.axes);
  if (!loops)
    return std::nullopt;
  return tracer.applyMap(op.getMatchingIndexingMap(op.getDpsInitOperand(0)),
                         *loops, op->getResult(0).getType());
}

SmallVector<Candidate>
mlir::sparse_attn::findCopies(Tracer &tracer, Value tensor, AxisView axes) {
  SmallVector<Candidate> result;
  result.push_back({tensor, std::move(axes)});
  while (result.back().tensor.hasOneUse()) {
    Operation *user = *result.back().tensor.user_begin();
    if (user->getBlock() != tensor.getParentBlock())
      break;
    bool reshape;
    std::optional<AxisView> next =
        stepDown(tracer, user, result.back(), reshape);
    if (!next)
      break;
    result.push_back({user->getResult(0), std::move(*next), 1, reshape});
  }
  return result;
}

void mlir::sparse_attn::eraseDeadChains(RewriterBase &rewriter,
                                        ArrayRef<Operation *> ops) {
  llvm::SetVector<Operation *> worklist;
  worklist.insert_range(ops);
  while (!worklist.empty()) {
    Operation *next = worklist.pop_back_val();
    if (!isOpTriviallyDead(next))
      continue;
    llvm::SmallSetVector<Operation *, 4> producers;
    next->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        if (Operation *def = operand.getDefiningOp())
          if (!next->isAncestor(def))
            producers.insert(def);
    });
    rewriter.eraseOp(next);
    worklist.insert_range(producers);
  }
}

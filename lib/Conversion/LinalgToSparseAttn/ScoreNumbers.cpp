//===- ScoreNumbers.cpp - Whether scores are numbers ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmptyRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// Follows the steps from the product to the softmax, where a score is a number
/// or, once something masked it, -inf.
class Scores {
public:
  explicit Scores(Tracer &tracer) : tracer(tracer) {}

  /// The op through which `step` may give something else; null if none.
  Operation *apply(const ScoreStep &step);

private:
  Operation *applyOp(const ScoreStep &step);
  /// The op that may give NaN or +inf in `element`, or -inf unless `masks`.
  Operation *findSource(const Element &element, bool masks, unsigned depth = 8);

  Tracer &tracer;
  bool masked = false;
};
} // namespace

Operation *Scores::findSource(const Element &element, bool masks,
                              unsigned depth) {
  if (!isa<FloatType>(element.getElementType()))
    return nullptr;
  Operation *op = element.value.getDefiningOp();
  if (std::optional<APFloat> value = tracer.getFloat(element)) {
    bool minusInfinity = value->isInfinity() && value->isNegative();
    masked |= minusInfinity;
    return value->isFinite() || (minusInfinity && masks) ? nullptr : op;
  }
  // What a region reads are numbers; where it is added, it may mask.
  if (element.isTensor() || isa<BlockArgument>(element.value) ||
      isa_and_nonnull<tensor::ExtractOp, arith::SIToFPOp, arith::UIToFPOp>(
          op)) {
    masked |= masks;
    return nullptr;
  }
  if (depth == 0 || !op)
    return op;
  bool passes = isa<arith::AddFOp, arith::SelectOp, arith::ExtFOp,
                    arith::TruncFOp, arith::MaximumFOp, arith::MaxNumFOp,
                    arith::MinimumFOp, arith::MinNumFOp>(op);
  if (!passes && !isa<arith::SubFOp, arith::MulFOp, arith::NegFOp, math::AbsFOp,
                      math::TanhOp>(op))
    return op;
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (Operation *source =
            findSource(tracer.operand(element, i), masks && passes, depth - 1))
      return source;
  return nullptr;
}

Operation *Scores::applyOp(const ScoreStep &step) {
  Operation *op = step.node.getScalarOp();
  bool wasMasked = masked;
  std::optional<double> factor;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    if (i == step.spine)
      continue;
    Element other = tracer.operand(step.node, i);
    bool masks = isa<arith::AddFOp, arith::SelectOp, arith::MaximumFOp,
                     arith::MaxNumFOp, arith::MinimumFOp, arith::MinNumFOp>(op);
    if (Operation *source = findSource(other, masks))
      return source;
    factor = tracer.getDouble(other);
  }
  if (isa<arith::AddFOp, arith::SelectOp, arith::MaximumFOp, arith::MaxNumFOp,
          arith::MinimumFOp, arith::MinNumFOp, math::TanhOp>(op))
    return nullptr;
  if (isa<arith::SubFOp>(op))
    return wasMasked && step.spine == 1 ? op : nullptr;
  if (isa<arith::MulFOp, arith::DivFOp>(op)) {
    if (isa<arith::DivFOp>(op) && (step.spine == 1 || !factor || *factor == 0))
      return op;
    return wasMasked && !(factor && *factor > 0) ? op : nullptr;
  }
  return isa<arith::NegFOp, math::AbsFOp>(op) && !wasMasked ? nullptr : op;
}

Operation *Scores::apply(const ScoreStep &step) {
  switch (step.kind) {
  case ScoreStep::Kind::apply:
    return applyOp(step);
  case ScoreStep::Kind::add:
    return findSource(step.node, /*masks=*/true);
  case ScoreStep::Kind::maskOut:
    masked = true;
    return nullptr;
  }
  llvm_unreachable("unknown kind of step");
}

Operation *mlir::sparse_attn::findSourceOfNaN(Tracer &tracer,
                                              const ScoreMatch &match) {
  Scores scores(tracer);
  for (const ScoreStep &step : match.steps)
    if (Operation *source = scores.apply(step))
      return source;
  // Masks that are operands are numbers or -inf, and added last.
  return nullptr;
}

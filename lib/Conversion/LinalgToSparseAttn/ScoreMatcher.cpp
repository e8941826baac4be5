//===- ScoreMatcher.cpp - From the softmax up to query and key ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreMatcher.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

bool mlir::sparse_attn::isZeroBasedContraction(Tracer &tracer,
                                               linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(op) ||
      op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return false;
  for (OpOperand &operand : op->getOpOperands())
    if (!isa<FloatType>(getElementTypeOrSelf(operand.get().getType())))
      return false;
  // The view of the init does not matter: it has to be zero everywhere.
  OpOperand *init = op.getDpsInitOperand(0);
  AxisView axes(cast<RankedTensorType>(init->get().getType()).getRank());
  return tracer.isZero(tracer.peel({init->get(), nullptr, axes}));
}

static bool isIndexOnly(Tracer &tracer, const Element &element,
                        unsigned &budget) {
  if (budget == 0)
    return false;
  --budget;
  if (tracer.getFloat(element) || tracer.getInteger(element))
    return true;
  if (tracer.getRamp(element))
    return true;
  Operation *op = element.getScalarOp();
  if (!op || op->getNumResults() != 1 || op->getNumRegions() != 0)
    return false;
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
          op->getDialect()))
    return false;
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (!isIndexOnly(tracer, tracer.operand(element, i), budget))
      return false;
  return op->getNumOperands() != 0;
}

bool mlir::sparse_attn::isIndexOnly(Tracer &tracer, const Element &element) {
  // Shared subexpressions are visited once per use: bounded, not memoised.
  unsigned budget = 256;
  return ::isIndexOnly(tracer, tracer.peel(element), budget);
}

//===----------------------------------------------------------------------===//
// The path from the scores to the product
//===----------------------------------------------------------------------===//

namespace {

/// A scalar op on the path and which of its operands is on it.
struct PathNode {
  Element node;
  unsigned spine;
};

class Matcher {
public:
  Matcher(Tracer &tracer, Operation *anchor, Refusal &refusal)
      : tracer(tracer), anchor(anchor), refusal(refusal) {}

  /// Finds the path from `element` to a contraction, or to the argument of a
  /// score region, innermost op first.
  bool findPath(Element element, SmallVectorImpl<PathNode> &path,
                Element &product, Trace &passed);
  /// Sorts one op on the path into scale, region or mask.
  LogicalResult add(const PathNode &node);
  LogicalResult addMask(const Element &raw);
  /// A mask as a whole, i1 or float.
  LogicalResult addOperand(const Element &raw) {
    return raw.getElementType().isInteger(1) ? addCondition(raw, true)
                                             : addMask(raw);
  }
  LogicalResult addSelect(const Element &node, unsigned spine);

  ScoreMatch match;
  /// The argument that a path in a score region leads to; null elsewhere.
  Value score;
  /// The last contraction that is none for attention, for the reason.
  bool sawOtherStart = false;

private:
  /// Masks with -inf where `condition` is not `keepWhen`.
  LogicalResult addCondition(const Element &raw, bool keepWhen);
  LogicalResult setMask(MaskPlan::Kind kind, Element tensor);
  bool isPlain() const { return match.steps.empty() && !match.mask; }
  void addStep(ScoreStep::Kind kind, const Element &node, unsigned spine,
               bool keepWhen = true) {
    match.steps.push_back({kind, node, spine, keepWhen});
  }
  /// Whether a step of the region masks: with -inf, or with a finite number of
  /// that purpose.
  bool hasMaskingStep() {
    return llvm::any_of(match.steps, [&](const ScoreStep &step) {
      return step.kind == ScoreStep::Kind::maskOut ||
             hasHugeConstant(step.node, step.spine, /*depth=*/8);
    });
  }
  bool hasHugeConstant(const Element &node, std::optional<unsigned> without,
                       unsigned depth);
  /// The tensor whose element `raw` is, before any computation of its op.
  std::optional<Element> boundary(const Element &raw) {
    Element tensor = tracer.peel(raw, nullptr, Peel::copies);
    if (!tensor.isTensor() || tracer.isInRegion(tensor.value))
      return std::nullopt;
    return tensor;
  }

  Tracer &tracer;
  Operation *anchor;
  Refusal &refusal;
  unsigned budget = 256;
};

} // namespace

bool Matcher::findPath(Element element, SmallVectorImpl<PathNode> &path,
                       Element &product, Trace &passed) {
  if (budget == 0)
    return false;
  --budget;
  Trace local;
  element = tracer.peel(std::move(element), &local);
  if (score && element.value == score)
    return true;
  if (element.isTensor() && score)
    return false;
  if (element.isTensor()) {
    auto op = element.value.getDefiningOp<linalg::LinalgOp>();
    if (!op || !linalg::isaContractionOpInterface(op))
      return false;
    if (!isZeroBasedContraction(tracer, op)) {
      sawOtherStart = true;
      return false;
    }
    local.insert(op);
    product = element;
    passed.insert_range(local);
    return true;
  }
  Operation *op = element.getScalarOp();
  if (!op || !isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
                 op->getDialect()))
    return false;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    if (!isa<FloatType>(op->getOperand(i).getType()))
      continue;
    if (!findPath(tracer.rawOperand(element, i), path, product, passed))
      continue;
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      path.push_back({element, i});
    passed.insert_range(local);
    return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

LogicalResult Matcher::setMask(MaskPlan::Kind kind, Element tensor) {
  if (match.mask)
    return refusal(anchor, "more than one mask tensor applies to the scores");
  Type type = tensor.getElementType();
  bool boolean = kind != MaskPlan::Kind::additive;
  if (boolean ? !type.isInteger(1)
              : !type.isF16() && !type.isBF16() && !type.isF32())
    return refusal(anchor, "the mask is no tensor of i1, f16, bf16 or f32");
  match.mask = MaskPlan{kind, std::move(tensor)};
  return success();
}

LogicalResult Matcher::addCondition(const Element &raw, bool keepWhen) {
  Element condition = tracer.peel(raw);
  if (isIndexOnly(tracer, condition)) {
    addStep(ScoreStep::Kind::maskOut, condition, 0, keepWhen);
    return success();
  }
  Operation *op = condition.getScalarOp();
  if (isa_and_nonnull<arith::XOrIOp>(op))
    for (unsigned i : {0, 1})
      if (std::optional<APInt> constant =
              tracer.getInteger(tracer.operand(condition, i)))
        return addCondition(tracer.rawOperand(condition, 1 - i),
                            keepWhen == constant->isZero());
  // Keeping what both keep is masking twice.
  if (keepWhen ? isa_and_nonnull<arith::AndIOp>(op)
               : isa_and_nonnull<arith::OrIOp>(op)) {
    if (failed(addCondition(tracer.rawOperand(condition, 0), keepWhen)))
      return failure();
    return addCondition(tracer.rawOperand(condition, 1), keepWhen);
  }
  std::optional<Element> tensor = boundary(raw);
  if (!tensor)
    return refusal(anchor, "the mask is computed in the op that applies it");
  return setMask(keepWhen ? MaskPlan::Kind::keep : MaskPlan::Kind::drop,
                 *tensor);
}

LogicalResult Matcher::addMask(const Element &raw) {
  Element mask = tracer.stripCasts(raw);
  if (isa_and_nonnull<arith::SelectOp>(mask.getScalarOp())) {
    Element whenTrue = tracer.operand(mask, 1);
    Element whenFalse = tracer.operand(mask, 2);
    if (tracer.isZero(whenTrue) && tracer.isNegativeInfinity(whenFalse))
      return addCondition(tracer.rawOperand(mask, 0), true);
    if (tracer.isNegativeInfinity(whenTrue) && tracer.isZero(whenFalse))
      return addCondition(tracer.rawOperand(mask, 0), false);
  }
  if (mask.isTensor())
    return setMask(MaskPlan::Kind::additive, mask);
  std::optional<Element> tensor = boundary(raw);
  if (!tensor)
    return refusal(anchor, "the mask is computed in the op that applies it");
  return setMask(MaskPlan::Kind::additive, *tensor);
}

bool Matcher::hasHugeConstant(const Element &node,
                              std::optional<unsigned> without, unsigned depth) {
  if (std::optional<double> value = tracer.getDouble(node))
    return std::abs(*value) > 1e30;
  Operation *op = node.getScalarOp();
  if (!op)
    return false;
  if (depth == 0)
    return true;
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (i != without &&
        hasHugeConstant(tracer.operand(node, i), std::nullopt, depth - 1))
      return true;
  return false;
}

LogicalResult Matcher::addSelect(const Element &node, unsigned spine) {
  bool keepWhen = spine == 1;
  Element other = tracer.operand(node, 3 - spine);
  if (tracer.isNegativeInfinity(other))
    return addCondition(tracer.rawOperand(node, 0), keepWhen);
  Element condition = tracer.operand(node, 0);
  if (isIndexOnly(tracer, condition) && isIndexOnly(tracer, other)) {
    if (match.mask)
      return refusal(anchor, "the scores are replaced under a condition after "
                             "a mask tensor is applied");
    addStep(ScoreStep::Kind::apply, node, spine);
    return success();
  }
  // A finite fill of the size of the largest floats: adding it to a score
  // gives the fill itself, as any score is less than half a unit in its last
  // place. So it can be an additive mask, and rows where all is filled keep
  // their meaning, the mean of the values.
  std::optional<double> fill = tracer.getDouble(other);
  std::optional<Element> tensor = boundary(tracer.rawOperand(node, 0));
  if (!fill || !tensor)
    return refusal(anchor, "the scores are replaced under a condition in a way "
                           "that is no mask");
  if (*fill > -1e37)
    return refusal(anchor, "the scores are replaced by a finite value under a "
                           "mask tensor");
  if (match.mask)
    return refusal(anchor, "more than one mask tensor applies to the scores");
  // But the fill of a score that is masked already is not the sum of both.
  if (hasMaskingStep())
    return refusal(anchor, "the scores are replaced by a finite value under a "
                           "mask tensor after another mask");
  if (failed(setMask(MaskPlan::Kind::fill, *tensor)))
    return failure();
  match.mask->fill = *fill;
  match.mask->keepWhen = keepWhen;
  return success();
}

LogicalResult Matcher::add(const PathNode &path) {
  const auto &[node, spine] = path;
  Operation *op = node.getScalarOp();
  if (isa<arith::SelectOp>(op))
    return addSelect(node, spine);

  if (isPlain()) {
    if (isa<arith::NegFOp>(op)) {
      match.scale = -match.scale;
      return success();
    }
    if (isa<arith::MulFOp, arith::DivFOp>(op)) {
      std::optional<double> factor =
          tracer.getDouble(tracer.operand(node, 1 - spine));
      bool product = isa<arith::MulFOp>(op);
      if (factor && (product || spine == 0) &&
          std::isfinite(product ? *factor : 1 / *factor)) {
        match.scale *= product ? *factor : 1 / *factor;
        return success();
      }
    }
  }
  bool indexOnly = true;
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    indexOnly &= i == spine || isIndexOnly(tracer, tracer.operand(node, i));
  if (isa<arith::AddFOp>(op)) {
    Element other = tracer.stripCasts(tracer.operand(node, 1 - spine));
    // An index-only select of 0 and -inf becomes a mask, too; it commutes
    // with a mask tensor, as all additions do.
    bool select = isa_and_nonnull<arith::SelectOp>(other.getScalarOp());
    if (!indexOnly || select) {
      bool masks =
          select && ((tracer.isZero(tracer.operand(other, 1)) &&
                      tracer.isNegativeInfinity(tracer.operand(other, 2))) ||
                     (tracer.isNegativeInfinity(tracer.operand(other, 1)) &&
                      tracer.isZero(tracer.operand(other, 2))));
      if (!indexOnly || masks)
        return addMask(tracer.rawOperand(node, 1 - spine));
    }
    addStep(ScoreStep::Kind::apply, node, spine);
    return success();
  }
  if (!indexOnly)
    return refusal(anchor, Twine("another tensor takes part in the scores "
                                 "through ") +
                               op->getName().getStringRef());
  if (match.mask)
    return refusal(anchor, Twine("the scores pass through ") +
                               op->getName().getStringRef() +
                               " after a mask tensor is applied");
  addStep(ScoreStep::Kind::apply, node, spine);
  return success();
}

FailureOr<ScoreMatch> mlir::sparse_attn::matchScores(Tracer &tracer,
                                                     const Element &scores,
                                                     Operation *anchor,
                                                     Trace &trace,
                                                     Refusal &refusal) {
  Matcher matcher(tracer, anchor, refusal);
  SmallVector<PathNode> path;
  if (!matcher.findPath(scores, path, matcher.match.product, trace))
    return refusal(anchor, matcher.sawOtherStart
                               ? "the product of query and key does not start "
                                 "at zero"
                               : "the scores do not come from a product of "
                                 "two tensors");
  for (const PathNode &node : path)
    if (failed(matcher.add(node)))
      return failure();
  return std::move(matcher.match);
}

LogicalResult mlir::sparse_attn::addScoreRegion(Tracer &tracer, Value yielded,
                                                BlockArgument score,
                                                ScoreMatch &match,
                                                Operation *anchor,
                                                Refusal &refusal) {
  Matcher matcher(tracer, anchor, refusal);
  matcher.match = std::move(match);
  matcher.score = score;
  SmallVector<PathNode> path;
  Element product;
  Trace passed;
  if (!matcher.findPath(tracer.scalar(yielded), path, product, passed))
    return refusal(anchor, "the score region does not compute its result from "
                           "the score by arith and math");
  for (const PathNode &node : path)
    if (failed(matcher.add(node)))
      return failure();
  match = std::move(matcher.match);
  return success();
}

LogicalResult mlir::sparse_attn::addMaskOperand(Tracer &tracer,
                                                const Element &mask,
                                                ScoreMatch &match,
                                                Operation *anchor,
                                                Refusal &refusal) {
  Matcher matcher(tracer, anchor, refusal);
  matcher.match = std::move(match);
  LogicalResult result = matcher.addOperand(mask);
  match = std::move(matcher.match);
  return result;
}

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
  /// Brings masks behind the steps that leave -inf as it is.
  void sinkMasks();

  ScoreMatch match;
  /// The argument that a path in a score region leads to; null elsewhere.
  Value score;
  /// The last contraction that is none for attention, for the reason.
  bool sawOtherStart = false;

private:
  /// Masks with -inf where `condition` is not `keepWhen`.
  LogicalResult addCondition(const Element &raw, bool keepWhen);
  LogicalResult pushMask(MaskPlan plan);
  /// Whether `element` should be part of the score region. What a score region
  /// of the input reads is in one already.
  bool belongsInRegion(const Element &element, ArrayRef<AxisList> beside = {}) {
    return score ? isRegional(tracer, element)
                 : isBroadcast(tracer, element, beside);
  }
  /// Adds a mask as the parts that `add` finds in it if that leaves one tensor
  /// at most, or else the tensor that holds all of it, in a plan of `kind`.
  LogicalResult addParts(const Element &raw, MaskPlan::Kind kind,
                         function_ref<LogicalResult()> add);
  /// Multiplies the scores, after all steps and masks so far.
  LogicalResult addFactor(const PathNode &path, double factor);
  void addStep(ScoreStep::Kind kind, const Element &node, unsigned spine,
               bool keepWhen = true) {
    match.steps.push_back({kind, node, spine, keepWhen});
  }
  /// Whether a step of the region masks: with -inf, or with a finite number of
  /// that purpose.
  bool hasMaskingStep() {
    return llvm::any_of(match.steps, [&](const ScoreStep &step) {
      return step.kind == ScoreStep::Kind::maskOut ||
             hasHugeConstant(step.node,
                             step.kind == ScoreStep::Kind::apply
                                 ? std::optional<unsigned>(step.spine)
                                 : std::nullopt,
                             /*depth=*/8);
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

LogicalResult Matcher::pushMask(MaskPlan plan) {
  Type type = plan.tensor.getElementType();
  bool boolean = plan.kind != MaskPlan::Kind::additive;
  if (boolean ? !type.isInteger(1)
              : !type.isF16() && !type.isBF16() && !type.isF32())
    return refusal(anchor, "the mask is no tensor of i1, f16, bf16 or f32");
  match.masks.push_back(std::move(plan));
  return success();
}

LogicalResult Matcher::addParts(const Element &raw, MaskPlan::Kind kind,
                                function_ref<LogicalResult()> add) {
  ScoreMatch before = match;
  std::optional<Element> whole = boundary(raw);
  if (succeeded(add()) &&
      (!whole || match.masks.size() <= before.masks.size() + 1))
    return success();
  if (!whole)
    return failure();
  match = std::move(before);
  refusal = Refusal();
  return pushMask({kind, *whole});
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
  MaskPlan::Kind kind = keepWhen ? MaskPlan::Kind::keep : MaskPlan::Kind::drop;
  // Keeping what both keep is masking twice.
  if (keepWhen ? isa_and_nonnull<arith::AndIOp>(op)
               : isa_and_nonnull<arith::OrIOp>(op))
    return addParts(raw, kind, [&] {
      return success(
          succeeded(addCondition(tracer.rawOperand(condition, 0), keepWhen)) &&
          succeeded(addCondition(tracer.rawOperand(condition, 1), keepWhen)));
    });
  if (belongsInRegion(condition)) {
    addStep(ScoreStep::Kind::maskOut, condition, 0, keepWhen);
    return success();
  }
  std::optional<Element> tensor = boundary(raw);
  if (!tensor)
    return refusal(anchor, "the mask is computed in the op that applies it");
  return pushMask({kind, *tensor});
}

LogicalResult Matcher::addMask(const Element &raw) {
  Element mask = tracer.stripCasts(raw);
  Operation *op = mask.getScalarOp();
  if (isa_and_nonnull<arith::SelectOp>(op))
    for (unsigned kept : {1, 2})
      if (tracer.isNegativeInfinity(tracer.operand(mask, 3 - kept)))
        return addParts(raw, MaskPlan::Kind::additive, [&] {
          if (!tracer.isZero(tracer.operand(mask, kept)) &&
              failed(addMask(tracer.rawOperand(mask, kept))))
            return failure();
          return addCondition(tracer.rawOperand(mask, 0), kept == 1);
        });
  if (isa_and_nonnull<arith::AddFOp>(op))
    return addParts(raw, MaskPlan::Kind::additive, [&] {
      return success(succeeded(addMask(tracer.rawOperand(mask, 0))) &&
                     succeeded(addMask(tracer.rawOperand(mask, 1))));
    });
  if (belongsInRegion(mask)) {
    addStep(ScoreStep::Kind::add, mask, 0);
    return success();
  }
  std::optional<Element> tensor = mask.isTensor() ? mask : boundary(raw);
  if (!tensor)
    return refusal(anchor, "the mask is computed in the op that applies it");
  return pushMask({MaskPlan::Kind::additive, *tensor});
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
  if (belongsInRegion(condition) && belongsInRegion(other, node.axes)) {
    if (!match.masks.empty())
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
  if (*fill > largestFill)
    return refusal(anchor, "the scores are replaced by a finite value under a "
                           "mask tensor");
  // In the mask it replaces what other tensors say, but not what the region
  // hides before.
  if (hasMaskingStep())
    return refusal(anchor, "the scores are replaced by a finite value under a "
                           "mask tensor after another mask");
  return pushMask({MaskPlan::Kind::fill, *tensor, *fill, keepWhen});
}

LogicalResult Matcher::addFactor(const PathNode &path, double factor) {
  bool onlyMasks = llvm::all_of(match.steps, [](const ScoreStep &step) {
    return step.kind == ScoreStep::Kind::maskOut;
  });
  // What is masked stays masked, what is added is multiplied as well.
  for (MaskPlan &plan : match.masks) {
    plan.factor *= factor;
    plan.fill *= factor;
    if (plan.kind == MaskPlan::Kind::fill &&
        !(plan.fill <= largestFill && std::isfinite(float(plan.fill))))
      return refusal(anchor, "the scores are scaled after they are replaced by "
                             "a finite value under a mask tensor");
  }
  if (onlyMasks)
    match.scale *= factor;
  else
    addStep(ScoreStep::Kind::apply, path.node, path.spine);
  return success();
}

/// The finite number that a step multiplies the score with, if it does.
static std::optional<double> getFactor(Tracer &tracer, const PathNode &path) {
  const auto &[node, spine] = path;
  Operation *op = node.getScalarOp();
  if (isa<arith::NegFOp>(op))
    return -1;
  if (!isa<arith::MulFOp>(op) && !(isa<arith::DivFOp>(op) && spine == 0))
    return std::nullopt;
  std::optional<double> factor =
      tracer.getDouble(tracer.operand(node, 1 - spine));
  if (factor && isa<arith::DivFOp>(op))
    factor = 1 / *factor;
  return factor && std::isfinite(*factor) ? factor : std::nullopt;
}

LogicalResult Matcher::add(const PathNode &path) {
  const auto &[node, spine] = path;
  Operation *op = node.getScalarOp();
  if (isa<arith::SelectOp>(op))
    return addSelect(node, spine);

  if (std::optional<double> factor = getFactor(tracer, path))
    if (*factor > 0 || (match.steps.empty() && match.masks.empty()))
      return addFactor(path, *factor);
  // Additions commute with masks of all kinds.
  if (isa<arith::AddFOp>(op))
    return addMask(tracer.rawOperand(node, 1 - spine));
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (i != spine && !belongsInRegion(tracer.operand(node, i), node.axes))
      return refusal(anchor, Twine("another tensor takes part in the scores "
                                   "through ") +
                                 op->getName().getStringRef());
  if (!match.masks.empty())
    return refusal(anchor, Twine("the scores pass through ") +
                               op->getName().getStringRef() +
                               " after a mask tensor is applied");
  addStep(ScoreStep::Kind::apply, node, spine);
  return success();
}

void Matcher::sinkMasks() {
  auto keepsInfinity = [&](const ScoreStep &step) {
    if (step.kind != ScoreStep::Kind::apply)
      return step.kind == ScoreStep::Kind::add;
    Operation *op = step.node.getScalarOp();
    if (isa<arith::AddFOp>(op) || (isa<arith::SubFOp>(op) && step.spine == 0))
      return true;
    std::optional<double> factor = getFactor(tracer, {step.node, step.spine});
    return factor && *factor > 0;
  };
  MutableArrayRef<ScoreStep> steps = match.steps;
  for (size_t at = steps.size(); at-- > 0;)
    if (steps[at].kind == ScoreStep::Kind::maskOut)
      for (size_t next = at + 1;
           next < steps.size() && keepsInfinity(steps[next]); ++next)
        std::swap(steps[next - 1], steps[next]);
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
  matcher.sinkMasks();
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
  matcher.sinkMasks();
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
  matcher.sinkMasks();
  match = std::move(matcher.match);
  return result;
}

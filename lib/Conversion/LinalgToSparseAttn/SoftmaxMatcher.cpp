//===- SoftmaxMatcher.cpp - Finds normalised exponentials -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/SoftmaxMatcher.h"
#include "EmptyRows.h"
#include "Reduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

std::optional<Element> mlir::sparse_attn::matchQuotient(Tracer &tracer,
                                                        const Element &element,
                                                        Element &dividend,
                                                        Trace &trace) {
  Operation *op = element.getScalarOp();
  if (isa_and_nonnull<arith::DivFOp>(op)) {
    dividend = tracer.operand(element, 0, &trace);
    return tracer.stripCasts(tracer.operand(element, 1, &trace), &trace);
  }
  if (!isa_and_nonnull<arith::MulFOp>(op))
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    Trace local;
    Element factor = tracer.operand(element, i, &local);
    if (!isa_and_nonnull<arith::DivFOp>(factor.getScalarOp()))
      continue;
    std::optional<double> one = tracer.getDouble(tracer.operand(factor, 0));
    if (!one || *one != 1.0)
      continue;
    trace.insert_range(local);
    dividend = tracer.operand(element, 1 - i, &trace);
    return tracer.stripCasts(tracer.operand(factor, 1, &trace), &trace);
  }
  return std::nullopt;
}

bool mlir::sparse_attn::isMaximumStart(Tracer &tracer, const Element &init) {
  std::optional<APFloat> value = tracer.getFloat(init);
  return value && value->isNegative() &&
         (value->isInfinity() || value->isLargest());
}

namespace {

class Matcher {
public:
  Matcher(Tracer &tracer, ArrayRef<unsigned> keys, Trace &trace,
          Refusal &refusal)
      : tracer(tracer), keys(keys), trace(trace), refusal(refusal) {}

  FailureOr<SoftmaxMatch> match(Element probabilities);

private:
  FailureOr<SoftmaxMatch> matchNamed(const Element &element);
  FailureOr<SoftmaxMatch> matchQuotientOfExponentials(const Element &element);

  Tracer &tracer;
  ArrayRef<unsigned> keys;
  Trace &trace;
  Refusal &refusal;
};

} // namespace

FailureOr<SoftmaxMatch> Matcher::matchNamed(const Element &element) {
  auto softmax = element.value.getDefiningOp<linalg::SoftmaxOp>();
  SoftmaxMatch result;
  result.anchor = softmax;
  result.shifted = true;
  if (!tracer.getSpace().same(element.axes[softmax.getDimension()], keys))
    return refusal(softmax,
                   "the softmax does not run over the dimension that the "
                   "product with the values sums over");
  trace.insert(softmax);
  result.scores =
      tracer.peel({softmax.getInput(), nullptr, element.axes}, &trace);
  return result;
}

FailureOr<SoftmaxMatch>
Matcher::matchQuotientOfExponentials(const Element &element) {
  Element dividend;
  std::optional<Element> divisor =
      matchQuotient(tracer, element, dividend, trace);
  if (!divisor)
    return failure();
  dividend = tracer.stripCasts(dividend, &trace);
  auto exp = dyn_cast_or_null<math::ExpOp>(dividend.getScalarOp());
  if (!exp)
    return failure();

  SoftmaxMatch result;
  result.anchor = exp;
  Element exponent =
      tracer.stripCasts(tracer.operand(dividend, 0, &trace), &trace);
  result.shifted = isa_and_nonnull<arith::SubFOp>(exponent.getScalarOp());
  result.scores =
      result.shifted ? tracer.operand(exponent, 0, &trace) : exponent;

  std::optional<Reduction> sum = matchReduction(tracer, *divisor, keys, trace);
  if (!sum || !isa<arith::AddFOp>(sum->combiner))
    return refusal(exp, "the exponentials are not divided by their sum");
  if (!tracer.isZero(sum->init))
    return refusal(exp, "the sum of the exponentials does not start at zero");
  Element summand = tracer.stripCasts(sum->reduced, &trace);
  // The sum may leave out exponentials that are 0 by the mask.
  std::optional<Replacement> left = matchReplacement(tracer, summand, trace);
  if (left && isMaskedWhere(tracer, result.scores, left->condition, left->when))
    summand = tracer.stripCasts(left->kept, &trace);
  if (!tracer.same(summand, dividend, &trace))
    return refusal(exp, "the sum that divides the exponentials is not theirs "
                        "over the dimension that the product with the values "
                        "sums over");

  // Softmax does not depend on what is subtracted from a row, so a row
  // maximum is no part of its meaning and may be missing; something else in
  // its place is left alone, because it may not be constant along the row.
  if (result.shifted &&
      !matchRowMaximum(tracer, tracer.operand(exponent, 1, &trace),
                       result.scores, keys, trace))
    return refusal(exp, "what is subtracted before the exponential is not "
                        "the maximum of the same scores over the keys");
  return result;
}

FailureOr<SoftmaxMatch> Matcher::match(Element probabilities) {
  Element element = tracer.stripCasts(std::move(probabilities), &trace);
  SmallVector<Replacement, 1> replacements;
  while (std::optional<Replacement> replacement =
             matchReplacement(tracer, element, trace)) {
    element = tracer.stripCasts(replacement->kept, &trace);
    replacements.push_back(std::move(*replacement));
  }
  bool named =
      element.isTensor() && element.value.getDefiningOp<linalg::SoftmaxOp>();
  FailureOr<SoftmaxMatch> result =
      named ? matchNamed(element) : matchQuotientOfExponentials(element);
  if (failed(result))
    return failure();
  // What attention gives 0 anyway may be given 0 again.
  for (const Replacement &replacement : replacements) {
    Replaced replaced = findReplaced(tracer, replacement, *result, keys, trace);
    if (replaced == Replaced::other)
      return refusal(result->anchor,
                     "the probabilities are replaced by zero under a "
                     "condition other than an empty row");
    result->hidesNaN |= replaced == Replaced::notNumbers;
  }
  return result;
}

FailureOr<SoftmaxMatch> mlir::sparse_attn::matchSoftmax(Tracer &tracer,
                                                        Element probabilities,
                                                        ArrayRef<unsigned> keys,
                                                        Trace &trace,
                                                        Refusal &refusal) {
  return Matcher(tracer, keys, trace, refusal).match(std::move(probabilities));
}

Location mlir::sparse_attn::locate(Operation *op) {
  if (isa<UnknownLoc>(op->getLoc()) &&
      isa_and_nonnull<linalg::LinalgOp>(op->getParentOp()))
    return op->getParentOp()->getLoc();
  return op->getLoc();
}

bool mlir::sparse_attn::looksLikeSoftmax(Operation *op) {
  if (isa<linalg::SoftmaxOp>(op))
    return true;
  auto parent = dyn_cast<linalg::LinalgOp>(op->getParentOp());
  if (!isa<math::ExpOp>(op) || !parent)
    return false;
  for (Operation *user : parent->getUsers()) {
    auto reduction = dyn_cast<linalg::LinalgOp>(user);
    if (!reduction || reduction.getNumReductionLoops() == 0 ||
        reduction.getNumDpsInits() != 1)
      continue;
    // A plain sum; a product with something is no normaliser.
    Operation *combiner =
        reduction.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    if (isa_and_nonnull<arith::AddFOp>(combiner) &&
        !linalg::isaContractionOpInterface(reduction))
      return true;
  }
  return false;
}

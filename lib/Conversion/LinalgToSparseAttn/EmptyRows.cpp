//===- EmptyRows.cpp - Probabilities replaced in empty rows ---------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmptyRows.h"
#include "Reduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using FloatPredicate = arith::CmpFPredicate;

/// Whether `op`, of which the other operand is `constant`, negates an i1; none
/// if it is no such op.
static std::optional<bool> isNegation(Operation *op, const APInt &constant) {
  if (isa<arith::XOrIOp>(op))
    return !constant.isZero();
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (compare && compare.getPredicate() == arith::CmpIPredicate::eq)
    return constant.isZero();
  if (compare && compare.getPredicate() == arith::CmpIPredicate::ne)
    return !constant.isZero();
  return std::nullopt;
}

/// Takes negations off `condition`, each of which flips `when`.
static Element stripNegations(Tracer &tracer, Element condition, bool &when,
                              Trace *trace = nullptr) {
  auto step = [&] {
    Operation *op = condition.getScalarOp();
    if (!isa_and_nonnull<arith::XOrIOp, arith::CmpIOp>(op) ||
        !op->getOperand(0).getType().isInteger(1))
      return false;
    for (unsigned i : {0, 1}) {
      std::optional<APInt> constant =
          tracer.getInteger(tracer.operand(condition, 1 - i));
      std::optional<bool> flips =
          constant ? isNegation(op, *constant) : std::nullopt;
      if (!flips)
        continue;
      when ^= *flips;
      condition = tracer.operand(condition, i, trace);
      return true;
    }
    return false;
  };
  while (step())
    ;
  return condition;
}

/// Whether the comparison `condition` is true where `value` is infinite, and
/// only there.
static bool isInfinityTest(Tracer &tracer, const Element &condition,
                           const Element &value) {
  auto compare = dyn_cast_or_null<arith::CmpFOp>(condition.getScalarOp());
  if (!compare || compare.getPredicate() != FloatPredicate::OEQ)
    return false;
  for (unsigned i : {0, 1}) {
    std::optional<APFloat> other =
        tracer.getFloat(tracer.operand(condition, i));
    if (other && other->isInfinity())
      return tracer.same(tracer.stripCasts(tracer.operand(condition, 1 - i)),
                         tracer.stripCasts(value));
  }
  return false;
}

std::optional<Replacement>
mlir::sparse_attn::matchReplacement(Tracer &tracer, const Element &element,
                                    Trace &trace) {
  if (!isa_and_nonnull<arith::SelectOp>(element.getScalarOp()))
    return std::nullopt;
  Element condition = tracer.operand(element, 0);
  for (unsigned kept : {2, 1}) {
    Element other = tracer.operand(element, 3 - kept);
    bool never = kept == 2 && tracer.getFloat(other) &&
                 isInfinityTest(tracer, condition, tracer.operand(element, 2));
    if (never || tracer.isZero(other))
      return Replacement{std::move(condition),
                         tracer.operand(element, kept, &trace), kept == 2};
  }
  return std::nullopt;
}

/// Whether `condition` is `when` where `value` is NaN, and only there.
static bool isNaNTest(Tracer &tracer, const Element &condition, bool when,
                      const Element &value, Trace &trace) {
  Operation *op = condition.getScalarOp();
  auto isValue = [&](unsigned i) {
    return tracer.same(
        tracer.stripCasts(tracer.operand(condition, i, &trace), &trace),
        tracer.stripCasts(value));
  };
  if (isa_and_nonnull<math::IsNaNOp>(op))
    return when && isValue(0);
  auto compare = dyn_cast_or_null<arith::CmpFOp>(op);
  if (!compare)
    return false;
  FloatPredicate predicate = compare.getPredicate();
  bool tells = when ? predicate == FloatPredicate::UNE ||
                          predicate == FloatPredicate::UNO
                    : predicate == FloatPredicate::OEQ ||
                          predicate == FloatPredicate::ORD;
  return tells && isValue(0) && isValue(1);
}

namespace {
/// A comparison of `value` with -inf.
struct InfinityTest {
  Element value;
  /// Whether NaN counts as -inf.
  bool orNaN;
};
} // namespace

/// Matches `condition` as being `when` where a value is -inf.
static std::optional<InfinityTest>
matchMinusInfinityTest(Tracer &tracer, const Element &condition, bool when,
                       Trace &trace) {
  auto compare = dyn_cast_or_null<arith::CmpFOp>(condition.getScalarOp());
  if (!compare)
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    if (!tracer.isNegativeInfinity(tracer.operand(condition, 1 - i)))
      continue;
    // Nothing is below -inf.
    using P = FloatPredicate;
    bool first = i == 0;
    P ordered = first ? P::OLE : P::OGE, unordered = first ? P::ULE : P::UGE;
    P above = first ? P::OGT : P::OLT, aboveOrNaN = first ? P::UGT : P::ULT;
    P predicate = compare.getPredicate();
    bool equal = predicate == P::OEQ || predicate == ordered;
    bool equalOrNaN = predicate == P::UEQ || predicate == unordered;
    bool differs = predicate == P::ONE || predicate == above;
    bool differsOrNaN = predicate == P::UNE || predicate == aboveOrNaN;
    if (when ? !equal && !equalOrNaN : !differs && !differsOrNaN)
      return std::nullopt;
    return InfinityTest{tracer.operand(condition, i, &trace),
                        when ? equalOrNaN : differs};
  }
  return std::nullopt;
}

/// Whether `other` is `value` wherever `condition` is `when`.
static bool follows(Tracer &tracer, const Element &condition, bool when,
                    Element other, bool value, unsigned depth) {
  // A negation of the other makes it the negation of the value.
  other = stripNegations(tracer, tracer.peel(std::move(other)), value);
  if (tracer.same(condition, other))
    return when == value;
  Operation *op = other.getScalarOp();
  if (depth == 0 || !isa_and_nonnull<arith::AndIOp, arith::OrIOp>(op))
    return false;
  auto part = [&](unsigned i) {
    return follows(tracer, condition, when, tracer.rawOperand(other, i), value,
                   depth - 1);
  };
  // What both must be true for is false where one is.
  bool one = isa<arith::AndIOp>(op) != value;
  return one ? part(0) || part(1) : part(0) && part(1);
}

bool mlir::sparse_attn::isMaskedWhere(Tracer &tracer, Element scores,
                                      const Element &condition, bool when,
                                      unsigned depth) {
  scores = tracer.stripCasts(std::move(scores));
  if (tracer.isNegativeInfinity(scores))
    return true;
  Operation *op = scores.getScalarOp();
  if (!op || depth == 0)
    return false;
  auto isMasked = [&](unsigned i) {
    return isMaskedWhere(tracer, tracer.rawOperand(scores, i), condition, when,
                         depth - 1);
  };
  if (isa<arith::SelectOp>(op)) {
    for (bool chosen : {true, false})
      if (follows(tracer, condition, when, tracer.rawOperand(scores, 0), chosen,
                  4))
        return isMasked(chosen ? 1 : 2);
    return isMasked(1) && isMasked(2);
  }
  if (isa<arith::AddFOp>(op))
    return isMasked(0) || isMasked(1);
  if (!isa<arith::MulFOp, arith::DivFOp>(op))
    return false;
  for (unsigned i = 0; i < (isa<arith::MulFOp>(op) ? 2 : 1); ++i)
    if (std::optional<double> factor =
            tracer.getDouble(tracer.operand(scores, 1 - i)))
      return *factor > 0 && std::isfinite(*factor) && isMasked(i);
  return false;
}

/// Matches `condition` as being `when` where something about all scores of a
/// row says that they are -inf.
static Replaced findRowsOfReduction(Tracer &tracer, const Element &condition,
                                    bool when, const SoftmaxMatch &softmax,
                                    ArrayRef<unsigned> keys, Trace &trace) {
  Trace local;
  std::optional<Reduction> all = matchReduction(tracer, condition, keys, local);
  if (!all)
    return Replaced::other;
  // All are true, or not any is.
  std::optional<APInt> init = tracer.getInteger(all->init);
  bool fits = when ? isa<arith::AndIOp>(all->combiner)
                   : isa<arith::OrIOp>(all->combiner);
  if (!fits || !init || !all->reduced.getElementType().isInteger(1) ||
      init->isZero() == when)
    return Replaced::other;
  Element each = stripNegations(tracer, all->reduced, when, &local);
  std::optional<InfinityTest> test =
      matchMinusInfinityTest(tracer, each, when, local);
  if (test && tracer.same(tracer.stripCasts(test->value, &local),
                          tracer.stripCasts(softmax.scores), &local)) {
    trace.insert_range(local);
    return test->orNaN ? Replaced::notNumbers : Replaced::hidden;
  }
  // A test of the mask is no part of the chain: others may use it too.
  return isMaskedWhere(tracer, softmax.scores, each, when) ? Replaced::hidden
                                                           : Replaced::other;
}

Replaced mlir::sparse_attn::findReplaced(Tracer &tracer,
                                         const Replacement &replacement,
                                         const SoftmaxMatch &softmax,
                                         ArrayRef<unsigned> keys,
                                         Trace &trace) {
  if (replacement.when &&
      isInfinityTest(tracer, replacement.condition, replacement.kept))
    return Replaced::hidden;
  Trace local;
  bool when = replacement.when;
  Element condition =
      stripNegations(tracer, replacement.condition, when, &local);
  // Only with the maximum off do exponentials and their sum stay numbers, and
  // the sum of a row with keys above 0.
  if (softmax.shifted &&
      isNaNTest(tracer, condition, when, replacement.kept, local)) {
    trace.insert_range(local);
    return Replaced::notNumbers;
  }
  if (std::optional<InfinityTest> test =
          matchMinusInfinityTest(tracer, condition, when, local)) {
    // Of one score, or of the largest of all.
    if (!tracer.same(tracer.stripCasts(test->value, &local),
                     tracer.stripCasts(softmax.scores), &local) &&
        !matchRowMaximum(tracer, test->value, softmax.scores, keys, local))
      return Replaced::other;
    trace.insert_range(local);
    return test->orNaN ? Replaced::notNumbers : Replaced::hidden;
  }
  // The exponential of -inf is 0 already, beside any other score.
  if (isMaskedWhere(tracer, softmax.scores, condition, when))
    return Replaced::hidden;
  return findRowsOfReduction(tracer, condition, when, softmax, keys, trace);
}

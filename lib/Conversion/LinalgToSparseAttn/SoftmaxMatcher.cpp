//===- SoftmaxMatcher.cpp - Finds normalised exponentials -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/SoftmaxMatcher.h"
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

/// A reduction over the keys: what is reduced, how, and from what start.
struct Reduction {
  linalg::LinalgOp op;
  Operation *combiner;
  Element reduced;
  Element init;
};

class Matcher {
public:
  Matcher(Tracer &tracer, ArrayRef<unsigned> keys, Trace &trace,
          Refusal &refusal)
      : tracer(tracer), keys(keys), trace(trace), refusal(refusal) {}

  FailureOr<SoftmaxMatch> match(Element probabilities);

private:
  FailureOr<SoftmaxMatch> matchNamed(const Element &element);
  /// Matches a reduction of one value over one loop that the result lacks.
  /// The loop is bound to the keys; what is reduced over another dimension
  /// shows in the axes of `reduced`.
  std::optional<Reduction> matchReduction(const Element &element);
  bool isRowMaximum(const Element &element, const Element &scores);
  bool isEmptyRowTest(const Element &element, const Element &scores);

  Tracer &tracer;
  ArrayRef<unsigned> keys;
  Trace &trace;
  Refusal &refusal;
};

} // namespace

std::optional<Reduction> Matcher::matchReduction(const Element &element) {
  if (!element.isTensor())
    return std::nullopt;
  auto op = element.value.getDefiningOp<linalg::LinalgOp>();
  if (!op || !op.hasPureTensorSemantics())
    return std::nullopt;
  unsigned result = cast<OpResult>(element.value).getResultNumber();
  OpOperand *init = op.getDpsInitOperand(result);

  // The loop that is reduced; loops of size 1 do not matter.
  SmallVector<std::optional<AxisList>> loops(op.getNumLoops());
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  bool bound = false;
  for (auto [loop, range, kind] : llvm::zip_equal(loops, ranges, kinds)) {
    if (kind != utils::IteratorType::reduction)
      continue;
    int64_t extent = tracer.getSpace().extent(keys);
    if (range == 1 && extent != 1)
      continue;
    if (bound || (!ShapedType::isDynamic(range) &&
                  !ShapedType::isDynamic(extent) && range != extent))
      return std::nullopt;
    loop = AxisList(keys);
    bound = true;
  }
  if (!bound)
    return std::nullopt;
  AffineMap map = op.getMatchingIndexingMap(init);
  std::optional<AxisView> view = tracer.bindLoops(op, map, element.axes, loops);
  if (!view)
    return std::nullopt;

  // The body combines the running value, an argument used only so, with the
  // new one.
  BlockArgument running = op.getMatchingBlockArgument(init);
  Value yielded = op.getBlock()->getTerminator()->getOperand(result);
  Operation *combiner = yielded.getDefiningOp();
  if (!combiner || combiner->getBlock() != op.getBlock() ||
      combiner->getNumOperands() != 2)
    return std::nullopt;
  unsigned position = combiner->getOperand(0) == running ? 1 : 0;
  if (combiner->getOperand(1 - position) != running)
    return std::nullopt;
  trace.insert(op);
  Reduction reduction;
  reduction.op = op;
  reduction.combiner = combiner;
  reduction.reduced = tracer.operand({yielded, op, *view}, position, &trace);
  std::optional<AxisView> initView =
      tracer.applyMap(map, *view, init->get().getType());
  if (!initView)
    return std::nullopt;
  reduction.init = tracer.peel({init->get(), nullptr, *initView});
  return reduction;
}

bool Matcher::isRowMaximum(const Element &element, const Element &scores) {
  Element maximum = tracer.stripCasts(element, &trace);
  // Some exporters clamp the maximum from below by -inf: nothing.
  if (isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(
          maximum.getScalarOp()))
    for (unsigned i : {0, 1})
      if (tracer.isNegativeInfinity(tracer.operand(maximum, i))) {
        maximum =
            tracer.stripCasts(tracer.operand(maximum, 1 - i, &trace), &trace);
        break;
      }
  std::optional<Reduction> reduction = matchReduction(maximum);
  if (!reduction ||
      !isa<arith::MaximumFOp, arith::MaxNumFOp>(reduction->combiner))
    return false;
  if (!isMaximumStart(tracer, reduction->init))
    return false;
  return tracer.same(tracer.stripCasts(reduction->reduced, &trace),
                     tracer.stripCasts(scores), &trace);
}

bool Matcher::isEmptyRowTest(const Element &element, const Element &scores) {
  std::optional<Reduction> all = matchReduction(element);
  if (!all || !isa<arith::AndIOp>(all->combiner))
    return false;
  std::optional<APInt> init = tracer.getInteger(all->init);
  if (!init || init->isZero())
    return false;
  auto compare = dyn_cast_or_null<arith::CmpFOp>(all->reduced.getScalarOp());
  if (!compare || (compare.getPredicate() != arith::CmpFPredicate::OEQ &&
                   compare.getPredicate() != arith::CmpFPredicate::UEQ))
    return false;
  for (unsigned i : {0, 1})
    if (tracer.isNegativeInfinity(tracer.operand(all->reduced, 1 - i)))
      return tracer.same(
          tracer.stripCasts(tracer.operand(all->reduced, i, &trace), &trace),
          tracer.stripCasts(scores), &trace);
  return false;
}

FailureOr<SoftmaxMatch> Matcher::matchNamed(const Element &element) {
  auto softmax = element.value.getDefiningOp<linalg::SoftmaxOp>();
  SoftmaxMatch result;
  result.anchor = softmax;
  if (!tracer.getSpace().same(element.axes[softmax.getDimension()], keys))
    return refusal(softmax,
                   "the softmax does not run over the dimension that the "
                   "product with the values sums over");
  trace.insert(softmax);
  result.scores =
      tracer.peel({softmax.getInput(), nullptr, element.axes}, &trace);
  return result;
}

FailureOr<SoftmaxMatch> Matcher::match(Element probabilities) {
  Element element = tracer.stripCasts(std::move(probabilities), &trace);
  if (element.isTensor() && element.value.getDefiningOp<linalg::SoftmaxOp>())
    return matchNamed(element);

  // Rows without any key, given 0 by a select: attention has that built in.
  std::optional<Element> emptyRowTest;
  if (isa_and_nonnull<arith::SelectOp>(element.getScalarOp()) &&
      tracer.isZero(tracer.operand(element, 1))) {
    emptyRowTest = tracer.operand(element, 0, &trace);
    element = tracer.stripCasts(tracer.operand(element, 2, &trace), &trace);
  }

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
  std::optional<Reduction> sum = matchReduction(*divisor);
  if (!sum || !isa<arith::AddFOp>(sum->combiner))
    return refusal(exp, "the exponentials are not divided by their sum");
  if (!tracer.isZero(sum->init))
    return refusal(exp, "the sum of the exponentials does not start at zero");
  if (!tracer.same(tracer.stripCasts(sum->reduced, &trace), dividend, &trace))
    return refusal(exp, "the sum that divides the exponentials is not theirs "
                        "over the dimension that the product with the values "
                        "sums over");

  // Softmax does not depend on what is subtracted from a row, so a row
  // maximum is no part of its meaning and may be missing; something else in
  // its place is left alone, because it may not be constant along the row.
  Element exponent =
      tracer.stripCasts(tracer.operand(dividend, 0, &trace), &trace);
  result.scores = exponent;
  if (isa_and_nonnull<arith::SubFOp>(exponent.getScalarOp())) {
    result.scores = tracer.operand(exponent, 0, &trace);
    if (!isRowMaximum(tracer.operand(exponent, 1, &trace), result.scores))
      return refusal(exp, "what is subtracted before the exponential is not "
                          "the maximum of the same scores over the keys");
  }
  if (emptyRowTest && !isEmptyRowTest(*emptyRowTest, result.scores))
    return refusal(exp, "the probabilities are replaced by zero under a "
                        "condition other than an empty row");
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

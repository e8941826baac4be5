//===- ScoreRegionBuilder.cpp - Writes a score region ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreRegionBuilder.h"
#include "SparseAttn/Analysis/ScoreStructure.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Value ScoreRegionBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value ScoreRegionBuilder::emitSide(const Linear &linear, int sign) {
  Value sum;
  for (auto [value, factor] : linear.terms) {
    if (factor * sign <= 0)
      continue;
    Value term = value;
    if (factor * sign != 1)
      term = arith::MulIOp::create(builder, loc, term, index(factor * sign));
    sum = sum ? arith::AddIOp::create(builder, loc, sum, term) : term;
  }
  if (linear.constant * sign > 0 || !sum) {
    Value constant = index(std::max<int64_t>(linear.constant * sign, 0));
    sum = sum ? arith::AddIOp::create(builder, loc, sum, constant) : constant;
  }
  return sum;
}

Value ScoreRegionBuilder::emitLinear(const Linear &linear, Type type) {
  Value value = emitSide(linear, 1);
  if (linear.constant < 0 ||
      llvm::any_of(linear.terms, [](auto &term) { return term.second < 0; }))
    value = arith::SubIOp::create(builder, loc, value, emitSide(linear, -1));
  if (!type.isIndex())
    value = arith::IndexCastOp::create(builder, loc, type, value);
  return value;
}

/// The predicate of the comparison with its sides exchanged.
static arith::CmpIPredicate exchange(arith::CmpIPredicate predicate) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::slt:
    return P::sgt;
  case P::sle:
    return P::sge;
  case P::sgt:
    return P::slt;
  case P::sge:
    return P::sle;
  default:
    return predicate;
  }
}

Value ScoreRegionBuilder::emitLinearCompare(arith::CmpIPredicate predicate,
                                            const Linear &left,
                                            const Linear &right) {
  Linear difference = left;
  difference.add(right, -1);
  difference.terms.remove_if([](auto &term) { return term.second == 0; });
  if (difference.terms.empty())
    return arith::ConstantIntOp::create(
        builder, loc,
        arith::applyCmpPredicate(
            predicate, APInt(64, difference.constant, true), APInt(64, 0)),
        1);
  // The key goes to the left: the form is written with the sign that makes it
  // positive.
  int sign = 1;
  for (auto [value, factor] : difference.terms)
    if (keyTerms.contains(value))
      sign = factor < 0 ? -1 : 1;
  Value first = emitSide(difference, sign);
  Value second = emitSide(difference, -sign);
  return arith::CmpIOp::create(
      builder, loc, sign < 0 ? exchange(predicate) : predicate, first, second);
}

Value ScoreRegionBuilder::emitAbsoluteCompare(arith::CmpIPredicate predicate,
                                              const Linear &inner,
                                              const Linear &bound) {
  using P = arith::CmpIPredicate;
  bool within = predicate == P::slt || predicate == P::sle;
  if (!within && predicate != P::sgt && predicate != P::sge)
    return {};
  Linear negated = inner;
  negated.multiply(-1);
  Value above = emitLinearCompare(predicate, inner, bound);
  Value below = emitLinearCompare(predicate, negated, bound);
  if (within)
    return builder.createOrFold<arith::AndIOp>(loc, above, below);
  return builder.createOrFold<arith::OrIOp>(loc, above, below);
}

Value ScoreRegionBuilder::emitCompare(const Element &compare, bool wanted) {
  auto op = cast<arith::CmpIOp>(compare.getScalarOp());
  using P = arith::CmpIPredicate;
  P predicate = op.getPredicate();
  if (!wanted)
    predicate = arith::invertPredicate(predicate);
  Element left = tracer.operand(compare, 0);
  Element right = tracer.operand(compare, 1);
  std::optional<Linear> a = getLinear(left), b = getLinear(right);
  std::optional<Linear> absoluteA = a ? std::nullopt : getAbsolute(left);
  std::optional<Linear> absoluteB = b ? std::nullopt : getAbsolute(right);
  bool isUnsigned = predicate == P::ult || predicate == P::ule ||
                    predicate == P::ugt || predicate == P::uge;
  // Unsigned comparison is signed comparison of what is not negative.
  auto isNatural = [](auto &linear, auto &absolute) {
    return absolute || (linear && linear->low >= 0);
  };
  if (isUnsigned && isNatural(a, absoluteA) && isNatural(b, absoluteB)) {
    predicate = predicate == P::ult   ? P::slt
                : predicate == P::ule ? P::sle
                : predicate == P::ugt ? P::sgt
                                      : P::sge;
    isUnsigned = false;
  }
  if (!isUnsigned) {
    Value result;
    if (a && b)
      result = emitLinearCompare(predicate, *a, *b);
    else if (absoluteA && b)
      result = emitAbsoluteCompare(predicate, *absoluteA, *b);
    else if (a && absoluteB)
      result = emitAbsoluteCompare(exchange(predicate), *absoluteB, *a);
    if (result)
      return result;
  }
  Value result = emitOp(op, {emit(left), emit(right)}, builder.getI1Type());
  if (auto emitted = result.getDefiningOp<arith::CmpIOp>())
    emitted.setPredicate(predicate);
  return result;
}

Value ScoreRegionBuilder::emitCondition(const Element &condition, bool wanted) {
  Operation *op = condition.getScalarOp();
  if (std::optional<APInt> constant = tracer.getInteger(condition))
    return arith::ConstantIntOp::create(builder, loc,
                                        constant->isZero() != wanted, 1);
  if (isa_and_nonnull<arith::CmpIOp>(op))
    return emitCompare(condition, wanted);
  if (isa_and_nonnull<arith::XOrIOp>(op))
    for (unsigned i : {0, 1})
      if (std::optional<APInt> constant =
              tracer.getInteger(tracer.operand(condition, i)))
        return emitCondition(tracer.operand(condition, 1 - i),
                             constant->isZero() == wanted);
  if (isa_and_nonnull<arith::AndIOp, arith::OrIOp>(op)) {
    Value a = emitCondition(tracer.operand(condition, 0), wanted);
    Value b = emitCondition(tracer.operand(condition, 1), wanted);
    // De Morgan.
    if (isa<arith::AndIOp>(op) == wanted)
      return builder.createOrFold<arith::AndIOp>(loc, a, b);
    return builder.createOrFold<arith::OrIOp>(loc, a, b);
  }
  Value value = emit(condition);
  if (wanted)
    return value;
  Value one = arith::ConstantIntOp::create(builder, loc, 1, 1);
  return builder.createOrFold<arith::XOrIOp>(loc, value, one);
}

Value ScoreRegionBuilder::emitOp(Operation *op, ValueRange operands,
                                 Type type) {
  Operation *copy = Operation::create(loc, op->getName(), type, operands,
                                      op->getDiscardableAttrDictionary(),
                                      op->getPropertiesStorage(), BlockRange(),
                                      /*numRegions=*/0);
  builder.insert(copy);
  return copy->getResult(0);
}

Value ScoreRegionBuilder::emit(const Element &element) {
  Type type = element.getElementType();
  if (std::optional<APFloat> constant = tracer.getFloat(element))
    return arith::ConstantOp::create(builder, loc,
                                     builder.getFloatAttr(type, *constant));
  if (std::optional<APInt> constant = tracer.getInteger(element))
    return arith::ConstantOp::create(builder, loc,
                                     builder.getIntegerAttr(type, *constant));
  Operation *op = element.getScalarOp();
  if (type.isInteger(1) && isa_and_nonnull<arith::CmpIOp, arith::AndIOp,
                                           arith::OrIOp, arith::XOrIOp>(op))
    // An exclusive or of two variables is repeated as it is.
    if (!isa<arith::XOrIOp>(op) ||
        tracer.getInteger(tracer.operand(element, 0)) ||
        tracer.getInteger(tracer.operand(element, 1)))
      return emitCondition(element, true);
  if (isa<IntegerType, IndexType>(type))
    if (std::optional<Linear> linear = getLinear(element))
      return emitLinear(*linear, type);
  if (std::optional<Ramp> ramp = tracer.getRamp(element))
    return emitLinear(getLinear(*ramp), type);
  SmallVector<Value> operands;
  if (element.isTensor()) {
    for (const AxisList &list : element.axes)
      operands.push_back(
          emitLinear(getLinear(Ramp{0, 1, list}), builder.getIndexType()));
    return tensor::ExtractOp::create(builder, loc, element.value, operands);
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    for (unsigned i = 1; i < op->getNumOperands(); ++i)
      operands.push_back(emit(tracer.operand(element, i)));
    return tensor::ExtractOp::create(builder, loc, extract.getTensor(),
                                     operands);
  }
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    operands.push_back(emit(tracer.operand(element, i)));
  return emitOp(op, operands, type);
}

Value ScoreRegionBuilder::emitF32(const Element &element) {
  if (std::optional<APFloat> constant = tracer.getFloat(element)) {
    bool exact;
    constant->convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                      &exact);
    return arith::ConstantOp::create(
        builder, loc, builder.getF32FloatAttr(constant->convertToFloat()));
  }
  Value value = emit(element);
  unsigned width = value.getType().getIntOrFloatBitWidth();
  if (width < 32)
    return arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  if (width > 32)
    return arith::TruncFOp::create(builder, loc, builder.getF32Type(), value);
  return value;
}

Value ScoreRegionBuilder::maskOut(ArrayRef<ScoreStep> masks, Value score) {
  Value keep;
  for (const ScoreStep &mask : masks) {
    Value one = emitCondition(mask.node, mask.keepWhen);
    keep = keep ? builder.createOrFold<arith::AndIOp>(loc, keep, one) : one;
  }
  Value lowest = createMinusInfinity(builder, loc);
  return builder.createOrFold<arith::SelectOp>(loc, keep, score, lowest);
}

Value ScoreRegionBuilder::apply(const ScoreStep &step, Value score) {
  if (step.kind == ScoreStep::Kind::add)
    return arith::AddFOp::create(builder, loc, score, emitF32(step.node));
  Operation *op = step.node.getScalarOp();
  SmallVector<Value> operands;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    Type type = op->getOperand(i).getType();
    if (i == step.spine)
      operands.push_back(score);
    else if (type.isInteger(1))
      operands.push_back(emitCondition(tracer.operand(step.node, i), true));
    else if (isa<FloatType>(type))
      operands.push_back(emitF32(tracer.operand(step.node, i)));
    else
      operands.push_back(emit(tracer.operand(step.node, i)));
  }
  return emitOp(op, operands, builder.getF32Type());
}

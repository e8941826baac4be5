//===- ScoreRegionBuilder.cpp - Writes a score region ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreRegionBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// Integers as linear forms
//===----------------------------------------------------------------------===//

ScoreRegionBuilder::Linear ScoreRegionBuilder::getLinear(const Ramp &ramp) {
  Linear result;
  result.constant = result.low = result.high = ramp.start;
  int64_t stride = ramp.step;
  for (unsigned axis : llvm::reverse(regroup(ramp.index))) {
    result.terms[axis] = stride;
    int64_t size = tracer.getSpace().getSize(axis);
    // Lengths of unknown size are taken to fit 32 bits.
    bool known = !ShapedType::isDynamic(size);
    int64_t last = (known ? size - 1 : INT32_MAX) * stride;
    (last < 0 ? result.low : result.high) += last;
    stride *= known ? size : 1;
  }
  return result;
}

std::optional<ScoreRegionBuilder::Linear>
ScoreRegionBuilder::combine(const Element &element, bool subtract) {
  std::optional<Linear> a = getLinear(tracer.operand(element, 0));
  std::optional<Linear> b = getLinear(tracer.operand(element, 1));
  if (!a || !b)
    return std::nullopt;
  int64_t sign = subtract ? -1 : 1;
  for (auto [axis, factor] : b->terms)
    a->terms[axis] += sign * factor;
  a->constant += sign * b->constant;
  a->low += subtract ? -b->high : b->low;
  a->high += subtract ? -b->low : b->high;
  return a;
}

std::optional<ScoreRegionBuilder::Linear>
ScoreRegionBuilder::getLinear(const Element &element) {
  Type type = element.getElementType();
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (!type.isIntOrIndex() || width == 1)
    return std::nullopt;
  // Far from overflow of the forms themselves.
  constexpr int64_t limit = int64_t(1) << 48;
  if (std::optional<APInt> constant = tracer.getInteger(element)) {
    if (constant->getSignificantBits() > 48)
      return std::nullopt;
    Linear result;
    result.constant = result.low = result.high = constant->getSExtValue();
    return result;
  }
  Operation *op = element.getScalarOp();
  std::optional<Linear> result;
  if (std::optional<Ramp> ramp = tracer.getRamp(element)) {
    result = getLinear(*ramp);
  } else if (isa_and_nonnull<arith::AddIOp>(op)) {
    result = combine(element, false);
  } else if (isa_and_nonnull<arith::SubIOp>(op)) {
    result = combine(element, true);
  } else if (isa_and_nonnull<arith::MulIOp>(op)) {
    for (unsigned i : {0, 1}) {
      std::optional<APInt> factor =
          tracer.getInteger(tracer.operand(element, i));
      if (!factor || factor->getSignificantBits() > 16)
        continue;
      result = getLinear(tracer.operand(element, 1 - i));
      if (!result)
        break;
      int64_t by = factor->getSExtValue();
      for (auto &term : result->terms)
        term.second *= by;
      result->constant *= by;
      result->low *= by;
      result->high *= by;
      if (by < 0)
        std::swap(result->low, result->high);
      break;
    }
  } else if (isa_and_nonnull<arith::IndexCastOp, arith::ExtSIOp,
                             arith::TruncIOp>(op)) {
    result = getLinear(tracer.operand(element, 0));
  } else if (isa_and_nonnull<arith::IndexCastUIOp, arith::ExtUIOp>(op)) {
    result = getLinear(tracer.operand(element, 0));
    if (result && result->low < 0)
      return std::nullopt;
  }
  // The original computes modulo 2^width; only without a wrap is it linear.
  if (!result || result->low < -limit || result->high > limit ||
      !llvm::isIntN(width, result->low) || !llvm::isIntN(width, result->high))
    return std::nullopt;
  return result;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

Value ScoreRegionBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value ScoreRegionBuilder::emitSide(const Linear &linear, int sign) {
  Value sum;
  for (auto [axis, factor] : linear.terms) {
    if (factor * sign <= 0)
      continue;
    Value term = indexOf.lookup(axis);
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

Value ScoreRegionBuilder::emitCompare(const Element &compare, bool wanted) {
  auto op = cast<arith::CmpIOp>(compare.getScalarOp());
  arith::CmpIPredicate predicate = op.getPredicate();
  if (!wanted)
    predicate = arith::invertPredicate(predicate);
  std::optional<Linear> difference;
  if (std::optional<Linear> a = getLinear(tracer.operand(compare, 0)))
    if (std::optional<Linear> b = getLinear(tracer.operand(compare, 1))) {
      // Unsigned comparison is signed comparison of what is not negative.
      bool natural = a->low >= 0 && b->low >= 0;
      using P = arith::CmpIPredicate;
      auto isUnsigned = [](P p) {
        return p == P::ult || p == P::ule || p == P::ugt || p == P::uge;
      };
      if (natural && isUnsigned(predicate))
        predicate = predicate == P::ult   ? P::slt
                    : predicate == P::ule ? P::sle
                    : predicate == P::ugt ? P::sgt
                                          : P::sge;
      if (!isUnsigned(predicate))
        difference = combine(compare, true);
    }
  if (!difference) {
    Value result = emitOp(
        op,
        {emit(tracer.operand(compare, 0)), emit(tracer.operand(compare, 1))},
        builder.getI1Type());
    if (auto emitted = result.getDefiningOp<arith::CmpIOp>())
      emitted.setPredicate(predicate);
    return result;
  }
  difference->terms.remove_if([](auto &term) { return term.second == 0; });
  if (difference->terms.empty())
    return arith::ConstantIntOp::create(
        builder, loc,
        arith::applyCmpPredicate(
            predicate, APInt(64, difference->constant, true), APInt(64, 0)),
        1);
  // The key goes to the left: the form is written with the sign that makes it
  // positive.
  int sign = 1;
  if (keyAxis && difference->terms.lookup(*keyAxis) < 0) {
    sign = -1;
    predicate = [&] {
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
    }();
  }
  Value left = emitSide(*difference, sign);
  Value right = emitSide(*difference, -sign);
  return arith::CmpIOp::create(builder, loc, predicate, left, right);
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
  if (type.isInteger(1) &&
      isa<arith::CmpIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op))
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

Value ScoreRegionBuilder::apply(const ScoreStep &step, Value score) {
  if (step.kind == ScoreStep::Kind::maskOut) {
    Value keep = emitCondition(step.node, step.keepWhen);
    Value lowest = arith::ConstantOp::create(
        builder, loc,
        builder.getFloatAttr(
            builder.getF32Type(),
            APFloat::getInf(APFloat::IEEEsingle(), /*Negative=*/true)));
    return builder.createOrFold<arith::SelectOp>(loc, keep, score, lowest);
  }
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

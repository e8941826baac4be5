//===- LinearForms.cpp - Integers of a score region as linear forms -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreRegionBuilder.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

void ScoreRegionBuilder::Linear::multiply(int64_t factor) {
  for (auto &term : terms)
    term.second *= factor;
  constant *= factor;
  low *= factor;
  high *= factor;
  if (factor < 0)
    std::swap(low, high);
}

void ScoreRegionBuilder::Linear::add(const Linear &other, int64_t sign) {
  for (auto [value, factor] : other.terms)
    terms[value] += sign * factor;
  constant += sign * other.constant;
  low += sign < 0 ? -other.high : other.low;
  high += sign < 0 ? -other.low : other.high;
}

ScoreRegionBuilder::Linear ScoreRegionBuilder::getLinear(const Ramp &ramp) {
  Linear result;
  result.constant = result.low = result.high = ramp.start;
  int64_t stride = ramp.step;
  SmallVector<unsigned> axes(regroup(ramp.index));
  for (unsigned axis : llvm::reverse(axes)) {
    Value index = indexOf.lookup(axis);
    if (axis == keyAxis)
      keyTerms.insert(index);
    result.terms[index] = stride;
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
ScoreRegionBuilder::getQuotient(const Element &dividend, int64_t divisor,
                                bool remainder) {
  std::optional<Linear> inner = getLinear(dividend);
  // Where nothing is negative, all kinds of division are one.
  if (!inner || inner->low < 0 || divisor <= 0)
    return std::nullopt;
  bool ofKey = llvm::any_of(
      inner->terms, [&](auto &term) { return keyTerms.contains(term.first); });
  Value value = emitLinear(*inner, builder.getIndexType());
  Linear result;
  if (remainder) {
    value = arith::RemUIOp::create(builder, loc, value, index(divisor));
    result.high = std::min(inner->high, divisor - 1);
  } else {
    value = arith::DivUIOp::create(builder, loc, value, index(divisor));
    result.low = inner->low / divisor;
    result.high = inner->high / divisor;
  }
  if (ofKey)
    keyTerms.insert(value);
  result.terms[value] = 1;
  return result;
}

std::optional<ScoreRegionBuilder::Linear>
ScoreRegionBuilder::getFloatQuotient(const Element &element) {
  Element floored = tracer.operand(element, 0);
  if (isa_and_nonnull<math::FloorOp, math::TruncOp>(floored.getScalarOp()))
    floored = tracer.operand(floored, 0);
  auto divide = dyn_cast_or_null<arith::DivFOp>(floored.getScalarOp());
  if (!divide)
    return std::nullopt;
  Element converted = tracer.operand(floored, 0);
  std::optional<double> divisor = tracer.getDouble(tracer.operand(floored, 1));
  if (!isa_and_nonnull<arith::SIToFPOp>(converted.getScalarOp()) || !divisor ||
      !(*divisor >= 1) || *divisor > 1 << 20 ||
      *divisor != std::floor(*divisor))
    return std::nullopt;
  // A quotient just below an integer is at least 1/divisor below it, which is
  // more than rounding adds as long as dividend + divisor have fewer bits than
  // the format.
  unsigned bits = APFloat::semanticsPrecision(
      cast<FloatType>(divide.getType()).getFloatSemantics());
  std::optional<Linear> dividend = getLinear(tracer.operand(converted, 0));
  if (!dividend || dividend->low < 0 ||
      !llvm::isUIntN(bits, dividend->high + int64_t(*divisor)))
    return std::nullopt;
  return getQuotient(tracer.operand(converted, 0), int64_t(*divisor), false);
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
  } else if (isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op)) {
    result = getLinear(tracer.operand(element, 0));
    std::optional<Linear> other = getLinear(tracer.operand(element, 1));
    if (!result || !other)
      return std::nullopt;
    result->add(*other, isa<arith::AddIOp>(op) ? 1 : -1);
  } else if (isa_and_nonnull<arith::MulIOp>(op)) {
    for (unsigned i : {0, 1}) {
      std::optional<APInt> factor =
          tracer.getInteger(tracer.operand(element, i));
      if (!factor || factor->getSignificantBits() > 16)
        continue;
      result = getLinear(tracer.operand(element, 1 - i));
      if (result)
        result->multiply(factor->getSExtValue());
      break;
    }
  } else if (isa_and_nonnull<arith::DivSIOp, arith::DivUIOp,
                             arith::FloorDivSIOp, arith::RemSIOp,
                             arith::RemUIOp>(op)) {
    std::optional<APInt> divisor =
        tracer.getInteger(tracer.operand(element, 1));
    if (divisor && divisor->getSignificantBits() <= 32)
      result =
          getQuotient(tracer.operand(element, 0), divisor->getSExtValue(),
                      /*remainder=*/isa<arith::RemSIOp, arith::RemUIOp>(op));
  } else if (isa_and_nonnull<arith::FPToSIOp>(op)) {
    result = getFloatQuotient(element);
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

std::optional<ScoreRegionBuilder::Linear>
ScoreRegionBuilder::getAbsolute(const Element &element) {
  Element absolute = element;
  unsigned width = 64;
  while (isa_and_nonnull<arith::ExtSIOp, arith::ExtUIOp, arith::IndexCastOp,
                         arith::IndexCastUIOp, arith::TruncIOp>(
      absolute.getScalarOp())) {
    if (!absolute.getElementType().isIndex())
      width =
          std::min(width, absolute.getElementType().getIntOrFloatBitWidth());
    absolute = tracer.operand(absolute, 0);
  }
  if (!isa_and_nonnull<math::AbsIOp>(absolute.getScalarOp()))
    return std::nullopt;
  std::optional<Linear> inner = getLinear(tracer.operand(absolute, 0));
  // Every type on the way holds the absolute value.
  if (!inner || !llvm::isIntN(width, -inner->low) ||
      !llvm::isIntN(width, inner->high))
    return std::nullopt;
  return inner;
}

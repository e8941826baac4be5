//===- Numeric.cpp - Rounding and number formats --------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Numeric.h"

using namespace sparse_attn::emulator;

double sparse_attn::emulator::roundTo(double value, const Format &format,
                                      Rounding rounding) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int exponent;
  std::frexp(value, &exponent);
  int unit = exponent - 1 - format.fractionBits;
  if (unit < format.minExponent - format.fractionBits)
    unit = format.minExponent - format.fractionBits;
  double rounded = roundToInteger(std::ldexp(value, -unit), rounding);
  // A result that rounds to zero keeps its sign.
  double result = std::copysign(std::ldexp(rounded, unit), value);
  if (std::fabs(result) <= format.largest)
    return result;
  bool toFinite = rounding == Rounding::Zero ||
                  (rounding == Rounding::Down && value > 0) ||
                  (rounding == Rounding::Up && value < 0);
  return std::copysign(toFinite ? format.largest : INFINITY, value);
}

/// Moves an inexact, even `value` one step towards the exact result.
static double makeOdd(double value, bool awayFromZero) {
  uint64_t bits = bitCast<uint64_t>(value);
  if (bits & 1)
    return value;
  return bitCast<double>(awayFromZero ? bits + 1 : bits - 1);
}

double sparse_attn::emulator::oddAdd(double a, double b) {
  double sum = a + b;
  if (!std::isfinite(sum))
    return sum;
  double part = sum - a;
  double rest = (a - (sum - part)) + (b - part);
  return rest == 0 ? sum : makeOdd(sum, (rest > 0) == (sum > 0));
}

double sparse_attn::emulator::oddDivide(double a, double b) {
  double quotient = a / b;
  if (!std::isfinite(quotient) || quotient == 0)
    return quotient;
  // The remainder has the sign of what is missing, times b's.
  double rest = std::fma(-quotient, b, a);
  if (rest == 0)
    return quotient;
  bool isLow = (rest > 0) == (b > 0);
  return makeOdd(quotient, isLow == (quotient > 0));
}

double sparse_attn::emulator::oddSqrt(double a) {
  double root = std::sqrt(a);
  if (!(root > 0) || !std::isfinite(root))
    return root;
  double rest = std::fma(-root, root, a);
  return rest == 0 ? root : makeOdd(root, rest > 0);
}

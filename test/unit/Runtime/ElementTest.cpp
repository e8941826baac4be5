//===- ElementTest.cpp - Tests of element conversions ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Element.h"
#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace sparse_attn::runtime;
using llvm::APFloat;

/// The same rounding by LLVM's arbitrary-precision arithmetic.
static uint16_t reference(double value, const llvm::fltSemantics &format) {
  APFloat number(value);
  bool inexact;
  number.convert(format, APFloat::rmNearestTiesToEven, &inexact);
  return uint16_t(number.bitcastToAPInt().getZExtValue());
}

static void expectSame(double value) {
  ASSERT_EQ(halfFromDouble(value), reference(value, APFloat::IEEEhalf()))
      << value;
  ASSERT_EQ(bfloatFromDouble(value), reference(value, APFloat::BFloat()))
      << value;
}

TEST(Element, EveryHalfAndBfloatSurvives) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    double half = doubleFromHalf(uint16_t(bits));
    double bfloat = doubleFromBfloat(uint16_t(bits));
    APFloat exact(APFloat::IEEEhalf(), llvm::APInt(16, bits));
    if (std::isnan(half)) {
      EXPECT_TRUE(exact.isNaN());
      EXPECT_TRUE(std::isnan(doubleFromHalf(halfFromDouble(half))));
    } else {
      EXPECT_EQ(half, exact.convertToDouble());
      EXPECT_EQ(halfFromDouble(half), bits);
    }
    if (!std::isnan(bfloat))
      EXPECT_EQ(bfloatFromDouble(bfloat), bits);
    else
      EXPECT_TRUE(std::isnan(doubleFromBfloat(bfloatFromDouble(bfloat))));
  }
}

TEST(Element, RoundsAsApFloat) {
  // Ties, and the doubles next to them, between all neighbours of each format.
  for (unsigned bits = 0; bits < 0x7bff; ++bits) {
    double low = doubleFromHalf(bits), high = doubleFromHalf(bits + 1);
    double middle = low + (high - low) / 2;
    for (double value : {middle, std::nextafter(middle, 0.0),
                         std::nextafter(middle, INFINITY), -middle})
      expectSame(value);
  }
  for (unsigned bits = 0; bits < 0x7f7f; ++bits) {
    double low = doubleFromBfloat(bits), high = doubleFromBfloat(bits + 1);
    double middle = low + (high - low) / 2;
    for (double value : {middle, std::nextafter(middle, 0.0),
                         std::nextafter(middle, INFINITY), -middle})
      expectSame(value);
  }
  std::mt19937_64 random(1);
  for (unsigned i = 0; i < 200000; ++i) {
    double value = llvm::bit_cast<double>(uint64_t(random()));
    if (!std::isnan(value))
      expectSame(value);
  }
  for (double value : {0.0, -0.0, 65519.999, 65520.0, 1e300, 5e-324, 0x1p-24,
                       0x1p-25, 0x1.8p-25, 3.3961775292304957e38})
    expectSame(value);
  expectSame(INFINITY);
  expectSame(-INFINITY);
}

TEST(Element, NotANumberStaysOne) {
  EXPECT_TRUE(std::isnan(doubleFromHalf(halfFromDouble(NAN))));
  EXPECT_TRUE(std::isnan(doubleFromBfloat(bfloatFromDouble(-NAN))));
  EXPECT_TRUE(std::signbit(doubleFromBfloat(bfloatFromDouble(-NAN))));
}

TEST(Element, Names) {
  for (ElementType type : {ElementType::F16, ElementType::BF16,
                           ElementType::F32, ElementType::I1, ElementType::I32})
    EXPECT_EQ(parseElementType(elementName(type)), type);
  EXPECT_FALSE(parseElementType("f64"));
}

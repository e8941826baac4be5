//===- IntegerOpsTest.cpp - Elementwise integers and conversions ----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"
#include "gtest/gtest.h"

using namespace sparse_attn_test;

namespace {

template <typename T>
constexpr const char *typeName = "i32";
template <>
constexpr const char *typeName<int8_t> = "i8";
template <>
constexpr const char *typeName<int64_t> = "i64";

std::string constant(const std::string &name, const std::string &type,
                     const std::string &values, size_t count) {
  return name + " = arith.constant dense<[[" + values + "]]> : tensor<1x" +
         std::to_string(count) + "x" + type + ">\n";
}

template <typename T>
std::string join(const std::vector<T> &values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : "") + std::to_string(values[i]);
  return text;
}

/// `name` of two rows of numbers.
template <typename T>
std::vector<T> apply(const std::string &name, const std::vector<T> &a,
                     const std::vector<T> &b, std::string *fault = nullptr) {
  std::string type = typeName<T>;
  size_t count = a.size();
  return evaluate<T>(constant("%a", type, join(a), count) +
                         constant("%b", type, join(b), count) + "%r = " + name +
                         " %a, %b : tensor<1x" + std::to_string(count) + "x" +
                         type + ">",
                     type, count, fault);
}

using Ints = std::vector<int32_t>;
using Bytes = std::vector<int8_t>;

TEST(IntegerOps, ArithmeticWrapsAround) {
  EXPECT_EQ(apply<int8_t>("arith.addi", {100, -3}, {100, 1}), Bytes({-56, -2}));
  EXPECT_EQ(apply<int8_t>("arith.subi", {-100, 3}, {100, 1}), Bytes({56, 2}));
  EXPECT_EQ(apply<int8_t>("arith.muli", {100, -3}, {3, 5}), Bytes({44, -15}));
  EXPECT_EQ(apply<int32_t>("arith.addi", {INT32_MAX}, {1}), Ints({INT32_MIN}));
  EXPECT_EQ(apply<int64_t>("arith.muli", {1ll << 40}, {1 << 20}),
            std::vector<int64_t>({1ll << 60}));
}

TEST(IntegerOps, Division) {
  Ints a = {7, -7, 7, -7, 6}, b = {2, 2, -2, -2, 3};
  EXPECT_EQ(apply("arith.divsi", a, b), Ints({3, -3, -3, 3, 2}));
  EXPECT_EQ(apply("arith.remsi", a, b), Ints({1, -1, 1, -1, 0}));
  EXPECT_EQ(apply("arith.floordivsi", a, b), Ints({3, -4, -4, 3, 2}));
  EXPECT_EQ(apply("arith.ceildivsi", a, b), Ints({4, -3, -3, 4, 2}));
  EXPECT_EQ(apply<int32_t>("arith.divui", {-1, 7}, {2, 7}),
            Ints({INT32_MAX, 1}));
  EXPECT_EQ(apply<int32_t>("arith.remui", {-1, 7}, {10, 7}), Ints({5, 0}));
  EXPECT_EQ(apply<int32_t>("arith.ceildivui", {8, 7}, {7, 7}), Ints({2, 1}));
}

TEST(IntegerOps, DivisionFaults) {
  for (const char *name :
       {"arith.divsi", "arith.divui", "arith.remsi", "arith.remui",
        "arith.floordivsi", "arith.ceildivsi", "arith.ceildivui"}) {
    std::string fault;
    apply<int32_t>(name, {1, 5}, {1, 0}, &fault);
    EXPECT_NE(fault.find(std::string(name) + ": divides 5 by 0"),
              std::string::npos)
        << fault;
  }
  std::string fault;
  apply<int8_t>("arith.divsi", {-128}, {-1}, &fault);
  EXPECT_NE(fault.find("the quotient of -128 and -1 does not fit 8 bits"),
            std::string::npos)
      << fault;
}

TEST(IntegerOps, BitsAndShifts) {
  EXPECT_EQ(apply<int32_t>("arith.andi", {12, -1}, {10, 7}), Ints({8, 7}));
  EXPECT_EQ(apply<int32_t>("arith.ori", {12, -1}, {10, 7}), Ints({14, -1}));
  EXPECT_EQ(apply<int32_t>("arith.xori", {12, -1}, {10, 7}), Ints({6, -8}));
  EXPECT_EQ(apply<int8_t>("arith.shli", {65, -1}, {1, 7}), Bytes({-126, -128}));
  EXPECT_EQ(apply<int8_t>("arith.shrsi", {-128, 64}, {3, 3}), Bytes({-16, 8}));
  EXPECT_EQ(apply<int8_t>("arith.shrui", {-128, 64}, {3, 3}), Bytes({16, 8}));
  std::string fault;
  apply<int8_t>("arith.shli", {1}, {8}, &fault);
  EXPECT_NE(fault.find("arith.shli: shifts 8 bits by 8"), std::string::npos);
}

TEST(IntegerOps, MaximaWithAndWithoutSign) {
  Ints a = {-1, 3}, b = {2, 2};
  EXPECT_EQ(apply("arith.maxsi", a, b), Ints({2, 3}));
  EXPECT_EQ(apply("arith.minsi", a, b), Ints({-1, 2}));
  EXPECT_EQ(apply("arith.maxui", a, b), Ints({-1, 3}));
  EXPECT_EQ(apply("arith.minui", a, b), Ints({2, 2}));
}

TEST(IntegerOps, EveryPredicate) {
  struct Case {
    const char *predicate;
    std::vector<uint8_t> expected; // of -1 and 2, 2 and 2, 3 and 2
  };
  for (const auto &[predicate, expected] :
       {Case{"eq", {0, 1, 0}}, Case{"ne", {1, 0, 1}}, Case{"slt", {1, 0, 0}},
        Case{"sle", {1, 1, 0}}, Case{"sgt", {0, 0, 1}}, Case{"sge", {0, 1, 1}},
        Case{"ult", {0, 0, 0}}, Case{"ule", {0, 1, 0}}, Case{"ugt", {1, 0, 1}},
        Case{"uge", {1, 1, 1}}})
    EXPECT_EQ(evaluate<uint8_t>(constant("%a", "i32", "-1, 2, 3", 3) +
                                    constant("%b", "i32", "2, 2, 2", 3) +
                                    "%r = arith.cmpi " + predicate +
                                    ", %a, %b : tensor<1x3xi32>",
                                "i1", 3),
              expected)
        << predicate;
}

TEST(IntegerOps, Booleans) {
  std::string operands = constant("%a", "i1", "true, false, true", 3) +
                         constant("%b", "i1", "true, true, false", 3);
  auto apply = [&](const std::string &name) {
    return evaluate<uint8_t>(
        operands + "%r = " + name + " %a, %b : tensor<1x3xi1>", "i1", 3);
  };
  using Row = std::vector<uint8_t>;
  EXPECT_EQ(apply("arith.andi"), Row({1, 0, 0}));
  EXPECT_EQ(apply("arith.ori"), Row({1, 1, 1}));
  EXPECT_EQ(apply("arith.xori"), Row({0, 1, 1}));
  EXPECT_EQ(apply("arith.addi"), Row({0, 1, 1}));
  // As signed numbers, true is -1.
  EXPECT_EQ(apply("arith.cmpi slt,"), Row({0, 0, 1}));
  EXPECT_EQ(apply("arith.cmpi ult,"), Row({0, 1, 0}));
}

/// One conversion of a row of numbers.
template <typename T>
std::vector<T> convert(const std::string &name, const std::string &from,
                       const std::string &values, size_t count,
                       const std::string &to, std::string *fault = nullptr) {
  std::string shape = "tensor<1x" + std::to_string(count) + "x";
  return evaluate<T>(constant("%a", from, values, count) + "%r = " + name +
                         " %a : " + shape + from + "> to " + shape + to + ">",
                     to, count, fault);
}

TEST(Conversions, Integers) {
  EXPECT_EQ(convert<int32_t>("arith.extsi", "i8", "-3, 5", 2, "i32"),
            Ints({-3, 5}));
  EXPECT_EQ(convert<int32_t>("arith.extui", "i8", "-3, 5", 2, "i32"),
            Ints({253, 5}));
  EXPECT_EQ(convert<int32_t>("arith.extsi", "i1", "true, false", 2, "i32"),
            Ints({-1, 0}));
  EXPECT_EQ(convert<int32_t>("arith.extui", "i1", "true, false", 2, "i32"),
            Ints({1, 0}));
  EXPECT_EQ(convert<int8_t>("arith.trunci", "i32", "300, -1", 2, "i8"),
            Bytes({44, -1}));
  std::string index = "%a = arith.constant dense<-2> : tensor<1x1xi32>\n"
                      "%i = arith.index_cast%s %a : tensor<1x1xi32> to "
                      "tensor<1x1xindex>\n%r = arith.index_cast %i : "
                      "tensor<1x1xindex> to tensor<1x1xi64>";
  std::string withSign = index, without = index;
  withSign.replace(withSign.find("%s"), 2, "");
  without.replace(without.find("%s"), 2, "ui");
  EXPECT_EQ(evaluate<int64_t>(withSign, "i64", 1), std::vector<int64_t>({-2}));
  EXPECT_EQ(evaluate<int64_t>(without, "i64", 1),
            std::vector<int64_t>({0xfffffffe}));
}

TEST(Conversions, IntegersAndFloats) {
  using Row = std::vector<float>;
  EXPECT_EQ(convert<float>("arith.sitofp", "i32", "-3, 5", 2, "f32"),
            Row({-3, 5}));
  EXPECT_EQ(convert<float>("arith.uitofp", "i8", "-3, 5", 2, "f32"),
            Row({253, 5}));
  EXPECT_EQ(convert<float>("arith.sitofp", "i1", "true, false", 2, "f32"),
            Row({-1, 0}));
  EXPECT_EQ(convert<float>("arith.uitofp", "i1", "true, false", 2, "f32"),
            Row({1, 0}));
  EXPECT_EQ(convert<int32_t>("arith.fptosi", "f32",
                             "-2.75, 2.75, 3.0e9, -3.0e9, 0x7FC00000", 5,
                             "i32"),
            Ints({-2, 2, INT32_MAX, INT32_MIN, 0}));
  EXPECT_EQ(convert<int32_t>("arith.fptoui", "f32",
                             "-2.75, 2.75, 3.0e9, 1.0e10, 0x7FC00000", 5,
                             "i32"),
            Ints({0, 2, static_cast<int32_t>(3000000000u), -1, 0}));
  EXPECT_EQ(convert<uint16_t>("arith.sitofp", "i32", "2049", 1, "f16"),
            std::vector<uint16_t>({0x6800}));
  std::string fault;
  convert<uint16_t>("arith.sitofp", "i32", "16777216", 1, "bf16", &fault);
  EXPECT_NE(fault.find("expected numbers below 2^24, found 16777216"),
            std::string::npos)
      << fault;
}

TEST(Conversions, Bits) {
  EXPECT_EQ(convert<int32_t>("arith.bitcast", "f32", "1.0, -0.0", 2, "i32"),
            Ints({0x3f800000, INT32_MIN}));
  EXPECT_EQ(convert<float>("arith.bitcast", "i32", "1065353216", 1, "f32"),
            std::vector<float>({1}));
}

TEST(Conversions, OtherRoundingIsRefused) {
  std::string fault;
  convert<uint16_t>("arith.truncf", "f32", "1.0", 1, "f16", &fault);
  EXPECT_EQ(fault, "");
  evaluate<uint16_t>("%a = arith.constant dense<1.0> : tensor<1x1xf32>\n"
                     "%r = arith.truncf %a toward_zero : tensor<1x1xf32> to "
                     "tensor<1x1xf16>",
                     "f16", 1, &fault);
  EXPECT_NE(fault.find("arith.truncf: expected rounding to_nearest_even, found "
                       "toward_zero"),
            std::string::npos)
      << fault;
}

TEST(Conversions, SelectAndSplat) {
  std::string body =
      constant("%a", "i32", "1, 2, 3", 3) +
      constant("%b", "i32", "4, 5, 6", 3) +
      constant("%c", "i1", "true, false, true", 3) +
      "%one = arith.constant false\n%n = arith.constant 7 : i32\n";
  EXPECT_EQ(
      evaluate<int32_t>(body + "%r = arith.select %c, %a, %b : tensor<1x3xi1>, "
                               "tensor<1x3xi32>",
                        "i32", 3),
      Ints({1, 5, 3}));
  EXPECT_EQ(
      evaluate<int32_t>(
          body + "%r = arith.select %one, %a, %b : tensor<1x3xi32>", "i32", 3),
      Ints({4, 5, 6}));
  EXPECT_EQ(evaluate<int32_t>(body + "%r = tensor.splat %n : tensor<1x3xi32>",
                              "i32", 3),
            Ints({7, 7, 7}));
  EXPECT_EQ(evaluate<float>("%n = arith.constant 0.5 : f32\n"
                            "%r = tensor.splat %n : tensor<1x2xf32>",
                            "f32", 2),
            std::vector<float>({0.5f, 0.5f}));
}

} // namespace

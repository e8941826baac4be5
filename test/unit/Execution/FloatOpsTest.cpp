//===- FloatOpsTest.cpp - Elementwise float operations --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace sparse_attn_test;

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

std::string spell(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  char text[16];
  std::snprintf(text, sizeof(text), "0x%08X", bits);
  return text;
}

std::string spell(llvm::ArrayRef<float> values) {
  std::string text = "dense<[[";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : "") + spell(values[i]);
  return text + "]]>";
}

/// `name` of one, two or three equally long rows of floats.
std::vector<float> apply(const std::string &name,
                         const std::vector<std::vector<float>> &operands) {
  size_t count = operands[0].size();
  std::string type = "tensor<1x" + std::to_string(count) + "xf32>";
  std::string body, uses;
  for (size_t i = 0; i < operands.size(); ++i) {
    std::string value = "%a" + std::to_string(i);
    body +=
        value + " = arith.constant " + spell(operands[i]) + " : " + type + "\n";
    uses += (i ? ", " : "") + value;
  }
  return evaluate<float>(body + "%r = " + name + " " + uses + " : " + type,
                         "f32", count);
}

TEST(FloatOps, Arithmetic) {
  std::vector<float> a = {7, -2.5f, 0}, b = {2, 0.5f, -3};
  using Row = std::vector<float>;
  EXPECT_EQ(apply("arith.addf", {a, b}), Row({9, -2, -3}));
  EXPECT_EQ(apply("arith.subf", {a, b}), Row({5, -3, 3}));
  EXPECT_EQ(apply("arith.mulf", {a, b}), Row({14, -1.25f, -0.0f}));
  EXPECT_EQ(apply("arith.divf", {a, b}), Row({3.5f, -5, -0.0f}));
  EXPECT_EQ(apply("arith.remf", {a, b}), Row({1, -0.0f, 0}));
  EXPECT_EQ(apply("arith.negf", {a}), Row({-7, 2.5f, -0.0f}));
  EXPECT_EQ(apply("math.absf", {a}), Row({7, 2.5f, 0}));
  EXPECT_EQ(apply("math.fma", {a, b, b}), Row({16, -0.75f, -3}));
}

TEST(FloatOps, FusedMultiplyAddRoundsOnce) {
  float a = 1 + 0x1p-12f;
  EXPECT_EQ(apply("math.fma", {{a}, {a}, {-1 - 0x1p-11f}})[0], 0x1p-24f);
}

TEST(FloatOps, Functions) {
  std::vector<float> x = {0.25f, 1, 3};
  auto expect = [&](const std::string &name, double (*function)(double)) {
    std::vector<float> found = apply(name, {x});
    ASSERT_EQ(found.size(), x.size()) << name;
    for (size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(found[i], function(x[i]),
                  2e-6 * std::fabs(function(x[i])) + 1e-9)
          << name;
  };
  expect("math.exp", std::exp);
  expect("math.exp2", std::exp2);
  expect("math.log", std::log);
  expect("math.log2", std::log2);
  expect("math.sqrt", std::sqrt);
  expect("math.rsqrt", [](double value) { return 1 / std::sqrt(value); });
  expect("math.sin", std::sin);
  expect("math.cos", std::cos);
  expect("math.tanh", std::tanh);
  EXPECT_EQ(apply("math.exp2", {{-infinity, infinity}}),
            std::vector<float>({0, infinity}));
  EXPECT_EQ(apply("math.log2", {{0}})[0], -infinity);
}

TEST(FloatOps, MaximaAndNaN) {
  std::vector<float> a = {1, nan, 3, -infinity}, b = {2, 5, nan, -infinity};
  using Row = std::vector<float>;
  EXPECT_EQ(apply("arith.maxnumf", {a, b}), Row({2, 5, 3, -infinity}));
  EXPECT_EQ(apply("arith.minnumf", {a, b}), Row({1, 5, 3, -infinity}));
  Row most = apply("arith.maximumf", {a, b});
  Row least = apply("arith.minimumf", {a, b});
  EXPECT_EQ(most[0], 2);
  EXPECT_EQ(least[0], 1);
  for (size_t i : {1, 2})
    EXPECT_TRUE(std::isnan(most[i]) && std::isnan(least[i]));
}

TEST(FloatOps, EveryPredicate) {
  struct Case {
    const char *predicate;
    std::vector<uint8_t> expected; // less, equal, greater, unordered
  };
  for (const auto &[predicate, expected] :
       {Case{"false", {0, 0, 0, 0}}, Case{"oeq", {0, 1, 0, 0}},
        Case{"ogt", {0, 0, 1, 0}}, Case{"oge", {0, 1, 1, 0}},
        Case{"olt", {1, 0, 0, 0}}, Case{"ole", {1, 1, 0, 0}},
        Case{"one", {1, 0, 1, 0}}, Case{"ord", {1, 1, 1, 0}},
        Case{"ueq", {0, 1, 0, 1}}, Case{"ugt", {0, 0, 1, 1}},
        Case{"uge", {0, 1, 1, 1}}, Case{"ult", {1, 0, 0, 1}},
        Case{"ule", {1, 1, 0, 1}}, Case{"une", {1, 0, 1, 1}},
        Case{"uno", {0, 0, 0, 1}}, Case{"true", {1, 1, 1, 1}}}) {
    std::string body = "%a = arith.constant " + spell({1, 2, 3, nan}) +
                       " : tensor<1x4xf32>\n" + "%b = arith.constant " +
                       spell({2, 2, 2, 2}) + " : tensor<1x4xf32>\n" +
                       "%r = arith.cmpf " + predicate +
                       ", %a, %b : tensor<1x4xf32>";
    EXPECT_EQ(evaluate<uint8_t>(body, "i1", 4), expected) << predicate;
  }
}

/// Every f16 or bf16 number, there and back.
TEST(FloatOps, SixteenBitNumbersSurvive) {
  for (const char *name : {"f16", "bf16"}) {
    auto type = getFloatType(name);
    std::string in =
        "!attn_tile.matrix<256x" + std::string(name) + ", rows = 256>";
    Buffer<uint16_t> source{std::vector<uint16_t>(65536)};
    for (unsigned i = 0; i < 65536; ++i)
      source.data[i] = i;
    Buffer<uint16_t> back{std::vector<uint16_t>(65536)};
    Buffer<float> wide{std::vector<float>(65536)};
    TileKernel kernel(kernelText(
        "%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %c: !llvm.ptr<1>, %rows: i32",
        "%at = arith.constant 0 : i64\n%row = arith.constant 0 : i32\n"
        "%av = attn_tile.view %a[%at], %rows : !llvm.ptr<1> -> " +
            in +
            "\n"
            "%bv = attn_tile.view %b[%at], %rows : !llvm.ptr<1> -> " +
            in +
            "\n"
            "%cv = attn_tile.view %c[%at], %rows : !llvm.ptr<1> -> "
            "!attn_tile.matrix<256xf32, rows = 256>\n"
            "%x = attn_tile.load %av[%row] : " +
            in + " -> tensor<256x256x" + name +
            ">\n%y = arith.extf %x : tensor<256x256x" + name +
            "> to tensor<256x256xf32>\n"
            "%z = arith.truncf %y : tensor<256x256xf32> to tensor<256x256x" +
            name +
            ">\nattn_tile.store %y, %cv[%row] : tensor<256x256xf32>, "
            "!attn_tile.matrix<256xf32, rows = 256>\n"
            "attn_tile.store %z, %bv[%row] : tensor<256x256x" +
            name + ">, " + in));
    ASSERT_EQ(kernel.run({source.argument(type), back.argument(type),
                          wide.argument(mlir::Float32Type::get(&getContext())),
                          mlir::attn_tile::KernelBuffer::number(256)}),
              "");
    for (unsigned i = 0; i < 65536; ++i) {
      llvm::APFloat exact(type.getFloatSemantics(), llvm::APInt(16, i));
      bool losesInfo;
      exact.convert(llvm::APFloat::IEEEsingle(),
                    llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      if (exact.isNaN()) {
        EXPECT_TRUE(std::isnan(wide.data[i])) << name << " " << i;
        continue;
      }
      ASSERT_EQ(wide.data[i], exact.convertToFloat()) << name << " " << i;
      ASSERT_EQ(back.data[i], i) << name;
    }
  }
}

/// Rounding to 16 bits agrees with APFloat between, at and around ties.
TEST(FloatOps, TruncationRoundsToEven) {
  std::mt19937 engine(5);
  std::vector<float> values;
  for (unsigned i = 0; i < 4096; ++i) {
    // Exponents around the whole range of f16, few low bits set.
    uint32_t bits = (engine() & 0x80000000) | (90 + engine() % 60) << 23 |
                    (engine() & 0x7fe000) | (engine() % 4) << 11 |
                    (engine() % 2);
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    values.push_back(value);
  }
  for (float value : {65504.0f, 65519.0f, 65520.0f, 1e30f, infinity, 0x1p-24f,
                      0x1p-25f, 0x1.8p-25f, -0.0f, 3.4e38f})
    values.push_back(value);
  for (const char *name : {"f16", "bf16"}) {
    auto type = getFloatType(name);
    std::string size = std::to_string(values.size());
    std::vector<uint16_t> found = evaluate<uint16_t>(
        "%x = arith.constant " + spell(values) + " : tensor<1x" + size +
            "xf32>\n%r = arith.truncf %x : tensor<1x" + size +
            "xf32> to tensor<1x" + size + "x" + name + ">",
        name, values.size());
    FloatBuffer expected(type, values);
    for (size_t i = 0; i < values.size(); ++i) {
      uint16_t bits;
      std::memcpy(&bits, &expected.bytes[2 * i], 2);
      ASSERT_EQ(found[i], bits) << name << " of " << values[i];
    }
  }
}

TEST(FloatOps, SixteenBitArithmeticRounds) {
  // 2048 + 1 is a tie in f16, 256 + 1 one in bf16.
  for (auto [name, number] : {std::pair("f16", "2048.0"), {"bf16", "256.0"}}) {
    std::string type = std::string("tensor<1x1x") + name + ">";
    std::vector<uint16_t> found = evaluate<uint16_t>(
        std::string("%a = arith.constant dense<") + number + "> : " + type +
            "\n%b = arith.constant dense<1.0> : " + type +
            "\n%c = arith.addf %a, %b : " + type +
            "\n%r = arith.subf %c, %a : " + type,
        name, 1);
    EXPECT_EQ(found, std::vector<uint16_t>({0})) << name;
  }
}

} // namespace

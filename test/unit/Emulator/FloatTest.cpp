//===- FloatTest.cpp - Floating-point instructions against the host -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <cfenv>
#include <cmath>

using namespace sparse_attn::emulator::test;

namespace {

using C = const Case &;

/// Floats of every kind: ordinary ones, and any bits at all.
std::vector<Case> floats(unsigned count = 1000) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  const uint32_t special[] = {0,          0x80000000, 0x3f800000, 0xbf800000,
                              0x7f800000, 0xff800000, 0x7fc00000, 1,
                              0x807fffff, 0x00800000, 0x7f7fffff};
  std::vector<Case> cases;
  for (unsigned i = 0; i < count; ++i) {
    Case one;
    for (uint64_t &value : one)
      switch (random() % 3) {
      case 0:
        value = bitsOf(normal(random) * 4);
        break;
      case 1:
        value = random() & 0xffffffff;
        break;
      default:
        value = special[random() % 11];
      }
    cases.push_back(one);
  }
  return cases;
}

float flush(float value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value)
                                                : value;
}

TEST(Float, Arithmetic) {
  check(
      "add.f32 $d, $a, $b", 32, {32, 32},
      [](C c) { return bitsOf(asFloat(c[0]) + asFloat(c[1])); }, floats());
  check(
      "sub.rn.f32 $d, $a, $b", 32, {32, 32},
      [](C c) { return bitsOf(asFloat(c[0]) - asFloat(c[1])); }, floats());
  check(
      "mul.f32 $d, $a, $b", 32, {32, 32},
      [](C c) { return bitsOf(asFloat(c[0]) * asFloat(c[1])); }, floats());
  check(
      "mul.ftz.f32 $d, $a, $b", 32, {32, 32},
      [](C c) {
        return bitsOf(flush(flush(asFloat(c[0])) * flush(asFloat(c[1]))));
      },
      floats());
  check(
      "fma.rn.f32 $d, $a, $b, $c", 32, {32, 32, 32},
      [](C c) {
        return bitsOf(std::fma(asFloat(c[0]), asFloat(c[1]), asFloat(c[2])));
      },
      floats());
  check(
      "div.rn.f32 $d, $a, $b", 32, {32, 32},
      [](C c) { return bitsOf(asFloat(c[0]) / asFloat(c[1])); }, floats());
  check(
      "sqrt.rn.f32 $d, $a", 32, {32},
      [](C c) { return bitsOf(std::sqrt(asFloat(c[0]))); }, floats());
  check(
      "rcp.rn.f32 $d, $a", 32, {32},
      [](C c) { return bitsOf(1.0f / asFloat(c[0])); }, floats());
  check(
      "add.sat.f32 $d, $a, $b", 32, {32, 32},
      [](C c) {
        float sum = asFloat(c[0]) + asFloat(c[1]);
        return bitsOf(sum > 0 ? std::min(sum, 1.0f) : 0.0f);
      },
      floats());
  check(
      "add.f32 $d, $a, 0f3F800000", 32, {32},
      [](C c) { return bitsOf(asFloat(c[0]) + 1.0f); }, floats());
  check(
      "add.f32 $d, $a, 0.5", 32, {32},
      [](C c) { return bitsOf(asFloat(c[0]) + 0.5f); }, floats());
}

/// The host's result under a rounding mode of the host.
template <class F>
float rounded(int mode, F compute) {
  int before = std::fegetround();
  std::fesetround(mode);
  volatile float result = compute();
  std::fesetround(before);
  return result;
}

TEST(Float, DirectedRounding) {
  const std::pair<const char *, int> modes[] = {
      {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};
  for (const auto &[name, mode] : modes) {
    std::string suffix = "." + std::string(name) + ".f32 $d, $a, $b";
    auto host = [mode = mode](auto compute) {
      return [=](C c) {
        volatile float a = asFloat(c[0]), b = asFloat(c[1]), d = asFloat(c[2]);
        return bitsOf(rounded(mode, [&] { return compute(a, b, d); }));
      };
    };
    using V = volatile float &;
    check("add" + suffix, 32, {32, 32},
          host([](V a, V b, V) -> float { return a + b; }), floats());
    check("sub" + suffix, 32, {32, 32},
          host([](V a, V b, V) -> float { return a - b; }), floats());
    check("mul" + suffix, 32, {32, 32},
          host([](V a, V b, V) -> float { return a * b; }), floats());
    check("div" + suffix, 32, {32, 32},
          host([](V a, V b, V) -> float { return a / b; }), floats());
    check("fma" + suffix + ", $c", 32, {32, 32, 32},
          host([](V a, V b, V d) -> float { return std::fma(a, b, d); }),
          floats());
  }
}

TEST(Float, Double) {
  auto cases = casesFor({64, 64, 64});
  for (Case &one : cases) // NaN payloads are not defined
    for (uint64_t &value : one)
      if (std::isnan(asDouble(value)))
        value = bitsOf(1.5);
  check(
      "add.f64 $d, $a, $b", 64, {64, 64},
      [](C c) { return bitsOf(asDouble(c[0]) + asDouble(c[1])); }, cases);
  check(
      "fma.rn.f64 $d, $a, $b, $c", 64, {64, 64, 64},
      [](C c) {
        return bitsOf(std::fma(asDouble(c[0]), asDouble(c[1]), asDouble(c[2])));
      },
      cases);
  check(
      "mul.f64 $d, $a, 0d4000000000000000", 64, {64},
      [](C c) { return bitsOf(asDouble(c[0]) * 2); }, cases);
}

TEST(Float, Extremes) {
  // NaN loses, unless .NaN; -0 is less than +0.
  auto least = [](float a, float b) {
    if (std::isnan(a) || std::isnan(b))
      return std::isnan(a) ? b : a;
    return a < b || (a == b && std::signbit(a)) ? a : b;
  };
  check(
      "min.f32 $d, $a, $b", 32, {32, 32},
      [&](C c) { return bitsOf(least(asFloat(c[0]), asFloat(c[1]))); },
      floats());
  check(
      "max.f32 $d, $a, $b", 32, {32, 32},
      [&](C c) {
        float a = asFloat(c[0]), b = asFloat(c[1]);
        if (std::isnan(a) || std::isnan(b))
          return bitsOf(std::isnan(a) ? b : a);
        return bitsOf(-least(-a, -b));
      },
      floats());
  check(
      "max.NaN.f32 $d, $a, $b", 32, {32, 32},
      [&](C c) {
        float a = asFloat(c[0]), b = asFloat(c[1]);
        if (std::isnan(a) || std::isnan(b))
          return uint64_t(0x7fffffff);
        return bitsOf(-least(-a, -b));
      },
      floats());
  check(
      "abs.f32 $d, $a", 32, {32}, [](C c) { return c[0] & 0x7fffffff; },
      floats());
  check(
      "neg.f32 $d, $a", 32, {32}, [](C c) { return c[0] ^ 0x80000000; },
      floats());
  check(
      "copysign.f32 $d, $a, $b", 32, {32, 32},
      [](C c) {
        uint64_t bits = (c[1] & 0x7fffffff) | (c[0] & 0x80000000);
        return bits;
      },
      casesFor({31, 31}));
}

/// Every result within `ulps` of the double function, and special values right.
void checkApproximation(const std::string &instruction, double (*exact)(double),
                        float low, float high) {
  std::vector<Case> cases;
  for (unsigned i = 0; i < 1000; ++i)
    cases.push_back({bitsOf(low + (high - low) * float(i) / 999), 0, 0});
  std::vector<uint64_t> results = evaluate(instruction, 32, {32}, cases);
  for (size_t i = 0; i < cases.size(); ++i) {
    double wanted = exact(asFloat(cases[i][0]));
    EXPECT_NEAR(asFloat(results[i]), wanted, std::fabs(wanted) * 0x1p-23)
        << instruction << " of " << asFloat(cases[i][0]);
  }
}

TEST(Float, Approximations) {
  checkApproximation("ex2.approx.ftz.f32 $d, $a", std::exp2, -120, 120);
  checkApproximation("ex2.approx.f32 $d, $a", std::exp2, -1, 1);
  checkApproximation("lg2.approx.f32 $d, $a", std::log2, 0.001f, 900);
  checkApproximation("sin.approx.f32 $d, $a", std::sin, -3, 3);
  checkApproximation("cos.approx.ftz.f32 $d, $a", std::cos, -3, 3);
  checkApproximation("tanh.approx.f32 $d, $a", std::tanh, -4, 4);
  checkApproximation(
      "rsqrt.approx.f32 $d, $a", [](double x) { return 1 / std::sqrt(x); },
      0.01f, 900);
  checkApproximation(
      "rcp.approx.ftz.f32 $d, $a", [](double x) { return 1 / x; }, 0.01f, 900);
  auto ex2 = [](float value) {
    return evaluate("ex2.approx.ftz.f32 $d, $a", 32, {32},
                    {{bitsOf(value), 0, 0}})[0];
  };
  EXPECT_EQ(ex2(-INFINITY), 0u);
  EXPECT_EQ(ex2(INFINITY), 0x7f800000u);
  EXPECT_EQ(ex2(NAN), 0x7fffffffu);
  EXPECT_EQ(ex2(-127), 0u) << "a subnormal result is flushed";
  EXPECT_EQ(ex2(0), 0x3f800000u);
  // Documented: the quotient of a divisor beyond 2^126 is zero.
  EXPECT_EQ(evaluate("div.approx.f32 $d, $a, $b", 32, {32, 32},
                     {{bitsOf(0x1p127f), bitsOf(0x1p127f), 0}})[0],
            0u);
}

TEST(Float, Classes) {
  auto test = [](const std::string &kind, auto expected) {
    check(
        "testp." + kind + ".f32 $d, $a", 1, {32},
        [=](C c) { return bool(expected(asFloat(c[0]))); }, floats());
  };
  test("finite", [](float x) { return std::isfinite(x); });
  test("infinite", [](float x) { return std::isinf(x); });
  test("notanumber", [](float x) { return std::isnan(x); });
  test("subnormal", [](float x) { return std::fpclassify(x) == FP_SUBNORMAL; });
}

// --- f16 and bf16 ---

class HalfTest : public testing::TestWithParam<bool> {
protected:
  bool bfloat() const { return GetParam(); }
  std::string type() const { return bfloat() ? "bf16" : "f16"; }
  double value(uint64_t bits) const {
    return halfValue(static_cast<uint16_t>(bits), bfloat());
  }
  /// Where a double holds the exact result of all three operands.
  std::vector<Case> cases() const {
    std::mt19937 random(9);
    std::vector<Case> result;
    for (unsigned i = 0; i < 1000; ++i) {
      Case one;
      for (uint64_t &bits : one) {
        bits = random() & 0xffff;
        if (bfloat()) // exponents near 1
          bits = (bits & 0x87ff) | 0x3c00;
      }
      result.push_back(one);
    }
    return result;
  }
};

TEST_P(HalfTest, Scalar) {
  check(
      "add.rn." + type() + " $d, $a, $b", 16, {16, 16},
      [&](C c) { return nearestHalf(value(c[0]) + value(c[1]), bfloat()); },
      cases());
  check(
      "mul.rn." + type() + " $d, $a, $b", 16, {16, 16},
      [&](C c) { return nearestHalf(value(c[0]) * value(c[1]), bfloat()); },
      cases());
  check(
      "fma.rn." + type() + " $d, $a, $b, $c", 16, {16, 16, 16},
      [&](C c) {
        long double product =
            static_cast<long double>(value(c[0])) * value(c[1]);
        long double sum = product + value(c[2]);
        return nearestHalf(static_cast<double>(sum), bfloat());
      },
      cases());
  check(
      "neg." + type() + " $d, $a", 16, {16}, [&](C c) { return c[0] ^ 0x8000; },
      cases());
  check(
      "abs." + type() + " $d, $a", 16, {16}, [&](C c) { return c[0] & 0x7fff; },
      cases());
}

TEST_P(HalfTest, Packed) {
  std::vector<Case> packed;
  auto low = cases(), high = cases();
  for (size_t i = 0; i < low.size(); ++i) {
    packed.emplace_back();
    for (unsigned s = 0; s < 3; ++s)
      packed[i][s] = low[i][s] | high[low.size() - 1 - i][s] << 16;
  }
  auto both = [&](auto compute) {
    return [=](C c) {
      uint64_t result = 0;
      for (unsigned shift = 0; shift < 32; shift += 16)
        result |= uint64_t(compute(value(c[0] >> shift), value(c[1] >> shift)))
                  << shift;
      return result;
    };
  };
  check("mul.rn." + type() + "x2 $d, $a, $b", 32, {32, 32},
        both([&](double a, double b) { return nearestHalf(a * b, bfloat()); }),
        packed);
  check("max." + type() + "x2 $d, $a, $b", 32, {32, 32},
        both([&](double a, double b) {
          double most = std::isnan(a) ? b
                        : std::isnan(b) || a > b || (a == b && std::signbit(b))
                            ? a
                            : b;
          return nearestHalf(most, bfloat());
        }),
        packed);
}

TEST_P(HalfTest, EveryValueConverts) {
  std::vector<Case> all;
  for (unsigned part = 0; part < 65536; part += 1024) {
    all.clear();
    for (unsigned i = 0; i < 1024; ++i)
      all.push_back({part + i, 0, 0});
    check(
        "cvt.f32." + type() + " $d, $a", 32, {16},
        [&](C c) { return bitsOf(static_cast<float>(value(c[0]))); }, all);
  }
}

TEST_P(HalfTest, FromFloat) {
  auto near = floats();
  for (unsigned i = 0; i < 500; ++i) // ties and their neighbours
    near.push_back({(i & 0xff) << (bfloat() ? 15 : 12) | 0x3f800000 | (i & 1),
                    0x38000000u + i * 0x800, 0});
  near.resize(1000);
  check(
      "cvt.rn." + type() + ".f32 $d, $a", 16, {32},
      [&](C c) { return nearestHalf(asFloat(c[0]), bfloat()); }, near);
  check(
      "cvt.rn." + type() + "x2.f32 $d, $a, $b", 32, {32, 32},
      [&](C c) {
        return uint64_t(nearestHalf(asFloat(c[0]), bfloat())) << 16 |
               nearestHalf(asFloat(c[1]), bfloat());
      },
      near);
}

INSTANTIATE_TEST_SUITE_P(Formats, HalfTest, testing::Bool(),
                         [](const auto &info) {
                           return info.param ? "bf16" : "f16";
                         });

TEST(Half, Exponential) {
  EXPECT_EQ(evaluate("ex2.approx.f16 $d, $a", 16, {16}, {{0x3c00, 0, 0}})[0],
            0x4000u);
  EXPECT_EQ(
      evaluate("ex2.approx.f16x2 $d, $a", 32, {32}, {{0xbc003c00, 0, 0}})[0],
      0x38004000u);
  EXPECT_EQ(
      evaluate("ex2.approx.ftz.bf16 $d, $a", 16, {16}, {{0x3f80, 0, 0}})[0],
      0x4000u);
}

} // namespace

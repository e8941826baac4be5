//===- ConvertTest.cpp - cvt, setp, selp, mov -----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <cmath>

using namespace sparse_attn::emulator::test;

namespace {

using C = const Case &;

TEST(Convert, Integers) {
  check("cvt.u64.u32 $d, $a", 64, {32}, [](C c) { return c[0]; });
  check("cvt.s64.s32 $d, $a", 64, {32},
        [](C c) { return int64_t(int32_t(c[0])); });
  check("cvt.u32.u64 $d, $a", 32, {64}, [](C c) { return c[0]; });
  check("cvt.u16.u32 $d, $a", 16, {32}, [](C c) { return c[0]; });
  check("cvt.s32.s16 $d, $a", 32, {16}, [](C c) { return int16_t(c[0]); });
  check("cvt.s32.s8 $d, $a", 32, {32}, [](C c) { return int8_t(c[0]); });
  check("cvt.u32.u8 $d, $a", 32, {32}, [](C c) { return uint8_t(c[0]); });
  check("cvt.s64.s8 $d, $a", 64, {64},
        [](C c) { return int64_t(int8_t(c[0])); });
  check("cvt.s8.s32 $d, $a", 32, {32}, [](C c) { return int8_t(c[0]); });
  check("cvt.sat.u8.s32 $d, $a", 32, {32}, [](C c) {
    int32_t value = int32_t(c[0]);
    return value < 0 ? 0 : value > 255 ? 255 : value;
  });
  check("cvt.sat.s32.u64 $d, $a", 32, {64},
        [](C c) { return std::min<uint64_t>(c[0], INT32_MAX); });
}

/// fp8 by its definition; NaN is not asked for.
double fp8Value(unsigned bits, bool e5m2) {
  int fraction = e5m2 ? 2 : 3, bias = e5m2 ? 15 : 7;
  int exponent = int(bits & 0x7f) >> fraction;
  double mantissa = bits & ((1u << fraction) - 1);
  double value = exponent ? std::ldexp(mantissa + (1 << fraction),
                                       exponent - bias - fraction)
                          : std::ldexp(mantissa, 1 - bias - fraction);
  return bits & 0x80 ? -value : value;
}

/// The nearest of all finite values; ties go to the even one.
unsigned nearestFp8(double value, bool e5m2) {
  if (value != value)
    return 0x7f;
  unsigned last = e5m2 ? 0x7b : 0x7e, best = 0;
  double magnitude = std::min(std::fabs(value), 1e9);
  for (unsigned bits = 1; bits <= last; ++bits) {
    double nearer = std::fabs(fp8Value(bits, e5m2) - magnitude) -
                    std::fabs(fp8Value(best, e5m2) - magnitude);
    if (nearer < 0 || (nearer == 0 && bits % 2 == 0))
      best = bits;
  }
  return best | (std::signbit(value) ? 0x80 : 0);
}

TEST(Convert, Fp8) {
  std::vector<Case> floats, halves, packed;
  std::mt19937 random(3);
  std::uniform_real_distribution<float> exponent(-20, 18);
  for (unsigned i = 0; i < 400; ++i) {
    float a = std::exp2(exponent(random)) * (i % 2 ? -1.f : 1.f);
    float b = float(int(i) - 200) * 0.0078125f;
    floats.push_back({bitsOf(a), bitsOf(b), 0});
    halves.push_back(
        {nearestHalf(a, false) | uint64_t(nearestHalf(b, false)) << 16, 0, 0});
  }
  // Ties, the ends of the range, beyond them.
  for (float a : {17.f, 19.f, 448.f, 464.f, 465.f, 1e6f, 57344.f, 61440.f,
                  INFINITY, NAN, -0.f, 0x1p-10f, 0x1.8p-9f, 0x1p-17f})
    floats.push_back({bitsOf(a), bitsOf(-a) & 0xffffffff, 0});
  for (unsigned i = 0; i < 256; ++i)
    if ((i & 0x7f) < 0x7c)
      packed.push_back({i | (i ^ 0x80) << 8, 0, 0});
  for (bool e5m2 : {false, true}) {
    std::string type = e5m2 ? "e5m2x2" : "e4m3x2";
    check(
        "cvt.rn.satfinite." + type + ".f32 $d, $a, $b", 16, {32, 32},
        [=](C c) {
          return nearestFp8(asFloat(c[0]), e5m2) << 8 |
                 nearestFp8(asFloat(c[1]), e5m2);
        },
        floats);
    check(
        "cvt.rn.satfinite." + type + ".f16x2 $d, $a", 16, {32},
        [=](C c) {
          return nearestFp8(halfValue(uint16_t(c[0] >> 16), false), e5m2) << 8 |
                 nearestFp8(halfValue(uint16_t(c[0]), false), e5m2);
        },
        halves);
    check(
        "cvt.rn.f16x2." + type + " $d, $a", 32, {16},
        [=](C c) {
          return nearestHalf(fp8Value(c[0] & 0xff, e5m2), false) |
                 uint32_t(nearestHalf(fp8Value(c[0] >> 8, e5m2), false)) << 16;
        },
        packed);
    check(
        "cvt.rn.satfinite.relu." + type + ".f32 $d, $a, $b", 16, {32, 32},
        [=](C c) {
          auto relu = [](float x) { return x > 0 || x != x ? x : 0; };
          return nearestFp8(relu(asFloat(c[0])), e5m2) << 8 |
                 nearestFp8(relu(asFloat(c[1])), e5m2);
        },
        floats);
  }
  expectParseError(kernel("  cvt.rn.e4m3x2.f32 %h1, %f1, %f2; // HERE"),
                   {"'cvt.rn.e4m3x2.f32'", "not supported"});
}

TEST(Convert, IntegerToFloat) {
  check("cvt.rn.f32.s32 $d, $a", 32, {32},
        [](C c) { return bitsOf(float(int32_t(c[0]))); });
  check("cvt.rn.f32.u32 $d, $a", 32, {32},
        [](C c) { return bitsOf(float(uint32_t(c[0]))); });
  check("cvt.rn.f32.u64 $d, $a", 32, {64},
        [](C c) { return bitsOf(float(c[0])); });
  check("cvt.rn.f32.s64 $d, $a", 32, {64},
        [](C c) { return bitsOf(float(int64_t(c[0]))); });
  check("cvt.rn.f64.s64 $d, $a", 64, {64},
        [](C c) { return bitsOf(double(int64_t(c[0]))); });
  check("cvt.rz.f32.u32 $d, $a", 32, {32}, [](C c) {
    double exact = double(uint32_t(c[0]));
    float near = float(exact);
    return bitsOf(double(near) > exact ? std::nextafter(near, 0.0f) : near);
  });
}

std::vector<Case> smallFloats() {
  std::vector<Case> cases;
  for (int i = -500; i < 500; ++i)
    cases.push_back({bitsOf(float(i) * 0.125f), 0, 0});
  for (float special : {INFINITY, -INFINITY, NAN, 3e9f, -3e9f, 1e20f, -0.0f})
    cases[size_t(special > 0 ? 1 : 2) + (std::isinf(special) ? 0 : 5) +
          (special > 1e10f ? 9 : 0)] = {bitsOf(special), 0, 0};
  return cases;
}

template <class T>
uint64_t clamped(double value) {
  if (std::isnan(value))
    return 0;
  if (value <= double(std::numeric_limits<T>::min()))
    return uint64_t(std::numeric_limits<T>::min());
  if (value >= double(std::numeric_limits<T>::max()))
    return uint64_t(std::numeric_limits<T>::max());
  return uint64_t(T(value));
}

TEST(Convert, FloatToInteger) {
  check(
      "cvt.rzi.s32.f32 $d, $a", 32, {32},
      [](C c) { return clamped<int32_t>(std::trunc(asFloat(c[0]))); },
      smallFloats());
  check(
      "cvt.rni.s32.f32 $d, $a", 32, {32},
      [](C c) { return clamped<int32_t>(std::nearbyint(asFloat(c[0]))); },
      smallFloats());
  check(
      "cvt.rmi.s32.f32 $d, $a", 32, {32},
      [](C c) { return clamped<int32_t>(std::floor(asFloat(c[0]))); },
      smallFloats());
  check(
      "cvt.rpi.u32.f32 $d, $a", 32, {32},
      [](C c) { return clamped<uint32_t>(std::ceil(asFloat(c[0]))); },
      smallFloats());
  check(
      "cvt.rzi.u64.f32 $d, $a", 64, {32},
      [](C c) { return clamped<uint64_t>(asFloat(c[0])); }, smallFloats());
}

TEST(Convert, Floats) {
  check(
      "cvt.rmi.f32.f32 $d, $a", 32, {32},
      [](C c) { return bitsOf(std::floor(asFloat(c[0]))); }, smallFloats());
  check(
      "cvt.rni.f32.f32 $d, $a", 32, {32},
      [](C c) { return bitsOf(std::nearbyint(asFloat(c[0]))); }, smallFloats());
  check(
      "cvt.sat.f32.f32 $d, $a", 32, {32},
      [](C c) {
        float value = asFloat(c[0]);
        return bitsOf(value > 0 ? std::min(value, 1.0f) : 0.0f);
      },
      smallFloats());
  check("cvt.rn.f32.f64 $d, $a", 32, {64},
        [](C c) { return bitsOf(float(asDouble(c[0]))); });
  check("cvt.rna.tf32.f32 $d, $a", 32, {32}, [](C c) {
    float value = asFloat(c[0]);
    if (!std::isfinite(value))
      return bitsOf(value);
    // Ties away: half a tf32 unit is added, then the rest is cut off.
    return (c[0] + 0x1000) & ~uint64_t(0x1fff);
  });
  check("cvt.rn.relu.f16x2.f32 $d, $a, $b", 32, {32, 32}, [](C c) {
    auto one = [](float value) {
      return uint64_t(nearestHalf(value < 0 || value == 0 ? 0 : value, false));
    };
    return one(asFloat(c[0])) << 16 | one(asFloat(c[1]));
  });
  check("cvt.rz.bf16.f32 $d, $a", 16, {32},
        [](C c) { return std::isnan(asFloat(c[0])) ? 0x7fff : c[0] >> 16; });
}

TEST(Compare, Integers) {
  check("setp.lt.s32 $d, $a, $b", 1, {32, 32},
        [](C c) { return int32_t(c[0]) < int32_t(c[1]); });
  check("setp.lo.u32 $d, $a, $b", 1, {32, 32}, [](C c) { return c[0] < c[1]; });
  check("setp.hs.u64 $d, $a, $b", 1, {64, 64},
        [](C c) { return c[0] >= c[1]; });
  check("setp.ne.b16 $d, $a, $b", 1, {16, 16},
        [](C c) { return c[0] != c[1]; });
  check("setp.ge.s64 $d, $a, $b", 1, {64, 64},
        [](C c) { return int64_t(c[0]) >= int64_t(c[1]); });
  check("setp.gt.and.s32 $d, $a, $b, $c", 1, {32, 32, 1},
        [](C c) { return int32_t(c[0]) > int32_t(c[1]) && uint32_t(c[2]); });
  check("setp.eq.or.u32 $d, $a, $b, !$c", 1, {32, 32, 1},
        [](C c) { return c[0] == c[1] || !uint32_t(c[2]); });
  check("setp.le.xor.u32 %p7|$d, $a, $b, $c", 1, {32, 32, 1},
        [](C c) { return !(c[0] <= c[1]) != (uint32_t(c[2]) != 0); });
  check("set.lt.u32.s32 $d, $a, $b", 32, {32, 32},
        [](C c) { return int32_t(c[0]) < int32_t(c[1]) ? ~0u : 0; });
  check("set.gt.f32.u32 $d, $a, $b", 32, {32, 32},
        [](C c) { return c[0] > c[1] ? 0x3f800000 : 0; });
}

TEST(Compare, Floats) {
  auto test = [](const std::string &name, auto expected) {
    check("setp." + name + ".f32 $d, $a, $b", 1, {32, 32},
          [=](C c) { return expected(asFloat(c[0]), asFloat(c[1])); });
  };
  auto nan = [](float a, float b) { return std::isnan(a) || std::isnan(b); };
  test("eq", [](float a, float b) { return a == b; });
  test("ne", [=](float a, float b) { return !nan(a, b) && a != b; });
  test("lt", [](float a, float b) { return a < b; });
  test("equ", [=](float a, float b) { return nan(a, b) || a == b; });
  test("neu", [](float a, float b) { return a != b; });
  test("ltu", [=](float a, float b) { return nan(a, b) || a < b; });
  test("geu", [=](float a, float b) { return nan(a, b) || a >= b; });
  test("num", [=](float a, float b) { return !nan(a, b); });
  test("nan", nan);
  check("setp.lt.f16 $d, $a, $b", 1, {16, 16}, [](C c) {
    return halfValue(uint16_t(c[0]), false) < halfValue(uint16_t(c[1]), false);
  });
  check("setp.gt.bf16x2 %p7|$d, $a, $b", 1, {32, 32}, [](C c) {
    return halfValue(uint16_t(c[0] >> 16), true) >
           halfValue(uint16_t(c[1] >> 16), true);
  });
}

TEST(Compare, Select) {
  check("selp.b32 $d, $a, $b, $c", 32, {32, 32, 1},
        [](C c) { return uint32_t(c[2]) ? c[0] : c[1]; });
  check("selp.b64 $d, $a, 5, $b", 64, {64, 1},
        [](C c) { return uint32_t(c[1]) ? c[0] : 5; });
  check("slct.u32.s32 $d, $a, $b, $c", 32, {32, 32, 32},
        [](C c) { return int32_t(c[2]) >= 0 ? c[0] : c[1]; });
  check("slct.b64.f32 $d, $a, $b, $c", 64, {64, 64, 32},
        [](C c) { return asFloat(c[2]) >= 0 ? c[0] : c[1]; });
}

TEST(Move, PackAndUnpack) {
  check("mov.b64 $d, {$a, $b}", 64, {32, 32},
        [](C c) { return c[1] << 32 | c[0]; });
  check("mov.b32 $d, {$a, $b}", 32, {16, 16},
        [](C c) { return c[1] << 16 | c[0]; });
  check("mov.b64 $d, {$a, $b, $b, $a}", 64, {16, 16},
        [](C c) { return c[0] | c[1] << 16 | c[1] << 32 | c[0] << 48; });
  check("mov.b64 {_, $d}, $a", 32, {64}, [](C c) { return c[0] >> 32; });
  check("mov.b32 {$d, _}, $a", 16, {32}, [](C c) { return c[0]; });
  check("mov.f32 $d, 1.0", 32, {32}, [](C) { return 0x3f800000; });
  check("mov.pred $d, $a", 1, {1}, [](C c) { return uint32_t(c[0]) != 0; });
}

TEST(Move, SpecialRegisters) {
  KernelRun run(kernel(R"(
  mov.u32 %r1, %tid.y;
  mov.u32 %r2, %ntid.x;
  mad.lo.u32 %r3, %r1, %r2, %tid;       // the thread's index
  mov.u32 %r4, %ctaid.x;
  mov.u32 %r5, %nctaid.x;
  mov.u32 %r6, %laneid;
  mov.u32 %r7, %warpid;
  mov.u32 %r8, %lanemask_lt;
  mad.lo.u32 %r9, %r4, 48, %r3;
  mad.wide.u32 %rd1, %r9, 16, %out;
  mad.lo.u32 %r10, %r4, 1000, %r5;
  st.global.v4.b32 [%rd1], {%r10, %r6, %r7, %r8};)"));
  run.launch.block = {16, 3, 1};
  run.launch.grid = {3, 1, 1};
  run.setOutput(3 * 48 * 16);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(3 * 48 * 4);
  for (uint32_t block = 0; block < 3; ++block)
    for (uint32_t thread = 0; thread < 48; ++thread) {
      const uint32_t *out = &result[(block * 48 + thread) * 4];
      EXPECT_EQ(out[0], block * 1000 + 3);
      EXPECT_EQ(out[1], thread % 32);
      EXPECT_EQ(out[2], thread / 32);
      EXPECT_EQ(out[3], (1u << thread % 32) - 1);
    }
}

} // namespace

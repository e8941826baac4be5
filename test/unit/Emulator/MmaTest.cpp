//===- MmaTest.cpp - mma.sync against the host ----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <cmath>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

struct Shape {
  const char *name; // of the instruction
  char kind;        // h: f16, b: bf16, t: tf32
  unsigned k;
  bool halfResult;
};

class MmaTest : public testing::TestWithParam<Shape> {};

double element(uint32_t word, unsigned half, char kind) {
  if (kind == 't')
    return asFloat(word & ~0x1fffu);
  return halfValue(static_cast<uint16_t>(word >> (16 * half)), kind == 'b');
}

std::string list(unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", %r" : "%r") + std::to_string(first + i);
  return text + "}";
}

TEST_P(MmaTest, MatchesTheHost) {
  const Shape &shape = GetParam();
  unsigned packed = shape.kind == 't' ? 1 : 2;
  unsigned countA = shape.k * 16 / 32 / packed, countB = countA / 2;
  unsigned countC = shape.halfResult ? 2 : 4;
  std::string body;
  body += "  mad.wide.u32 %rd1, %tid, 64, %in;\n"
          "  mad.wide.u32 %rd2, %tid, 16, %out;\n";
  for (unsigned i = 0; i < 12; ++i)
    body += "  ld.global.b32 %r" + std::to_string(i) + ", [%rd1+" +
            std::to_string(4 * i) + "];\n";
  body += "  mov.b32 %r20, 0;\n  mov.b32 %r21, 0;\n  mov.b32 %r22, 0;\n"
          "  mov.b32 %r23, 0;\n  " +
          std::string(shape.name) + " " + list(20, countC) + ", " +
          list(0, countA) + ", " + list(4, countB) + ", " + list(8, countC) +
          ";\n  st.global.v4.b32 [%rd2], {%r20, %r21, %r22, %r23};\n";
  KernelRun run(kernel(body));
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  std::vector<uint32_t> input(32 * 16);
  for (unsigned i = 0; i < input.size(); ++i) {
    double x = normal(random), y = normal(random);
    bool isC = i % 16 >= 8;
    if (shape.kind == 't' || (isC && !shape.halfResult))
      input[i] = static_cast<uint32_t>(bitsOf(static_cast<float>(x)));
    else
      input[i] = nearestHalf(x, shape.kind == 'b') |
                 uint32_t(nearestHalf(y, shape.kind == 'b')) << 16;
  }
  run.setInput(input);
  run.setOutput(512);
  run.expectSuccess();
  EXPECT_EQ(run.counters.mma, 1u);
  std::vector<uint32_t> result = run.output<uint32_t>(128);

  // Which lane and register hold an element: the tables of the PTX ISA.
  auto a = [&](unsigned m, unsigned k) {
    unsigned column = packed == 2 ? k % 8 / 2 : k % 4;
    unsigned lane = m % 8 * 4 + column;
    unsigned reg = (m >= 8) + 2 * (k / (4 * packed));
    return element(input[lane * 16 + reg], k % 2, shape.kind);
  };
  auto b = [&](unsigned k, unsigned n) {
    unsigned row = packed == 2 ? k % 8 / 2 : k % 4;
    return element(input[(n * 4 + row) * 16 + 4 + k / (4 * packed)], k % 2,
                   shape.kind);
  };
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      double sum = 0;
      for (unsigned k = 0; k < shape.k; ++k)
        sum += a(m, k) * b(k, n);
      unsigned lane = m % 8 * 4 + n / 2;
      if (shape.halfResult) {
        uint32_t addend = input[lane * 16 + 8 + m / 8];
        sum += element(addend, n % 2, 'h');
        EXPECT_EQ(result[lane * 4 + m / 8] >> (n % 2 * 16) & 0xffff,
                  nearestHalf(sum, false))
            << m << " " << n;
      } else {
        unsigned reg = m / 8 * 2 + n % 2;
        sum += asFloat(input[lane * 16 + 8 + reg]);
        EXPECT_EQ(result[lane * 4 + reg], bitsOf(static_cast<float>(sum)))
            << m << " " << n;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MmaTest,
    testing::Values(Shape{"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32",
                          'h', 16, false},
                    Shape{"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32",
                          'b', 16, false},
                    Shape{"mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16",
                          'h', 16, true},
                    Shape{"mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32",
                          'h', 8, false},
                    Shape{"mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16",
                          'h', 8, true},
                    Shape{"mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32",
                          'b', 8, false},
                    Shape{"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32",
                          't', 8, false},
                    Shape{"mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32",
                          't', 4, false}));

// --- 8-bit elements ---

struct Shape8 {
  const char *types; // of the result, A, B and C, after the shape
  char kindA, kindB; // 4: e4m3, 5: e5m2, s, u
  unsigned k;
};

double element8(uint32_t word, unsigned index, char kind) {
  auto bits = static_cast<uint8_t>(word >> (8 * index));
  if (kind == 's')
    return static_cast<int8_t>(bits);
  if (kind == 'u')
    return bits;
  int fraction = kind == '5' ? 2 : 3, bias = kind == '5' ? 15 : 7;
  int exponent = (bits & 0x7f) >> fraction;
  double mantissa = bits & ((1 << fraction) - 1);
  double value = exponent ? std::ldexp(mantissa + (1 << fraction),
                                       exponent - bias - fraction)
                          : std::ldexp(mantissa, 1 - bias - fraction);
  return bits & 0x80 ? -value : value;
}

class Mma8Test : public testing::TestWithParam<Shape8> {};

TEST_P(Mma8Test, MatchesTheHost) {
  const Shape8 &shape = GetParam();
  unsigned countA = shape.k / 8, countB = countA / 2;
  bool isFloat = shape.kindA == '4' || shape.kindA == '5';
  std::string body = "  mad.wide.u32 %rd1, %tid, 64, %in;\n"
                     "  mad.wide.u32 %rd2, %tid, 16, %out;\n";
  for (unsigned i = 0; i < 12; ++i)
    body += "  ld.global.b32 %r" + std::to_string(i) + ", [%rd1+" +
            std::to_string(4 * i) + "];\n";
  body += "  mma.sync.aligned.m16n8k" + std::to_string(shape.k) + ".row.col." +
          shape.types + " " + list(20, 4) + ", " + list(0, countA) + ", " +
          list(4, countB) + ", " + list(8, 4) +
          ";\n  st.global.v4.b32 [%rd2], {%r20, %r21, %r22, %r23};\n";
  KernelRun run(kernel(body));
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  std::vector<uint32_t> input(32 * 16);
  for (unsigned i = 0; i < input.size(); ++i) {
    input[i] = random();
    if (isFloat) // neither NaN nor infinity
      input[i] = i % 16 >= 8 ? static_cast<uint32_t>(bitsOf(normal(random)))
                             : input[i] & 0xbfbfbfbf;
  }
  run.setInput(input);
  run.setOutput(512);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(128);
  bool saturates = std::string(shape.types).find("satfinite") == 0;
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      double sum = 0;
      for (unsigned k = 0; k < shape.k; ++k) {
        unsigned lane = m % 8 * 4 + k % 16 / 4, reg = m / 8 + 2 * (k / 16);
        unsigned laneB = n * 4 + k % 16 / 4;
        sum += element8(input[lane * 16 + reg], k % 4, shape.kindA) *
               element8(input[laneB * 16 + 4 + k / 16], k % 4, shape.kindB);
      }
      unsigned lane = m % 8 * 4 + n / 2, reg = m / 8 * 2 + n % 2;
      uint32_t c = input[lane * 16 + 8 + reg];
      uint32_t wanted;
      if (isFloat) {
        wanted = static_cast<uint32_t>(
            bitsOf(static_cast<float>(sum + double(asFloat(c)))));
      } else {
        auto exact = static_cast<int64_t>(sum) + static_cast<int32_t>(c);
        if (saturates)
          exact =
              std::min<int64_t>(std::max<int64_t>(exact, INT32_MIN), INT32_MAX);
        wanted = static_cast<uint32_t>(exact);
      }
      EXPECT_EQ(result[lane * 4 + reg], wanted) << m << " " << n;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Mma8Test,
    testing::Values(Shape8{"f32.e4m3.e4m3.f32", '4', '4', 32},
                    Shape8{"f32.e4m3.e5m2.f32", '4', '5', 32},
                    Shape8{"f32.e5m2.e5m2.f32", '5', '5', 16},
                    Shape8{"s32.s8.s8.s32", 's', 's', 32},
                    Shape8{"s32.u8.s8.s32", 'u', 's', 16},
                    Shape8{"satfinite.s32.u8.u8.s32", 'u', 'u', 32}));

// --- models of tensor cores ---

/// One sum of products that are 1 or powers of two: `a` times 1, and c.
float modelled(MmaModel model, const char *types, const std::vector<float> &a,
               float c) {
  // Lane 0 holds row 0 of A, column 0 of B and element (0, 0) of C.
  bool isFp8 = std::string(types).find("e4m3") != std::string::npos;
  unsigned depth = isFp8 ? 32 : 16, pack = isFp8 ? 4 : 2;
  std::string body = "  mad.wide.u32 %rd1, %tid, 64, %in;\n"
                     "  mad.wide.u32 %rd2, %tid, 16, %out;\n";
  for (unsigned i = 0; i < 12; ++i)
    body += "  ld.global.b32 %r" + std::to_string(i) + ", [%rd1+" +
            std::to_string(4 * i) + "];\n";
  body += "  mma.sync.aligned.m16n8k" + std::to_string(depth) + ".row.col." +
          types + " " + list(20, 4) + ", " + list(0, 4) + ", " + list(4, 2) +
          ", " + list(8, 4) +
          ";\n  st.global.v4.b32 [%rd2], {%r20, %r21, %r22, %r23};\n";
  KernelRun run(kernel(body));
  std::vector<uint32_t> input(32 * 16);
  uint32_t one = isFp8 ? 0x38383838 : 0x3c003c00;
  for (unsigned lane = 0; lane < 32; ++lane)
    input[lane * 16 + 4] = input[lane * 16 + 5] = one;
  auto exponentOf = [](float value) { return std::ilogb(value); };
  for (unsigned k = 0; k < a.size(); ++k) {
    if (a[k] == 0)
      continue;
    // Powers of two, subnormal ones too.
    uint32_t bits =
        isFp8 ? uint32_t(exponentOf(a[k]) + 7) << 3 : nearestHalf(a[k], false);
    unsigned lane = k % (4 * pack) / pack, reg = 2 * (k / (4 * pack));
    input[lane * 16 + reg] |= bits << (k % pack * (32 / pack));
  }
  input[8] = static_cast<uint32_t>(bitsOf(c));
  run.setInput(input);
  run.setOutput(512);
  run.launch.mmaModel = model;
  run.expectSuccess();
  return asFloat(run.output<uint32_t>(1)[0]);
}

TEST(MmaModel, Halves) {
  const char *types = "f32.f16.f16.f32";
  // Eight products of 2^-24 beside 1: the last places that each model keeps.
  std::vector<float> tiny(16, 0x1p-24f);
  EXPECT_EQ(modelled(MmaModel::Ieee, types, tiny, 1), 1 + 0x1p-20f);
  // Ampere keeps 24 fraction bits: both blocks of eight count.
  EXPECT_EQ(modelled(MmaModel::Ampere, types, tiny, 1), 1 + 0x1p-20f);
  EXPECT_EQ(modelled(MmaModel::Ada, types, tiny, 1), 1 + 0x1p-20f);
  EXPECT_EQ(modelled(MmaModel::Hopper, types, tiny, 1), 1 + 0x1p-20f);
  // Beside 2 Ampere loses them; Hopper's further bit keeps them.
  EXPECT_EQ(modelled(MmaModel::Ampere, types, tiny, 2), 2);
  EXPECT_EQ(modelled(MmaModel::Hopper, types, tiny, 2), 2 + 0x1p-20f);
  EXPECT_EQ(modelled(MmaModel::Hopper, types, tiny, 4), 4);
  // Results are cut off, not rounded.
  EXPECT_EQ(modelled(MmaModel::Ieee, types, {0x1p-14f, 0x1p-24f}, 0x1p9f),
            0x1p9f + 0x1p-14f);
  EXPECT_EQ(modelled(MmaModel::Ieee, types, {3 * 0x1p-2f}, 0x1p23f),
            0x1p23f + 1);
  EXPECT_EQ(modelled(MmaModel::Ampere, types, {3 * 0x1p-2f}, 0x1p23f), 0x1p23f);
  EXPECT_EQ(modelled(MmaModel::Hopper, types, {3 * 0x1p-2f}, 0x1p23f), 0x1p23f);
  // A block ends after eight products on Ampere: the ninth meets a rounded sum.
  std::vector<float> ninth(16, 0.f);
  ninth[0] = 0x1p-1f;
  ninth[8] = 0x1p-1f;
  EXPECT_EQ(modelled(MmaModel::Ampere, types, ninth, 0x1p23f), 0x1p23f);
  EXPECT_EQ(modelled(MmaModel::Hopper, types, ninth, 0x1p23f), 0x1p23f + 1);
}

TEST(MmaModel, Fp8) {
  const char *types = "f32.e4m3.e4m3.f32";
  // 13 fraction bits beside the largest product.
  std::vector<float> small(32, 0x1p-6f);
  small[0] = 0x1p7f;
  EXPECT_EQ(modelled(MmaModel::Ieee, types, small, 0), 128 + 31 * 0x1p-6f);
  EXPECT_EQ(modelled(MmaModel::Ada, types, small, 0), 128 + 31 * 0x1p-6f);
  small[0] = 0x1p8f;
  EXPECT_EQ(modelled(MmaModel::Ieee, types, small, 0), 256 + 31 * 0x1p-6f);
  EXPECT_EQ(modelled(MmaModel::Ada, types, small, 0), 256);
  // The accumulator is cut off too.
  EXPECT_EQ(modelled(MmaModel::Ada, types, {1.f}, 0x1p-14f), 1);
  EXPECT_EQ(modelled(MmaModel::Ada, types, {1.f}, 0x1p-13f), 1 + 0x1p-13f);
  // Hopper's warps multiply f16 instead, and add the accumulator last.
  EXPECT_EQ(modelled(MmaModel::Hopper, types, small, 0), 256 + 31 * 0x1p-6f);
  EXPECT_EQ(modelled(MmaModel::Hopper, types, {1.f}, 0x1p-14f), 1 + 0x1p-14f);
  EXPECT_EQ(modelled(MmaModel::Hopper, types, {0x1p-5f, 0x1p-6f}, 0x1p19f),
            0x1p19f + 0x1p-4f); // rounded
}

TEST(MmaModel, Unknown) {
  KernelRun run(kernel("  mov.u32 %r1, 0;\n"
                       "  mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 "
                       "{%r2, %r3, %r4, %r5}, {%r1, %r1, %r1, %r1}, {%r1, "
                       "%r1}, {%r1, %r1, %r1, %r1}; // HERE"));
  run.launch.mmaModel = MmaModel::Ampere;
  run.expectError({"knows no products of this type"});
}

const std::string half = "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 ";

TEST(Mma, Faults) {
  // %r0 is poison; then the guard excludes a lane.
  std::string zeros;
  for (unsigned i = 1; i < 12; ++i)
    zeros += "  mov.b32 %r" + std::to_string(i) + ", 0;\n";
  std::string operands = list(8, 4) + ", {%r1, %r2}, {%r3}, " + list(4, 4);
  KernelRun diverged(kernel(zeros + "  setp.ne.u32 %p1, %tid, 3;\n  @%p1 " +
                            half + operands + "; // HERE"));
  diverged.expectError({"executed by lanes 0xfffffff7 only", "0xffffffff"});
  KernelRun unwritten(kernel(zeros + "  " + half + list(8, 4) +
                             ", {%r0, %r2}, {%r3}, " + list(4, 4) +
                             "; // HERE"));
  unwritten.expectError({"register '%r0' was never written"});
  KernelRun exited(kernel(zeros +
                          "  setp.eq.u32 %p1, %tid, 31;\n  @%p1 exit;\n  " +
                          half + operands + "; // HERE"));
  exited.expectError({"executed by lanes 0x7fffffff only"});
  expectParseError(kernel("  " + half + "{%r1, %r2}, {%r1, %r2}, {%r3}, " +
                          list(4, 4) + "; // HERE"),
                   {"operand 1 needs 4 registers, found 2"});
  expectParseError(
      kernel("  mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32 {%r1}, "
             "{%r1}, {%r1}, {%r1}; // HERE"),
      {"'mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32'"});
}

} // namespace

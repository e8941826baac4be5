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

//===- CountersTest.cpp - Tests of what launches count --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

/// The wavefronts and conflicts of `access` to shared memory at %rd2, where
/// thread t has %r1 = t.
std::pair<uint64_t, uint64_t> banksOf(const std::string &address,
                                      const std::string &access) {
  KernelRun run(
      kernel("  mov.u64 %rd1, buf;\n  mov.u32 %r1, %tid;\n" + address + access,
             ".shared .align 16 .b8 buf[16384];\n"));
  run.expectSuccess();
  return {run.counters.sharedWavefronts, run.counters.bankConflicts};
}

std::string stride(unsigned bytes) {
  return "  mad.wide.u32 %rd2, %r1, " + std::to_string(bytes) + ", %rd1;\n";
}

using Banks = std::pair<uint64_t, uint64_t>;

TEST(Counters, BankConflicts) {
  const char *word = "  st.shared.u32 [%rd2], %r1;\n";
  EXPECT_EQ(banksOf(stride(4), word), Banks(1, 0));
  EXPECT_EQ(banksOf(stride(8), word), Banks(2, 1));
  EXPECT_EQ(banksOf(stride(128), word), Banks(32, 31));
  EXPECT_EQ(banksOf(stride(132), word), Banks(1, 0));
  // One word for all, and two bytes in a word, are broadcasts.
  EXPECT_EQ(banksOf("  mov.u64 %rd2, %rd1;\n", word), Banks(1, 0));
  EXPECT_EQ(banksOf(stride(2), "  cvt.u16.u32 %h1, %r1;\n"
                               "  st.shared.u16 [%rd2], %h1;\n"),
            Banks(1, 0));
}

TEST(Counters, WideAccessesTakePhases) {
  EXPECT_EQ(banksOf(stride(8), "  st.shared.v2.u32 [%rd2], {%r1, %r1};\n"),
            Banks(2, 0));
  const char *quad = "  st.shared.v4.u32 [%rd2], {%r1, %r1, %r1, %r1};\n";
  EXPECT_EQ(banksOf(stride(16), quad), Banks(4, 0));
  EXPECT_EQ(banksOf(stride(128), quad), Banks(32, 28));
  EXPECT_EQ(banksOf(stride(144), quad), Banks(4, 0));
}

TEST(Counters, MatrixRows) {
  // Eight rows of 128 bytes collide; with 16 bytes of padding they do not.
  for (unsigned row : {128u, 144u}) {
    std::string fill = "  mad.wide.u32 %rd2, %r1, " + std::to_string(row) +
                       ", %rd1;\n"
                       "  st.shared.v4.u32 [%rd2], {%r1, %r1, %r1, %r1};\n";
    Banks filled = banksOf("", fill);
    Banks both = banksOf(
        "", fill + "  bar.warp.sync -1;\n"
                   "  ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r2, %r3}, "
                   "[%rd2];\n");
    EXPECT_EQ(both.first - filled.first, row == 128 ? 16u : 2u);
  }
}

TEST(Counters, Classes) {
  KernelRun run(kernel("  mov.f32 %f1, 0f3F800000;\n"
                       "  add.f32 %f1, %f1, %f1;\n"
                       "  ex2.approx.f32 %f1, %f1;\n"
                       "  mov.b16 %h1, 1;\n"
                       "  add.f16 %h1, %h1, %h1;\n"
                       "  shl.b32 %r1, %tid, 2;\n"
                       "  cvt.u64.u32 %rd1, %r1;\n"
                       "  add.s64 %rd1, %rd1, %out;\n"
                       "  setp.eq.u32 %p1, %tid, 40;\n"
                       "  @%p1 st.global.f32 [%rd1], %f1;\n"
                       "  bar.warp.sync -1;\n"));
  KernelRun empty(kernel(""));
  run.setOutput(128);
  empty.setOutput(128);
  run.expectSuccess();
  empty.expectSuccess();
  auto more = [&](Counters::Class kind) {
    return run.counters.byClass[kind] - empty.counters.byClass[kind];
  };
  EXPECT_EQ(more(Counters::Float), 2u);
  EXPECT_EQ(more(Counters::Half), 1u);
  EXPECT_EQ(more(Counters::Integer), 2u);
  EXPECT_EQ(more(Counters::Move), 2u);
  EXPECT_EQ(more(Counters::Convert), 1u);
  EXPECT_EQ(more(Counters::Compare), 1u);
  EXPECT_EQ(more(Counters::Memory), 1u); // counted, though no lane stores
  EXPECT_EQ(more(Counters::Synchronize), 1u);
  EXPECT_EQ(run.counters.exponentials, 32u);
  EXPECT_EQ(run.counters.globalBytes, 0u);
  uint64_t sum = 0;
  for (uint64_t count : run.counters.byClass)
    sum += count;
  EXPECT_EQ(sum, run.counters.instructions);
}

} // namespace

//===- AtomicTest.cpp - atom and red ------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <algorithm>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

const char *const sharedArray = ".shared .align 16 .b8 buf[1024];\n";

TEST(Atomic, HalvesAndVectors) {
  KernelRun run(kernel(R"(
  mov.f32 %f1, 0f3F800000;
  mov.f32 %f2, 0f40000000;
  red.global.add.v2.f32 [%in], {%f1, %f2};
  red.global.v4.f32.add [%in+16], {%f1, %f2, %f1, %f2};
  mov.b16 %h1, 0x3c00;
  atom.global.add.noftz.f16 %h2, [%in+8], %h1;
  mov.b16 %h1, 0x3f80;
  red.global.add.noftz.bf16 [%in+10], %h1;
  red.global.add.noftz.v2.bf16x2 [%in+32], {0x3f803f80, 0x3f804000};
  red.global.max.noftz.f16x2 [%in+40], 0x3c004000;
  cvt.f32.f16 %f3, %h2;
  cvt.rzi.u32.f32 %r1, %f3;
  mad.wide.u32 %rd2, %tid, 4, %out;
  st.global.u32 [%rd2], %r1;)"));
  run.setInput(std::vector<uint32_t>(12, 0));
  run.setOutput(128);
  run.expectSuccess();
  std::vector<uint32_t> found(12);
  ASSERT_TRUE(run.memory.read(run.in, found.data(), 48));
  EXPECT_EQ(asFloat(found[0]), 32);
  EXPECT_EQ(asFloat(found[1]), 64);
  EXPECT_EQ(halfValue(uint16_t(found[2]), false), 32);
  EXPECT_EQ(halfValue(uint16_t(found[2] >> 16), true), 32);
  for (unsigned i = 0; i < 4; ++i)
    EXPECT_EQ(asFloat(found[4 + i]), i % 2 ? 64 : 32);
  EXPECT_EQ(halfValue(uint16_t(found[8]), true), 32);
  EXPECT_EQ(halfValue(uint16_t(found[9]), true), 64);
  EXPECT_EQ(found[10], 0x3c004000u);
  // Each lane saw another sum.
  std::vector<uint32_t> olds = run.output<uint32_t>(32);
  std::sort(olds.begin(), olds.end());
  for (unsigned i = 0; i < 32; ++i)
    EXPECT_EQ(olds[i], i);
  expectParseError(kernel("  red.global.add.v4.f32 [%in], {%f1, %f2}; // HERE"),
                   {"expected 4 registers, found 2"});
}

TEST(Atomic, Global) {
  KernelRun run(kernel(R"(
  atom.global.add.u32 %r1, [%in], 2;
  red.relaxed.gpu.global.max.s32 [%in+4], %tid;
  red.global.add.f32 [%in+8], 0f3F000000;
  atom.global.inc.u32 %r2, [%in+12], 9;
  add.u32 %r3, %tid, 1;
  atom.global.cas.b32 %r4, [%in+16], %tid, %r3;
  red.global.or.b32 [%in+20], %tid;
  atom.global.add.u64 %rd1, [%in+24], 3;
  red.global.add.noftz.f16x2 [%in+32], 0x3c004000;
  mad.wide.u32 %rd2, %tid, 4, %out;
  st.global.u32 [%rd2], %r1;)"));
  run.setInput(std::vector<uint32_t>{10, 5, 0, 0, 0, 64, 0, 1, 0, 0});
  run.setOutput(128);
  run.launch.grid = {4, 1, 1};
  run.launch.hostThreads = 2;
  run.expectSuccess();
  uint32_t after[10];
  ASSERT_TRUE(run.memory.read(run.in, after, sizeof after));
  EXPECT_EQ(after[0], 10u + 2 * 128);
  EXPECT_EQ(after[1], 31u);
  EXPECT_EQ(after[2], bitsOf(64.0f));
  EXPECT_EQ(after[3], 128u % 10);
  EXPECT_EQ(after[4], 32u) << "each thread in turn finds its own index";
  EXPECT_EQ(after[5], 64u | 31);
  EXPECT_EQ(after[6], 3u * 128);
  EXPECT_EQ(after[7], 1u);
  EXPECT_EQ(after[8],
            uint32_t(nearestHalf(128, false)) << 16 | nearestHalf(256, false));
}

TEST(Atomic, SharedAndUnsupported) {
  KernelRun run(kernel(R"(
  setp.eq.u32 %p1, %tid, 0;
  @%p1 st.shared.u32 [buf], 100;
  atom.shared.exch.b32 %r1, [buf], %tid;
  atom.shared::cta.min.u32 %r2, [buf], 7;
  mad.wide.u32 %rd2, %tid, 4, %out;
  st.global.u32 [%rd2], %r1;)",
                       sharedArray));
  run.setOutput(128);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(32);
  EXPECT_EQ(result[0], 100u);
  for (unsigned lane = 1; lane < 32; ++lane)
    EXPECT_EQ(result[lane], lane - 1);
  expectParseError(kernel("  atom.global.mul.u32 %r1, [%in], 2; // HERE"),
                   {"'atom.global.mul.u32'", "not supported"});
}

} // namespace

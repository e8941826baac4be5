//===- MemoryTest.cpp - Loads, stores, cp.async, atomics, ldmatrix --------===//
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

std::vector<uint32_t> iota(unsigned count) {
  std::vector<uint32_t> values(count);
  for (unsigned i = 0; i < count; ++i)
    values[i] = i * 7 + 1;
  return values;
}

const char *const sharedArray = ".shared .align 16 .b8 buf[1024];\n";

TEST(Memory, VectorsAndWidths) {
  KernelRun run(kernel(R"(
  mad.wide.u32 %rd1, %tid, 16, %in;
  mad.wide.u32 %rd2, %tid, 32, %out;
  ld.global.nc.L1::no_allocate.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1];
  ld.volatile.global.s8 %r5, [%rd1+1];
  ld.relaxed.gpu.global.u16 %r6, [%rd1+2];
  ld.global.s16 %rd3, [%rd1+4];
  st.global.v2.b32 [%rd2], {%r4, %r3};
  st.global.v2.b32 [%rd2+8], {%r5, %r6};
  st.global.b64 [%rd2+16], %rd3;
  st.global.b8 [%rd2+24], %r1;
  st.global.b8 [%rd2+25], %r2;
  st.global.b16 [%rd2+26], 0x1234;
  st.global.b32 [%rd2+28], -1;)"));
  std::vector<uint32_t> input = iota(128);
  for (uint32_t &value : input)
    value *= 0x9e3779b9;
  run.setInput(input);
  run.setOutput(32 * 32);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(32 * 8);
  for (unsigned lane = 0; lane < 32; ++lane) {
    const uint32_t *in = &input[lane * 4], *out = &result[lane * 8];
    EXPECT_EQ(out[0], in[3]);
    EXPECT_EQ(out[1], in[2]);
    EXPECT_EQ(int32_t(out[2]), int8_t(in[0] >> 8));
    EXPECT_EQ(out[3], in[0] >> 16);
    EXPECT_EQ(int32_t(out[4]), int16_t(in[1]));
    EXPECT_EQ(int32_t(out[5]), int16_t(in[1]) >> 15);
    EXPECT_EQ(out[6], (in[0] & 255) | (in[1] & 255) << 8 | 0x12340000);
    EXPECT_EQ(out[7], ~0u);
  }
}

TEST(Memory, SharedThroughGenericAddresses) {
  KernelRun run(kernel(R"(
  mov.u64 %rd1, buf;
  mad.wide.u32 %rd2, %tid, 4, %rd1;
  st.shared.u32 [%rd2], %tid;
  bar.warp.sync -1;
  cvta.shared.u64 %rd3, %rd1;
  isspacep.shared %p1, %rd3;
  isspacep.global %p2, %rd3;
  xor.b32 %r1, %tid, 5;
  mad.wide.u32 %rd4, %r1, 4, %rd3;
  ld.u32 %r2, [%rd4];                  // generic
  cvta.to.shared.u64 %rd5, %rd4;
  ld.shared.u32 %r3, [%rd5];
  selp.b32 %r4, 1, 0, %p1;
  selp.b32 %r5, 1, 0, %p2;
  mad.wide.u32 %rd6, %tid, 16, %out;
  cvta.to.global.u64 %rd6, %rd6;
  st.v4.u32 [%rd6], {%r2, %r3, %r4, %r5};)",
                       sharedArray));
  run.setOutput(512);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(128);
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(result[lane * 4], lane ^ 5);
    EXPECT_EQ(result[lane * 4 + 1], lane ^ 5);
    EXPECT_EQ(result[lane * 4 + 2], 1u);
    EXPECT_EQ(result[lane * 4 + 3], 0u);
  }
}

TEST(Memory, VariablesOfTheModule) {
  KernelRun run(kernel(R"(
  .local .align 4 .b8 mine[16];
  ld.const.u32 %r1, [table+8];
  mov.u64 %rd1, words;
  ld.global.s16 %r2, [%rd1+2];
  ld.global.u32 %r3, [zero];
  st.local.u32 [mine+4], %tid;
  ld.local.u32 %r4, [mine+4];
  mad.wide.u32 %rd2, %tid, 16, %out;
  st.global.v4.u32 [%rd2], {%r1, %r2, %r3, %r4};)",
                       ".const .align 4 .f32 table[4] = {0f3F800000, 2.0, "
                       "0f40400000};\n"
                       ".global .align 2 .b16 words[3] = {1, -2, 3};\n"
                       ".visible .global .u32 zero;\n"));
  run.setOutput(512);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(128);
  EXPECT_EQ(result[4], 0x40400000u);
  EXPECT_EQ(result[5], uint32_t(-2));
  EXPECT_EQ(result[6], 0u);
  EXPECT_EQ(result[31 * 4 + 3], 31u);
}

/// One kernel, one fault.
void expectFault(const std::string &body, const std::vector<std::string> &parts,
                 const std::string &module = sharedArray) {
  KernelRun run(kernel(body, module));
  run.setInput(iota(64));
  run.setOutput(256);
  run.expectError(parts);
}

TEST(MemoryFault, GlobalOutOfBounds) {
  expectFault("  mad.wide.u32 %rd1, %tid, 4, %in;\n"
              "  ld.global.u32 %r1, [%rd1+136]; // HERE",
              {"'ld.global.u32'", "out of bounds",
               "0 bytes past the end of a buffer of 256 bytes",
               "block (0, 0, 0), thread (30, 0, 0)"});
  expectFault("  st.global.u32 [%out+-4], %tid; // HERE",
              {"out of bounds", "4 bytes before a buffer of 256 bytes"});
  expectFault("  mov.u64 %rd1, 0;\n  ld.global.u32 %r1, [%rd1]; // HERE",
              {"out of bounds", "is in no buffer"});
  expectFault(
      "  st.global.v4.u32 [%out+256], {%tid, %tid, %tid, %tid}; // HERE",
      {"'st.global.v4.u32'", "out of bounds"});
}

TEST(MemoryFault, SharedOutOfBounds) {
  expectFault(
      "  mov.u64 %rd1, buf;\n  mad.wide.u32 %rd2, %tid, 36, %rd1;\n"
      "  st.shared.u32 [%rd2], %tid; // HERE",
      {"shared address", "out of bounds", "1024 bytes", "thread (29, 0, 0)"});
  expectFault("  mov.u64 %rd1, 0;\n  mov.u64 %rd2, buf;\n"
              "  ld.shared.u32 %r1, [%rd1]; // HERE",
              {"shared address 0x0 is out of bounds"});
}

TEST(MemoryFault, Misaligned) {
  expectFault("  add.u64 %rd1, %in, 2;\n  ld.global.u32 %r1, [%rd1]; // HERE",
              {"misaligned", "multiple of 4"});
  expectFault("  mov.u64 %rd1, buf;\n"
              "  st.shared.v2.u32 [%rd1+4], {%tid, %tid}; // HERE",
              {"misaligned", "multiple of 8"});
}

TEST(MemoryFault, Uninitialised) {
  expectFault("  mov.u64 %rd1, buf;\n  st.shared.u32 [%rd1], %tid;\n"
              "  ld.shared.v2.u32 {%r1, %r2}, [%rd1]; // HERE",
              {"reads 8 uninitialised bytes"});
  expectFault("  ld.global.u32 %r1, [%out]; // HERE",
              {"reads 4 uninitialised bytes"});
}

TEST(MemoryFault, PartlyWritten) {
  expectFault("  mov.b16 %h1, 3;\n  st.global.b16 [%out], %h1;\n"
              "  st.global.b8 [%out+2], %h1;\n"
              "  ld.global.u32 %r1, [%out]; // HERE",
              {"reads 4 uninitialised bytes"});
}

TEST(MemoryFault, UnwrittenRegisters) {
  expectFault("  st.global.u32 [%out], %r2; // HERE",
              {"register '%r2' was never written", "thread (0, 0, 0)"});
  expectFault("  setp.lt.u32 %p1, %tid, 5;\n  @%p1 mov.u32 %r2, 1;\n"
              "  st.global.u32 [%out], %r2; // HERE",
              {"register '%r2' was never written", "thread (5, 0, 0)"});
  expectFault("  @%p3 mov.u32 %r1, 0; // HERE",
              {"predicate '%p3' was never written"});
  // A copy of nothing is nothing, and so is what is computed from it.
  expectFault("  mov.u32 %r1, %r2;\n  mov.b64 %rd1, {%r1, %tid};\n"
              "  st.global.u64 [%out], %rd1; // HERE",
              {"register '%rd1' was never written"});
  expectFault("  add.s32 %r1, %r2, 1;\n  cvt.u64.u32 %rd1, %r1;\n"
              "  add.u64 %rd2, %out, %rd1;\n"
              "  st.global.u32 [%rd2], %tid; // HERE",
              {"register '%rd2' was never written"});
  expectFault("  setp.eq.s32 %p1, %r2, 1;\n  @%p1 mov.u32 %r1, 0; // HERE",
              {"predicate '%p1' was never written"});
  expectFault("  setp.ne.u32 %p1, %tid, 9;\n  selp.b32 %r1, %tid, %r2, %p1;\n"
              "  st.global.u32 [%out], %r1; // HERE",
              {"register '%r1' was never written", "thread (9, 0, 0)"});
  // What an unwritten predicate picked is nothing either; that it is there
  // is no fault.
  expectFault("  selp.b32 %r1, 1, 2, %p3;\n"
              "  setp.ne.u32 %p1, %tid, 7;\n  selp.b32 %r3, %tid, %r1, %p1;\n"
              "  st.global.u32 [%out], %r3; // HERE",
              {"register '%r3' was never written", "thread (7, 0, 0)"});
}

// --- cp.async ---

const char *const copyPrologue = R"(
  mov.u64 %rd1, buf;
  mad.wide.u32 %rd2, %tid, 16, %rd1;
  mad.wide.u32 %rd3, %tid, 16, %in;
  mad.wide.u32 %rd4, %tid, 16, %out;
)";

struct CopyTest : testing::Test {
  void prepare(const std::string &body) {
    run = std::make_unique<KernelRun>(kernel(copyPrologue + body, sharedArray));
    run->setInput(iota(256));
    run->setOutput(512);
  }
  std::unique_ptr<KernelRun> run;
};

TEST_F(CopyTest, GroupsArriveInOrder) {
  prepare(R"(
  cp.async.cg.shared.global [%rd2], [%rd3], 16;
  cp.async.commit_group;
  cp.async.ca.shared.global.L2::128B [%rd2+512], [%rd3+512], 8;
  cp.async.ca.shared.global [%rd2+520], [%rd3+520], 4;
  cp.async.commit_group;
  cp.async.wait_group 1;
  ld.shared.v2.u32 {%r1, %r2}, [%rd2+8];
  cp.async.wait_all;
  ld.shared.u32 %r3, [%rd2+516];
  ld.shared.u32 %r4, [%rd2+520];
  st.global.v4.u32 [%rd4], {%r1, %r2, %r3, %r4};)");
  run->expectSuccess();
  std::vector<uint32_t> input = iota(256), result = run->output<uint32_t>(128);
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(result[lane * 4], input[lane * 4 + 2]);
    EXPECT_EQ(result[lane * 4 + 1], input[lane * 4 + 3]);
    EXPECT_EQ(result[lane * 4 + 2], input[128 + lane * 4 + 1]);
    EXPECT_EQ(result[lane * 4 + 3], input[128 + lane * 4 + 2]);
  }
}

TEST_F(CopyTest, ZeroFill) {
  prepare(R"(
  mov.u32 %r5, 6;
  setp.lt.u32 %p1, %tid, 16;
  cp.async.ca.shared.global [%rd2], [%rd3], 8, %r5;
  cp.async.ca.shared.global [%rd2+8], [%rd3+8], 8, 0;
  @%p1 cp.async.cg.shared.global [%rd2+512], [%rd3], 16, 4;
  cp.async.wait_all;
  ld.shared.v4.u32 {%r1, %r2, %r3, %r4}, [%rd2];
  @%p1 ld.shared.v4.u32 {%r1, %r6, %r7, %r4}, [%rd2+512];
  st.global.v4.u32 [%rd4], {%r1, %r2, %r3, %r4};)");
  run->expectSuccess();
  std::vector<uint32_t> input = iota(256), result = run->output<uint32_t>(128);
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(result[lane * 4], input[lane * 4]);
    EXPECT_EQ(result[lane * 4 + 1], input[lane * 4 + 1] & 0xffff);
    EXPECT_EQ(result[lane * 4 + 2], 0u);
    EXPECT_EQ(result[lane * 4 + 3], 0u);
  }
}

TEST_F(CopyTest, SourceOfNothingMayBeAnywhere) {
  prepare(R"(
  mov.u64 %rd5, 0;
  cp.async.cg.shared.global [%rd2], [%rd5], 16, 0;
  cp.async.wait_all;
  ld.shared.v4.u32 {%r1, %r2, %r3, %r4}, [%rd2];
  st.global.v4.u32 [%rd4], {%r1, %r2, %r3, %r4};)");
  run->expectSuccess();
  EXPECT_EQ(run->output<uint32_t>(128), std::vector<uint32_t>(128, 0));
}

const char *const missingWait = R"(
  st.shared.u32 [%rd2], %tid;
  cp.async.cg.shared.global [%rd2], [%rd3], 16;
  cp.async.commit_group;
  cp.async.cg.shared.global [%rd2+512], [%rd3+512], 16;
  cp.async.commit_group;
  cp.async.wait_group 2;
  ld.shared.u32 %r1, [%rd2]; // HERE
  st.global.u32 [%rd4], %r1;)";

TEST_F(CopyTest, MissingWait) {
  prepare(missingWait);
  run->expectError({"'ld.shared.u32'", "a copy is still writing"});
}

TEST_F(CopyTest, EarlyArrivalHidesTheMissingWait) {
  prepare(missingWait);
  run->launch.arrival = Arrival::Earliest;
  run->expectSuccess();
}

TEST_F(CopyTest, OtherLanesWaitForThemselves) {
  // Only half of the lanes wait.
  prepare(R"(
  cp.async.cg.shared.global [%rd2], [%rd3], 16;
  cp.async.commit_group;
  setp.lt.u32 %p1, %tid, 16;
  @%p1 cp.async.wait_group 0;
  ld.shared.u32 %r1, [%rd2]; // HERE
)");
  run->expectError({"a copy is still writing", "thread (16, 0, 0)"});
}

TEST_F(CopyTest, Faults) {
  prepare("  cp.async.cg.shared.global [%rd2+8], [%rd3], 16; // HERE");
  run->expectError({"misaligned", "multiple of 16"});
  prepare("  cp.async.cg.shared.global [%rd2], [%rd3+8], 16; // HERE");
  run->expectError({"source address is misaligned"});
  prepare("  cp.async.cg.shared.global [%rd2], [%rd4], 16; // HERE");
  run->expectError({"uninitialised"});
  prepare("  cp.async.cg.shared.global [%rd2], [%rd3+1024], 16; // HERE");
  run->expectError({"global address", "out of bounds"});
  prepare("  cp.async.cg.shared.global [%rd2+1024], [%rd3], 16; // HERE");
  run->expectError({"shared address", "out of bounds"});
  prepare("  cp.async.cg.shared.global [%rd2], [%rd3], 16, 17; // HERE");
  run->expectError({"source size must be at most 16, found 17"});
  expectParseError(
      kernel("  cp.async.cg.shared.global [%in], [%in], 8; // HERE"),
      {"copy size must be 16, found 8"});
}

// --- ldmatrix ---

class MatrixTest : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(MatrixTest, Layout) {
  auto [count, transposed] = GetParam();
  const char *registers[] = {"", "{%r1}", "{%r1, %r2}", "",
                             "{%r1, %r2, %r3, %r4}"};
  std::string form = ".sync.aligned.m8n8.x" + std::to_string(count) +
                     (transposed ? ".trans" : "") + ".shared.b16 ";
  std::string body = copyPrologue;
  body += "  ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd3];\n"
          "  st.shared.v4.u32 [%rd2], {%r1, %r2, %r3, %r4};\n"
          "  bar.sync 0;\n"
          "  ldmatrix" +
          form + registers[count] +
          ", [%rd2];\n"
          "  st.global.v4.u32 [%rd4], {%r1, %r2, %r3, %r4};\n"
          // And back, to the second half.
          "  stmatrix" +
          form + "[%rd2+512], " + registers[count] +
          ";\n"
          "  bar.sync 0;\n"
          "  setp.lt.u32 %p1, %tid, " +
          std::to_string(count * 8) +
          ";\n"
          "  @%p1 ld.shared.v4.u32 {%r1, %r2, %r3, %r4}, [%rd2+512];\n"
          "  st.global.v4.u32 [%rd4+512], {%r1, %r2, %r3, %r4};\n";
  KernelRun run(kernel(body, sharedArray));
  std::vector<uint16_t> input(256);
  for (unsigned i = 0; i < 256; ++i)
    input[i] = static_cast<uint16_t>(i * 31);
  run.setInput(input);
  run.setOutput(1024);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(256);
  for (int matrix = 0; matrix < count; ++matrix)
    for (unsigned lane = 0; lane < 32; ++lane) {
      auto element = [&](unsigned row, unsigned column) {
        return uint32_t(input[(matrix * 8 + row) * 8 + column]);
      };
      unsigned g = lane / 4, t = lane % 4 * 2;
      uint32_t expected = transposed ? element(t, g) | element(t + 1, g) << 16
                                     : element(g, t) | element(g, t + 1) << 16;
      EXPECT_EQ(result[lane * 4 + matrix], expected) << lane << " " << matrix;
    }
  for (int row = 0; row < count * 8; ++row)
    EXPECT_EQ(0, std::memcmp(&result[128 + row * 4], &input[row * 8], 16));
}

INSTANTIATE_TEST_SUITE_P(Forms, MatrixTest,
                         testing::Combine(testing::Values(1, 2, 4),
                                          testing::Bool()));

TEST(Matrix, Faults) {
  std::string load = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 "
                     "{%r1, %r2, %r3, %r4}, ";
  expectFault(copyPrologue + ("  " + load + "[%rd2+8]; // HERE"),
              {"'ldmatrix.sync.aligned.m8n8.x4.shared.b16'", "misaligned",
               "multiple of 16"});
  expectFault(copyPrologue + ("  " + load + "[%rd2]; // HERE"),
              {"uninitialised"});
  expectFault(copyPrologue + ("  setp.lt.u32 %p1, %tid, 31;\n  @%p1 " + load +
                              "[%rd2]; // HERE"),
              {"executed by lanes 0x7fffffff only"});
  expectParseError(kernel("  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1, "
                          "%r2}, [%in]; // HERE"),
                   {"expected 4 registers, found 2"});
}

} // namespace

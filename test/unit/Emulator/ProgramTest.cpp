//===- ProgramTest.cpp - Parsing and launching ----------------------------===//
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

TEST(Parse, Module) {
  std::string text = R"(
//
// A comment
/* and another
   one */
.version 8.0
.target sm_80, debug
.address_size 64
.file 1 "kernel.mlir"
.extern .func (.param .b32 func_retval0) vprintf (.param .b64 a, .param .b64 b);
.func helper(.param .b32 x) { .reg .b32 %r<3>; { ret; } }
.visible .entry first() .maxntid 32, 1, 1 .minnctapersm 2 { .loc 1 2 3
  .pragma "nounroll";
  ret; }
.weak .entry second(.param .u32 a) .reqntid 64 { { } }
.section .debug_str { info: .b8 1, 2; .b64 first+4 }
)";
  Error error;
  std::unique_ptr<Program> program = Program::parse(text, error);
  ASSERT_TRUE(program) << error.str();
  EXPECT_EQ(program->target(), "sm_80");
  EXPECT_EQ(program->entries(), (std::vector<std::string>{"first", "second"}));
}

void expectBodyError(const std::string &line,
                     const std::vector<std::string> &parts) {
  expectParseError(kernel("  " + line + " // HERE"), parts);
}

TEST(Parse, UnknownInstructions) {
  expectBodyError("tcgen05.fence::after_thread_sync;",
                  {"unknown instruction 'tcgen05.fence::after_thread_sync'"});
  expectBodyError("call.uni (%r1), helper, (%r2);",
                  {"unknown instruction 'call.uni'"});
  expectBodyError("cp.async.bulk.global.global [%in], [%in], 16;",
                  {"'cp.async.bulk.global.global'", "not supported"});
  expectBodyError("add.rn.sat.quick.f32 %f1, %f2, %f3;",
                  {"'add.rn.sat.quick.f32'", "modifier '.quick'"});
  expectBodyError("ld.global.b128 %rd1, [%in];", {"'ld.global.b128'"});
  expectBodyError("mov.u32 %r1, %clock;",
                  {"'%clock' is not declared or not supported"});
}

TEST(Parse, Targets) {
  auto expect = [](const std::string &instruction, const std::string &first,
                   const std::string &before) {
    auto text = [&](const std::string &target) {
      return ".version 8.6\n.target " + target +
             "\n.address_size 64\n.entry k()\n{\n.reg .b16 %h<4>;\n"
             ".reg .b32 %r<4>;\n.reg .b64 %rd<4>;\n.reg .f32 %f<4>;\n"
             ".reg .pred %p<4>;\n" +
             instruction + " // HERE\n}\n";
    };
    Error error;
    EXPECT_TRUE(Program::parse(text(first), error)) << error.str();
    expectParseError(text(before), {"needs " + first, ", found " + before});
  };
  expect("wgmma.fence.sync.aligned;", "sm_90a", "sm_90");
  expect("wgmma.fence.sync.aligned;", "sm_90a", "sm_100a");
  expect("setmaxnreg.dec.sync.aligned.u32 24;", "sm_90a", "sm_80");
  expect("mapa.shared::cluster.u32 %r1, %r2, %r3;", "sm_90", "sm_89");
  expect("elect.sync %r1|%p1, -1;", "sm_90", "sm_89");
  expect("cp.async.bulk.commit_group;", "sm_90", "sm_89");
  expect("mbarrier.try_wait.parity.b64 %p1, [%rd1], %r1;", "sm_90", "sm_80");
  expect("ld.shared::cluster.u32 %r1, [%r2];", "sm_90", "sm_80");
  expect("barrier.cluster.arrive;", "sm_90", "sm_89");
  expect("fence.proxy.async;", "sm_90", "sm_86");
  expect("cvt.rn.f16x2.e4m3x2 %r1, %h1;", "sm_89", "sm_86");
}

TEST(Parse, Operands) {
  expectBodyError("add.s32 %r1, %r2;", {"expected 3 operands, found 2"});
  expectBodyError("add.s32 %r1, %rd2, %r3;",
                  {"register '%rd2' is 64 bits wide, expected 32 bits wide"});
  expectBodyError("add.s64 %rd1, %p2, %rd3;",
                  {"register '%p2' is a predicate"});
  expectBodyError("add.s32 %r99, %r2, %r3;",
                  {"destination must be a register"});
  expectBodyError("add.s32 %r9, %r64, %r3;",
                  {"register '%r64' is not declared"});
  expectBodyError("add.s32 5, %r2, %r3;", {"destination must be a register"});
  expectBodyError("add.f32 %f1, %f2, 3;\n  bra nowhere;",
                  {"label 'nowhere' is not defined"});
  expectBodyError("mov.u64 %rd1, nothing;", {"'nothing' is not declared"});
  expectBodyError("ld.global.u32 %r1, %in;",
                  {"expected an address in brackets"});
  expectBodyError("ld.shared.v2.u32 {%r1, %r2, %r3}, [%in];",
                  {"expected 2 registers, found 3"});
  expectBodyError("cvt.s32.f32 %r1, %f1;",
                  {"expected a rounding to an integer"});
  expectBodyError("cvt.f32.s32 %f1, %r1;", {"expected a rounding"});
  expectBodyError("setp.s32 %p1, %r1, %r2;", {"expected a comparison"});
  expectBodyError("@%r1 ret;", {"register '%r1' is 32 bits wide"});
  expectBodyError("tex.2d.v4.f32.f32 {%f1}, [t, {%f1, %f2}];",
                  {"unknown instruction 'tex.2d.v4.f32.f32'"});
}

TEST(Parse, ModuleErrors) {
  expectParseError(".version 8.0 // HERE", {"expected a '.target'"});
  expectParseError(".target sm_80\n.address_size 32 // HERE\n",
                   {"address size must be 64, found 32"});
  expectParseError(".target sm_80\n.tex .u32 t; // HERE",
                   {"directive '.tex' is not supported"});
  expectParseError(".target sm_80\n.global .align 3 .b8 x[4]; // HERE",
                   {"power of two", "found 3"});
  expectParseError(".target sm_80\n.global .b8 x[99999999999]; // HERE",
                   {"larger than 256 MiB"});
  expectParseError(".target sm_80\n.global .u32 x[2] = {1, 2, 3}; // HERE",
                   {"initialiser of 'x' is too long"});
  expectParseError(".target sm_80\n.extern .global .u32 x; // HERE",
                   {"not defined in this module"});
  expectParseError(
      ".target sm_80\n.entry k() { .reg .b32 a;\n.reg .u32 a; // HERE\n}",
      {"register 'a' is declared twice"});
  expectParseError(".target sm_80\n.entry k() { a:\na: // HERE\n}",
                   {"label 'a' is defined twice"});
  expectParseError(".target sm_80\n.entry k() { ret; // HERE",
                   {"expected an instruction or '}', found the end"});
  expectParseError(
      ".target sm_80\n.entry k() { ret; }\n.entry k( // HERE\n) { ret; }",
      {"entry 'k' is defined twice"});
  expectParseError(".target sm_80\n\"open // HERE", {"string is never closed"});
  expectParseError("/* open // HERE", {"comment is never closed"});
  expectParseError(
      ".target sm_80\n.entry k() { .reg .f32 f; mov.f32 f, 0f12; } // HERE",
      {"expected 8 hexadecimal digits"});
}

TEST(Launch, Faults) {
  auto fault = [](auto change, const std::string &part) {
    KernelRun run(kernel("", ".extern .shared .align 128 .b8 dynamic[];\n"));
    run.setInput(std::vector<uint32_t>{1});
    run.setOutput(4);
    change(run);
    run.launch.parameters.resize(16);
    std::optional<Error> error = execute(*run.program, run.memory, run.launch);
    ASSERT_TRUE(error) << part;
    EXPECT_NE(error->message.find(part), std::string::npos) << error->message;
  };
  fault([](KernelRun &run) { run.launch.entry = "other"; },
        "the module has no entry 'other'");
  fault([](KernelRun &run) { run.launch.block = {1025, 1, 1}; },
        "1 to 1024 threads, found 1025x1x1");
  fault([](KernelRun &run) { run.launch.block = {0, 1, 1}; }, "found 0x1x1");
  fault([](KernelRun &run) { run.launch.grid = {1, 0, 1}; }, "found 1x0x1");
  fault([](KernelRun &run) { run.launch.grid = {1, 70000, 1}; }, "65535");
  fault(
      [](KernelRun &run) { run.launch.dynamicSharedBytes = 240000; },
      "uses 240000 bytes of shared memory, expected at most 232448 for sm_90a");
  fault([](KernelRun &run) { run.launch.onlyBlocks = {1}; },
        "block 1 is not in the grid of 1 blocks");
}

TEST(Launch, Parameters) {
  const std::string text = R"(.version 8.0
.target sm_90
.address_size 64
.entry k(.param .u32 a, .param .align 8 .b8 s[12], .param .u64 .ptr .global .align 1 out, .param .f32 f)
  .maxntid 4
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  .reg .b16 %h<4>;
  ld.param.u64 %rd1, [out];
  ld.param.u32 %r1, [a];
  ld.param.v2.b16 {%h1, %h2}, [s+8];
  ld.param.b32 %r3, [f];
  mov.b32 %r2, {%h2, %h1};
  st.global.v2.b32 [%rd1], {%r1, %r2};
  st.global.b32 [%rd1+8], %r3;
})";
  Error error;
  std::unique_ptr<Program> program = Program::parse(text, error);
  ASSERT_TRUE(program) << error.str();
  GlobalMemory memory;
  uint64_t out = memory.allocate(12);
  Launch launch;
  launch.entry = "k";
  launch.parameters.resize(36);
  uint32_t words[] = {11, 0, 0, 0, 0x22221111, 0};
  std::memcpy(launch.parameters.data(), words, sizeof words);
  std::memcpy(launch.parameters.data() + 24, &out, 8);
  float f = 2.5;
  std::memcpy(launch.parameters.data() + 32, &f, 4);
  std::optional<Error> fault = execute(*program, memory, launch);
  ASSERT_FALSE(fault) << fault->str();
  uint32_t result[3];
  ASSERT_TRUE(memory.read(out, result, 12));
  EXPECT_EQ(result[0], 11u);
  EXPECT_EQ(result[1], 0x11112222u);
  EXPECT_EQ(result[2], bitsOf(2.5f));
  launch.parameters.resize(32);
  fault = execute(*program, memory, launch);
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->message.find("are 36 bytes, found 32"), std::string::npos);
  launch.parameters.resize(36);
  launch.block = {5, 1, 1};
  fault = execute(*program, memory, launch);
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->message.find("at most 4x1x1 threads a block, found 5x1x1"),
            std::string::npos);
}

TEST(Launch, DynamicSharedFollowsStatic) {
  KernelRun run(kernel(R"(
  mov.u64 %rd1, fixed;
  mov.u64 %rd2, dynamic;
  sub.u64 %rd3, %rd2, %rd1;
  st.shared.u32 [fixed+96], 1;
  st.shared.u32 [dynamic+252], 2;
  st.global.u64 [%out], %rd3;
  st.shared.u32 [dynamic+256], 3; // HERE)",
                       ".shared .align 4 .b8 fixed[100];\n"
                       ".extern .shared .align 128 .b8 dynamic[];\n"));
  run.launch.dynamicSharedBytes = 256;
  run.setOutput(8);
  run.expectError({"out of bounds", "384 bytes"});
  EXPECT_EQ(run.output<uint64_t>(1)[0], 128u);
}

TEST(Launch, BlocksInParallel) {
  KernelRun run(kernel(R"(
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ctaid.y;
  mad.lo.u32 %r3, %r2, 10, %r1;
  mad.lo.u32 %r4, %r3, 32, %tid;
  mad.wide.u32 %rd1, %r4, 4, %out;
  st.global.u32 [%rd1], %r4;)"));
  run.launch.grid = {10, 3, 1};
  run.launch.hostThreads = 4;
  run.setOutput(30 * 32 * 4);
  run.expectSuccess();
  std::vector<uint32_t> result = run.output<uint32_t>(960);
  for (uint32_t i = 0; i < 960; ++i)
    EXPECT_EQ(result[i], i);
  EXPECT_EQ(run.counters.globalBytes, 30u * 32 * 4);
}

TEST(Launch, OnlyBlocks) {
  KernelRun run(kernel("  mov.u32 %r1, %ctaid.x;\n"
                       "  mad.wide.u32 %rd1, %r1, 4, %out;\n"
                       "  st.global.u32 [%rd1], %r1;"));
  run.launch.grid = {8, 1, 1};
  run.launch.onlyBlocks = {6, 2};
  run.setOutput(32);
  run.expectSuccess();
  for (uint32_t block = 0; block < 8; ++block) {
    uint32_t value;
    EXPECT_EQ(run.memory.read(run.out + block * 4, &value, 4),
              block == 2 || block == 6);
  }
}

TEST(Launch, TheLowestFailingBlockIsReported) {
  for (unsigned i = 0; i < 20; ++i) {
    KernelRun run(
        kernel("  mov.u32 %r1, %ctaid.x;\n  setp.ge.u32 %p1, %r1, 5;\n"
               "  @%p1 ld.global.u32 %r2, [%out]; // HERE"));
    run.launch.grid = {40, 1, 1};
    run.launch.hostThreads = 4;
    run.setOutput(4);
    run.expectError({"block (5, 0, 0)"});
  }
}

TEST(Memory, HostAccess) {
  GlobalMemory memory;
  uint64_t first = memory.allocate(100), empty = memory.allocate(0),
           second = memory.allocate(8);
  EXPECT_EQ(first % 256, 0u);
  EXPECT_EQ(second % 256, 0u);
  EXPECT_GT(empty, first);
  EXPECT_GT(second, empty);
  uint32_t value = 5, back = 0;
  EXPECT_FALSE(memory.read(first, &back, 4));
  memory.write(first, &value, 4);
  EXPECT_TRUE(memory.read(first, &back, 4));
  EXPECT_EQ(back, 5u);
  EXPECT_FALSE(memory.read(first + 98, &back, 4)) << "past the end";
  EXPECT_TRUE(memory.read(empty, &back, 0));
}

// --- Arbitrary texts: an error or a program, never a crash. ---

std::string everything() {
  return kernel(R"(
  .shared .align 16 .b8 tile[512];
  .local .align 8 .b8 stack[16];
  mov.u64 %rd1, tile;
  mad.wide.u32 %rd2, %tid, 16, %rd1;
  mad.wide.u32 %rd3, %tid, 16, %in;
  cp.async.cg.shared.global [%rd2], [%rd3], 16;
  cp.async.commit_group;
  cp.async.wait_group 0;
  bar.sync 0;
  ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r1, %r2, %r3, %r4}, [%rd2];
  mov.b32 %r5, 0;
  mov.f32 %f1, 0f3F800000;
  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4},
    {%r1, %r2, %r3, %r4}, {%r1, %r3}, {%f1, %f1, %f1, %f1};
  shfl.sync.bfly.b32 %r6|%p1, %r1, 1, 31, -1;
  setp.lt.and.u32 %p2|%p3, %tid, 7, !%p1;
  { .reg .b32 %x<4>; mov.u32 %x1, 4; add.u32 %r7, %x1, 1; }
  st.local.u32 [stack+8], %r7;
$LOOP:
  add.s32 %r5, %r5, 1;
  setp.lt.s32 %p4, %r5, 9;
  @%p4 bra $LOOP;
  T: .branchtargets $A, $B;
  and.b32 %r8, %tid, 1;
  brx.idx %r8, T;
$A:
  ex2.approx.ftz.f32 %f5, %f2;
  red.global.add.u32 [%in], 1;
$B:
  selp.b32 %r9, %r7, -3, %p2;
  cvt.rn.f16x2.f32 %r10, %f3, %f4;
  mad.wide.u32 %rd4, %tid, 8, %out;
  st.global.v2.u32 [%rd4], {%r9, %r10};)",
                ".const .align 4 .f32 t[2] = {1.0, 0f40000000};\n");
}

/// Parses, and executes what parses.
bool survive(const std::string &text) {
  Error error;
  std::unique_ptr<Program> program = Program::parse(text, error);
  if (!program) {
    EXPECT_FALSE(error.message.empty());
    return false;
  }
  GlobalMemory memory;
  std::vector<uint8_t> zeros(1024);
  uint64_t pointers[2] = {memory.allocate(1024), memory.allocate(1024)};
  memory.write(pointers[0], zeros.data(), zeros.size());
  Launch launch;
  launch.block = {32, 1, 1};
  launch.parameters.resize(16);
  std::memcpy(launch.parameters.data(), pointers, 16);
  launch.instructionLimit = 2000;
  launch.hostThreads = 1;
  for (const std::string &entry : program->entries()) {
    launch.entry = entry;
    (void)execute(*program, memory, launch);
  }
  return !program->entries().empty();
}

TEST(Robustness, TheWholeTextRuns) {
  KernelRun run(everything());
  run.setInput(std::vector<uint32_t>(256, 0));
  run.setOutput(1024);
  run.expectSuccess();
}

TEST(Robustness, Truncations) {
  std::string text = everything();
  unsigned parsed = 0;
  for (size_t length = 0; length + 2 < text.size(); length += 7)
    parsed += survive(text.substr(0, length));
  EXPECT_EQ(parsed, 0u) << "a kernel without its end is no kernel";
}

TEST(Robustness, BitFlips) {
  std::mt19937 random(17);
  unsigned parsed = 0;
  for (unsigned i = 0; i < 4000; ++i) {
    std::string text = everything();
    for (unsigned flips = 1 + random() % 3; flips; --flips)
      text[random() % text.size()] ^= static_cast<char>(1 << random() % 8);
    parsed += survive(text);
  }
  EXPECT_GT(parsed, 0u);
}

TEST(Robustness, TokensMoved) {
  std::mt19937 random(23);
  for (unsigned i = 0; i < 2000; ++i) {
    std::string text = everything();
    // Copies one piece of the text over another place.
    size_t from = random() % text.size(), to = random() % text.size();
    text.insert(to, text.substr(from, random() % 24));
    if (i & 1)
      text.erase(random() % text.size(), random() % 12);
    survive(text);
  }
}

} // namespace

//===- RaceTest.cpp - Accesses that nothing orders ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every hazard in pairs: the kernel that has it, with the two lines that must
// be named, and its twin with the missing order added, which must be clean
// under many schedules.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <algorithm>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

/// What a test varies beside the body.
struct Setup {
  uint32_t threads = 64;
  uint32_t blocks = 1;
};

std::optional<Error> execute(const std::string &body, uint64_t seed,
                             Setup setup) {
  KernelRun run(kernel(body, ".shared .align 16 .b8 pad[16];\n"
                             ".shared .align 16 .b8 buf[4096];\n"));
  run.launch.block = {setup.threads, 1, 1};
  run.launch.grid = {setup.blocks, 1, 1};
  run.launch.seed = seed;
  run.launch.checkRaces = true;
  run.setInput(std::vector<uint32_t>(4096, 0));
  run.setOutput(16384);
  std::vector<uint32_t> zeros(4096, 0);
  run.memory.write(run.out, zeros.data(), 16384);
  return run.run();
}

/// The number of the line that holds `mark`, as text.
std::string lineOf(const std::string &body, const std::string &mark) {
  std::string text = kernel(body, ".shared .align 16 .b8 pad[16];\n"
                                  ".shared .align 16 .b8 buf[4096];\n");
  size_t at = text.find(mark);
  EXPECT_NE(at, std::string::npos) << mark;
  return std::to_string(1 + std::count(text.begin(), text.begin() + at, '\n'));
}

/// Expects the race between the lines marked ONE and TWO, in whatever order a
/// schedule runs them.
void expectRace(const std::string &body, std::vector<std::string> parts,
                Setup setup = {}) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::optional<Error> error = execute(body, seed, setup);
    ASSERT_TRUE(error) << "expected a race, seed " << seed << "\n" << body;
    std::string message = error->str();
    std::string one = "line " + lineOf(body, "ONE");
    std::string two = "line " + lineOf(body, "TWO");
    EXPECT_NE(message.find("data race in kernel 'k' on "), std::string::npos)
        << message;
    bool inOrder =
        message.find(two + ": ") == 0 &&
        message.find(" in " + one + " of block (") != std::string::npos;
    bool swapped =
        message.find(one + ": ") == 0 &&
        message.find(" in " + two + " of block (") != std::string::npos;
    EXPECT_TRUE(inOrder || swapped) << message << "\n" << body;
    for (const std::string &part : parts)
      EXPECT_NE(message.find(part), std::string::npos)
          << "expected: " << part << "\nfound: " << message;
  }
}

void expectClean(const std::string &body, Setup setup = {}) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    std::optional<Error> error = execute(body, seed, setup);
    EXPECT_FALSE(error) << error->str() << "\nseed " << seed << "\n" << body;
  }
}

/// Replaces $ORDER in `body`.
std::string with(std::string body, const std::string &order) {
  size_t at = body.find("$ORDER");
  EXPECT_NE(at, std::string::npos);
  return body.replace(at, 6, order);
}

/// %rd2 is this thread's word in shared memory, %rd3 that of the thread whose
/// index differs in the bits of `distance`.
std::string words(unsigned distance) {
  return "  mov.u64 %rd1, buf;\n  mad.wide.u32 %rd2, %tid, 4, %rd1;\n"
         "  xor.b32 %r9, %tid, " +
         std::to_string(distance) +
         ";\n  mad.wide.u32 %rd3, %r9, 4, %rd1;\n"
         // Written once, so that no schedule reads what nothing wrote.
         "  st.shared.u32 [%rd2], 0;\n  bar.sync 0;\n";
}

// --- threads of a block ---

TEST(Race, SharedStoreThenLoad) {
  std::string body = words(32) + "  st.shared.u32 [%rd2], %tid; // ONE\n$ORDER"
                                 "  ld.shared.u32 %r1, [%rd3]; // TWO\n";
  expectClean(with(body, "  bar.sync 0;\n"));
  expectClean(with(body, "  barrier.cta.sync.aligned 3, 64;\n"));
  expectClean(with(body, "  setp.eq.u32 %p1, %tid, 0;\n"
                         "  bar.red.popc.u32 %r5, 0, %p1;\n"));
  expectRace(with(body, "  bar.warp.sync -1;\n"),
             {"shared memory at 0x4", "bytes into 'buf'", "bar.sync"});
}

TEST(Race, SharedStoreThenLoadInWarp) {
  std::string body = words(5) + "  st.shared.u32 [%rd2], %tid; // ONE\n$ORDER"
                                "  ld.shared.u32 %r1, [%rd3]; // TWO\n";
  expectRace(with(body, ""), {"'st.shared.u32'", "bar.warp.sync between them"},
             {32});
  // Neither shuffles nor votes order memory.
  expectRace(with(body, "  shfl.sync.bfly.b32 %r2, %tid, 1, 31, -1;\n"
                        "  setp.eq.u32 %p1, %r2, 0;\n"
                        "  vote.sync.ballot.b32 %r2, %p1, -1;\n"),
             {"bar.warp.sync"}, {32});
  expectClean(with(body, "  bar.warp.sync -1;\n"), {32});
  expectClean(with(body, "  bar.sync 0;\n"), {64});
  // Only the half of the warp that exchanges words need meet.
  expectClean(with(body, "  and.b32 %r2, %tid, 24;\n  shl.b32 %r2, 0xff, %r2;\n"
                         "  bar.warp.sync %r2;\n"),
              {32});
}

} // namespace

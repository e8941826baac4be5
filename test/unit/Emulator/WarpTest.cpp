//===- WarpTest.cpp - Shuffles, votes, barriers, divergence ---------------===//
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

/// Runs `body`, which leaves a word for each thread in %r1.
std::vector<uint32_t> words(const std::string &body, uint32_t threads = 32,
                            uint64_t seed = 0, const std::string &module = "") {
  KernelRun run(kernel(body + "\n  mad.wide.u32 %rd15, %tid, 4, %out;\n"
                              "  st.global.u32 [%rd15], %r1;",
                       module));
  run.launch.block = {threads, 1, 1};
  run.launch.seed = seed;
  run.setInput(std::vector<uint32_t>(threads, 0));
  run.setOutput(threads * 4);
  run.expectSuccess();
  return run.output<uint32_t>(threads);
}

/// Expects word i to be expected(i).
template <class F>
void expectWords(const std::vector<uint32_t> &result, F expected) {
  for (uint32_t i = 0; i < result.size(); ++i)
    EXPECT_EQ(result[i], uint32_t(expected(i))) << "thread " << i;
}

void expectFault(const std::string &body, const std::vector<std::string> &parts,
                 uint32_t threads = 32) {
  KernelRun run(kernel(body));
  run.launch.block = {threads, 1, 1};
  run.setInput(std::vector<uint32_t>(threads, 0));
  run.setOutput(threads * 4);
  run.expectError(parts);
}

TEST(Warp, Shuffle) {
  expectWords(words("shfl.sync.bfly.b32 %r1, %tid, 5, 31, -1;"),
              [](uint32_t i) { return i ^ 5; });
  expectWords(words("shfl.sync.down.b32 %r1|%p1, %tid, 3, 31, -1;\n"
                    "@!%p1 add.u32 %r1, %r1, 100;"),
              [](uint32_t i) { return i + 3 < 32 ? i + 3 : i + 100; });
  expectWords(words("shfl.sync.up.b32 %r1|%p1, %tid, 2, 0, -1;\n"
                    "@!%p1 mov.u32 %r1, 77;"),
              [](uint32_t i) { return i >= 2 ? i - 2 : 77; });
  // Segments of eight lanes.
  expectWords(words("shfl.sync.idx.b32 %r1, %tid, 3, 0x181f, -1;"),
              [](uint32_t i) { return (i & 24) | 3; });
  expectWords(words("setp.lt.u32 %p1, %tid, 16;\nmov.u32 %r1, 9;\n"
                    "@%p1 shfl.sync.bfly.b32 %r1, %tid, 1, 31, 0xffff;"),
              [](uint32_t i) { return i < 16 ? i ^ 1 : 9; });
}

TEST(Warp, ShuffleFaults) {
  expectFault("setp.lt.u32 %p1, %tid, 16;\n"
              "@%p1 shfl.sync.bfly.b32 %r1, %tid, 1, 31, -1; // HERE",
              {"member mask 0xffffffff", "diverged lanes 0xffff0000"});
  expectFault("shfl.sync.bfly.b32 %r1, %tid, 1, 31, 0xff; // HERE",
              {"not in the member mask", "thread (8, 0, 0)"});
  expectFault("setp.lt.u32 %p1, %tid, 16;\n"
              "@%p1 shfl.sync.bfly.b32 %r1, %tid, 16, 31, 0xffff; // HERE",
              {"reads lane 16, which does not execute"});
}

TEST(Warp, Votes) {
  std::string odd = "and.b32 %r2, %tid, 1;\nsetp.eq.u32 %p1, %r2, 1;\n";
  expectWords(words(odd + "vote.sync.ballot.b32 %r1, %p1, -1;"),
              [](uint32_t) { return 0xaaaaaaaa; });
  expectWords(words(odd + "vote.sync.any.pred %p2, %p1, -1;\n"
                          "vote.sync.all.pred %p3, !%p1, -1;\n"
                          "vote.sync.uni.pred %p4, %p1, -1;\n"
                          "selp.b32 %r1, 1, 0, %p2;\nselp.b32 %r3, 2, 0, %p3;\n"
                          "selp.b32 %r4, 4, 0, %p4;\nor.b32 %r1, %r1, %r3;\n"
                          "or.b32 %r1, %r1, %r4;"),
              [](uint32_t) { return 1; });
  expectWords(words(odd + "mov.u32 %r1, 0;\n@%p1 activemask.b32 %r1;"),
              [](uint32_t i) { return i & 1 ? 0xaaaaaaaa : 0; });
  expectWords(words("redux.sync.add.s32 %r1, %tid, -1;"),
              [](uint32_t) { return 496; });
  expectWords(words("sub.s32 %r2, %tid, 9;\nredux.sync.min.s32 %r1, %r2, -1;"),
              [](uint32_t) { return -9; });
  expectWords(words("shr.u32 %r2, %tid, 3;\nmatch.any.sync.b32 %r1, %r2, -1;"),
              [](uint32_t i) { return 0xffu << (i & 24); });
}

TEST(Warp, TransposedMatrix) {
  // Row i / 4 holds the elements 2 i and 2 i + 1 of 64.
  expectWords(words("shl.b32 %r2, %tid, 17;\nor.b32 %r2, %r2, 0x10000;\n"
                    "shl.b32 %r3, %tid, 1;\nor.b32 %r2, %r2, %r3;\n"
                    "movmatrix.sync.aligned.m8n8.trans.b16 %r1, %r2;"),
              [](uint32_t i) {
                uint32_t row = i / 4, column = 2 * (i % 4);
                return (column * 8 + row) | ((column + 1) * 8 + row) << 16;
              });
}

TEST(Warp, ReductionsAtNamedBarriers) {
  // Each half of the block decides for itself.
  for (uint64_t seed = 0; seed < 4; ++seed)
    expectWords(words("shr.u32 %r2, %tid, 6;\nadd.u32 %r3, %r2, 4;\n"
                      "setp.eq.u32 %p1, %tid, 37;\n"
                      "bar.red.or.pred %p2, %r3, 64, %p1;\n"
                      "bar.red.and.pred %p3, %r3, 64, !%p1;\n"
                      "setp.lt.u32 %p4, %tid, 70;\n"
                      "barrier.cta.red.popc.aligned.u32 %r4, %r3, 64, %p4;\n"
                      "selp.u32 %r1, 1000, 0, %p2;\n"
                      "selp.u32 %r5, 100, 0, %p3;\n"
                      "add.u32 %r1, %r1, %r5;\nadd.u32 %r1, %r1, %r4;",
                      128, seed),
                [](uint32_t i) { return i < 64 ? 1064 : 106; });
}

// --- divergence ---

TEST(Divergence, NestedAndReconverged) {
  // The full-mask shuffle at the end needs all lanes back.
  expectWords(words(R"(
  and.b32 %r2, %tid, 1;
  and.b32 %r3, %tid, 2;
  setp.eq.u32 %p1, %r2, 0;
  setp.eq.u32 %p2, %r3, 0;
  @%p1 bra A;
  @%p2 bra B;
  mov.u32 %r4, 30;
  bra.uni C;
B:
  mov.u32 %r4, 10;
C:
  add.u32 %r4, %r4, 1;
  bra.uni D;
A:
  mov.u32 %r4, 0;
  @%p2 bra D;
  mov.u32 %r4, 20;
D:
  shfl.sync.bfly.b32 %r1, %r4, 31, 31, -1;)"),
              [](uint32_t i) {
                uint32_t j = i ^ 31;
                return j & 1 ? (j & 2 ? 31 : 11) : (j & 2 ? 20 : 0);
              });
}

TEST(Divergence, LoopsWithDifferentTripCounts) {
  expectWords(words(R"(
  mov.u32 %r1, 0;
  mov.u32 %r2, 0;
OUTER:
  mov.u32 %r3, 0;
INNER:
  add.u32 %r1, %r1, 1;
  add.u32 %r3, %r3, 1;
  setp.lt.u32 %p1, %r3, %r2;
  @%p1 bra INNER;
  add.u32 %r2, %r2, 1;
  setp.le.u32 %p2, %r2, %tid;
  @%p2 bra OUTER;
  shfl.sync.idx.b32 %r1, %r1, 7, 31, -1;)"),
              [](uint32_t) { return 1 + 7 * 8 / 2; });
}

TEST(Divergence, WarpBarrierAfterBranches) {
  expectWords(words(R"(
  mov.u32 %r1, %tid;
  setp.gt.u32 %p1, %tid, 20;
  @!%p1 bra SKIP;
  add.u32 %r1, %r1, 1000;
  activemask.b32 %r5;
  bar.warp.sync %r5;
SKIP:
  bar.warp.sync 0xffffffff;)"),
              [](uint32_t i) { return i > 20 ? i + 1000 : i; });
}

TEST(Divergence, EarlyExit) {
  // The lanes that leave are not waited for, even deep in nested code.
  KernelRun run(kernel(R"(
  mad.wide.u32 %rd15, %tid, 4, %out;
  st.global.u32 [%rd15], 5;
  setp.lt.u32 %p1, %tid, 24;
  @%p1 bra A;
  setp.lt.u32 %p2, %tid, 28;
  @%p2 ret;
  bra.uni B;
A:
  setp.lt.u32 %p3, %tid, 2;
  @!%p3 bra B;
  ret;
B:
  redux.sync.add.s32 %r1, 1, 0xf0fffffc;
  st.global.u32 [%rd15], %r1;)"));
  run.setOutput(128);
  run.expectSuccess();
  expectWords(run.output<uint32_t>(32),
              [](uint32_t i) { return i < 2 || (i >= 24 && i < 28) ? 5 : 26; });
}

TEST(Divergence, BranchTables) {
  expectWords(words(R"(
  and.b32 %r2, %tid, 3;
  $TABLE: .branchtargets A, B, A, C;
  brx.idx %r2, $TABLE;
A:
  mov.u32 %r3, 1;
  bra.uni D;
B:
  mov.u32 %r3, 2;
  bra.uni D;
C:
  mov.u32 %r3, 3;
D:
  redux.sync.add.s32 %r4, %r3, -1;
  mad.lo.u32 %r1, %r3, 1000, %r4;)"),
              [](uint32_t i) {
                uint32_t value[] = {1, 2, 1, 3};
                return value[i & 3] * 1000 + 56;
              });
  expectFault("mov.u32 %r2, 2;\nT: .branchtargets A, A;\n"
              "brx.idx %r2, T; // HERE\nA:",
              {"the index 2 exceeds the 2 branch targets"});
}

TEST(Divergence, ScopesHideNames) {
  expectWords(words(R"(
  mov.u32 %r1, %tid;
  {
    .reg .b32 %r1;
    .reg .pred p;
    mov.u32 %r1, 5;
    setp.lt.u32 p, %tid, %r1;
    @p bra L;
    mov.u32 %r1, 6;
  L:
    add.u32 %r2, %r1, 1;
  }
  { L: add.u32 %r1, %r1, %r2; })"),
              [](uint32_t i) { return i + (i < 5 ? 6 : 7); });
}

// --- barriers ---

const char *const exchange = R"(
  mov.u64 %rd1, buf;
  mad.wide.u32 %rd2, %tid, 4, %rd1;
  st.shared.u32 [%rd2], %tid;
  bar.sync 0;
  xor.b32 %r2, %tid, 0x60;
  mad.wide.u32 %rd3, %r2, 4, %rd1;
  ld.shared.u32 %r1, [%rd3];
  mov.u32 %r5, 0;
AGAIN:
  bar.sync 0;
  st.shared.u32 [%rd2], %r1;
  barrier.sync.aligned 3, 128;
  ld.shared.u32 %r1, [%rd3];
  add.u32 %r1, %r1, 1;
  add.u32 %r5, %r5, 1;
  setp.lt.u32 %p1, %r5, 3;
  @%p1 bra AGAIN;)";

TEST(Barriers, AllSchedulesAgree) {
  for (uint64_t seed : {0, 1, 2, 3, 99})
    expectWords(words(exchange, 128, seed, ".shared .b32 buf[128];\n"),
                [](uint32_t i) { return i + 3; });
}

TEST(Barriers, Reductions) {
  expectWords(words("setp.lt.u32 %p1, %tid, 40;\n"
                    "bar.red.popc.u32 %r1, 0, %p1;",
                    64),
              [](uint32_t) { return 40; });
  expectWords(words("setp.lt.u32 %p1, %tid, 40;\n"
                    "bar.red.and.pred %p2, 1, 64, %p1;\n"
                    "barrier.cta.red.or.aligned.pred %p3, 1, !%p1;\n"
                    "selp.b32 %r1, 1, 0, %p2;\n@%p3 add.u32 %r1, %r1, 2;",
                    64),
              [](uint32_t) { return 2; });
}

TEST(Barriers, NamedProducerAndConsumer) {
  // The first warp produces and does not wait.
  const char *body = R"(
  mov.u32 %r1, 0;
  setp.lt.u32 %p1, %tid, 32;
  @!%p1 bra CONSUME;
  st.shared.u32 [buf], 42;
  bar.arrive 1, 64;
  bra.uni END;
CONSUME:
  bar.sync 1, 64;
  ld.shared.u32 %r1, [buf];
END:)";
  for (uint64_t seed : {0, 1, 2, 3})
    expectWords(words(body, 64, seed, ".shared .b32 buf[1];\n"),
                [](uint32_t i) { return i < 32 ? 0 : 42; });
}

TEST(Barriers, DivergedNonAligned) {
  // Both sides of a branch arrive, each for its lanes.
  expectWords(words(R"(
  setp.lt.u32 %p1, %tid, 10;
  @%p1 bra A;
  mov.u32 %r1, 1;
  barrier.sync 0;
  bra.uni B;
A:
  mov.u32 %r1, 2;
  barrier.sync 0;
B:)"),
              [](uint32_t i) { return i < 10 ? 2 : 1; });
}

TEST(Barriers, Faults) {
  expectFault("setp.lt.u32 %p1, %tid, 7;\n@%p1 bar.sync 0; // HERE",
              {"'bar.sync'", "executed by lanes 0x0000007f only"});
  expectFault("bar.sync 16; // HERE", {"barrier must be 0 to 15, found 16"});
  expectFault("bar.sync 0, 48; // HERE", {"multiple of 32", "found 48"}, 64);
  expectFault("bar.sync %tid; // HERE", {"different barriers"});
  expectFault(
      "setp.lt.u32 %p1, %tid, 32;\n@%p1 bra A;\nbar.sync 0, 64; // HERE\n"
      "bra.uni B;\nA:\nbar.sync 0, 96;\nB:",
      {"expects 64 threads at barrier 0", "others there expect 96"}, 96);
}

TEST(Barriers, Deadlock) {
  // Warp 1 leaves, the others wait for it.
  expectFault("shr.u32 %r1, %tid, 5;\nsetp.eq.u32 %p1, %r1, 1;\n@%p1 exit;\n"
              "bar.sync 0; // HERE",
              {"deadlock", "warp 0 (lanes 0xffffffff) waits in line",
               "at barrier 0 (64 of 96 threads arrived)", "warp 2",
               "32 threads have exited", "block (0, 0, 0)"},
              96);
  // Two barriers, two halves.
  expectFault(
      "setp.lt.u32 %p1, %tid, 32;\n@%p1 bra A;\nbar.sync 1;\nbra.uni B;\n"
      "A:\nbar.sync 2; // HERE\nB:",
      {"deadlock", "at barrier 2 (32 of 64", "at barrier 1 (32 of 64"}, 64);
}

TEST(Barriers, Endless) {
  expectFault("mov.u32 %r1, 0;\nL:\nbra.uni L; // HERE", {"without ending"});
  expectFault("trap; // HERE", {"the kernel trapped", "thread (0, 0, 0)"});
}

} // namespace

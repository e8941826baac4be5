//===- RaceTest.cpp - Accesses that nothing orders ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RaceHarness.h"

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

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

TEST(Race, SharedLoadThenStore) {
  std::string body = words(32) + "  ld.shared.u32 %r1, [%rd3]; // ONE\n$ORDER"
                                 "  st.shared.u32 [%rd2], %tid; // TWO\n";
  expectRace(with(body, ""), {"and the "});
  expectClean(with(body, "  bar.sync 0;\n"));
}

TEST(Race, SharedStores) {
  // The same value too: only atomics may.
  std::string body = "  mov.u64 %rd1, buf;\n"
                     "  @%p1 st.shared.u32 [%rd1], 7; // ONE\n$ORDER"
                     "  @%p2 st.shared.u32 [%rd1], 7; // TWO\n";
  body = "  setp.eq.u32 %p1, %tid, 1;\n  setp.eq.u32 %p2, %tid, 40;\n" + body;
  expectRace(with(body, ""), {"this write and the write", "bar.sync"});
  expectClean(with(body, "  bar.sync 0;\n"));
  // Lanes of one instruction, which may store one value together.
  std::string lanes = "  st.shared.u32 [buf+8], $ORDER; // ONE, TWO\n";
  expectRace(with(lanes, "%tid"), {"8 bytes into 'buf'", "bar.warp.sync"},
             {32});
  expectClean(with(lanes, "7"), {32});
  expectRace(with(lanes, "7"), {"8 bytes into 'buf'", "bar.sync"}, {64});
}

TEST(Race, NeighbouringBytes) {
  // Bytes, halves and words of one cell by different threads are no race.
  expectClean("  mov.u64 %rd1, buf;\n  cvt.u64.u32 %rd4, %tid;\n"
              "  add.u64 %rd2, %rd1, %rd4;\n  mov.b16 %h1, 1;\n"
              "  st.shared.b8 [%rd2], %tid;\n  ld.shared.u8 %r1, [%rd2];\n"
              "  bar.sync 0;\n  and.b64 %rd4, %rd4, 31;\n"
              "  mad.lo.u64 %rd2, %rd4, 2, %rd1;\n"
              "  setp.lt.u32 %p1, %tid, 32;\n"
              "  @%p1 st.shared.b16 [%rd2], %h1;\n"
              "  @%p1 ld.shared.u16 %r2, [%rd2];\n");
  // A word over two bytes that are not ordered.
  expectRace("  setp.eq.u32 %p1, %tid, 3;\n  setp.eq.u32 %p2, %tid, 9;\n"
             "  @%p1 st.shared.b8 [buf+6], %tid; // ONE\n"
             "  @%p2 st.shared.u32 [buf+4], %tid; // TWO\n",
             {"6 bytes into 'buf'"}, {32});
}

TEST(Race, NamedBarriers) {
  // Two warps meet; the third one does not.
  std::string body = words(64) + R"(
  setp.lt.u32 %p1, %tid, 32;
  setp.ge.u32 %p2, %tid, 64;
  @%p1 st.shared.u32 [%rd2], %tid; // ONE
  setp.ge.u32 %p3, %tid, $ORDER;
  @%p3 bra SKIP;
  bar.sync 1, 64;
SKIP:
  @%p2 ld.shared.u32 %r1, [%rd3]; // TWO
)";
  expectRace(with(body, "64"), {"bar.sync"}, {96});
  std::string other = body;
  size_t at = other.find("setp.ge.u32 %p3, %tid, $ORDER;");
  other.replace(at, 30, "and.b32 %r3, %tid, 32; setp.ne.u32 %p3, %r3, 0;");
  expectClean(other, {96});
  // The producer arrives and does not wait: what it wrote before is ordered,
  // what it writes after is not.
  std::string produce = words(32) + R"(
  setp.lt.u32 %p1, %tid, 32;
  @!%p1 bra CONSUME;
  $FIRST
  bar.arrive 2, 64;
  $SECOND
  bra.uni END;
CONSUME:
  bar.sync 2, 64;
  ld.shared.u32 %r1, [%rd3]; // TWO
END:
)";
  auto place = [&](std::string first, std::string second) {
    std::string text = produce;
    text.replace(text.find("$FIRST"), 6, first);
    text.replace(text.find("$SECOND"), 7, second);
    return text;
  };
  std::string store = "st.shared.u32 [%rd2], %tid; // ONE";
  expectClean(place(store, ""));
  expectRace(place("", store), {"bar.sync"});
}

TEST(Race, MatrixLoads) {
  // Every lane receives parts of every row.
  std::string body = R"(
  mov.u64 %rd1, buf;
  mad.wide.u32 %rd2, %tid, 16, %rd1;
  mov.b32 %r1, 0;
  st.shared.v4.u32 [%rd2], {%r1, %r1, %r1, %r1};
  bar.sync 0;
  st.shared.v4.u32 [%rd2], {%tid, %tid, %tid, %tid}; // ONE
$ORDER
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1, %r2, %r3, %r4}, [%rd2]; // TWO
)";
  expectRace(with(body, ""), {"'ldmatrix", "bar.warp.sync"}, {32});
  expectClean(with(body, "  bar.warp.sync -1;"), {32});
}

// --- cp.async ---

const char *const copy = R"(
  mov.u64 %rd1, buf;
  mad.wide.u32 %rd2, %tid, 16, %rd1;
  mad.wide.u32 %rd3, %tid, 16, %in;
  xor.b32 %r9, %tid, 33;
  mad.wide.u32 %rd4, %r9, 16, %rd1;
  mov.b32 %r1, 0;
  st.shared.v4.u32 [%rd2], {%r1, %r1, %r1, %r1};
  bar.sync 0;
)";

TEST(Race, CopyReadTooEarly) {
  std::string body = copy + std::string(R"(
  cp.async.cg.shared.global [%rd2], [%rd3], 16; // ONE
  cp.async.commit_group;
$ORDER
  ld.shared.u32 %r2, [%rd4]; // TWO
)");
  expectRace(with(body, "  bar.sync 0;"),
             {"by 'cp.async.cg.shared.global'", "cp.async.wait_group",
              "and a barrier must follow"});
  expectRace(with(body, "  cp.async.wait_group 1;\n  bar.sync 0;"),
             {"cp.async.wait_group"});
  expectClean(with(body, "  cp.async.wait_group 0;\n  bar.sync 0;"));
  expectClean(with(body, "  cp.async.wait_all;\n  bar.sync 0;"));
  // Half of it: waited, but not for the others.
  std::optional<Error> error =
      execute(with(body, "  cp.async.wait_group 0;"), 0, {});
  ASSERT_TRUE(error);
  EXPECT_NE(error->message.find("cp.async"), std::string::npos);
  // The other order: the barrier before the wait.
  expectRace(with(body, "  bar.sync 0;\n  cp.async.wait_group 0;"), {});
}

TEST(Race, OwnCopyReadTooEarly) {
  std::string body = copy + std::string(R"(
  cp.async.ca.shared.global [%rd2], [%rd3], 16; // ONE
  cp.async.commit_group;
$ORDER
  ld.shared.u32 %r2, [%rd2]; // TWO
)");
  expectRace(with(body, ""), {"the thread must wait for its operation first"});
  expectClean(with(body, "  cp.async.wait_group 0;"));
}

TEST(Race, WrongGroup) {
  // Two groups in flight; waiting for all but one is enough for the first.
  std::string body = copy + std::string(R"(
  cp.async.cg.shared.global [%rd2], [%rd3], 16;
  cp.async.commit_group;
  cp.async.cg.shared.global [%rd2+2048], [%rd3], 16; // ONE
  cp.async.commit_group;
  cp.async.wait_group 1;
  bar.sync 0;
  ld.shared.u32 %r2, [%rd4];
$ORDER
  ld.shared.u32 %r3, [%rd4+2048]; // TWO
)");
  expectRace(with(body, ""), {"cp.async.wait_group"});
  expectClean(with(body, "  cp.async.wait_group 0;\n  bar.sync 0;"));
}

TEST(Race, BufferReused) {
  // Readers of the last round against the copy of the next one.
  std::string body = copy + std::string(R"(
  ld.shared.u32 %r2, [%rd4]; // ONE
$ORDER
  cp.async.cg.shared.global [%rd2], [%rd3], 16; // TWO
  cp.async.wait_all;
)");
  expectRace(with(body, ""), {"this "});
  expectClean(with(body, "  bar.sync 0;"));
  // A copy over one that is in flight, by the same thread.
  std::string twice = copy + std::string(R"(
  cp.async.cg.shared.global [%rd2], [%rd3], 16; // ONE
  cp.async.commit_group;
$ORDER
  cp.async.cg.shared.global [%rd2], [%rd3], 16; // TWO
  cp.async.wait_all;
)");
  expectRace(with(twice, ""), {"this write and the write"});
  expectClean(with(twice, "  cp.async.wait_group 0;"));
}

TEST(Race, SourceOverwritten) {
  std::string body = copy + std::string(R"(
  cp.async.cg.shared.global [%rd2], [%rd3], 16; // ONE
$ORDER
  st.global.u32 [%rd3+4], %tid; // TWO
  cp.async.wait_all;
)");
  expectRace(with(body, ""), {"global memory at", "bytes into a buffer"});
  expectClean(with(body, "  cp.async.wait_all;"));
}

// --- global memory, atomics and fences ---

TEST(Race, GlobalMemoryOfABlock) {
  std::string body = R"(
  mad.wide.u32 %rd2, %tid, 4, %out;
  xor.b32 %r9, %tid, 32;
  mad.wide.u32 %rd3, %r9, 4, %out;
  st.global.u32 [%rd2], %tid; // ONE
$ORDER
  ld.global.u32 %r1, [%rd3]; // TWO
)";
  expectRace(with(body, "  membar.gl;"), {"global memory at"});
  expectClean(with(body, "  bar.sync 0;"));
}

TEST(Race, NonCoherentLoads) {
  // No order helps: such a load may find what was there before the launch.
  const std::string after = R"(
  mad.wide.u32 %rd2, %tid, 4, %out;
  st.global.u32 [%rd2], %tid; // ONE
  bar.sync 0;
  ld.global$ORDER.u32 %r1, [%rd2]; // TWO
)";
  expectClean(with(after, ""));
  expectRace(with(after, ".nc"), {"ld.global.nc may only read what nobody"});
  // The ordered load by the same thread does not hide the earlier one.
  const std::string before = R"(
  mad.wide.u32 %rd2, %tid, 4, %in;
  ld.global$ORDER.u32 %r1, [%rd2]; // ONE
  bar.sync 0;
  ld.global.u32 %r1, [%rd2];
  bar.sync 0;
  st.global.u32 [%rd2], %tid; // TWO
)";
  expectClean(with(before, ""));
  expectRace(with(before, ".nc"), {"ld.global.nc may only read what nobody"});
  expectClean("  ld.global.nc.u32 %r1, [%in];\n", {64, 4});
}

TEST(Race, BlocksOfALaunch) {
  std::string body = R"(
  mov.u32 %r1, %ctaid.x;
  mad.wide.u32 %rd2, %tid, 4, %out;
  $OFFSET
  st.global.u32 [%rd2], 1; // ONE, TWO
)";
  auto offset = [&](const std::string &text) {
    std::string result = body;
    return result.replace(result.find("$OFFSET"), 7, text);
  };
  expectRace(offset(""), {".gpu scope", "block (0, 0, 0)", "block (1, 0, 0)"},
             {32, 2});
  expectClean(offset("mad.wide.u32 %rd2, %r1, 128, %rd2;"), {32, 8});
  // All read what one writes.
  expectRace(R"(
  mov.u32 %r1, %ctaid.x;
  setp.eq.u32 %p1, %r1, 5;
  ld.global.u32 %r2, [%out+4]; // ONE
  setp.eq.u32 %p2, %tid, 0;
  and.pred %p1, %p1, %p2;
  @%p1 st.global.u32 [%out+4], 1; // TWO
)",
             {}, {32, 8});
}

TEST(Race, AtomicsAreNotRaces) {
  expectClean("  red.global.add.u32 [%out], 1;\n"
              "  atom.global.add.u32 %r1, [%out+4], 1;\n",
              {64, 1});
}

TEST(Race, AtomicsOfABlockScope) {
  // Atomic for the threads of a block only.
  std::string body = "  red.relaxed.$ORDER.global.add.u32 [%out], 1; "
                     "// ONE, TWO\n";
  expectRace(with(body, "cta"), {"strong write"}, {32, 2});
  expectClean(with(body, "gpu"), {32, 2});
}

TEST(Race, StrongAgainstWeak) {
  std::string body = "  setp.eq.u32 %p1, %tid, 0;\n"
                     "  @%p1 red.global.add.u32 [%out], 1; // ONE\n"
                     "  @!%p1 ld$ORDER.global.u32 %r1, [%out]; // TWO\n";
  expectRace(with(body, ""), {"strong write"});
  expectClean(with(body, ".relaxed.gpu"));
  expectClean(with(body, ".volatile"));
}

TEST(Race, AtomicAfterAWeakWrite) {
  // The writer's own atomic access does not hide its write from others.
  std::string body = "  setp.eq.u32 %p1, %tid, 0;\n"
                     "  @%p1 st.global.u32 [%out], 0; // ONE\n$ORDER"
                     "  red.global.add.u32 [%out], 1; // TWO\n";
  expectRace(with(body, ""), {});
  expectClean(with(body, "  bar.sync 0;\n"));
}

/// A message from thread 0 to thread 32: a word, then a flag.
std::string message(const std::string &publish, const std::string &observe) {
  return "  setp.eq.u32 %p1, %tid, 0;\n  setp.eq.u32 %p2, %tid, 32;\n"
         "  @!%p1 bra READ;\n"
         "  st.global.u32 [%out], 42; // ONE\n" +
         publish +
         "  bra.uni END;\n"
         "READ:\n  @!%p2 bra END;\n"
         "WAIT:\n" +
         observe +
         "  setp.eq.u32 %p3, %r1, 0;\n  @%p3 bra WAIT;\n$AFTER"
         "  ld.global.u32 %r2, [%out]; // TWO\nEND:\n";
}

TEST(Race, ReleaseAndAcquire) {
  auto with = [](std::string body, const std::string &after) {
    return body.replace(body.find("$AFTER"), 6, after);
  };
  std::string release = "  st.release.gpu.global.u32 [%out+64], 1;\n";
  std::string relaxed = "  st.relaxed.gpu.global.u32 [%out+64], 1;\n";
  std::string fenced = "  fence.acq_rel.gpu;\n" + relaxed;
  std::string acquire = "  ld.acquire.gpu.global.u32 %r1, [%out+64];\n";
  std::string look = "  ld.relaxed.gpu.global.u32 %r1, [%out+64];\n";
  std::string atomic = "  atom.acquire.gpu.global.or.b32 %r1, [%out+64], 0;\n";
  expectClean(with(message(release, acquire), ""));
  expectClean(with(message(fenced, acquire), ""));
  expectClean(with(message(release, atomic), ""));
  expectClean(with(message(release, look), "  fence.acq_rel.gpu;\n"));
  expectClean(
      with(message("  membar.gl;\n" + relaxed, look), "  membar.gl;\n"));
  expectRace(with(message(relaxed, acquire), ""), {"bar.sync"});
  expectRace(with(message(release, look), ""), {"bar.sync"});
}

/// The last block sums what all wrote.
std::string lastBlock(const std::string &scope) {
  return R"(
  mov.u32 %r1, %ctaid.x;
  mad.wide.u32 %rd2, %r1, 4, %out;
  st.global.u32 [%rd2+64], 1; // ONE
  membar.)" +
         scope + R"(;
  atom.global.add.u32 %r2, [%out], 1;
  membar.gl;
  setp.ne.u32 %p1, %r2, 3;
  @%p1 bra END;
  ld.global.u32 %r3, [%out+64]; // TWO
END:
)";
}

TEST(Race, BlocksInOrder) {
  expectClean(lastBlock("gl"), {1, 4});
  expectRace(lastBlock("cta"), {".gpu scope"}, {1, 4});
}

} // namespace

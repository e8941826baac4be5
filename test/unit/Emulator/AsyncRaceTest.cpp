//===- AsyncRaceTest.cpp - Copies and mbarriers that nothing orders ===//
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

/// Thread 0 makes two mbarriers of one arrival each; all see them. %rd2 is this
/// thread's word in "buf", %rd3 that of a thread of another warp.
const std::string prologue = R"(
  mov.u64 %rd1, buf;
  mad.wide.u32 %rd2, %tid, 4, %rd1;
  xor.b32 %r9, %tid, 32;
  mad.wide.u32 %rd3, %r9, 4, %rd1;
  st.shared.u32 [%rd2], 0;
  fence.proxy.async;
  setp.eq.u32 %p1, %tid, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 1;
  @%p1 mbarrier.init.shared.b64 [bars+8], 1;
  @%p1 fence.mbarrier_init.release.cluster;
  bar.sync 0;
)";

const std::string load =
    "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [buf], "
    "[%in], 256, [bars];";
const std::string expect =
    "  @%p1 mbarrier.arrive.expect_tx.shared.b64 %rd9, [bars], 256;\n";

/// All threads wait for a phase of the first mbarrier.
std::string wait(const std::string &label, unsigned parity = 0) {
  return label + ":\n  mbarrier.try_wait.parity.shared.b64 %p2, [bars], " +
         std::to_string(parity) + ";\n  @!%p2 bra " + label + ";\n";
}

TEST(AsyncRace, BulkLoadReadTooEarly) {
  std::string body = prologue + expect + "  @%p1 " + load +
                     " // ONE\n$ORDER  ld.shared.u32 %r1, [%rd3]; // TWO\n";
  expectClean(with(body, wait("W")));
  expectRace(with(body, "  bar.sync 0;\n"),
             {"by 'cp.async.bulk", "waited for at its mbarrier"});
  // One thread waits; a barrier passes it on.
  std::string one = "  @!%p1 bra SKIP;\n" + wait("W") + "SKIP:\n";
  expectRace(with(body, one), {});
  expectClean(with(body, one + "  bar.sync 0;\n"));
}

TEST(AsyncRace, BytesThatNobodyExpects) {
  // The phase ends by an arrival alone, perhaps before the bytes are there.
  expectHazard(prologue + "  @%p1 " + load +
                   "\n  @%p1 mbarrier.arrive.shared.b64 %rd9, [bars];\n" +
                   wait("W") + "  ld.shared.u32 %r1, [%rd3];\n",
               {"data race", "more bytes"});
}

TEST(AsyncRace, BulkLoadOverReaders) {
  std::string body = prologue + expect + "  @%p1 " + load + "\n" + wait("W") +
                     "  ld.shared.u32 %r1, [%rd3]; // ONE\n$ORDER" + expect +
                     "  @%p1 " + load + " // TWO\n" + wait("V", 1);
  expectRace(with(body, ""), {});
  expectClean(with(body, "  bar.sync 0;\n"));
}

TEST(AsyncRace, UseBeforeInit) {
  std::string body = R"(
  setp.eq.u32 %p1, %tid, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 64;
  $ORDER
  mbarrier.arrive.shared.b64 %rd9, [bars];
)";
  expectHazard(with(body, ""), {"data race", "no mbarrier object"});
  expectClean(with(body, "bar.sync 0;"));
}

TEST(AsyncRace, InitWithoutProxyFence) {
  // The bytes of a copy are counted by the asynchronous proxy.
  std::string body = prologue;
  size_t fence = body.find("  @%p1 fence.mbarrier_init.release.cluster;");
  body.replace(fence, 43, "$ORDER");
  body.insert(body.find("[bars], 1;") + 10, " // ONE");
  body += expect + "  @%p1 " + load + " // TWO\n" + wait("W");
  expectRace(with(body, ""), {"fence.proxy.async"});
  expectClean(with(body, "  fence.proxy.async;"));
}

TEST(AsyncRace, GenericWriteThenBulkStore) {
  std::string store = "  @%p1 cp.async.bulk.global.shared::cta.bulk_group "
                      "[%out], [buf], 256; // TWO\n"
                      "  cp.async.bulk.commit_group;\n"
                      "  cp.async.bulk.wait_group 0;\n";
  std::string body =
      prologue + "  st.shared.u32 [%rd2], %tid; // ONE\n$ORDER" + store;
  // Ordered, but in another proxy.
  expectRace(with(body, "  bar.sync 0;\n"), {"fence.proxy.async"});
  expectClean(with(body, "  fence.proxy.async;\n  bar.sync 0;\n"));
  expectClean(with(body, "  bar.sync 0;\n  fence.proxy.async.shared::cta;\n"));
  // The fence before the write.
  std::string early = prologue +
                      "  fence.proxy.async;\n"
                      "  st.shared.u32 [%rd2], %tid; // ONE\n"
                      "  bar.sync 0;\n" +
                      store;
  expectRace(early, {"fence.proxy.async"});
}

TEST(AsyncRace, SourceOfBulkStoreOverwritten) {
  std::string body = prologue + R"(
  @%p1 cp.async.bulk.global.shared::cta.bulk_group [%out], [buf], 256; // ONE
  cp.async.bulk.commit_group;
$ORDER
  st.shared.u32 [%rd2], %tid; // TWO
)";
  expectRace(with(body, "  bar.sync 0;"), {"cp.async.bulk.wait_group.read"});
  expectRace(with(body, "  cp.async.bulk.wait_group.read 1;\n  bar.sync 0;"),
             {"cp.async.bulk.wait_group.read"});
  expectClean(with(body, "  cp.async.bulk.wait_group.read 0;\n  bar.sync 0;"));
}

TEST(AsyncRace, TargetOfBulkStoreRead) {
  std::string body = prologue + R"(
  @%p1 cp.async.bulk.global.shared::cta.bulk_group [%out], [buf], 256; // ONE
  cp.async.bulk.commit_group;
$ORDER
  bar.sync 0;
  ld.global.u32 %r1, [%out+4]; // TWO
)";
  expectRace(with(body, "  cp.async.bulk.wait_group.read 0;"),
             {"cp.async.bulk.wait_group"});
  expectClean(with(body, "  cp.async.bulk.wait_group 0;"));
}

TEST(AsyncRace, MbarrierHandsOver) {
  // Thread 0 hands a word to the others.
  std::string body = prologue +
                     "  @%p1 st.shared.u32 [buf], 1; // ONE\n"
                     "  @%p1 mbarrier.arrive$ORDER.shared.b64 %rd9, "
                     "[bars];\n" +
                     wait("W") + "  ld.shared.u32 %r1, [buf]; // TWO\n";
  expectClean(with(body, ""));
  expectClean(with(body, ".release.cta"));
  expectRace(with(body, ".relaxed.cta"), {" would order them"});
}

TEST(AsyncRace, CopiesArriveAtMbarrier) {
  std::string body = prologue + R"(
  @!%p1 bra REST;
  cp.async.ca.shared.global [buf], [%in], 16; // ONE
  $ORDER
REST:
)" + wait("W") + "  ld.shared.u32 %r1, [buf]; // TWO\n";
  expectClean(with(body, "cp.async.mbarrier.arrive.noinc.shared.b64 [bars];"));
  expectRace(with(body, "mbarrier.arrive.shared.b64 %rd9, [bars];"),
             {"cp.async.wait_group"});
}

TEST(AsyncRace, TwoPhasesBehind) {
  // Thread 0 goes on without the others, who wait for every phase.
  std::string body = prologue + R"(
  @!%p1 bra OTHERS;
  mov.u32 %r5, 0;
AGAIN:
  mbarrier.arrive.shared.b64 %rd9, [bars];
  $ORDER
  add.u32 %r5, %r5, 1;
  setp.lt.u32 %p4, %r5, 5;
  @%p4 bra AGAIN;
  bra.uni END;
OTHERS:
  setp.lt.u32 %p3, %tid, 33;
  @%p3 bra END;
  mov.u32 %r5, 0;
NEXT:
  and.b32 %r6, %r5, 1;
W:
  mbarrier.try_wait.parity.shared.b64 %p2, [bars], %r6;
  @!%p2 bra W;
  setp.eq.u32 %p6, %tid, 40;
  @%p6 mbarrier.arrive.shared.b64 %rd9, [bars+8];
  bar.warp.sync 0xfffffffe;
  add.u32 %r5, %r5, 1;
  setp.lt.u32 %p4, %r5, 5;
  @%p4 bra NEXT;
END:
)";
  // Where the others are slow; else the fault does not show.
  bool found = false;
  for (uint64_t seed = 0; seed < 16; ++seed)
    if (std::optional<Error> error = execute(with(body, ""), seed))
      found |= error->message.find("two phases behind") != std::string::npos;
  EXPECT_TRUE(found);
  expectClean(with(body, R"(and.b32 %r6, %r5, 1;
BACK:
  mbarrier.try_wait.parity.shared.b64 %p2, [bars+8], %r6;
  @!%p2 bra BACK;)"));
}

TEST(AsyncRace, AsyncStores) {
  // All threads add to one word; the mbarrier hands it over.
  std::string body = prologue + R"(
  @%p1 mbarrier.arrive.expect_tx.shared.b64 %rd9, [bars], 256;
  bar.sync 0;
  $ORDER.shared::cluster.mbarrier::complete_tx::bytes.u32 [buf], 1, [bars];
)" + wait("W") + "  ld.shared.u32 %r1, [buf];\n";
  auto named = [&](std::string order) {
    std::string text = with(body, order);
    if (order[0] == 'r')
      text.replace(text.find("bytes.u32"), 9, "bytes.add.u32");
    return text;
  };
  expectClean(named("red.async.relaxed.cluster"));
  expectHazard(named("st.async.weak"), {"data race"});
}

TEST(AsyncRace, ClusterBarrier) {
  // Every block writes into the next one's memory.
  std::string body = prologue + R"(
  barrier.cluster.arrive;
  barrier.cluster.wait;
  mov.u32 %r1, %cluster_ctarank;
  xor.b32 %r1, %r1, 1;
  mapa.shared::cluster.u64 %rd4, %rd2, %r1;
  st.shared::cluster.u32 [%rd4], %tid; // ONE
  barrier.cluster.arrive$ORDER;
  barrier.cluster.wait;
  ld.shared.u32 %r2, [%rd3]; // TWO
)";
  expectClean(with(body, ""), {64, 4, 2});
  expectRace(with(body, ".relaxed"), {"shared memory at"}, {64, 4, 2});
}

// --- wgmma ---

const Setup warpgroup = {128, 1, 1};

/// A of 64 by 16 halves in "buf", B of 8 by 16 after it; $WRITE writes both,
/// and $ORDER stands before the product, which $END ends.
std::string product(const std::string &order, const std::string &end) {
  std::string body = R"(
  mov.u64 %rd1, buf;
  mad.wide.u32 %rd2, %tid, 32, %rd1;
  mov.u64 %rd4, buf;
  shr.u64 %rd4, %rd4, 4;
  add.u64 %rd5, %rd4, 128;
  or.b64 %rd4, %rd4, 0x1000080000;
  or.b64 %rd5, %rd5, 0x1000080000;
  setp.ne.u32 %p1, %tid, 4096;
  mov.b32 %r1, 0;
  mov.f32 %f1, 0f00000000;
  mov.f32 %f2, 0f00000000;
  mov.f32 %f3, 0f00000000;
  mov.f32 %f4, 0f00000000;
  st.shared.v4.u32 [%rd2+16], {%r1, %r1, %r1, %r1};
  fence.proxy.async;
  st.shared.v4.u32 [%rd2], {%r1, %r1, %r1, %r1}; // ONE
$ORDER
  wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f1, %f2, %f3, %f4}, %rd4, %rd5, %p1, 1, 1, 0, 0; // TWO
  wgmma.commit_group.sync.aligned;
)";
  return with(body, order) + end;
}

const std::string ordered = "  fence.proxy.async;\n  bar.sync 0;\n"
                            "  wgmma.fence.sync.aligned;";
const std::string finished = "  wgmma.wait_group.sync.aligned 0;\n";

TEST(AsyncRace, WgmmaReadsSharedMemory) {
  expectClean(product(ordered, finished), warpgroup);
  expectRace(product("  bar.sync 0;\n  wgmma.fence.sync.aligned;", finished),
             {"fence.proxy.async", "'wgmma.mma_async"}, warpgroup);
  expectRace(
      product("  fence.proxy.async;\n  wgmma.fence.sync.aligned;", finished),
      {"'wgmma.mma_async"}, warpgroup);
}

TEST(AsyncRace, WgmmaSourceOverwritten) {
  auto after = [](const std::string &order) {
    std::string body = product(ordered, order);
    for (const char *mark : {"ONE", "TWO"})
      body.erase(body.find(mark), 3);
    body.insert(body.find("%rd5, %p1, 1, 1, 0, 0;") + 22, " // ONE");
    return body + "  st.shared.u32 [%rd2], %r1; // TWO\n";
  };
  expectRace(after(""), {"wgmma.wait_group"}, warpgroup);
  expectRace(after("  wgmma.wait_group.sync.aligned 1;\n"),
             {"wgmma.wait_group"}, warpgroup);
  expectClean(after(finished), warpgroup);
}

TEST(AsyncRace, WgmmaRegisters) {
  std::string use = "  add.rn.f32 %f5, %f1, %f2;\n";
  expectClean(product(ordered, finished + use), warpgroup);
  expectHazard(product(ordered, use + finished),
               {"is used before wgmma.wait_group"}, warpgroup);
  expectHazard(product(ordered, "  mov.f32 %f1, 0f3F800000;\n" + finished),
               {"was written before wgmma.wait_group"}, warpgroup);
  // The fence before the registers were written.
  expectHazard(product("  fence.proxy.async;\n  bar.sync 0;\n"
                       "  wgmma.fence.sync.aligned;\n  mov.f32 %f3, %f4;",
                       finished),
               {"expected wgmma.fence after the access to register '%f3' by "
                "'mov.f32' in line"},
               warpgroup);
  expectHazard(product("  fence.proxy.async;\n  bar.sync 0;", finished),
               {"expected wgmma.fence before the first wgmma"}, warpgroup);
}

} // namespace

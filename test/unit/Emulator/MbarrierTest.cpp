//===- MbarrierTest.cpp - mbarriers, clusters, registers ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "HopperHarness.h"

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

const char *const shared = ".shared .align 8 .b64 bar[4];\n"
                           ".shared .align 16 .b8 buf[4096];\n";

/// Thread 0 initialises `bar` for `count` arrivals.
std::string init(unsigned count) {
  return "  setp.eq.u32 %p8, %t, 0;\n  @%p8 mbarrier.init.shared::cta.b64 "
         "[bar], " +
         std::to_string(count) + ";\n  bar.sync 0;\n";
}

/// Waits for the end of the phase with this parity.
std::string waitFor(const std::string &label, const std::string &parity,
                    const std::string &which = "try_wait") {
  return label + ":\n  mbarrier." + which +
         ".parity.shared::cta.b64 %p1, [bar], " + parity + ";\n  @!%p1 bra " +
         label + ";\n";
}

void expectAll(const std::vector<uint32_t> &words, uint32_t wanted) {
  for (size_t i = 0; i < words.size(); ++i)
    EXPECT_EQ(words[i], wanted) << "thread " << i;
}

// --- mbarriers ---

TEST(Mbarrier, PhasesByParity) {
  // Warp 0 produces, warp 1 consumes, three times over.
  std::string body = init(32) + R"(
  setp.eq.u32 %p8, %t, 0;
  @%p8 mbarrier.init.shared::cta.b64 [bar+8], 32;
  bar.sync 0;
  mov.u32 %r1, 0;
  mov.u32 %r2, 0;
  setp.ge.u32 %p2, %t, 32;
  @%p2 bra CONSUME;
PRODUCE:
  add.u32 %r3, %r2, 5;
  shl.b32 %r4, %t, 2;
  mov.u32 %r5, buf;
  add.u32 %r5, %r5, %r4;
  st.shared.u32 [%r5], %r3;
  mbarrier.arrive.shared::cta.b64 %rd1, [bar];
  and.b32 %r6, %r2, 1;
W1:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [bar+8], %r6;
  @!%p1 bra W1;
  add.u32 %r2, %r2, 1;
  setp.lt.u32 %p3, %r2, 3;
  @%p3 bra PRODUCE;
  bra.uni DONE;
CONSUME:
  and.b32 %r6, %r2, 1;
W2:
  mbarrier.WAIT.parity.shared::cta.b64 %p1, [bar], %r6;
  @!%p1 bra W2;
  sub.u32 %r7, %t, 32;
  shl.b32 %r4, %r7, 2;
  mov.u32 %r5, buf;
  add.u32 %r5, %r5, %r4;
  ld.shared.u32 %r8, [%r5];
  add.u32 %r1, %r1, %r8;
  mbarrier.arrive.release.cta.shared::cta.b64 _, [bar+8];
  add.u32 %r2, %r2, 1;
  setp.lt.u32 %p3, %r2, 3;
  @%p3 bra CONSUME;
DONE:
)";
  for (const char *which : {"try_wait", "test_wait"})
    for (uint64_t seed = 0; seed < 6; ++seed) {
      std::string text = body;
      text.replace(text.find("WAIT"), 4, which);
      std::vector<uint32_t> words = hopperWords(text, 64, seed, shared);
      for (unsigned i = 0; i < 64; ++i)
        EXPECT_EQ(words[i], i < 32 ? 0u : 18u);
    }
}

TEST(Mbarrier, States) {
  // The state of the phase that one arrival of two begins with.
  expectAll(hopperWords(init(64) + R"(
  mbarrier.arrive.shared::cta.b64 %rd1, [bar], 2;
  mbarrier.pending_count.b64 %r1, %rd1;
  and.b32 %r1, %r1, 1;
W:
  mbarrier.try_wait.shared::cta.b64 %p1, [bar], %rd1;
  @!%p1 bra W;
)",
                        32, 0, shared),
            0);
  expectAll(hopperWords(init(32) + R"(
  mbarrier.arrive.shared::cta.b64 %rd1, [bar];
W:
  mbarrier.test_wait.shared::cta.b64 %p1, [bar], %rd1;
  @!%p1 bra W;
  mbarrier.arrive_drop.shared::cta.b64 %rd2, [bar];
V:
  mbarrier.test_wait.shared::cta.b64 %p1, [bar], %rd2;
  @!%p1 bra V;
  bar.sync 0;
  setp.eq.u32 %p2, %t, 0;
  @%p2 mbarrier.inval.shared::cta.b64 [bar];
  @%p2 st.shared.u32 [bar], 4;
  bar.sync 0;
  ld.shared.u32 %r1, [bar];
)",
                        32, 0, shared),
            4);
}

TEST(Mbarrier, Transactions) {
  // The phase ends when the bytes have come, whoever says so.
  expectAll(hopperWords(init(1) + R"(
  setp.eq.u32 %p2, %t, 0;
  @!%p2 bra W;
  mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [bar], 16;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 8;
  mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bar], 8;
  mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bar], 16;
W:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [bar], 0;
  @!%p1 bra W;
  mov.u32 %r1, 1;
)",
                        64, 0, shared),
            1);
}

TEST(Mbarrier, Faults) {
  auto fault = [](const std::string &body,
                  const std::vector<std::string> &parts, unsigned count = 1) {
    expectHopperFault(init(count) + "  setp.eq.u32 %p2, %t, 0;\n" + body, 32,
                      parts, shared);
  };
  fault("  @%p2 mbarrier.arrive.shared::cta.b64 _, [bar+8]; // HERE\n",
        {"no mbarrier object", "expected mbarrier.init"});
  fault("  @%p2 mbarrier.init.shared::cta.b64 [bar], 1; // HERE\n",
        {"an mbarrier object is here already"});
  fault("  @%p2 mbarrier.init.shared::cta.b64 [bar+8], 0; // HERE\n",
        {"count must be 1 to 1048575, found 0"});
  fault("  @%p2 mbarrier.arrive.shared::cta.b64 _, [bar], 3; // HERE\n",
        {"3 arrivals at the mbarrier", "phase 0 lacks 2 of 2 arrivals"}, 2);
  fault("  @%p2 mbarrier.arrive.noComplete.release.cta.shared::cta.b64 %rd1, "
        "[bar], 1; // HERE\n",
        {"ends the phase"});
  fault("  @%p2 mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bar], 4;\n"
        "  @%p2 mbarrier.arrive.shared::cta.b64 _, [bar]; // HERE\n",
        {"4 more bytes came to the mbarrier", "than phase 0 expects"});
  fault("  @%p2 mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [bar], "
        "1048575;\n  @%p2 mbarrier.expect_tx.relaxed.cta.shared::cta.b64 "
        "[bar], 1; // HERE\n",
        {"tx-count", "1048576", "at most 1048575"});
  fault("  @%p2 st.shared.u32 [bar+4], 0; // HERE\n",
        {"writes over an mbarrier object", "expected an mbarrier.inval"});
  fault("  ld.shared.u32 %r1, [bar]; // HERE\n",
        {"reads bytes of an mbarrier object"});
  fault("  mbarrier.test_wait.parity.shared::cta.b64 %p1, [bar], 2; // HERE\n",
        {"parity must be 0 or 1, found 2"});
  fault("  @%p2 mbarrier.arrive.shared::cta.b64 %rd1, [bar];\n"
        "  @%p2 mbarrier.arrive.shared::cta.b64 _, [bar];\n"
        "  @%p2 mbarrier.test_wait.shared::cta.b64 %p1, [bar], %rd1; // HERE\n",
        {"the state is of phase 0, expected the current phase 2"});
  fault("  @%p2 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 64;\n" +
            std::string("W:\n  mbarrier.try_wait.parity.shared::cta.b64 %p1, "
                        "[bar], 0; // HERE\n  @!%p1 bra W;\n"),
        {"deadlock", "at the mbarrier", "lacks 0 of 1 arrivals and 64 bytes"});
}

// --- cp.async and mbarriers ---

const char *const copyBody = R"(
  shl.b32 %r2, %t, 4;
  cvt.u64.u32 %rd1, %r2;
  add.u64 %rd1, %rd1, %in;
  mov.u32 %r3, buf;
  add.u32 %r4, %r3, %r2;
  cp.async.cg.shared.global [%r4], [%rd1], 16;
  ARRIVE
  WAIT
  xor.b32 %r5, %r2, 16;
  add.u32 %r5, %r3, %r5;
  ld.shared.u32 %r1, [%r5]; // HERE
)";

std::string copy(const std::string &arrive, const std::string &wait) {
  std::string text = copyBody;
  text.replace(text.find("ARRIVE"), 6, arrive);
  text.replace(text.find("WAIT"), 4, wait);
  return text;
}

TEST(Mbarrier, CopyArrive) {
  // With .noinc the copies' arrivals are the expected ones; without it the
  // threads must arrive by themselves.
  for (uint64_t seed = 0; seed < 4; ++seed) {
    HopperRun noinc(hopperKernel(
        init(64) +
            copy("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [bar];",
                 waitFor("W", "0")) +
            "  mad.wide.u32 %rd9, %t, 4, %out;\n  st.global.u32 [%rd9], %r1;\n",
        shared));
    noinc.launch.block = {64, 1, 1};
    noinc.launch.seed = seed;
    std::vector<uint32_t> input(256);
    for (unsigned i = 0; i < 256; ++i)
      input[i] = i;
    noinc.setInput(input);
    noinc.setOutput(256);
    noinc.expectSuccess();
    std::vector<uint32_t> words = noinc.output<uint32_t>(64);
    for (unsigned i = 0; i < 64; ++i)
      EXPECT_EQ(words[i], (i ^ 1) * 4);
  }
  // An arrival that does not follow the copies publishes nothing.
  std::string early =
      init(64) +
      copy("mbarrier.arrive.shared::cta.b64 _, [bar];", waitFor("W", "0"));
  HopperRun run(hopperKernel(early, shared), false);
  run.launch.block = {64, 1, 1};
  run.setInput(std::vector<uint32_t>(256));
  run.expectError({"that a copy is still writing"});
}

// --- clusters ---

const std::string meet = "  barrier.cluster.arrive.release.aligned;\n"
                         "  barrier.cluster.wait.acquire.aligned;\n";

TEST(Cluster, DistributedSharedMemory) {
  // Each block stores to its neighbour and reads what the other one left.
  std::string body = R"(
  mov.u32 %r2, %cluster_ctarank;
  mov.u32 %r3, %cluster_nctarank;
  add.u32 %r4, %r2, 1;
  rem.u32 %r4, %r4, %r3;
  mov.u32 %r5, buf;
  mapa.shared::cluster.u32 %r6, %r5, %r4;
  mad.lo.u32 %r6, %t, 4, %r6;
  mov.u32 %r7, %ctaid.x;
)" + meet + R"(
  st.shared::cluster.u32 [%r6], %r7;
)" + meet + R"(
  mad.lo.u32 %r8, %t, 4, %r5;
  ld.shared.u32 %r1, [%r8];
)";
  for (uint64_t seed = 0; seed < 4; ++seed) {
    std::vector<uint32_t> words =
        hopperWords(body, 64, seed, shared, {8, 1, 1}, {4, 1, 1});
    for (unsigned i = 0; i < 8 * 64; ++i)
      EXPECT_EQ(words[i], i / 64 / 4 * 4 + (i / 64 + 3) % 4) << i;
  }
}

TEST(Cluster, GenericAddressesAndRanks) {
  std::string body = R"(
  mov.u64 %rd1, buf;
  cvta.shared.u64 %rd1, %rd1;
  mov.u32 %r2, %cluster_ctaid.x;
  xor.b32 %r3, %r2, 1;
  mapa.u64 %rd2, %rd1, %r3;
  getctarank.u32.NONE %r4, %rd2;
)";
  body.replace(body.find(".u32.NONE"), 9, ".u64");
  body += meet + R"(
  mad.wide.u32 %rd3, %t, 4, %rd2;
  mad.lo.u32 %r5, %r4, 100, %t;
  st.u32 [%rd3], %r5;
)" + meet +
          "  mad.wide.u32 %rd3, %t, 4, %rd1;\n  ld.u32 %r1, [%rd3];\n";
  std::vector<uint32_t> words =
      hopperWords(body, 32, 0, shared, {2, 1, 1}, {2, 1, 1});
  for (unsigned i = 0; i < 64; ++i)
    EXPECT_EQ(words[i], i / 32 * 100 + i % 32);
}

TEST(Cluster, RemoteArrival) {
  // Both blocks wait for an arrival of the other one's threads.
  std::string body = init(32) + meet + R"(
  mov.u32 %r2, %cluster_ctarank;
  xor.b32 %r2, %r2, 1;
  mov.u32 %r3, bar;
  mapa.shared::cluster.u32 %r3, %r3, %r2;
  mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r3];
W:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p1, [bar], 0;
  @!%p1 bra W;
  mov.u32 %r1, %clusterid.x;
)" + meet;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    std::vector<uint32_t> words =
        hopperWords(body, 32, seed, shared, {4, 1, 1}, {2, 1, 1});
    for (unsigned i = 0; i < 128; ++i)
      EXPECT_EQ(words[i], i / 64);
  }
}

TEST(Cluster, AsyncStores) {
  // Thread 0 of each block expects the words of the other one's threads: one
  // stored and two added up.
  std::string body = init(1) + R"(
  setp.eq.u32 %p2, %t, 0;
  mov.u32 %r3, buf;
  mad.lo.u32 %r8, %t, 4, %r3;
  st.shared.u32 [%r8+256], 1000;
  @%p2 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 384;
)" + meet + R"(
  mov.u32 %r2, %cluster_ctarank;
  xor.b32 %r2, %r2, 1;
  mapa.shared::cluster.u32 %r4, %r8, %r2;
  mov.u32 %r5, bar;
  mapa.shared::cluster.u32 %r5, %r5, %r2;
  mov.u32 %r6, %ctaid.x;
  mad.lo.u32 %r6, %r6, 100, %t;
  st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r4], %r6, [%r5];
  red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r4+256], %r6, [%r5];
  red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r4+256], 1, [%r5];
)" + waitFor("W", "0") +
                     R"(
  ld.shared.u32 %r1, [%r8];
  ld.shared.u32 %r7, [%r8+256];
  sub.u32 %r7, %r7, %r1;
  mad.lo.u32 %r1, %r7, 10000, %r1;
)" + meet;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    std::vector<uint32_t> words =
        hopperWords(body, 32, seed, shared, {2, 1, 1}, {2, 1, 1});
    for (unsigned i = 0; i < 64; ++i)
      EXPECT_EQ(words[i], 10010000 + (i / 32 ^ 1) * 100 + i % 32);
  }
  // Without a wait the data are still on their way.
  body.erase(body.find("W:"), body.find("ld.shared.u32 %r1") - body.find("W:"));
  body.insert(body.find("[%r8];") + 6, " // HERE");
  HopperRun run(hopperKernel(body, shared), false);
  run.launch.grid = run.launch.cluster = {2, 1, 1};
  run.expectError({"uninitialised"});
}

TEST(Cluster, Faults) {
  auto fault = [](const std::string &body,
                  const std::vector<std::string> &parts) {
    expectHopperFault("  mov.u32 %r2, buf;\n  mov.u32 %r9, %cluster_ctarank;\n"
                      "  setp.eq.u32 %p2, %r9, 0;\n" +
                          body,
                      32, parts, shared, {2, 1, 1}, {2, 1, 1});
  };
  fault("  mapa.shared::cluster.u32 %r3, %r2, 2; // HERE\n",
        {"rank below the cluster's 2 blocks, found 2"});
  fault("  mapa.shared::cluster.u32 %r3, %r2, 1;\n"
        "  @%p2 st.shared::cluster.u32 [%r3], 0; // HERE\n",
        {"block rank 1, which may not have started", "barrier.cluster"});
  fault("  mapa.shared::cluster.u32 %r3, %r2, 1;\n" + meet +
            "  @%p2 st.shared.u32 [%r3], 0; // HERE\n",
        {"names another block, expected shared::cluster"});
  fault("  mapa.shared::cluster.u32 %r3, %r2, 1;\n" + meet +
            "  @!%p2 exit;\n  mov.u32 %r4, 0;\nSPIN:\n  add.u32 %r4, %r4, 1;\n"
            "  nanosleep.u32 1;\n  setp.lt.u32 %p1, %r4, 99;\n"
            "  @%p1 bra SPIN;\n  st.shared::cluster.u32 [%r3], 0; // HERE\n",
        {"block rank 1, which has exited"});
  fault("  barrier.cluster.wait.aligned; // HERE\n",
        {"waits without barrier.cluster.arrive before"});
  fault("  barrier.cluster.arrive.aligned;\n"
        "  barrier.cluster.arrive.aligned; // HERE\n",
        {"arrives twice without barrier.cluster.wait"});
  fault(init(64) +
            "  barrier.cluster.arrive.aligned;\n  @!%p2 bra REST;\n"
            "W:\n  mbarrier.try_wait.parity.shared::cta.b64 %p1, [bar], 0; // "
            "HERE\n  @!%p1 bra W;\nREST:\n  barrier.cluster.wait.aligned;\n" +
            meet,
        {"deadlock", "block rank 0", "at the mbarrier", "block rank 1",
         "at the barrier of the cluster"});
}

TEST(Cluster, Launch) {
  HopperRun run(hopperKernel("", "", ".reqnctapercluster 2, 1, 1"));
  run.launch.grid = {3, 1, 1};
  EXPECT_NE(run.run()->message.find("must have at most 16 blocks and divide"),
            std::string::npos);
  run.launch.grid = {4, 1, 1};
  run.expectSuccess();
  // A block runs with its cluster.
  run.launch.onlyBlocks = {2, 3};
  run.counters = {};
  run.expectSuccess();
  uint64_t one = run.counters.instructions;
  run.launch.onlyBlocks = {0, 3};
  run.counters = {};
  run.expectSuccess();
  EXPECT_EQ(run.counters.instructions, 2 * one);
  run.launch.onlyBlocks.clear();
  run.launch.cluster = {4, 1, 1};
  EXPECT_NE(run.run()->message.find("requires clusters of 2x1x1"),
            std::string::npos);
  KernelRun old(".version 8.0\n.target sm_80\n.visible .entry k()\n{\n}\n");
  old.launch.grid = old.launch.cluster = {2, 1, 1};
  EXPECT_NE(old.run()->message.find("clusters need sm_90"), std::string::npos);
}

// --- elect, setmaxnreg ---

TEST(Hopper, Elect) {
  std::vector<uint32_t> words = hopperWords(R"(
  setp.ge.u32 %p2, %t, 8;
  mov.u32 %r1, 99;
  @%p2 elect.sync %r2|%p1, 0xffffff00;
  @%p2 selp.u32 %r1, 1000, %r2, %p1;
)",
                                            32);
  for (unsigned i = 0; i < 32; ++i)
    EXPECT_EQ(words[i], i < 8 ? 99u : i == 8 ? 1000u : 8u);
}

std::string registers(unsigned first, unsigned second) {
  return "  setp.lt.u32 %p2, %t, 128;\n  @%p2 bra LESS;\n"
         "  setmaxnreg.inc.sync.aligned.u32 " +
         std::to_string(second) +
         "; // HERE\n  bra.uni DONE;\nLESS:\n"
         "  setmaxnreg.dec.sync.aligned.u32 " +
         std::to_string(first) + ";\nDONE:\n";
}

TEST(Hopper, Registers) {
  // 65536 registers for 384 threads are 168 each, to the multiple of 8.
  std::string directives = ".maxntid 384, 1, 1\n.minnctapersm 1";
  HopperRun fits(hopperKernel(registers(24, 240), "", directives));
  fits.launch.block = {384, 1, 1};
  fits.expectSuccess();
  HopperRun tooMany(hopperKernel(registers(40, 240), "", directives));
  tooMany.launch.block = {384, 1, 1};
  tooMany.expectError({"deadlock", "for registers (8 a thread are free)"});
  HopperRun wrongWay(hopperKernel(registers(24, 160), "", directives), false);
  wrongWay.launch.block = {384, 1, 1};
  wrongWay.expectError({"expected at least the 168 registers"});
}

} // namespace

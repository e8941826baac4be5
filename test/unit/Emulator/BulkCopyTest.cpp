//===- BulkCopyTest.cpp - Bulk copies -----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "CopyHarness.h"

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;
using namespace sparse_attn::emulator::test::copying;

namespace {

const std::string load =
    "  @%p8 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
    "[buf], [%in], 256, [bar];\n";

TEST(BulkCopy, Load) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    HopperRun run(
        hopperKernel(initialise + load + expect(256) + waitPhase + dump(256),
                     shared),
        seed == 0);
    run.launch.seed = seed;
    run.setInput(counting(64));
    run.setOutput(256);
    run.expectSuccess();
    EXPECT_EQ(run.output<uint32_t>(64), counting(64));
  }
}

TEST(BulkCopy, Faults) {
  auto fault = [](const std::string &body,
                  const std::vector<std::string> &parts) {
    HopperRun run(hopperKernel(initialise + body, shared), false);
    run.setInput(counting(64));
    run.setOutput(256);
    run.expectError(parts);
  };
  fault(expect(256) + load + dump(256), {"that a copy is still writing"});
  fault(expect(240) + load.substr(0, load.size() - 1) + " // HERE\n" +
            waitPhase,
        {"16 more bytes came to the mbarrier"});
  fault(expect(272) + load +
            "W:\n  mbarrier.try_wait.parity.shared::cta.b64 "
            "%p1, [bar], 0; // HERE\n  @!%p1 bra W;\n",
        {"deadlock", "272 bytes, 256 are in flight"});
  auto one = [&](const char *target, const char *source, const char *bytes,
                 const std::vector<std::string> &parts) {
    fault("  @%p8 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
          "bytes [" +
              std::string(target) + "], [" + source + "], " + bytes +
              ", [bar]; // HERE\n",
          parts);
  };
  one("buf", "%in", "24", {"multiple of 16, found 24"});
  one("buf+8", "%in", "16", {"misaligned", "multiple of 16"});
  one("buf", "%in+8", "16", {"misaligned", "multiple of 16"});
  one("buf", "%in", "512", {"512 bytes at global address", "out of bounds"});
  one("buf+16368", "%in", "32", {"out of bounds"});
  one("buf", "%out", "16", {"uninitialised"});
  fault(expect(256) + load.substr(0, load.size() - 1) + " // HERE\n",
        {"the block ended before anybody waited for this"});
}

TEST(BulkCopy, StoreAndReduce) {
  // The source is free after wait_group.read; the target holds its old data
  // until the copy has been waited for.
  std::string body = R"(
  mad.lo.u32 %r2, %t, 4, 0;
  mov.u32 %r3, buf;
  add.u32 %r3, %r3, %r2;
  add.u32 %r4, %t, 100;
  st.shared.u32 [%r3], %r4;
  fence.proxy.async.shared::cta;
  bar.sync 0;
  setp.eq.u32 %p8, %t, 0;
  @!%p8 bra AFTER;
  cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%in], [buf], 128;
  cp.async.bulk.commit_group;
  cp.async.bulk.global.shared::cta.bulk_group [%out], [buf], 128;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group.read 0;
AFTER:
  bar.sync 0;
  st.shared.u32 [%r3], 0;
  @%p8 cp.async.bulk.wait_group 1;
  bar.sync 0;
  mad.wide.u32 %rd2, %t, 4, %in;
  ld.global.u32 %r5, [%rd2];
  mad.wide.u32 %rd3, %t, 4, %out;
  st.global.u32 [%rd3+128], %r5;
)";
  HopperRun run(hopperKernel(body, shared));
  run.setInput(counting(32));
  run.setOutput(256);
  run.expectSuccess();
  std::vector<uint32_t> words = run.output<uint32_t>(64);
  for (unsigned i = 0; i < 32; ++i) {
    EXPECT_EQ(words[i], i + 100);
    EXPECT_EQ(words[i + 32], i + 100 + i + 1);
  }
  size_t at = body.find("  cp.async.bulk.wait_group.read 0;");
  body.erase(at, body.find('\n', at) - at + 1);
  at = body.find("  @%p8 cp.async.bulk.wait_group 1;");
  body.erase(at, body.find('\n', at) - at + 1);
  at = body.find("add.u32 [%in], [buf], 128;");
  body.insert(at + 26, " // HERE");
  HopperRun forgotten(hopperKernel(body, shared), false);
  forgotten.setInput(counting(32));
  forgotten.setOutput(256);
  forgotten.expectError({"the block ended before anybody waited for this"});
}

TEST(BulkCopy, BetweenBlocks) {
  std::string body = initialise + R"(
  mov.u32 %r2, %cluster_ctarank;
  xor.b32 %r2, %r2, 1;
  mov.u32 %r3, buf;
  mad.lo.u32 %r4, %t, 4, %r3;
  mov.u32 %r5, %ctaid.x;
  mad.lo.u32 %r5, %r5, 1000, %t;
  st.shared.u32 [%r4], %r5;
  fence.proxy.async.shared::cta;
)" + expect(128) + R"(
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  add.u32 %r6, %r3, 1024;
  mapa.shared::cluster.u32 %r6, %r6, %r2;
  mov.u32 %r7, bar;
  mapa.shared::cluster.u32 %r7, %r7, %r2;
  @%p8 cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%r6], [%r3], 128, [%r7];
)" + waitPhase + R"(
  ld.shared.u32 %r1, [%r4+1024];
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
)";
  for (uint64_t seed = 0; seed < 4; ++seed) {
    std::vector<uint32_t> words =
        hopperWords(body, 32, seed, shared, {2, 1, 1}, {2, 1, 1});
    for (unsigned i = 0; i < 64; ++i)
      EXPECT_EQ(words[i], (i / 32 ^ 1) * 1000 + i % 32);
  }
}

} // namespace

//===- FlashKernel.cpp - A warp-specialised attention kernel ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FlashKernel.h"

#include "HopperKernel.h"

#include <cstdint>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

// Offsets in shared memory. Tiles are two halves of 64 columns, whose rows are
// 128 bytes in the widest swizzle.
constexpr unsigned tileBytes = 32768, halfBytes = 16384;
constexpr unsigned keys = tileBytes, values = 3 * tileBytes;
constexpr unsigned barriers = 5 * tileBytes;
constexpr unsigned queriesFull = barriers, keysFull = barriers + 8,
                   keysEmpty = barriers + 24, valuesFull = barriers + 40,
                   valuesEmpty = barriers + 56;

std::string number(uint64_t value) { return std::to_string(value); }

std::string list(const char *prefix, unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + number(first + i);
  return text + "}";
}

/// Waits for the barrier of stage %stage at `offset`; the parity is in
/// `parity`.
std::string waitFor(const std::string &label, unsigned offset,
                    const std::string &parity, const char *stage = "%stage") {
  return "  mad.lo.u32 %bar, " + std::string(stage) + ", 8, %smem;\n" + label +
         ":\n  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%bar+" +
         number(offset) + "], " + parity + ";\n  @!%p1 bra " + label + ";\n";
}

/// One lane of each warp gives a stage back.
std::string release(unsigned offset) {
  return "  mad.lo.u32 %bar, %stage, 8, %smem;\n"
         "  @%first mbarrier.arrive.shared::cta.b64 _, [%bar+" +
         number(offset) + "];\n";
}

/// Both halves of a tile: `map`, from row %row, to shared memory at %to.
std::string loadTile(const char *map, const char *bar, unsigned offset) {
  std::string text = "  mbarrier.arrive.expect_tx.shared::cta.b64 _, [" +
                     std::string(bar) + "+" + number(offset) + "], " +
                     number(tileBytes) + ";\n";
  for (unsigned half = 0; half < 2; ++half)
    text += "  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::"
            "complete_tx::bytes [%to+" +
            number(half * halfBytes) + "], [" + map + ", {" +
            number(half * 64) + ", %row}], [" + bar + "+" + number(offset) +
            "];\n";
  return text;
}

std::string producer() {
  std::string text = R"(
  setmaxnreg.dec.sync.aligned.u32 24;
  setp.ge.u32 %p2, %t, 32;
  @%p2 exit;
  elect.sync _|%p2, -1;
  @!%p2 exit;
  mov.u32 %row, %ctaid.x;
  shl.b32 %row, %row, 7;
  mov.u32 %to, %smem;
)" + loadTile("%map0", "%smem", queriesFull) +
                     R"(
  mov.u32 %tile, 0;
LOAD:
  and.b32 %stage, %tile, 1;
  shr.u32 %parity, %tile, 1;
  not.b32 %parity, %parity;
  and.b32 %parity, %parity, 1;
  shl.b32 %row, %tile, 7;
)" + waitFor("WAIT_KEYS_EMPTY", keysEmpty, "%parity") +
                     "  mad.lo.u32 %to, %stage, " + number(tileBytes) +
                     ", %smem;\n  add.u32 %to, %to, " + number(keys) + ";\n" +
                     loadTile("%map1", "%bar", keysFull) +
                     waitFor("WAIT_VALUES_EMPTY", valuesEmpty, "%parity") +
                     "  add.u32 %to, %to, " + number(values - keys) + ";\n" +
                     loadTile("%map2", "%bar", valuesFull) + R"(
  add.u32 %tile, %tile, 1;
  setp.lt.u32 %p2, %tile, %tiles;
  @%p2 bra LOAD;
  exit;
)";
  return text;
}

/// S = Q * K^T of the stage, after the other warpgroup has issued its own.
std::string issueScores() {
  std::string text = "  bar.sync %turn, 256;\n"
                     "  wgmma.fence.sync.aligned;\n"
                     "  mad.lo.u32 %r1, %stage, " +
                     number(tileBytes / 16) +
                     ", 0;\n  cvt.u64.u32 %rd1, %r1;\n"
                     "  add.u64 %rd1, %rd1, %keys;\n";
  for (unsigned step = 0; step < 8; ++step) {
    unsigned offset = (step / 4 * halfBytes + step % 4 * 32) / 16;
    text += "  add.u64 %rd2, %queries, " + number(offset) +
            ";\n  add.u64 %rd3, %rd1, " + number(offset) +
            ";\n  wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 " +
            list("%s", 0, 64) + ", %rd2, %rd3, " + (step ? "%true" : "%false") +
            ", 1, 1, 0, 0;\n";
  }
  return text + "  wgmma.commit_group.sync.aligned;\n"
                "  add.u32 %r1, %tile, 1;\n"
                "  setp.lt.or.u32 %p2, %r1, %tiles, %firstGroup;\n"
                "  @%p2 bar.arrive %otherTurn, 256;\n";
}

/// O += P * V of the stage. Only scores may have been issued since the last
/// fence.
std::string issueOutput() {
  std::string text = "  mad.lo.u32 %r1, %stage, " + number(tileBytes / 16) +
                     ", 0;\n  cvt.u64.u32 %rd1, %r1;\n"
                     "  add.u64 %rd1, %rd1, %values;\n";
  for (unsigned step = 0; step < 8; ++step)
    text += "  add.u64 %rd3, %rd1, " + number(step * 2048 / 16) +
            ";\n  wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 " +
            list("%o", 0, 64) + ", " + list("%w", step * 4, 4) +
            ", %rd3, %true, 1, 1, 1;\n";
  return text + "  wgmma.commit_group.sync.aligned;\n";
}

/// Turns scores into weights in units of the new maxima; %alpha<2> rescale what
/// was summed before.
std::string softmax() {
  std::string text;
  for (unsigned half = 0; half < 2; ++half) {
    std::string h = number(half), max = "%max" + h, old = "%old" + h;
    text += "  mov.f32 " + old + ", " + max + ";\n";
    for (unsigned r = 0; r < 64; ++r)
      if ((r >> 1 & 1) == half)
        text += "  max.f32 " + max + ", " + max + ", %s" + number(r) + ";\n";
    for (unsigned distance : {1, 2})
      text += "  mov.b32 %r1, " + max + ";\n  shfl.sync.bfly.b32 %r1, %r1, " +
              number(distance) + ", 31, -1;\n  mov.b32 %f0, %r1;\n  max.f32 " +
              max + ", " + max + ", %f0;\n";
    text += "  sub.f32 %f0, " + old + ", " + max +
            ";\n  mul.f32 %f0, %f0, %scale;\n  ex2.approx.ftz.f32 %alpha" + h +
            ", %f0;\n  mul.f32 %f1, " + max +
            ", %scale;\n  neg.f32 %f1, %f1;\n" + "  mul.f32 %sum" + h +
            ", %sum" + h + ", %alpha" + h + ";\n";
    for (unsigned r = 0; r < 64; ++r)
      if ((r >> 1 & 1) == half) {
        std::string s = "%s" + number(r);
        text += "  fma.rn.f32 " + s + ", " + s + ", %scale, %f1;\n" +
                "  ex2.approx.ftz.f32 " + s + ", " + s + ";\n  add.f32 %sum" +
                h + ", %sum" + h + ", " + s + ";\n";
      }
  }
  return text;
}

/// The accumulators of two neighbouring tiles of eight keys are the A fragment
/// of one step.
std::string packWeights() {
  std::string text;
  for (unsigned i = 0; i < 32; ++i)
    text += "  cvt.rn.bf16x2.f32 %w" + number(i) + ", %s" + number(2 * i + 1) +
            ", %s" + number(2 * i) + ";\n";
  return text;
}

std::string scaleOutput(const char *by) {
  std::string text;
  for (unsigned r = 0; r < 64; ++r)
    text += "  mul.f32 %o" + number(r) + ", %o" + number(r) + ", " + by +
            number(r >> 1 & 1) + ";\n";
  return text;
}

/// Normalises, and stores over the queries. A warp's rows are those that only
/// its own products read.
std::string storeOutput() {
  std::string text;
  for (unsigned half = 0; half < 2; ++half) {
    std::string sum = "%sum" + number(half);
    for (unsigned distance : {1, 2})
      text += "  mov.b32 %r1, " + sum + ";\n  shfl.sync.bfly.b32 %r1, %r1, " +
              number(distance) + ", 31, -1;\n  mov.b32 %f0, %r1;\n  add.f32 " +
              sum + ", " + sum + ", %f0;\n";
    text += "  rcp.approx.ftz.f32 %alpha" + number(half) + ", " + sum + ";\n";
  }
  text += scaleOutput("%alpha") + R"(
  and.b32 %r1, %t, 15;
  and.b32 %r2, %t, 112;
  shr.u32 %r2, %r2, 5;
  shl.b32 %r2, %r2, 4;
  or.b32 %r2, %r2, %r1;
  shl.b32 %r2, %r2, 7;
  add.u32 %own, %own, %r2;
  and.b32 %r3, %t, 7;
  shr.u32 %r4, %t, 4;
  and.b32 %r4, %r4, 1;
)";
  for (unsigned pair = 0; pair < 8; ++pair) {
    text += "  add.u32 %r5, %r4, " + number(pair % 4 * 2) +
            ";\n  xor.b32 %r5, %r5, %r3;\n  mad.lo.u32 %r5, %r5, 16, %own;\n";
    for (unsigned i = 0; i < 4; ++i) {
      unsigned r = (2 * pair + i / 2) * 4 + i % 2 * 2;
      text += "  cvt.rn.bf16x2.f32 %w" + number(i) + ", %o" + number(r + 1) +
              ", %o" + number(r) + ";\n";
    }
    text += "  stmatrix.sync.aligned.m8n8.x4.shared::cta.b16 [%r5+" +
            number(pair / 4 * halfBytes) + "], " + list("%w", 0, 4) + ";\n";
  }
  text += "  fence.proxy.async.shared::cta;\n  bar.sync %ownBarrier, 128;\n"
          "  and.b32 %r1, %t, 127;\n  setp.ne.u32 %p2, %r1, 0;\n"
          "  @%p2 exit;\n";
  for (unsigned half = 0; half < 2; ++half)
    text += "  cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group "
            "[%map3, {" +
            number(half * 64) + ", %row}], [%own+" + number(half * halfBytes) +
            "];\n";
  return text + "  cp.async.bulk.commit_group;\n"
                "  cp.async.bulk.wait_group 0;\n";
}

std::string consumer() {
  std::string text = R"(
CONSUME:
  setmaxnreg.inc.sync.aligned.u32 240;
  setp.lt.u32 %firstGroup, %t, 256;
  selp.b32 %r1, 0, 1, %firstGroup;
  add.u32 %turn, %r1, 3;
  sub.u32 %otherTurn, 4, %r1;
  add.u32 %ownBarrier, %r1, 1;
  mad.lo.u32 %own, %r1, 8192, %smem;
  mov.u32 %row, %ctaid.x;
  mad.lo.u32 %row, %row, 128, 0;
  mad.lo.u32 %row, %r1, 64, %row;
  and.b32 %r1, %t, 31;
  setp.eq.u32 %first, %r1, 0;
  setp.eq.u32 %true, %t, %t;
  setp.ne.u32 %false, %t, %t;
  mov.f32 %scale, 0f3E02943B;
)";
  // SBO 1024, the widest swizzle; LBO of V: one half.
  uint64_t swizzle = uint64_t(1) << 62 | uint64_t(1024 / 16) << 32;
  auto descriptor = [&](const char *name, const char *base, unsigned offset,
                        uint64_t bits) {
    text += "  add.u32 %r1, " + std::string(base) + ", " + number(offset) +
            ";\n  shr.u32 %r1, %r1, 4;\n  cvt.u64.u32 " + name +
            ", %r1;\n  or.b64 " + name + ", " + name + ", " + number(bits) +
            ";\n";
  };
  descriptor("%queries", "%own", 0, swizzle);
  descriptor("%keys", "%smem", keys, swizzle);
  descriptor("%values", "%smem", values,
             swizzle | uint64_t(halfBytes / 16) << 16);
  for (unsigned r = 0; r < 64; ++r)
    text += "  mov.f32 %o" + number(r) + ", 0f00000000;\n";
  for (unsigned half = 0; half < 2; ++half)
    text += "  mov.f32 %max" + number(half) + ", 0fFF800000;\n  mov.f32 %sum" +
            number(half) + ", 0f00000000;\n";
  text += "  @!%firstGroup bar.arrive 3, 256;\n"
          "  mov.u32 %tile, 0;\n  mov.u32 %stage, 0;\n" +
          waitFor("WAIT_QUERIES", queriesFull, "0") +
          waitFor("WAIT_FIRST_KEYS", keysFull, "0") + issueScores() +
          "  wgmma.wait_group.sync.aligned 0; // SCORES\n" +
          release(keysEmpty) + softmax() + packWeights() + R"(
  mov.u32 %tile, 1;
  setp.ge.u32 %p2, %tile, %tiles;
  @%p2 bra LAST;
LOOP:
  and.b32 %stage, %tile, 1;
  shr.u32 %parity, %tile, 1;
  and.b32 %parity, %parity, 1;
)" + waitFor("WAIT_KEYS", keysFull, "%parity") +
          issueScores() + R"(
  sub.u32 %r2, %tile, 1;
  and.b32 %stage, %r2, 1;
  shr.u32 %parity, %r2, 1;
  and.b32 %parity, %parity, 1;
)" + waitFor("WAIT_VALUES", valuesFull, "%parity") +
          issueOutput() + R"(
  wgmma.wait_group.sync.aligned 1;
  and.b32 %stage, %tile, 1;
)" + release(keysEmpty) +
          softmax() + R"(
  wgmma.wait_group.sync.aligned 0; // OUTPUT
  xor.b32 %stage, %stage, 1;
)" + release(valuesEmpty) +
          packWeights() + scaleOutput("%alpha") + R"(
  add.u32 %tile, %tile, 1;
  setp.lt.u32 %p2, %tile, %tiles;
  @%p2 bra LOOP;
LAST:
  sub.u32 %r2, %tile, 1;
  and.b32 %stage, %r2, 1;
  shr.u32 %parity, %r2, 1;
  and.b32 %parity, %parity, 1;
)" + waitFor("WAIT_LAST_VALUES", valuesFull, "%parity") +
          "  wgmma.fence.sync.aligned;\n" + issueOutput() +
          "  wgmma.wait_group.sync.aligned 0;\n";
  return text + storeOutput();
}

} // namespace

std::string test::flashKernel() {
  std::string text = R"(
  .reg .b32 %smem, %bar, %stage, %parity, %tile, %tiles, %row, %to, %own;
  .reg .b32 %turn, %otherTurn, %ownBarrier, %w<32>;
  .reg .b64 %queries, %keys, %values;
  .reg .f32 %s<64>, %o<64>, %max<2>, %old<2>, %sum<2>, %alpha<2>, %scale;
  .reg .pred %first, %firstGroup, %true, %false;
  mov.u32 %smem, smem;
  ld.global.u32 %tiles, [%in];
  setp.ne.u32 %p2, %t, 0;
  @%p2 bra READY;
)";
  auto init = [&](unsigned offset, unsigned count) {
    text += "  mbarrier.init.shared::cta.b64 [%smem+" + number(offset) + "], " +
            number(count) + ";\n";
  };
  init(queriesFull, 1);
  for (unsigned stage = 0; stage < 2; ++stage) {
    init(keysFull + 8 * stage, 1);
    init(valuesFull + 8 * stage, 1);
    init(keysEmpty + 8 * stage, 8); // a lane of each consuming warp
    init(valuesEmpty + 8 * stage, 8);
  }
  text += "  fence.mbarrier_init.release.cluster;\nREADY:\n  bar.sync 0;\n"
          "  setp.ge.u32 %p2, %t, 128;\n  @%p2 bra CONSUME;\n";
  return hopperKernel(text + producer() + consumer(),
                      ".extern .shared .align 1024 .b8 smem[];\n",
                      ".maxntid 384, 1, 1\n.minnctapersm 1");
}

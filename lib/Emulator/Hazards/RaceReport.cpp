//===- RaceReport.cpp - Words for races -----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RaceChecker.h"

using namespace sparse_attn::emulator;

static std::string triple(uint64_t index,
                          const std::array<uint32_t, 3> &shape) {
  return "(" + std::to_string(index % shape[0]) + ", " +
         std::to_string(index / shape[0] % shape[1]) + ", " +
         std::to_string(index / shape[0] / shape[1]) + ")";
}

std::string RaceChecker::threadName(const Access &access) const {
  uint32_t warp = access.row % warps;
  unsigned lane = static_cast<unsigned>(__builtin_ctz(access.lanes));
  if (access.row >= warps) { // an asynchronous operation
    warp = access.issuer / 32;
    lane = access.issuer % 32;
  }
  if (access.block == block)
    return cluster->blocks[warp / warpsPerBlock]->threadName(
        warp % warpsPerBlock, lane);
  if (cluster->blocks.size() > 1)
    return "a thread of cluster " + std::to_string(access.block);
  return "block " + triple(access.block, launch.launch.grid) + ", thread " +
         triple(warp % warpsPerBlock * 32 + lane, launch.launch.block);
}

std::string RaceChecker::place(Warp &warp, bool isShared,
                               uint64_t address) const {
  if (!isShared)
    return "global memory at " + hex(address) + ", which " +
           warp.block->describeGlobal(address);
  // Clusters: the rank of the block is above.
  address &= 0xffffffff;
  std::string text = "shared memory at " + hex(sharedBase + address);
  const SharedVariable *closest = nullptr;
  for (const SharedVariable &variable : launch.kernel.sharedVariables)
    if (variable.offset <= address &&
        (!closest || variable.offset > closest->offset))
      closest = &variable;
  if (closest)
    text += ", which is " + std::to_string(address - closest->offset) +
            " bytes into '" + closest->name + "'";
  return text;
}

/// What the program lacks. `earlier` was emulated first, which says nothing
/// about the order on a GPU.
std::string RaceChecker::orderedBy(Warp &warp, unsigned lane,
                                   const Access &earlier, const Access &later) {
  if (earlier.isReadOnly || later.isReadOnly)
    return "ld.global.nc may only read what nobody writes during the launch";
  if (earlier.block != block)
    return "only release and acquire at .gpu scope order the blocks of a "
           "launch";
  if (earlier.isStrong && later.isStrong)
    return "strong accesses race where they overlap in part";
  if (later.isAsync && !earlier.isAsync && earlier.isWrite &&
      isKnown(earlier, thread(warp, lane).now, numberOf(warp), lane))
    return "they are in different proxies: fence.proxy.async must follow the "
           "write, or come before this operation after what orders them";
  if (earlier.row >= firstMbarrierRow())
    return "its end must be waited for at its mbarrier (mbarrier.try_wait) "
           "by a thread that passes it on";
  if (earlier.row >= warps)
    return orderedBy(warp, lane, Stream(earlier.row / warps - 1), earlier);
  if (earlier.row == numberOf(warp))
    return "bar.warp.sync between them would order them";
  return "a barrier between them (bar.sync) would order them";
}

static const char *waitOf(Stream stream) {
  switch (stream) {
  case Stream::Copy:
    return "cp.async.wait_group";
  case Stream::Bulk:
    return "cp.async.bulk.wait_group";
  case Stream::BulkRead:
    return "cp.async.bulk.wait_group.read";
  case Stream::Wgmma:
    return "wgmma.wait_group";
  }
  return "";
}

std::string RaceChecker::orderedBy(Warp &warp, unsigned lane, Stream stream,
                                   const Access &earlier) {
  unsigned first = static_cast<unsigned>(__builtin_ctz(earlier.lanes));
  const Thread &owner = threads[earlier.row % warps * 32 + first];
  if (earlier.epoch <= owner.now.done[unsigned(stream)])
    return "the other thread has waited for its operation, and a barrier "
           "after that or before the operation would order them";
  std::string wait = std::string(" must wait for its operation first (") +
                     waitOf(stream) + ")";
  bool isOwn = earlier.row % warps == numberOf(warp) && first == lane;
  if (stream == Stream::Wgmma)
    isOwn = earlier.row % warps == warpgroupOf(numberOf(warp));
  return isOwn ? "the thread" + wait
               : "the other thread" + wait + ", and a barrier must follow";
}

static const char *verbOf(const Access &access) {
  return access.isWrite ? access.isStrong ? "strong write" : "write" : "read";
}

void RaceChecker::report(Warp &warp, unsigned lane, bool isShared,
                         uint64_t address, const Access &earlier,
                         const Access &later) {
  const Kernel &kernel = launch.kernel;
  // The first byte that both touch, and a lane that is not ordered.
  uint64_t overlap = address - address % AccessHistory::cellBytes +
                     unsigned(__builtin_ctz(earlier.bytes & later.bytes));
  Access other = earlier;
  const Knowledge &now = thread(warp, lane).now;
  for (uint32_t rest = earlier.lanes; rest; rest &= rest - 1) {
    other.lanes = rest & -rest;
    if (!isKnown(other, now, numberOf(warp), lane))
      break;
  }
  const Inst &inst = kernel.code[earlier.pc];
  warp.failAt(kernel.code[later.pc], lane,
              std::string("data race in kernel '") + kernel.name + "' on " +
                  place(warp, isShared, overlap) + ": this " + verbOf(later) +
                  " and the " + verbOf(earlier) + " by '" +
                  kernel.opcodes[inst.opcode] + "' in line " +
                  std::to_string(inst.line) + " of " + threadName(other) +
                  " are not ordered; " + orderedBy(warp, lane, other, later));
}

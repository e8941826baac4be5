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
  if (access.block == block)
    return cluster->blocks[warp / warpsPerBlock]->threadName(
        warp % warpsPerBlock, lane);
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
  if (earlier.block != block)
    return "only release and acquire at .gpu scope order the blocks of a "
           "launch";
  if (earlier.isStrong && later.isStrong)
    return "strong accesses race where they overlap in part";
  if (earlier.row >= warps) {
    unsigned stream = earlier.row / warps - 1;
    unsigned first = __builtin_ctz(earlier.lanes);
    const Thread &owner = threads[earlier.row % warps * 32 + first];
    bool isOwn = earlier.row % warps == numberOf(warp) && first == lane;
    if (earlier.epoch <= owner.now.done[stream])
      return "the other thread has waited for its copy, and a barrier after "
             "that or before the copy would order them";
    return isOwn ? "the thread must wait for its copy first "
                   "(cp.async.wait_group)"
                 : "the other thread must wait for its copy first "
                   "(cp.async.wait_group), and a barrier must follow";
  }
  if (earlier.row == numberOf(warp))
    return "bar.warp.sync between them would order them";
  return "a barrier between them (bar.sync) would order them";
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
  warp.fail(lane, std::string("data race in kernel '") + kernel.name + "' on " +
                      place(warp, isShared, overlap) + ": this " +
                      verbOf(later) + " and the " + verbOf(earlier) + " by '" +
                      kernel.opcodes[inst.opcode] + "' in line " +
                      std::to_string(inst.line) + " of " + threadName(other) +
                      " are not ordered; " +
                      orderedBy(warp, lane, other, later));
}

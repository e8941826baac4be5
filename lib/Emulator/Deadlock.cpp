//===- Deadlock.cpp - Who waits for what when nobody can run --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Machine.h"

using namespace sparse_attn::emulator;

static std::string describe(const Block &block, const Warp &warp,
                            const Group &group, const Inst &inst) {
  std::string text = "warp " + std::to_string(warp.index());
  if (block.cluster.blocks.size() > 1)
    text += " of block rank " + std::to_string(block.rank);
  text += " (lanes " + hexMask(group.mask) + ") waits in line " +
          std::to_string(inst.line);
  switch (group.waitFor) {
  case WaitFor::Nothing:
    break;
  case WaitFor::Barrier: {
    const Barrier &barrier = block.barriers[group.waitIndex];
    return text + " at barrier " + std::to_string(group.waitIndex) + " (" +
           std::to_string(barrier.arrived) + " of " +
           std::to_string(barrier.expected) + " threads arrived)";
  }
  case WaitFor::Warpgroup:
    return text + " for the other warps of its warpgroup";
  case WaitFor::Registers:
    return text + " for registers (" + std::to_string(block.freeRegisters) +
           " a thread are free)";
  case WaitFor::ClusterBarrier:
    return text + " at the barrier of the cluster";
  case WaitFor::Mbarrier: {
    auto found = block.mbarriers.find(group.waitIndex);
    return text + " at the mbarrier at shared address " +
           std::to_string(group.waitIndex + sharedBase) + " (" +
           (found == block.mbarriers.end() ? "not there any more"
                                           : found->second.describe()) +
           ")";
  }
  }
  return text;
}

void Cluster::reportDeadlock() {
  unsigned line = 0, shown = 0, exited = 0, left = 0;
  std::string waiting;
  for (auto &block : blocks)
    for (auto &warp : block->warps) {
      exited += __builtin_popcount(warp->existing() & ~warp->live());
      for (const Group &group : warp->groups) {
        const Inst &inst = launch.kernel.code[group.waitPc];
        if (line == 0)
          line = inst.line;
        if (++shown > 8) {
          ++left;
          continue;
        }
        waiting += (waiting.empty() ? " " : "; ") +
                   describe(*block, *warp, group, inst);
      }
    }
  if (left)
    waiting += "; " + std::to_string(left) + " more wait";
  if (exited)
    waiting += "; " + std::to_string(exited) + " threads have exited";
  const std::array<uint32_t, 3> &ctaid = blocks[0]->ctaid;
  fail(line, "deadlock:" + waiting + ", in block (" + std::to_string(ctaid[0]) +
                 ", " + std::to_string(ctaid[1]) + ", " +
                 std::to_string(ctaid[2]) + ")");
}

//===- Cluster.cpp - Scheduling of the warps of a cluster -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Hazards/RaceChecker.h"

#include <algorithm>

using namespace sparse_attn::emulator;

Cluster::Cluster(LaunchState &launch) : launch(launch) {
  const std::array<uint32_t, 3> &size = launch.cluster;
  for (uint32_t rank = 0; rank < size[0] * size[1] * size[2]; ++rank)
    blocks.push_back(std::make_unique<Block>(*this, rank));
}

void Cluster::fail(unsigned line, std::string message) {
  if (running)
    running->event = true;
  if (failed)
    return;
  failed = true;
  error = {line, std::move(message)};
}

void Cluster::wake(WaitFor what) {
  for (auto &block : blocks)
    for (auto &warp : block->warps)
      for (Group &group : warp->groups)
        if (group.waitFor == what)
          group.waitFor = WaitFor::Nothing;
}

bool Cluster::run(uint64_t linear) {
  order.begin(launch.launch, linear, blocks.size() * blocks[0]->warps.size());
  failed = false;
  error = {};
  async.clear();
  if (launch.races)
    launch.races->begin(*this, linear);
  barrierPhases = 0;
  const std::array<uint32_t, 3> &size = launch.cluster;
  uint64_t rest = linear;
  std::array<uint32_t, 3> first; // of the cluster's blocks
  for (unsigned i = 0; i < 3; ++i) {
    uint32_t clusters = launch.launch.grid[i] / size[i];
    first[i] = static_cast<uint32_t>(rest % clusters) * size[i];
    rest /= clusters;
  }
  for (auto &block : blocks) {
    uint32_t rank = block->rank;
    block->start({first[0] + rank % size[0],
                  first[1] + rank / size[0] % size[1],
                  first[2] + rank / size[0] / size[1]});
  }
  schedule();
  if (!failed)
    checkEnd();
  return !failed;
}

void Cluster::schedule() {
  uint64_t limit = launch.launch.instructionLimit
                       ? launch.launch.instructionLimit
                       : uint64_t(1) << 40;
  std::vector<std::pair<size_t, Warp *>> ready;
  while (!failed) {
    ready.clear();
    bool anyLeft = false;
    size_t index = 0;
    for (auto &block : blocks)
      for (auto &warp : block->warps) {
        anyLeft |= !warp->finished();
        if (!warp->finished() && warp->runnable())
          ready.emplace_back(index, warp.get());
        ++index;
      }
    if (!anyLeft)
      return;
    if (ready.empty())
      return reportDeadlock();
    auto [warp, slice] = order.choose(ready);
    slice = std::min(slice, limit);
    uint64_t before = slice;
    running = warp;
    warp->run(slice);
    running = nullptr;
    limit -= before - slice;
    if (!failed && limit == 0)
      fail(warp->currentInst->line,
           "the block executed " +
               std::to_string(launch.launch.instructionLimit) +
               " instructions without ending, in " +
               warp->block->threadName(warp->index(), 0));
  }
}

void Cluster::checkEnd() {
  // Whoever leaves must have seen the end of what uses its shared memory. (A
  // cp.async that nobody waited for is only a waste.)
  for (const auto &op : async.inFlight()) {
    bool readsDone = op->hasRead || op->publisher == Publisher::Mbarrier;
    if (op->publisher == Publisher::CopyGroup)
      continue;
    if (op->publisher == Publisher::BulkGroup && readsDone)
      continue;
    op->warp->failAt(*op->inst, op->lane,
                     "the block ended before anybody waited for this");
    return;
  }
  // Data on its way to global memory arrive at the latest now.
  async.finish([](const AsyncOp &op) { return op.lanes; });
}

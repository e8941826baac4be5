//===- ClusterOps.cpp - barrier.cluster, mapa, getctarank ---------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Parallel Synchronization and Communication Instructions:
// barrier.cluster" and "Data Movement and Conversion Instructions: mapa,
// getctarank". An address of another block of the cluster carries its rank.
//
//===----------------------------------------------------------------------===//

#include "Hazards/RaceChecker.h"
#include "Memory.h"

using namespace sparse_attn::emulator;

namespace {

void runClusterArrive(Warp &warp, const Inst &inst, const uint32_t *) {
  if (inst.c && !warp.requireConverged(false))
    return;
  warp.block->cluster.arrive(warp, inst.order);
}

void runClusterWait(Warp &warp, const Inst &inst, const uint32_t *) {
  if (inst.c && !warp.requireConverged(false))
    return;
  if (!warp.block->cluster.hasCompleted(warp))
    warp.blockFor(WaitFor::ClusterBarrier);
}

// Inst::a: generic addresses.
template <class T>
void runMapRank(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Block &block = *warp.block;
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]);
  uint64_t window = inst.a ? sharedWindow : 0;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t address = getLane<T>(a, lane) - window;
    uint32_t rank = getLane<uint32_t>(b, lane);
    if (rank >= block.cluster.blocks.size())
      return warp.fail(lane, "expected a rank below the cluster's " +
                                 std::to_string(block.cluster.blocks.size()) +
                                 " blocks, found " + std::to_string(rank));
    if (address >= windowBytes || !block.cluster.findShared(block, address))
      return warp.fail(lane, "the address is not in shared memory");
    putLane<T>(warp.slot(slots[0]), lane,
               static_cast<T>(window + address + (rank + 1) * remoteStride));
  }
}

template <class T>
void runGetRank(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Block &block = *warp.block;
  const uint8_t *a = warp.slot(slots[1]);
  uint64_t window = inst.a ? sharedWindow : 0;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t address = getLane<T>(a, lane) - window;
    Block *owner = address < windowBytes
                       ? block.cluster.findShared(block, address)
                       : nullptr;
    if (!owner)
      return warp.fail(lane, "the address is not in shared memory");
    putLane<uint32_t>(warp.slot(slots[0]), lane, owner->rank);
  }
}

} // namespace

Block *Cluster::findShared(Block &from, uint64_t &address) const {
  if (address < remoteStride)
    return &from;
  uint64_t rank = address / remoteStride - 1;
  address %= remoteStride;
  return rank < blocks.size() ? blocks[rank].get() : nullptr;
}

void Cluster::arrive(Warp &warp, MemoryOrder order) {
  if (uint32_t twice = warp.lanes & warp.clusterArrived)
    return warp.fail(__builtin_ctz(twice),
                     "arrives twice without barrier.cluster.wait in between");
  if (launch.races && order.release)
    launch.races->arriveAtCluster(warp);
  warp.clusterArrived |= warp.lanes;
  warp.clusterPending &= ~warp.lanes;
  completeBarrier();
}

bool Cluster::hasCompleted(Warp &warp) {
  if (uint32_t missing = warp.lanes & ~warp.clusterArrived) {
    warp.fail(__builtin_ctz(missing),
              "waits without barrier.cluster.arrive before");
    return true;
  }
  // Pending again: the phase in which these lanes arrived is over.
  if (warp.lanes & ~warp.clusterPending)
    return false;
  warp.clusterArrived &= ~warp.lanes;
  if (launch.races)
    launch.races->leaveCluster(warp);
  return true;
}

void Cluster::completeBarrier() {
  bool any = false;
  for (auto &block : blocks)
    for (auto &warp : block->warps) {
      any |= (warp->clusterPending & warp->existing()) != warp->existing();
      if (warp->clusterPending & warp->live())
        return; // exited threads are not waited for
    }
  if (!any)
    return;
  ++barrierPhases;
  if (launch.races)
    launch.races->completeCluster();
  for (auto &block : blocks)
    for (auto &warp : block->warps)
      warp->clusterPending = ~0u;
  wake(WaitFor::ClusterBarrier);
}

void sparse_attn::emulator::decodeClusterBarrier(Decoder &d) {
  bool arrive = d.take("arrive");
  if (!arrive && !d.take("wait"))
    return void(d.unsupported());
  // An arrival releases unless it is relaxed.
  d.take(arrive ? "release" : "acquire");
  d.inst.order.release = !arrive || !d.take("relaxed");
  d.inst.c = d.take("aligned");
  d.expectOperands(0);
  d.emit(arrive ? runClusterArrive : runClusterWait);
}

void sparse_attn::emulator::decodeRank(Decoder &d) {
  bool map = d.base() == "mapa";
  d.inst.a = !d.take("shared::cluster");
  Type type = d.takeType();
  if (type != Type::U64 && (type != Type::U32 || d.inst.a))
    return void(d.unsupported());
  if (!d.expectOperands(map ? 3 : 2))
    return;
  d.dst(0, map ? type : Type::U32);
  d.src(1, type);
  if (map)
    d.src(2, Type::U32);
  bool wide = type == Type::U64;
  if (map)
    d.emit(wide ? runMapRank<uint64_t> : runMapRank<uint32_t>);
  else
    d.emit(wide ? runGetRank<uint64_t> : runGetRank<uint32_t>);
}

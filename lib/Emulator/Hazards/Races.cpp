//===- Races.cpp - Which accesses are ordered -----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RaceChecker.h"

#include <algorithm>

using namespace sparse_attn::emulator;

RaceChecker::RaceChecker(const LaunchState &launch) : launch(launch) {
  const std::array<uint32_t, 3> &shape = launch.launch.block;
  warpsPerBlock = (shape[0] * shape[1] * shape[2] + 31) / 32;
}

void RaceChecker::begin(const Cluster &blocks, uint64_t index) {
  cluster = &blocks;
  block = static_cast<uint32_t>(index);
  warps = static_cast<uint32_t>(blocks.blocks.size()) * warpsPerBlock;
  threads.assign(size_t(warps) * 32, Thread());
  barriers.clear();
  barriers.resize(blocks.blocks.size());
  registers.assign(warps, {});
  clusterArriving = {};
  clusterCompleted = {};
  mbarriers.clear();
  mbarrierAgents = 0;
  joinedA = joinedB = joined = nullptr;
  shared.clear();
  sharedVariables.clear();
}

/// Two such accesses do not race (PTX ISA, "Morally strong operations").
static bool morallyStrong(const Access &a, const Access &b) {
  if (!a.isStrong || !b.isStrong || a.bytes != b.bytes)
    return false;
  return a.block == b.block || std::min(a.scope, b.scope) >= Scope::Gpu;
}

/// Whether `a` may be concurrent with accesses that `b` races with.
static bool isStronger(const Access &a, const Access &b) {
  return a.isStrong && (!b.isStrong || b.scope < a.scope);
}

/// Whether one entry can stand for both but for the lanes.
static bool alike(const Access &a, const Access &b) {
  return a.epoch == b.epoch && a.pc == b.pc && a.row == b.row &&
         a.bytes == b.bytes && a.block == b.block && a.isWrite == b.isWrite &&
         a.isStrong == b.isStrong && a.isReadOnly == b.isReadOnly &&
         a.scope == b.scope;
}

/// Lanes that store one value to one place in one instruction: defined, since
/// one of them does it (CUDA C++ Programming Guide, "SIMT Architecture").
static bool repeats(const Access &earlier, const Access &later) {
  return later.isSame && earlier.isWrite && earlier.pc == later.pc &&
         earlier.row == later.row && earlier.epoch == later.epoch &&
         earlier.block == later.block && earlier.bytes == later.bytes;
}

bool RaceChecker::isKnown(const Access &access, const Knowledge &knowledge,
                          uint32_t warp, uint32_t lane) const {
  uint32_t lanes = access.lanes;
  if (access.block != block)
    return knowledge.others &&
           knowledge.others->coversBlock(access.block, access.row, lanes,
                                         access.epoch);
  // What the thread did itself or has waited for.
  uint32_t kind = access.row / warps, owner = access.row % warps;
  bool isWgmma = isStream(access, Stream::Wgmma);
  bool isOwn = isWgmma ? owner == warpgroupOf(warp)
                       : owner == warp && (lanes >> lane & 1);
  if (isOwn && access.row < firstMbarrierRow() &&
      access.epoch <= (kind ? knowledge.done[kind - 1] : knowledge.time))
    lanes &= isWgmma ? 0 : ~(1u << lane);
  return !lanes || (knowledge.others &&
                    knowledge.others->covers(access.row, lanes, access.epoch));
}

/// Whether a fence must stand between two accesses beside what orders them. A
/// read before an asynchronous write needs none in practice: PTX is silent, and
/// every pipeline that hands buffers back would fail.
static bool needsProxyFence(const Access &earlier, const Access &later) {
  return later.isAsync && !earlier.isAsync && earlier.isWrite;
}

bool RaceChecker::isKnownTo(Warp &warp, unsigned lane, bool forWarp,
                            const Access &earlier, const Access &later) {
  bool proxied = needsProxyFence(earlier, later);
  auto knowledge = [&](unsigned each) -> const Knowledge & {
    Thread &one = thread(warp, each);
    return proxied ? one.proxied : one.now;
  };
  if (!forWarp)
    return isKnown(earlier, knowledge(lane), numberOf(warp), lane);
  bool isOwn = earlier.row % warps == numberOf(warp);
  const Clock *last = nullptr;
  for (uint32_t rest = warp.existing(); rest; rest &= rest - 1) {
    unsigned each = __builtin_ctz(rest);
    const Knowledge &now = knowledge(each);
    // Lanes that came from one barrier know the same about other warps.
    if (!isOwn && last && now.others.get() == last)
      continue;
    last = now.others.get();
    if (!isKnown(earlier, now, numberOf(warp), each))
      return false;
  }
  return true;
}

bool RaceChecker::checkCell(Warp &warp, unsigned lane, bool forWarp,
                            AccessHistory &history, uint64_t address,
                            const Access &access) {
  bool isRecorded = false;
  uint32_t otherBlocks = 0, firstBlock = 0; // that read all of the bytes
  for (uint32_t *link = &history.cell(address); *link;) {
    AccessHistory::Entry &entry = history.entry(*link);
    Access &earlier = entry.access;
    if (earlier.bytes & access.bytes) {
      bool conflicts = (earlier.isWrite || access.isWrite) &&
                       !morallyStrong(earlier, access) &&
                       !repeats(earlier, access);
      // Whoever must be ordered after the earlier access must be ordered after
      // this one, which is ordered after it.
      bool replaces = !(earlier.bytes & ~access.bytes) &&
                      (access.isWrite || !earlier.isWrite) &&
                      (access.isReadOnly || !earlier.isReadOnly) &&
                      !isStronger(access, earlier);
      bool known = (conflicts || replaces) &&
                   isKnownTo(warp, lane, forWarp, earlier, access);
      // Order does not help who reads through a cache that nobody updates.
      bool isStale = earlier.isReadOnly || access.isReadOnly;
      if (conflicts && (!known || isStale)) {
        report(warp, lane, &history == &shared, address, earlier, access);
        return false;
      }
      if (alike(earlier, access)) {
        earlier.lanes |= access.lanes;
        isRecorded = true;
      } else if (replaces && known) {
        history.remove(*link);
        continue;
      } else if (replaces && earlier.row == access.row &&
                 earlier.block == block && access.row < warps) {
        // A thread's own access is ordered, other lanes' are not.
        earlier.lanes &= ~access.lanes;
      }
      if (earlier.block != block && !access.isWrite && !earlier.isWrite &&
          !(access.bytes & ~earlier.bytes) &&
          (earlier.isReadOnly || !access.isReadOnly) &&
          (otherBlocks == 0 || earlier.block != firstBlock)) {
        ++otherBlocks;
        firstBlock = earlier.block;
      }
    }
    link = &entry.next;
  }
  // All blocks read the same inputs. Two that did are enough to find whoever
  // writes there: one of them is another block.
  if (!isRecorded && otherBlocks < 2)
    history.add(history.cell(address), access);
  return true;
}

bool RaceChecker::check(Warp &warp, unsigned lane, bool forWarp,
                        const Extent &extent, Access access) {
  AccessHistory &history = extent.block ? shared : global;
  uint64_t address = extent.block
                         ? sharedAddress(*extent.block) + extent.address
                         : extent.address;
  access.issuer = static_cast<uint16_t>(numberOf(warp) * 32 + lane);
  access.block = block;
  for (uint64_t left = extent.bytes; left;) {
    unsigned begin = address % AccessHistory::cellBytes;
    unsigned part = static_cast<unsigned>(
        std::min<uint64_t>(left, AccessHistory::cellBytes - begin));
    access.bytes = static_cast<uint16_t>(((1u << part) - 1) << begin);
    if (!checkCell(warp, lane, forWarp, history, address, access))
      return false;
    address += part;
    left -= part;
  }
  return true;
}

bool RaceChecker::check(Warp &warp, unsigned lane, bool forWarp,
                        const Location &location, uint64_t address,
                        unsigned bytes, Access access) {
  if (location.space == Space::Global)
    return check(warp, lane, forWarp, Extent{nullptr, address, bytes}, access);
  if (location.space != Space::Shared)
    return true;
  auto offset =
      static_cast<uint64_t>(location.data - location.owner->shared.data());
  return check(warp, lane, forWarp, Extent{location.owner, offset, bytes},
               access);
}

Access RaceChecker::accessBy(const Warp &warp, unsigned lane) {
  Access access;
  access.row = static_cast<uint16_t>(rowOf(numberOf(warp)));
  access.lanes = 1u << lane;
  access.epoch = thread(warp, lane).now.time;
  access.pc = warp.pc - 1;
  return access;
}

bool RaceChecker::read(Warp &warp, unsigned lane, const Location &location,
                       uint64_t address, unsigned bytes, MemoryOrder order) {
  Access access = accessBy(warp, lane);
  access.isStrong = order.strong;
  access.isReadOnly = order.readOnly && location.space == Space::Global;
  access.scope = order.scope;
  if (order.strong)
    synchronize(warp, lane, location, address, order, true, false);
  return check(warp, lane, false, location, address, bytes, access);
}

bool RaceChecker::write(Warp &warp, unsigned lane, const Location &location,
                        uint64_t address, unsigned bytes, const uint8_t *value,
                        MemoryOrder order) {
  Access access = accessBy(warp, lane);
  access.isWrite = true;
  access.isSame = std::memcmp(location.data, value, bytes) == 0;
  access.isStrong = order.strong;
  access.scope = order.scope;
  if (order.strong)
    synchronize(warp, lane, location, address, order, false, true);
  return check(warp, lane, false, location, address, bytes, access);
}

bool RaceChecker::update(Warp &warp, unsigned lane, const Location &location,
                         uint64_t address, unsigned bytes, MemoryOrder order) {
  Access access = accessBy(warp, lane);
  access.isWrite = true;
  access.isStrong = true;
  access.scope = order.scope;
  synchronize(warp, lane, location, address, order, true, true);
  return check(warp, lane, false, location, address, bytes, access);
}

bool RaceChecker::readForWarp(Warp &warp, unsigned lane,
                              const Location &location, uint64_t address,
                              unsigned bytes) {
  Access access = accessBy(warp, lane);
  return check(warp, lane, true, location, address, bytes, access);
}

//===- Barrier.cpp - bar and barrier --------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Hazards/RaceChecker.h"

#include <algorithm>

using namespace sparse_attn::emulator;

namespace {

enum BarrierKind : uint8_t { Sync, Arrive, RedAnd, RedOr, RedPopc };

// Inst::a is the kind, Inst::b whether the thread count is an operand,
// Inst::c bit 0: aligned, bit 1: the predicate is negated.
template <bool hasDst>
void runBarrier(Warp &warp, const Inst &inst, const uint32_t *slots) {
  bool aligned = inst.c & 1;
  if (aligned && !warp.requireConverged(false))
    return;
  slots += hasDst;
  unsigned first = __builtin_ctz(warp.lanes);
  uint32_t id = getLane<uint32_t>(warp.slot(slots[0]), first);
  uint32_t count = 0;
  if (inst.b)
    count = getLane<uint32_t>(warp.slot(slots[1]), first);
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    if (getLane<uint32_t>(warp.slot(slots[0]), lane) != id ||
        (inst.b && getLane<uint32_t>(warp.slot(slots[1]), lane) != count))
      return warp.fail(lane, "lanes of one warp name different barriers or "
                             "thread counts");
  }
  uint32_t predicate = 0;
  if (hasDst) {
    predicate = warp.predicate(slots[1 + inst.b]);
    if (inst.c & 2)
      predicate = ~predicate;
  }
  warp.block->arrive(warp, inst, id, count, predicate);
}

void runWarpBarrier(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *masks = warp.slot(slots[0]);
  if (warp.checkMembers(masks) && warp.block->races)
    warp.block->races->warpBarrier(warp, masks);
}

} // namespace

bool Warp::checkMembers(const uint8_t *masks) {
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint32_t members = getLane<uint32_t>(masks, lane);
    if (!(members >> lane & 1)) {
      fail(lane,
           "the executing lane is not in the member mask " + hexMask(members));
      return false;
    }
    if (uint32_t missing = members & liveLanes & ~lanes) {
      fail(lane, "executed by lanes " + hexMask(lanes) +
                     " only, but the member mask " + hexMask(members) +
                     " names diverged lanes " + hexMask(missing));
      return false;
    }
  }
  return true;
}

void Block::arrive(Warp &warp, const Inst &inst, uint32_t id, uint32_t count,
                   uint32_t predicate) {
  unsigned first = __builtin_ctz(warp.lanes);
  uint32_t rounded = (threads + 31) / 32 * 32;
  if (id >= barriers.size())
    return warp.fail(first,
                     "barrier must be 0 to 15, found " + std::to_string(id));
  if (inst.b && (count == 0 || count % 32 || count > rounded))
    return warp.fail(first, "thread count must be a multiple of 32 up to " +
                                std::to_string(rounded) + ", found " +
                                std::to_string(count));
  if (!inst.b)
    count = rounded;
  Barrier &barrier = barriers[id];
  uint32_t kind = inst.a == Arrive ? uint32_t(Sync) : inst.a;
  if (barrier.arrived == 0) {
    barrier = {};
    barrier.expected = count;
    barrier.kind = kind;
  } else if (barrier.expected != count) {
    return warp.fail(first, "expects " + std::to_string(count) +
                                " threads at barrier " + std::to_string(id) +
                                ", but others there expect " +
                                std::to_string(barrier.expected));
  } else if (barrier.kind != kind) {
    return warp.fail(first, "another operation is under way at barrier " +
                                std::to_string(id));
  }
  // Warps count whole, even the partial last one.
  barrier.arrived +=
      warp.lanes == warp.live() ? 32 : __builtin_popcount(warp.lanes);
  barrier.trueCount += __builtin_popcount(predicate & warp.lanes);
  barrier.anyFalse |= (~predicate & warp.lanes) != 0;
  if (barrier.arrived > barrier.expected)
    return warp.fail(first, std::to_string(barrier.arrived) +
                                " threads arrived at barrier " +
                                std::to_string(id) + ", expected " +
                                std::to_string(barrier.expected));
  if (races)
    races->arrive(warp, id);
  if (inst.a != Arrive)
    warp.blockFor(WaitFor::Barrier, id);
  if (barrier.arrived == barrier.expected)
    complete(id);
}

void Block::complete(uint32_t id) {
  const Barrier &barrier = barriers[id];
  Before before;
  if (races)
    before = races->complete(*this, id);
  for (auto &warp : warps)
    for (Group &group : warp->groups) {
      if (group.waitFor != WaitFor::Barrier || group.waitIndex != id)
        continue;
      group.waitFor = WaitFor::Nothing;
      if (races)
        races->leave(*warp, group.mask, before);
      const Inst &inst = kernel.code[group.waitPc];
      uint32_t target = kernel.operands[inst.slots];
      if (inst.a == RedPopc) {
        for (unsigned lane = 0; lane < 32; ++lane)
          if (group.mask >> lane & 1)
            putLane<uint32_t>(warp->slot(target), lane, barrier.trueCount);
      } else if (inst.a == RedAnd || inst.a == RedOr) {
        bool value = inst.a == RedAnd ? !barrier.anyFalse : barrier.trueCount;
        uint32_t &bits = warp->predicate(target);
        bits = (bits & ~group.mask) | (value ? group.mask : 0);
      }
    }
  barriers[id] = {};
}

// bar.* is barrier.*.aligned; both may say .cta.
void sparse_attn::emulator::decodeBarrier(Decoder &d) {
  bool isBar = d.base() == "bar";
  if (!isBar && d.take("cluster"))
    return decodeClusterBarrier(d);
  d.take("cta");
  bool aligned = d.take("aligned") || isBar;
  if (isBar && d.take("warp")) {
    if (!d.take("sync"))
      return void(d.unsupported());
    if (d.expectOperands(1))
      d.src(0, Type::B32);
    return d.emit(runWarpBarrier);
  }
  d.inst.c = aligned;
  if (d.take("red")) {
    bool popc = d.take("popc");
    d.inst.a = popc ? RedPopc : d.take("and") ? RedAnd : RedOr;
    if (d.inst.a == RedOr && !d.take("or"))
      return void(d.unsupported());
    if (d.takeType() != (popc ? Type::U32 : Type::Pred))
      return void(d.fail("expected type .u32 for popc, .pred otherwise"));
    if (!d.expectOperands(3, 4))
      return;
    d.inst.b = d.operands() == 4;
    d.dst(0, popc ? Type::U32 : Type::Pred);
    d.src(1, Type::U32);
    if (d.inst.b)
      d.src(2, Type::U32);
    if (d.predicateSrc(d.operand(d.operands() - 1)))
      d.inst.c |= 2;
    return d.emit(runBarrier<true>);
  }
  bool arrive = !d.take("sync");
  if (arrive && !d.take("arrive"))
    return void(d.unsupported());
  d.inst.a = arrive ? Arrive : Sync;
  if (!d.expectOperands(arrive ? 2 : 1, 2))
    return;
  d.inst.b = d.operands() == 2;
  d.src(0, Type::U32);
  if (d.inst.b)
    d.src(1, Type::U32);
  d.emit(runBarrier<false>);
}

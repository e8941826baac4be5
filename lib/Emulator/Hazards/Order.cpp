//===- Order.cpp - What orders accesses -----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RaceChecker.h"

#include <algorithm>

using namespace sparse_attn::emulator;

void RaceChecker::publish(const Knowledge &knowledge, uint32_t warp,
                          uint32_t lane, Clock &clock) const {
  clock.raise(rowOf(warp), lane, knowledge.time);
  for (unsigned i = 0; i < streamCount; ++i)
    if (knowledge.done[i])
      clock.raise(rowOf(warp, Stream(i)), lane, knowledge.done[i]);
}

void RaceChecker::publish(const Warp &warp, uint32_t lanes, Clock &clock) {
  const Clock *last = nullptr;
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    const Knowledge &now = thread(warp, lane).now;
    if (now.others && now.others.get() != last)
      clock.join(*now.others);
    last = now.others.get();
    publish(now, numberOf(warp), lane, clock);
  }
}

void RaceChecker::advance(const Warp &warp, uint32_t lanes) {
  for (uint32_t rest = lanes; rest; rest &= rest - 1)
    ++thread(warp, __builtin_ctz(rest)).now.time;
}

void RaceChecker::leave(const Warp &warp, uint32_t lanes,
                        const ClockRef &before) {
  for (uint32_t rest = lanes; rest; rest &= rest - 1)
    thread(warp, __builtin_ctz(rest)).now.others = before;
}

void RaceChecker::arrive(Warp &warp, uint32_t barrier) {
  publish(warp, warp.lanes, barriers[warp.block->rank][barrier]);
  advance(warp, warp.lanes);
}

ClockRef RaceChecker::complete(const Block &owner, uint32_t barrier) {
  Clock &clock = barriers[owner.rank][barrier];
  auto before = std::make_shared<const Clock>(std::move(clock));
  clock = {};
  return before;
}

void RaceChecker::warpBarrier(Warp &warp, const uint8_t *masks) {
  for (uint32_t rest = warp.lanes; rest;) {
    uint32_t members =
        getLane<uint32_t>(masks, __builtin_ctz(rest)) & warp.lanes;
    auto before = std::make_shared<Clock>();
    publish(warp, members, *before);
    advance(warp, members);
    leave(warp, members, before);
    rest &= ~members;
  }
}

void RaceChecker::commit(Warp &warp, Stream stream) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    Thread &one = thread(warp, __builtin_ctz(rest));
    uint32_t &issued = one.issued[unsigned(stream)];
    one.groups[unsigned(stream)].push_back(issued++);
  }
}

void RaceChecker::wait(Warp &warp, Stream stream, uint64_t pending) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    Thread &one = thread(warp, __builtin_ctz(rest));
    std::vector<uint32_t> &groups = one.groups[unsigned(stream)];
    if (groups.size() <= pending)
      continue;
    auto left = groups.end() - static_cast<ptrdiff_t>(pending);
    one.now.done[unsigned(stream)] = *(left - 1);
    groups.erase(groups.begin(), left);
  }
}

void RaceChecker::acquire(Thread &thread,
                          const std::map<uint32_t, ClockRef> &clocks,
                          Scope scope) {
  std::shared_ptr<Clock> joined;
  for (const auto &[from, clock] : clocks) {
    if (from != block && scope < Scope::Gpu)
      continue;
    if (!joined)
      joined = thread.now.others ? std::make_shared<Clock>(*thread.now.others)
                                 : std::make_shared<Clock>();
    joined->joinFrom(block, from, *clock);
  }
  if (joined)
    thread.now.others = std::move(joined);
}

void RaceChecker::fence(Warp &warp, MemoryOrder order) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    Thread &one = thread(warp, __builtin_ctz(rest));
    acquire(one, one.seen, order.scope);
    one.seen.clear();
    one.released = one.now;
    one.fenced = order;
  }
  advance(warp, warp.lanes);
}

void RaceChecker::synchronize(Warp &warp, unsigned lane,
                              const Location &location, uint64_t address,
                              MemoryOrder order, bool reads, bool writes) {
  bool isShared = location.space == Space::Shared;
  if (!isShared && location.space != Space::Global)
    return;
  auto &variables = isShared ? sharedVariables : globalVariables;
  auto found = variables.find(address);
  Thread &one = thread(warp, lane);
  if (reads && found != variables.end()) {
    Scope scope = std::min(order.scope, found->second.scope);
    if (order.acquire)
      acquire(one, found->second.clocks, scope);
    else // until a fence
      for (const auto &[from, clock] : found->second.clocks)
        if (from == block || scope >= Scope::Gpu)
          one.seen[from] = clock;
  }
  if (!writes)
    return;
  // A release publishes everything so far; a relaxed write what came before
  // the last fence.
  const Knowledge &known = order.release ? one.now : one.released;
  // A read-modify-write continues what the writes that it read began.
  if (!reads && found != variables.end()) {
    variables.erase(found);
    found = variables.end();
  }
  if (known.time == 0)
    return;
  auto clock = std::make_shared<Clock>();
  if (known.others)
    clock->join(*known.others);
  publish(known, numberOf(warp), lane, *clock);
  Scope scope =
      order.release ? order.scope : std::min(order.scope, one.fenced.scope);
  if (found == variables.end()) {
    found = variables.try_emplace(address).first;
    found->second.scope = scope;
  }
  found->second.scope = std::min(found->second.scope, scope);
  ClockRef &mine = found->second.clocks[block];
  if (mine)
    clock->join(*mine);
  mine = std::move(clock);
  if (order.release)
    advance(warp, 1u << lane);
}

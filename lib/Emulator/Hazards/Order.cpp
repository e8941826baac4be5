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

void RaceChecker::publish(const Warp &warp, uint32_t lanes,
                          Published &published) {
  const Clock *last = nullptr, *lastProxied = nullptr;
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    const Thread &one = thread(warp, lane);
    if (one.now.others && one.now.others.get() != last)
      published.known.join(*one.now.others);
    last = one.now.others.get();
    publish(one.now, numberOf(warp), lane, published.known);
    if (one.proxied.others && one.proxied.others.get() != lastProxied)
      published.proxied.join(*one.proxied.others);
    lastProxied = one.proxied.others.get();
    if (one.proxied.time)
      publish(one.proxied, numberOf(warp), lane, published.proxied);
  }
}

void RaceChecker::advance(const Warp &warp, uint32_t lanes) {
  for (uint32_t rest = lanes; rest; rest &= rest - 1)
    ++thread(warp, __builtin_ctz(rest)).now.time;
}

static Before finish(Published &published) {
  Before before = {std::make_shared<const Clock>(std::move(published.known)),
                   std::make_shared<const Clock>(std::move(published.proxied))};
  published = {};
  return before;
}

ClockRef RaceChecker::join(const ClockRef &a, const ClockRef &b) {
  if (!a || a == b)
    return b;
  if (!b)
    return a;
  if (a == joinedA && b == joinedB)
    return joined;
  auto result = std::make_shared<Clock>(*a);
  result->join(*b);
  joinedA = a;
  joinedB = b;
  return joined = std::move(result);
}

void RaceChecker::learn(Thread &thread, const Before &before) {
  thread.now.others = join(thread.now.others, before.known);
  thread.proxied.others = join(thread.proxied.others, before.proxied);
}

void RaceChecker::leave(const Warp &warp, uint32_t lanes,
                        const Before &before) {
  // All that the lanes knew is part of it.
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    Thread &one = thread(warp, __builtin_ctz(rest));
    one.now.others = before.known;
    one.proxied.others = before.proxied;
  }
}

void RaceChecker::arrive(Warp &warp, uint32_t barrier) {
  publish(warp, warp.lanes, barriers[warp.block->rank][barrier]);
  advance(warp, warp.lanes);
}

Before RaceChecker::complete(const Block &owner, uint32_t barrier) {
  return finish(barriers[owner.rank][barrier]);
}

void RaceChecker::arriveAtCluster(Warp &warp) {
  publish(warp, warp.lanes, clusterArriving);
  advance(warp, warp.lanes);
}

void RaceChecker::completeCluster() {
  clusterCompleted = finish(clusterArriving);
}

void RaceChecker::leaveCluster(Warp &warp) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1)
    learn(thread(warp, __builtin_ctz(rest)), clusterCompleted);
}

void RaceChecker::warpBarrier(Warp &warp, const uint8_t *masks) {
  for (uint32_t rest = warp.lanes; rest;) {
    uint32_t members =
        getLane<uint32_t>(masks, __builtin_ctz(rest)) & warp.lanes;
    Published published;
    publish(warp, members, published);
    advance(warp, members);
    leave(warp, members, finish(published));
    rest &= ~members;
  }
}

void RaceChecker::acquire(Thread &thread,
                          const std::map<uint32_t, Before> &published,
                          Scope scope) {
  std::shared_ptr<Clock> joined;
  for (const auto &[from, before] : published) {
    if (from == block)
      thread.proxied.others = join(thread.proxied.others, before.proxied);
    else if (scope < Scope::Gpu)
      continue;
    if (!joined)
      joined = thread.now.others ? std::make_shared<Clock>(*thread.now.others)
                                 : std::make_shared<Clock>();
    joined->joinFrom(block, from, *before.known);
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
    one.releasedProxied = one.proxied;
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
  if (isShared) // the same bytes may have a generic and a shared address
    address = sharedAddress(location);
  auto &variables = isShared ? sharedVariables : globalVariables;
  auto found = variables.find(address);
  Thread &one = thread(warp, lane);
  if (reads && found != variables.end()) {
    Scope scope = std::min(order.scope, found->second.scope);
    if (order.acquire)
      acquire(one, found->second.published, scope);
    else // until a fence
      for (const auto &[from, before] : found->second.published)
        if (from == block || scope >= Scope::Gpu)
          one.seen[from] = before;
  }
  if (!writes)
    return;
  // A read-modify-write continues what the writes that it read began.
  if (!reads && found != variables.end()) {
    variables.erase(found);
    found = variables.end();
  }
  // A release publishes everything so far; a relaxed write what came before
  // the last fence.
  const Knowledge &known = order.release ? one.now : one.released;
  const Knowledge &proxied = order.release ? one.proxied : one.releasedProxied;
  if (known.time == 0)
    return;
  Published published;
  if (known.others)
    published.known.join(*known.others);
  publish(known, numberOf(warp), lane, published.known);
  if (proxied.others)
    published.proxied.join(*proxied.others);
  if (proxied.time)
    publish(proxied, numberOf(warp), lane, published.proxied);
  Scope scope =
      order.release ? order.scope : std::min(order.scope, one.fenced.scope);
  if (found == variables.end()) {
    found = variables.try_emplace(address).first;
    found->second.scope = scope;
  }
  found->second.scope = std::min(found->second.scope, scope);
  Before &mine = found->second.published[block];
  if (mine.known) {
    published.known.join(*mine.known);
    published.proxied.join(*mine.proxied);
  }
  mine = finish(published);
  if (order.release)
    advance(warp, 1u << lane);
}

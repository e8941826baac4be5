//===- Schedule.cpp - Which warp runs next --------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Schedule.h"

#include <algorithm>

using namespace sparse_attn::emulator;

void Schedule::begin(const Launch &launch, uint64_t linear, size_t warps) {
  uint64_t seed = launch.seed;
  inOrder = seed == 0;
  next = 0;
  random = seed * 0x2545f4914f6cdd1dull + linear;
  // Half of the seeds starve one warp after the other, first with one moment
  // of arrival, then with the other one.
  starved = ~size_t(0);
  bool early = seed / 2 % 2;
  if (!inOrder && seed % 2 == 0) {
    starved = (seed / 2 - 1) % warps;
    early = (seed / 2 - 1) / warps % 2 == 0;
  }
  earliest = launch.arrival == Arrival::Earliest ||
             (launch.arrival == Arrival::BySeed && early);
}

uint32_t Schedule::nextRandom() {
  // splitmix64: small and good enough to shuffle warps.
  uint64_t z = random += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return static_cast<uint32_t>((z ^ z >> 31) >> 32);
}

Schedule::Turn
Schedule::choose(const std::vector<std::pair<size_t, Warp *>> &ready) {
  if (inOrder) {
    auto turn = std::find_if(ready.begin(), ready.end(), [&](const auto &each) {
      return each.first >= next;
    });
    if (turn == ready.end())
      turn = ready.begin();
    next = turn->first + 1;
    // Every warp runs until it waits; the budget only matters where it spins
    // on what another warp will write.
    return {turn->second, 1u << 16};
  }
  size_t choices = ready.size();
  auto victim = std::find_if(ready.begin(), ready.end(), [&](const auto &each) {
    return each.first == starved;
  });
  if (victim != ready.end() && choices > 1) {
    // Whoever spins until the starved warp has written gets stuck: now and
    // then it has its turn after all.
    if (nextRandom() % 1024 == 0)
      return {victim->second, 1};
    size_t index = nextRandom() % (choices - 1);
    index += index >= static_cast<size_t>(victim - ready.begin());
    return {ready[index].second, 1 + nextRandom() % 64};
  }
  return {ready[nextRandom() % choices].second, 1 + nextRandom() % 64};
}

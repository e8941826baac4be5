//===- Clock.cpp - Vector clocks ------------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Clock.h"

#include <algorithm>

using namespace sparse_attn::emulator;

bool Clock::coversBlock(uint32_t block, uint32_t row, uint32_t lanes,
                        uint32_t epoch) const {
  auto found = blocks.find(block);
  return found != blocks.end() && found->second->covers(row, lanes, epoch);
}

void Clock::raise(uint32_t row, uint32_t lane, uint32_t epoch) {
  if (row >= rows.size())
    rows.resize(row + 1);
  rows[row][lane] = std::max(rows[row][lane], epoch);
}

void Clock::joinRows(const Clock &other) {
  if (other.rows.size() > rows.size())
    rows.resize(other.rows.size());
  for (size_t row = 0; row < other.rows.size(); ++row)
    for (unsigned lane = 0; lane < 32; ++lane)
      rows[row][lane] = std::max(rows[row][lane], other.rows[row][lane]);
}

void Clock::join(const Clock &other) {
  joinRows(other);
  for (const auto &[block, clock] : other.blocks)
    joinBlock(block, *clock);
}

void Clock::joinBlock(uint32_t block, const Clock &other) {
  ClockRef &known = blocks[block];
  if (known.get() == &other)
    return;
  // Only the rows: what that block knew of others is joined by itself.
  auto joined = std::make_shared<Clock>();
  if (known)
    joined->joinRows(*known);
  joined->joinRows(other);
  known = std::move(joined);
}

void Clock::joinFrom(uint32_t here, uint32_t block, const Clock &other) {
  if (block == here)
    return join(other);
  joinBlock(block, other);
  for (const auto &[third, clock] : other.blocks)
    third == here ? joinRows(*clock) : joinBlock(third, *clock);
}

//===- Clock.h - Vector clocks -------------------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What has happened before something, as far as threads and asynchronous
// agents of a block are concerned. Agents come in rows of 32: the lanes of a
// warp, or what those lanes' copies do. Knowledge about other blocks is rare
// (it needs synchronization at gpu scope) and hangs beside it.
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_HAZARDS_CLOCK_H
#define SPARSEATTN_LIB_EMULATOR_HAZARDS_CLOCK_H

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace sparse_attn::emulator {

class Clock;
/// Clocks are shared by all threads that left a barrier together, and never
/// change once they are.
using ClockRef = std::shared_ptr<const Clock>;

class Clock {
public:
  /// Whether the accesses of these lanes of the row up to `epoch` happened
  /// before.
  bool covers(uint32_t row, uint32_t lanes, uint32_t epoch) const {
    if (row >= rows.size())
      return false;
    for (uint32_t rest = lanes; rest; rest &= rest - 1)
      if (rows[row][__builtin_ctz(rest)] < epoch)
        return false;
    return true;
  }
  /// The same for lanes of another block.
  bool coversBlock(uint32_t block, uint32_t row, uint32_t lanes,
                   uint32_t epoch) const;

  void raise(uint32_t row, uint32_t lane, uint32_t epoch);
  void join(const Clock &other);
  /// Adds what a thread of `block` published, for a thread of `here`.
  void joinFrom(uint32_t here, uint32_t block, const Clock &other);

private:
  void joinRows(const Clock &other);
  void joinBlock(uint32_t block, const Clock &other);

  std::vector<std::array<uint32_t, 32>> rows;
  std::map<uint32_t, ClockRef> blocks;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_HAZARDS_CLOCK_H

//===- RaceChecker.h - Happens-before race detection ---------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds accesses to the same bytes that nothing orders, whatever the order in
// which they were emulated. The order is PTX's causality order (PTX ISA,
// "Memory Consistency Model"); docs/Emulator.md says what that comes to.
// Handlers tell what they do, and only where Block::races is set.
//
// The agents are threads: lanes of a warp are ordered by bar.warp.sync and
// barriers, not by running in lockstep. What a thread sets off and does not
// wait for (cp.async) runs in a stream of its own.
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_HAZARDS_RACECHECKER_H
#define SPARSEATTN_LIB_EMULATOR_HAZARDS_RACECHECKER_H

#include "../Memory.h"
#include "AccessHistory.h"
#include "Clock.h"

#include <algorithm>

namespace sparse_attn::emulator {

/// Asynchronous operations of a thread that it waits for by groups.
enum class Stream : uint8_t { Copy };
constexpr unsigned streamCount = 1;

class RaceChecker {
public:
  explicit RaceChecker(const LaunchState &launch);

  /// The blocks of `cluster` begin, with this linear index in the grid.
  void begin(const Cluster &cluster, uint64_t index);

  // Accesses; false after a race was reported. Only shared and global memory
  // can be raced for; other locations are ignored.

  /// ld, st, atom and red, by one lane, with the order of the instruction.
  bool read(Warp &warp, unsigned lane, const Location &location,
            uint64_t address, unsigned bytes, MemoryOrder order = {});
  bool write(Warp &warp, unsigned lane, const Location &location,
             uint64_t address, unsigned bytes, MemoryOrder order = {});
  bool update(Warp &warp, unsigned lane, const Location &location,
              uint64_t address, unsigned bytes, MemoryOrder order);
  /// A row of ldmatrix: all lanes receive parts of what one lane points at.
  bool readForWarp(Warp &warp, unsigned lane, const Location &location,
                   uint64_t address, unsigned bytes);
  /// What an operation reads and writes between now and its end.
  bool issue(AsyncOp &op);

  // Order.

  void fence(Warp &warp, MemoryOrder order);
  /// The executing lanes meet those that their member masks name.
  void warpBarrier(Warp &warp, const uint8_t *masks);
  void arrive(Warp &warp, uint32_t barrier);
  /// The barrier begins anew; returns what happened before its completion,
  /// which those who waited leave with.
  ClockRef complete(const Block &block, uint32_t barrier);
  void leave(const Warp &warp, uint32_t lanes, const ClockRef &before);
  /// The executing lanes close a group of their stream.
  void commit(Warp &warp, Stream stream);
  /// They wait until at most `pending` groups are in flight.
  void wait(Warp &warp, Stream stream, uint64_t pending);

private:
  /// What happened before a point of a thread's program.
  struct Knowledge {
    ClockRef others;                 // null: nothing
    uint32_t time = 0;               // of the thread itself
    uint32_t done[streamCount] = {}; // of its streams
  };
  struct Thread {
    Knowledge now;
    Knowledge released; // at the last fence: what a strong write publishes
    MemoryOrder fenced; // of that fence
    std::map<uint32_t, ClockRef> seen; // by strong reads since, per block
    uint32_t issued[streamCount];      // the epoch of what a stream begins next
    std::vector<uint32_t> groups[streamCount]; // epochs of those in flight

    Thread() {
      now.time = 1; // 0 is before everything
      std::fill_n(issued, streamCount, 1);
    }
  };
  /// What writes to a location published, by block.
  struct SyncVariable {
    std::map<uint32_t, ClockRef> clocks;
    Scope scope = Scope::Cta;
  };

  /// The number of the warp in its cluster.
  uint32_t numberOf(const Warp &warp) const {
    return warp.block->rank * warpsPerBlock + warp.index();
  }
  Thread &thread(const Warp &warp, unsigned lane) {
    return threads[numberOf(warp) * 32 + lane];
  }
  // The rows of agents: the threads' own, then one kind of streams after the
  // other.
  uint32_t rowOf(uint32_t warp) const { return warp; }
  uint32_t rowOf(uint32_t warp, Stream stream) const {
    return (1 + static_cast<uint32_t>(stream)) * warps + warp;
  }
  bool check(Warp &warp, unsigned lane, bool forWarp, const Location &location,
             uint64_t address, unsigned bytes, Access access);
  bool check(Warp &warp, unsigned lane, bool forWarp, const Extent &extent,
             Access access);
  bool checkCell(Warp &warp, unsigned lane, bool forWarp,
                 AccessHistory &history, uint64_t address,
                 const Access &access);
  bool isKnown(const Access &access, const Knowledge &knowledge, uint32_t warp,
               uint32_t lane) const;
  bool isKnownTo(Warp &warp, unsigned lane, bool forWarp, const Access &access);
  void publish(const Knowledge &knowledge, uint32_t warp, uint32_t lane,
               Clock &clock) const;
  void publish(const Warp &warp, uint32_t lanes, Clock &clock);
  void acquire(Thread &thread, const std::map<uint32_t, ClockRef> &clocks,
               Scope scope);
  void synchronize(Warp &warp, unsigned lane, const Location &location,
                   uint64_t address, MemoryOrder order, bool reads,
                   bool writes);
  /// What the lanes do from now on is not part of what they published.
  void advance(const Warp &warp, uint32_t lanes);
  void report(Warp &warp, unsigned lane, bool isShared, uint64_t address,
              const Access &earlier, const Access &later);
  std::string orderedBy(Warp &warp, unsigned lane, const Access &earlier,
                        const Access &later);
  std::string threadName(const Access &access) const;
  std::string place(Warp &warp, bool isShared, uint64_t address) const;

  const LaunchState &launch;
  uint32_t warpsPerBlock;
  uint32_t warps = 0; // of the cluster
  const Cluster *cluster = nullptr;
  uint32_t block = 0; // the number of the cluster
  std::vector<Thread> threads;
  std::vector<std::array<Clock, 16>> barriers; // of each block
  AccessHistory shared, global;
  std::unordered_map<uint64_t, SyncVariable> sharedVariables, globalVariables;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_HAZARDS_RACECHECKER_H

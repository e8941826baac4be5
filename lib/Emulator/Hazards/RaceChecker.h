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
// wait for (copies, wgmma) runs in a stream of its own, and what an mbarrier
// says the end of belongs to the mbarrier.
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_HAZARDS_RACECHECKER_H
#define SPARSEATTN_LIB_EMULATOR_HAZARDS_RACECHECKER_H

#include "../Memory.h"
#include "AccessHistory.h"
#include "Clock.h"

#include <algorithm>
#include <optional>

namespace sparse_attn::emulator {

/// Asynchronous operations that a thread waits for by groups: cp.async, what
/// bulk copies write and what they read, and wgmma, which the threads of a
/// warpgroup issue together.
enum class Stream : uint8_t { Copy, Bulk, BulkRead, Wgmma };
constexpr unsigned streamCount = 4;

/// What happened before something that threads wait for. `proxied` is the part
/// that a proxy fence followed (PTX ISA, "Causality order: proxy-preserved
/// base causality order").
struct Before {
  ClockRef known;
  ClockRef proxied;
};
/// The same while it is collected.
struct Published {
  Clock known;
  Clock proxied;
};

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
  /// `value` is not written yet.
  bool write(Warp &warp, unsigned lane, const Location &location,
             uint64_t address, unsigned bytes, const uint8_t *value,
             MemoryOrder order = {});
  bool update(Warp &warp, unsigned lane, const Location &location,
              uint64_t address, unsigned bytes, MemoryOrder order);
  /// A row of ldmatrix: all lanes receive parts of what one lane points at.
  bool readForWarp(Warp &warp, unsigned lane, const Location &location,
                   uint64_t address, unsigned bytes);
  /// What an operation reads and writes between now and its end.
  bool issue(AsyncOp &op);
  /// The same for a warp's part of a wgmma.
  bool issuePart(Warp &warp, const AsyncOp &op);

  // Order.

  void fence(Warp &warp, MemoryOrder order);
  /// The executing lanes meet those that their member masks name.
  void warpBarrier(Warp &warp, const uint8_t *masks);
  void arrive(Warp &warp, uint32_t barrier);
  /// The barrier begins anew; returns what happened before its completion,
  /// which those who waited leave with.
  Before complete(const Block &block, uint32_t barrier);
  void leave(const Warp &warp, uint32_t lanes, const Before &before);
  /// barrier.cluster.
  void arriveAtCluster(Warp &warp);
  void completeCluster();
  void leaveCluster(Warp &warp);
  /// The executing lanes close a group of their stream.
  void commit(Warp &warp, Stream stream);
  /// They wait until at most `pending` groups are in flight.
  void wait(Warp &warp, Stream stream, uint64_t pending);
  /// fence.proxy.async.
  void fenceProxy(Warp &warp);

  // Registers of wgmma. An instruction accesses some; wgmma.fence stands
  // between that and a wgmma, which accesses the first `count` of its own.
  void touchRegisters(const Warp &warp, const Inst &inst,
                      const uint32_t *slots);
  void fenceRegisters(const Warp &warp);
  bool checkRegisters(Warp &warp, const uint32_t *slots, unsigned count);

  // mbarriers. The object itself is memory that is written once and then used
  // by atomic accesses.

  bool initialise(Warp &warp, unsigned lane, const Mbarrier &barrier);
  bool invalidate(Warp &warp, unsigned lane, const Mbarrier &barrier);
  bool arrive(Warp &warp, unsigned lane, const Mbarrier &barrier,
              MemoryOrder order);
  /// cp.async.mbarrier.arrive: the copies of the lane so far arrive.
  bool arriveWithCopies(Warp &warp, unsigned lane, const Mbarrier &barrier);
  /// The current phase is over.
  void completePhase(const Mbarrier &barrier);
  /// The lane looks for the end of a phase, by its parity if it has one, and
  /// perhaps finds it.
  bool look(Warp &warp, unsigned lane, const Mbarrier &barrier,
            MemoryOrder order, std::optional<uint32_t> parity, bool isOver);

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
    Knowledge proxied;  // at the last proxy fence on the way here
    Knowledge releasedProxied;
    std::map<uint32_t, Before> seen; // by strong reads since, per block
    uint32_t issued[streamCount];    // the epoch of what a stream begins next
    std::vector<uint32_t> groups[streamCount]; // epochs of those in flight

    Thread() {
      now.time = 1; // 0 is before everything
      std::fill_n(issued, streamCount, 1);
    }
  };
  /// What writes to a location published, by block.
  struct SyncVariable {
    std::map<uint32_t, Before> published;
    Scope scope = Scope::Cta;
  };
  struct RegisterState {
    uint32_t fences = 0;
    struct Use {
      uint32_t fences = ~0u; // before it; none: was not used
      uint32_t pc = 0;
    };
    std::vector<Use> uses; // by slot
  };
  struct MbarrierState {
    uint32_t agent = 0;
    Published arriving;                // in the current phase
    Before completed;                  // by the last one
    std::map<uint32_t, uint64_t> next; // phase that a thread waits for next
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
  // What mbarriers say the end of comes last.
  uint32_t firstMbarrierRow() const { return (1 + streamCount) * warps; }
  bool isStream(const Access &access, Stream stream) const {
    return access.row / warps == 1 + static_cast<uint32_t>(stream);
  }
  /// The number of the first warp of a warp's warpgroup.
  uint32_t warpgroupOf(uint32_t warp) const {
    return warp - warp % warpsPerBlock % 4;
  }
  Access accessBy(const Warp &warp, unsigned lane);
  bool check(Warp &warp, unsigned lane, bool forWarp, const Location &location,
             uint64_t address, unsigned bytes, Access access);
  bool check(Warp &warp, unsigned lane, bool forWarp, const Extent &extent,
             Access access);
  bool checkCell(Warp &warp, unsigned lane, bool forWarp,
                 AccessHistory &history, uint64_t address,
                 const Access &access);
  bool isKnown(const Access &access, const Knowledge &knowledge, uint32_t warp,
               uint32_t lane) const;
  bool isKnownTo(Warp &warp, unsigned lane, bool forWarp, const Access &earlier,
                 const Access &later);
  /// Shared memory of all blocks of a cluster has one history.
  static uint64_t sharedAddress(const Block &owner) {
    return uint64_t(owner.rank) << 32;
  }
  static uint64_t sharedAddress(const Location &location) {
    return sharedAddress(*location.owner) +
           static_cast<uint64_t>(location.data - location.owner->shared.data());
  }
  bool issue(AsyncOp &op, unsigned lane);
  void publish(const Knowledge &knowledge, uint32_t warp, uint32_t lane,
               Clock &clock) const;
  void publish(const Warp &warp, uint32_t lanes, Published &published);
  /// The thread learns what happened before something.
  void learn(Thread &thread, const Before &before);
  ClockRef join(const ClockRef &a, const ClockRef &b);
  void acquire(Thread &thread, const std::map<uint32_t, Before> &published,
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
  std::string orderedBy(Warp &warp, unsigned lane, Stream stream,
                        const Access &earlier);
  std::string threadName(const Access &access) const;
  std::string place(Warp &warp, bool isShared, uint64_t address) const;

  const LaunchState &launch;
  uint32_t warpsPerBlock;
  uint32_t warps = 0; // of the cluster
  const Cluster *cluster = nullptr;
  uint32_t block = 0; // the number of the cluster
  std::vector<Thread> threads;
  std::vector<std::array<Published, 16>> barriers; // of each block
  std::vector<RegisterState> registers;            // of each warp
  Published clusterArriving;
  Before clusterCompleted;
  std::map<const Mbarrier *, MbarrierState> mbarriers;
  uint32_t mbarrierAgents = 0;
  // The last join: the lanes of a warp ask for the same one after the other.
  ClockRef joinedA, joinedB, joined;
  AccessHistory shared, global;
  std::unordered_map<uint64_t, SyncVariable> sharedVariables, globalVariables;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_HAZARDS_RACECHECKER_H

//===- Machine.h - Warps and thread blocks -------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_MACHINE_H
#define SPARSEATTN_LIB_EMULATOR_MACHINE_H

#include "Async.h"
#include "GlobalMemory.h"
#include "Mbarrier.h"
#include "Schedule.h"
#include "Wgmma.h"

#include <map>

namespace sparse_attn::emulator {

class Block;
class Cluster;
class RaceChecker;

std::string hexMask(uint32_t mask);

/// What lanes may wait for. A barrier hands them its result; all others are
/// asked again by executing the instruction once more.
enum class WaitFor : uint8_t {
  Nothing,
  Barrier,
  Mbarrier,
  ClusterBarrier,
  Warpgroup, // its other warps
  Registers
};

/// Lanes of a warp that execute together.
struct Group {
  uint32_t pc = 0;
  uint32_t mask = 0;
  int convergence = -1; // where these lanes wait for others, or -1
  WaitFor waitFor = WaitFor::Nothing;
  uint32_t waitIndex = 0; // Barrier: which one
  uint32_t waitPc = 0;    // the instruction that they wait in

  bool waits() const { return waitFor != WaitFor::Nothing; }
};

/// Lanes that diverged and meet again at `pc`.
struct Convergence {
  uint32_t pc = 0;
  uint32_t expected = 0; // lanes that have not exited
  uint32_t arrived = 0;
  int parent = -1;
};

class Warp {
public:
  // What handlers use.
  uint32_t lanes = 0; // the lanes that execute the current instruction
  uint32_t pc = 0;    // of the next instruction
  uint32_t carry = 0; // the condition code, a bit per lane
  Block *block = nullptr;

  uint8_t *slot(uint32_t index) { return file + size_t(index) * 128; }
  uint32_t &predicate(uint32_t index) {
    return *reinterpret_cast<uint32_t *>(slot(index));
  }
  uint32_t &written(uint32_t index) { return writtenMasks[index]; }
  /// Lanes of the current group; of the warp, those that have not exited, and
  /// those that exist (the last warp of a block may be partial).
  uint32_t active() const { return current.mask; }
  uint32_t live() const { return liveLanes; }
  uint32_t existing() const { return existingLanes; }
  unsigned index() const { return warpIndex; }

  /// Reports an error at the current instruction; the first one counts.
  void fail(unsigned lane, std::string message,
            Error::Kind kind = Error::Kind::Other);
  /// The same at an earlier instruction of this warp.
  void failAt(const Inst &inst, unsigned lane, std::string message);
  /// Fails unless the whole warp executes; says which lanes are missing.
  bool requireConverged(bool wholeWarp);
  /// Fails unless all executing lanes of the slot were written.
  bool requireWritten(uint32_t slot);
  /// Fails unless the member mask of every executing lane names it and no
  /// lane that is elsewhere.
  bool checkMembers(const uint8_t *masks);

  // Control flow, in ControlFlow.cpp.
  void branch(const Inst &inst);
  void branchIndexed(const Inst &inst, const uint8_t *index);
  void arriveAtJoin();
  void exitLanes();
  /// Operations of wgmma in flight that write a register.
  bool isInFlight(uint32_t slot) const { return inFlight[slot] != 0; }
  void addInFlight(uint32_t slot, int count) {
    inFlight[slot] = static_cast<uint16_t>(inFlight[slot] + count);
  }
  /// The executing lanes stop until somebody wakes them.
  void blockFor(WaitFor what, uint32_t index = 0);
  /// Lets another warp run: the lanes poll for what only others can change.
  void yield() { yields = event = true; }

  // Groups that each lane has committed: cp.async, cp.async.bulk.
  std::array<uint32_t, 32> copyGroups = {}, bulkGroups = {};

  const Inst *lookedAt = nullptr; // the mbarrier wait that said no last
  uint32_t registers = 0;         // of a thread, if known; see RegisterPool.cpp

  // barrier.cluster: the lanes that arrived and have not waited since, and
  // those that the current phase lacks.
  uint32_t clusterArrived = 0, clusterPending = ~0u;

private:
  friend class Block;
  friend class Cluster;

  void create(Block &owner, unsigned index);
  void start();
  /// True if the sources, some of them unwritten, may be computed with.
  bool mayCompute(const Inst &inst, const uint32_t *slots) const;
  void reportUnwritten(const Inst &inst, const uint32_t *slots);
  /// Runs until blocked, finished, failed, or `budget` is used up.
  void run(uint64_t &budget);
  /// Makes the runnable group with the smallest pc current; false if none.
  bool selectGroup();
  bool finished() const { return liveLanes == 0; }
  bool runnable() const {
    for (const Group &group : groups)
      if (!group.waits())
        return true;
    return hasCurrent;
  }

  uint8_t *file = nullptr;
  const Inst *currentInst = nullptr;
  std::unique_ptr<uint8_t[]> storage;
  std::vector<uint32_t> writtenMasks;
  std::vector<uint16_t> inFlight; // by slot
  Group current;
  bool hasCurrent = false;
  bool event = false;  // the interpreter loop must look up
  bool yields = false; // and leave
  uint32_t joins = 0;
  bool rotate = false;       // prefer the lanes that are ahead, once
  std::vector<Group> groups; // all but the current one
  std::vector<Convergence> convergences;
  std::vector<int> freeConvergences;
  uint32_t existingLanes = 0;
  uint32_t liveLanes = 0;
  unsigned warpIndex = 0;
};

/// What all blocks of a launch share.
struct LaunchState {
  const Program::Impl &program;
  const Kernel &kernel;
  const Launch &launch;
  GlobalMemory::Impl &memory;
  std::array<uint32_t, 3> cluster; // blocks of a cluster
  Buffer moduleVariables;
  std::unique_ptr<RaceChecker> races; // unless they are not checked
};

struct Barrier {
  uint32_t expected = 0; // threads; 0 while nobody waits
  uint32_t arrived = 0;
  uint32_t kind = 0; // so that sync and the reductions are not mixed
  uint32_t trueCount = 0;
  bool anyFalse = false;
};

/// A thread block, and after that the next one: keeps its storage.
class Block {
public:
  Block(Cluster &cluster, unsigned rank);

  Cluster &cluster;
  LaunchState &launch;
  const Kernel &kernel;
  const unsigned rank; // in the cluster
  Counters counters;
  std::array<uint32_t, 3> ctaid = {};

  // Shared memory, and a shadow byte for each byte.
  std::vector<uint8_t> shared;
  std::vector<uint8_t> sharedShadow;
  // Local memory of every thread, thread after thread.
  std::vector<uint8_t> local;
  std::vector<uint8_t> localShadow;
  std::array<Barrier, 16> barriers;
  std::map<uint32_t, Mbarrier> mbarriers; // by offset in `shared`
  std::vector<std::unique_ptr<Warp>> warps;
  std::vector<Warpgroup> warpgroups;
  uint32_t freeRegisters = 0;   // of each thread of a warp
  RaceChecker *races = nullptr; // told of every access, if set

  /// Finds the buffer of a global access; null if out of bounds.
  const Buffer *findGlobal(uint64_t address, uint64_t bytes);
  /// Whether an mbarrier object lies in these bytes of shared memory.
  bool overlapsMbarrier(uint32_t offset, uint32_t bytes) const;
  /// Describes where a global address lies, for messages.
  std::string describeGlobal(uint64_t address) const;

  /// The executing lanes of `warp` arrive at barrier `id`.
  void arrive(Warp &warp, const Inst &inst, uint32_t id, uint32_t count,
              uint32_t predicate);
  /// Begins to execute the block at `index` of the grid.
  void start(const std::array<uint32_t, 3> &index);
  bool finished() const;
  /// Registers of a thread when the kernel starts; 0 if unknown.
  uint32_t initialRegisters() const;
  unsigned threadCount() const { return threads; }
  std::string threadName(unsigned warp, unsigned lane) const;

private:
  uint32_t specialValue(Special special, unsigned thread) const;
  void complete(uint32_t id);

  std::vector<uint32_t> initiallyWritten; // lane masks
  unsigned threads = 0;
  const Buffer *lastBuffer = nullptr;
};

/// The blocks of a cluster, executed in turns on one host thread, and after
/// that the next cluster. Without clusters, each block is one of its own.
class Cluster {
public:
  explicit Cluster(LaunchState &launch);

  /// Runs cluster `linear` (x fastest) of the grid; false if `error` was
  /// filled.
  bool run(uint64_t linear);

  LaunchState &launch;
  Error error;
  bool failed = false;
  std::vector<std::unique_ptr<Block>> blocks; // by rank
  AsyncOps async;
  Warp *running = nullptr;

  /// Records the first error and stops the warp that runs.
  void fail(unsigned line, std::string message);
  /// Lets all who wait for `what` ask again.
  void wake(WaitFor what);
  /// The block whose shared memory an address of the shared::cluster window
  /// names, or null; makes the address one of that block's own window.
  Block *findShared(Block &from, uint64_t &address) const;
  /// barrier.cluster: lanes arrive; whether they may go on.
  void arrive(Warp &warp, MemoryOrder order);
  bool hasCompleted(Warp &warp);
  /// Ends the phase if all threads arrived or exited.
  void completeBarrier();
  /// How many phases of barrier.cluster are over.
  uint64_t barrierPhases = 0;
  /// Whether operations finish as soon as they are issued.
  bool finishesAtOnce() const { return order.finishesAtOnce(); }

private:
  void schedule();
  void checkEnd();
  void reportDeadlock();

  Schedule order;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_MACHINE_H

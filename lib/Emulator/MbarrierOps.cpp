//===- MbarrierOps.cpp - The mbarrier instructions ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Parallel Synchronization and Communication Instructions:
// mbarrier.*". The state token that an arrival returns holds the number of the
// phase above the arrivals that it lacked before.
//
//===----------------------------------------------------------------------===//

#include "Hazards/RaceChecker.h"
#include "Memory.h"

#include <optional>

using namespace sparse_attn::emulator;

namespace {

constexpr unsigned stateShift = 20;

uint64_t stateOf(const Mbarrier &barrier) {
  return barrier.phase << stateShift | static_cast<uint64_t>(barrier.pending);
}

/// The object at the address of a lane; fails if there is none.
Mbarrier *find(Warp &warp, const Inst &inst, uint32_t slot, unsigned lane) {
  uint64_t address = addressOf(warp, slot, inst.wideAddress, inst.imm, lane);
  Location location;
  if (!locateShared(warp, lane, inst.space, address, 8, 8, location))
    return nullptr;
  return findMbarrier(warp, lane, location);
}

void runInit(Warp &warp, const Inst &inst, const uint32_t *slots) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t address =
        addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    uint32_t count = getLane<uint32_t>(warp.slot(slots[1]), lane);
    Location location;
    if (!locateShared(warp, lane, inst.space, address, 8, 8, location))
      return;
    if (count == 0 || count > Mbarrier::maxCount)
      return warp.fail(lane, "count must be 1 to " +
                                 std::to_string(Mbarrier::maxCount) +
                                 ", found " + std::to_string(count));
    Block &block = *location.owner;
    uint32_t offset =
        static_cast<uint32_t>(location.data - block.shared.data());
    if (block.overlapsMbarrier(offset, 8))
      return warp.fail(lane, "an mbarrier object is here already, expected an "
                             "mbarrier.inval before");
    Mbarrier &barrier = block.mbarriers[offset];
    barrier = {};
    barrier.block = &block;
    barrier.offset = offset;
    barrier.expected = count;
    barrier.pending = count;
    if (RaceChecker *races = warp.block->races)
      if (!races->initialise(warp, lane, barrier))
        return;
    std::memset(location.shadow, Opaque, 8);
  }
}

void runInvalidate(Warp &warp, const Inst &inst, const uint32_t *slots) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    Mbarrier *barrier = find(warp, inst, slots[0], lane);
    if (!barrier)
      return;
    if (barrier->pendingInFlight || barrier->transactionsInFlight)
      return warp.fail(lane, "operations in flight will arrive here");
    if (RaceChecker *races = warp.block->races)
      if (!races->invalidate(warp, lane, *barrier))
        return;
    Block &block = *barrier->block;
    std::memset(block.sharedShadow.data() + barrier->offset, Unwritten, 8);
    block.mbarriers.erase(barrier->offset);
  }
}

// Inst::a says what Inst::c operands after the address mean.
enum Flag : uint8_t {
  Expect = 1,     // the operand is a number of bytes to expect
  Complete = 2,   // the operand is a number of bytes that came
  Arrive = 4,     // counts an arrival
  Drop = 8,       // expects one arrival less from the next phase on
  NoComplete = 16 // must not end the phase
};

template <bool hasState>
void runArrive(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint32_t *sources = slots + hasState;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    Mbarrier *barrier = find(warp, inst, sources[0], lane);
    if (!barrier)
      return;
    uint32_t operand =
        inst.c ? getLane<uint32_t>(warp.slot(sources[1]), lane) : 1;
    bool isBytes = inst.a & (Expect | Complete);
    uint32_t count = isBytes ? 1 : operand;
    if (RaceChecker *races = warp.block->races)
      if (!races->arrive(warp, lane, *barrier,
                         inst.a & Arrive ? inst.order : MemoryOrder()))
        return;
    if (hasState)
      putLane<uint64_t>(warp.slot(slots[0]), lane, stateOf(*barrier));
    if (isBytes) {
      if (operand > Mbarrier::maxCount)
        return warp.fail(lane, "expected at most " +
                                   std::to_string(Mbarrier::maxCount) +
                                   " bytes, found " + std::to_string(operand));
      int64_t bytes = operand;
      barrier->addTransactions(warp, lane, inst,
                               inst.a & Expect ? bytes : -bytes);
    }
    if (!(inst.a & Arrive))
      continue;
    if (count == 0 || count > Mbarrier::maxCount)
      return warp.fail(lane, "count must be 1 to " +
                                 std::to_string(Mbarrier::maxCount) +
                                 ", found " + std::to_string(count));
    if ((inst.a & NoComplete) && barrier->pending <= int64_t(count))
      return warp.fail(lane, "ends the phase: " + barrier->describe());
    if (inst.a & Drop) {
      if (barrier->expected < count)
        return warp.fail(lane, "drops " + std::to_string(count) + " of " +
                                   std::to_string(barrier->expected) +
                                   " expected arrivals");
      barrier->expected -= count;
    }
    barrier->arrive(warp, lane, inst, count);
    if (warp.block->cluster.failed)
      return;
  }
}

/// Lets all operations end that the current phase of `barrier` waits for.
void finishOps(Cluster &cluster, const Mbarrier &barrier) {
  // An arrival on behalf of cp.async follows the copies that it tracks.
  struct Arrival {
    const Warp *warp;
    uint32_t lanes;
    uint64_t number;
  };
  std::vector<Arrival> arrivals;
  for (const auto &op : cluster.async.inFlight())
    if (op->mbarrier == &barrier && op->arrivals)
      arrivals.push_back({op->warp, op->lanes, op->number});
  cluster.async.finish([&](const AsyncOp &op) -> uint32_t {
    if (op.mbarrier == &barrier)
      return op.lanes;
    uint32_t tracked = 0;
    if (op.publisher == Publisher::CopyGroup)
      for (const Arrival &arrival : arrivals)
        if (op.warp == arrival.warp && op.number < arrival.number)
          tracked |= op.lanes & arrival.lanes;
    return tracked;
  });
}

/// Whether the phase that a lane asks about is over; fails if it cannot ask.
std::optional<bool> isOver(Warp &warp, const Inst &inst, uint32_t slot,
                           unsigned lane, const Mbarrier &barrier) {
  if (inst.a) {
    uint32_t parity = getLane<uint32_t>(warp.slot(slot), lane);
    if (parity <= 1)
      return (barrier.phase & 1) != parity;
    warp.fail(lane, "parity must be 0 or 1, found " + std::to_string(parity));
    return std::nullopt;
  }
  uint64_t phase = getLane<uint64_t>(warp.slot(slot), lane) >> stateShift;
  if (phase == barrier.phase || phase + 1 == barrier.phase)
    return phase != barrier.phase;
  warp.fail(lane, "the state is of phase " + std::to_string(phase) +
                      ", expected the current phase " +
                      std::to_string(barrier.phase) + " or the one before");
  return std::nullopt;
}

// Slots: predicate, address, state or parity, and perhaps a time. Inst::a:
// parity, Inst::b: may suspend. As both forms may say no at any time, the first
// look at a phase that is not over always does: it does not let operations end
// or suspend the warp, so that a program that looks only once goes wrong.
void runWait(Warp &warp, const Inst &inst, const uint32_t *slots) {
  uint32_t done = 0, offset = 0;
  bool looksAgain = warp.lookedAt == &inst;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    Mbarrier *barrier = find(warp, inst, slots[1], lane);
    if (!barrier)
      return;
    offset = barrier->offset;
    std::optional<bool> isDone = isOver(warp, inst, slots[2], lane, *barrier);
    if (isDone && !*isDone && looksAgain && barrier->waitsForOpsOnly()) {
      finishOps(warp.block->cluster, *barrier);
      isDone = isOver(warp, inst, slots[2], lane, *barrier);
    }
    if (!isDone)
      return;
    if (RaceChecker *races = warp.block->races) {
      std::optional<uint32_t> parity;
      if (inst.a)
        parity = getLane<uint32_t>(warp.slot(slots[2]), lane);
      if (!races->look(warp, lane, *barrier, inst.order, parity, *isDone))
        return;
    }
    done |= uint32_t(*isDone) << lane;
  }
  if (warp.block->cluster.failed)
    return;
  warp.lookedAt = done ? nullptr : &inst;
  if (done == 0) {
    if (inst.b && looksAgain)
      return warp.blockFor(WaitFor::Mbarrier, offset);
    warp.yield();
  }
  putPredicate(warp, slots[0], done);
}

void runPendingCount(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *state = warp.slot(slots[1]);
  eachLane<uint32_t>(warp, slots[0], [=](unsigned lane) {
    return static_cast<uint32_t>(getLane<uint64_t>(state, lane) &
                                 ((1u << stateShift) - 1));
  });
}

/// The arrival of cp.async.mbarrier.arrive, which no copy of data goes with.
class CopyArrival : public AsyncOp {
public:
  using AsyncOp::AsyncOp;
  void extents(std::vector<Extent> &, std::vector<Extent> &) const override {}
  void write() override {}
};

// Inst::a: .noinc.
void runCopyArrive(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Cluster &cluster = warp.block->cluster;
  for (uint32_t rest = warp.lanes; rest;) {
    unsigned first = __builtin_ctz(rest);
    Mbarrier *barrier = find(warp, inst, slots[0], first);
    if (!barrier)
      return;
    // Lanes that name the same object go together.
    auto address = [&](unsigned lane) {
      return addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    };
    uint32_t same = 0;
    for (uint32_t lanes = rest; lanes; lanes &= lanes - 1)
      if (address(__builtin_ctz(lanes)) == address(first))
        same |= 1u << __builtin_ctz(lanes);
    rest &= ~same;
    auto op = std::make_unique<CopyArrival>(warp, same, inst, Proxy::Generic,
                                            Publisher::Mbarrier);
    op->mbarrier = barrier;
    op->arrivals = __builtin_popcount(same);
    if (RaceChecker *races = warp.block->races)
      for (uint32_t lanes = same; lanes; lanes &= lanes - 1)
        if (!races->arriveWithCopies(warp, __builtin_ctz(lanes), *barrier))
          return;
    if (!inst.a)
      barrier->pending += op->arrivals;
    if (barrier->pending > int64_t(Mbarrier::maxCount))
      return warp.fail(first, "more than " +
                                  std::to_string(Mbarrier::maxCount) +
                                  " arrivals are pending");
    cluster.async.issue(std::move(op), cluster.finishesAtOnce());
    if (cluster.failed)
      return;
  }
}

/// Consumes semantics, scope and state space. Arrivals release and waits
/// acquire unless they are relaxed.
void takeSpace(Decoder &d, bool mayBeRemote) {
  d.inst.order = takeMemoryOrder(d);
  if (!d.inst.order.strong)
    d.inst.order.acquire = d.inst.order.release = true;
  d.inst.space = d.take("shared") || d.take("shared::cta") ? Space::Shared
                 : mayBeRemote && d.take("shared::cluster")
                     ? Space::SharedCluster
                     : Space::Generic;
}

void decodeArrive(Decoder &d, bool drop) {
  d.inst.a = Arrive | (drop ? Drop : 0) | (d.take("expect_tx") ? Expect : 0) |
             (d.take("noComplete") ? NoComplete : 0);
  takeSpace(d, true);
  bool needsOperand = d.inst.a & (Expect | NoComplete);
  if (d.takeType() != Type::B64)
    return void(d.unsupported());
  if (!d.expectOperands(needsOperand ? 3 : 2, 3))
    return;
  d.inst.c = d.operands() == 3;
  if (d.inst.space == Space::SharedCluster &&
      d.operand(0).kind != Operand::Sink)
    return void(d.fail("a remote arrival returns no state, expected '_'"));
  d.dst(0, Type::B64);
  d.address(d.operand(1));
  if (d.inst.c)
    d.src(2, Type::U32);
  d.emit(runArrive<true>);
}

void decodeWait(Decoder &d, bool suspends) {
  d.inst.b = suspends;
  d.inst.a = d.take("parity");
  takeSpace(d, false);
  if (d.takeType() != Type::B64)
    return void(d.unsupported());
  if (!d.expectOperands(3, suspends ? 4 : 3))
    return;
  d.dst(0, Type::Pred);
  d.address(d.operand(1));
  d.src(2, d.inst.a ? Type::U32 : Type::B64);
  if (d.operands() == 4)
    d.src(3, Type::U32);
  d.emit(runWait);
}

} // namespace

void sparse_attn::emulator::decodeMbarrier(Decoder &d) {
  bool drop = d.take("arrive_drop");
  if (drop || d.take("arrive"))
    return decodeArrive(d, drop);
  bool suspends = d.take("try_wait");
  if (suspends || d.take("test_wait"))
    return decodeWait(d, suspends);
  bool init = d.take("init"), invalidate = d.take("inval");
  bool expect = d.take("expect_tx"), complete = d.take("complete_tx");
  bool count = d.take("pending_count");
  if (!count)
    takeSpace(d, expect || complete);
  if (d.takeType() != Type::B64 ||
      init + invalidate + expect + complete + count != 1)
    return void(d.unsupported());
  if (!d.expectOperands(invalidate ? 1 : 2))
    return;
  if (count) {
    d.dst(0, Type::U32);
    d.src(1, Type::B64);
    return d.emit(runPendingCount);
  }
  d.address(d.operand(0));
  if (!invalidate)
    d.src(1, Type::U32);
  d.inst.a = expect ? Expect : complete ? Complete : 0;
  d.inst.c = expect || complete;
  d.emit(init ? runInit : invalidate ? runInvalidate : runArrive<false>);
}

void sparse_attn::emulator::decodeCopyArrive(Decoder &d) {
  d.inst.a = d.take("noinc");
  takeSpace(d, false);
  if (!d.take("arrive") || d.takeType() != Type::B64)
    return void(d.unsupported());
  if (d.expectOperands(1))
    d.address(d.operand(0));
  d.emit(runCopyArrive);
}

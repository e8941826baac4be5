//===- AsyncOrder.cpp - Copies, wgmma and mbarriers --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RaceChecker.h"

using namespace sparse_attn::emulator;

static Extent bytesOf(const Mbarrier &barrier) {
  return {barrier.block, barrier.offset, 8};
}

bool RaceChecker::issue(AsyncOp &op) {
  if (op.publisher != Publisher::CopyGroup)
    return issue(op, op.lane);
  // Every lane waits for its own part.
  uint32_t lanes = op.lanes;
  bool isClean = true;
  for (uint32_t rest = lanes; rest && isClean; rest &= rest - 1) {
    op.lanes = rest & -rest;
    isClean = issue(op, static_cast<unsigned>(__builtin_ctz(rest)));
  }
  op.lanes = lanes;
  return isClean;
}

bool RaceChecker::issue(AsyncOp &op, unsigned lane) {
  Warp &warp = *op.warp;
  Thread &one = thread(warp, lane);
  uint32_t number = numberOf(warp);
  Access access;
  access.pc = static_cast<uint32_t>(op.inst - warp.block->kernel.code.data());
  access.isAsync = op.proxy == Proxy::Async;
  access.lanes = 1u << lane;
  auto belongTo = [&](uint32_t owner, Stream stream) {
    access.row = static_cast<uint16_t>(rowOf(owner, stream));
    access.epoch = one.issued[unsigned(stream)];
  };
  switch (op.publisher) {
  case Publisher::CopyGroup:
    belongTo(number, Stream::Copy);
    break;
  case Publisher::BulkGroup:
    belongTo(number, Stream::BulkRead);
    break;
  case Publisher::WgmmaGroup: // by issuePart
    return true;
  case Publisher::Mbarrier: {
    MbarrierState &state = mbarriers[op.mbarrier];
    op.phase = op.mbarrier->phase;
    access.row = static_cast<uint16_t>(firstMbarrierRow() + state.agent / 32);
    access.lanes = 1u << state.agent % 32;
    access.epoch = static_cast<uint32_t>(op.phase) + 1;
  }
  }
  access.scope = Scope::Gpu;
  if (op.mbarrier) {
    Access completion = access; // of its bytes
    completion.isWrite = completion.isStrong = true;
    if (!check(warp, lane, false, bytesOf(*op.mbarrier), completion))
      return false;
  }
  std::vector<Extent> reads, writes;
  op.extents(reads, writes);
  for (const Extent &extent : reads)
    if (!check(warp, lane, false, extent, access))
      return false;
  access.isWrite = true;
  access.isStrong = op.isAtomic;
  if (op.publisher == Publisher::BulkGroup)
    belongTo(number, Stream::Bulk);
  for (const Extent &extent : writes)
    if (!check(warp, lane, false, extent, access))
      return false;
  return true;
}

bool RaceChecker::issuePart(Warp &warp, const AsyncOp &op) {
  // Every thread must have the order. All reads are those of the warpgroup.
  Access access = accessBy(warp, 0);
  access.isAsync = true;
  access.row =
      static_cast<uint16_t>(rowOf(warpgroupOf(numberOf(warp)), Stream::Wgmma));
  access.epoch = thread(warp, 0).issued[unsigned(Stream::Wgmma)];
  std::vector<Extent> reads, writes;
  op.extents(reads, writes);
  for (const Extent &extent : reads)
    if (!check(warp, 0, true, extent, access))
      return false;
  return true;
}

void RaceChecker::touchRegisters(const Warp &warp, const Inst &inst,
                                 const uint32_t *slots) {
  RegisterState &state = registers[numberOf(warp)];
  state.uses.resize(launch.kernel.slots);
  auto pc = static_cast<uint32_t>(&inst - launch.kernel.code.data());
  for (unsigned i = 0; i < unsigned(inst.dsts + inst.srcs); ++i)
    state.uses[slots[i]] = {state.fences, pc};
}

void RaceChecker::fenceRegisters(const Warp &warp) {
  ++registers[numberOf(warp)].fences;
}

bool RaceChecker::checkRegisters(Warp &warp, const uint32_t *slots,
                                 unsigned count) {
  RegisterState &state = registers[numberOf(warp)];
  const Kernel &kernel = launch.kernel;
  if (state.fences == 0) {
    warp.fail(0, "expected wgmma.fence before the first wgmma");
    return false;
  }
  state.uses.resize(kernel.slots);
  for (unsigned i = 0; i < count; ++i) {
    const RegisterState::Use &use = state.uses[slots[i]];
    if (use.fences != state.fences)
      continue;
    const Inst &other = kernel.code[use.pc];
    warp.fail(0, "expected wgmma.fence after the access to register '" +
                     kernel.registerName(slots[i]) + "' by '" +
                     kernel.opcodes[other.opcode] + "' in line " +
                     std::to_string(other.line));
    return false;
  }
  return true;
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

void RaceChecker::fenceProxy(Warp &warp) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    Thread &one = thread(warp, __builtin_ctz(rest));
    one.proxied = one.now;
  }
  advance(warp, warp.lanes);
}

bool RaceChecker::initialise(Warp &warp, unsigned lane,
                             const Mbarrier &barrier) {
  MbarrierState &state = mbarriers[&barrier];
  state = {};
  state.agent = mbarrierAgents++;
  return invalidate(warp, lane, barrier);
}

bool RaceChecker::invalidate(Warp &warp, unsigned lane,
                             const Mbarrier &barrier) {
  Access access = accessBy(warp, lane);
  access.isWrite = true;
  return check(warp, lane, false, bytesOf(barrier), access);
}

bool RaceChecker::arrive(Warp &warp, unsigned lane, const Mbarrier &barrier,
                         MemoryOrder order) {
  Access access = accessBy(warp, lane);
  access.isWrite = true; // operations on the object are atomic
  access.isStrong = true;
  access.scope = Scope::Sys;
  if (!check(warp, lane, false, bytesOf(barrier), access))
    return false;
  if (order.release) {
    publish(warp, 1u << lane, mbarriers[&barrier].arriving);
    advance(warp, 1u << lane);
  }
  return true;
}

bool RaceChecker::arriveWithCopies(Warp &warp, unsigned lane,
                                   const Mbarrier &barrier) {
  if (!arrive(warp, lane, barrier, {}))
    return false;
  uint32_t &issued = thread(warp, lane).issued[unsigned(Stream::Copy)];
  mbarriers[&barrier].arriving.known.raise(rowOf(numberOf(warp), Stream::Copy),
                                           lane, issued++);
  return true;
}

void RaceChecker::completePhase(const Mbarrier &barrier) {
  MbarrierState &state = mbarriers[&barrier];
  // Operations of this phase have ended, but for those whose bytes nobody
  // expected.
  uint64_t ended = barrier.phase + 1;
  for (const auto &op : cluster->async.inFlight())
    if (op->mbarrier == &barrier && op->lanes)
      ended = std::min(ended, op->phase);
  state.arriving.known.raise(firstMbarrierRow() + state.agent / 32,
                             state.agent % 32, static_cast<uint32_t>(ended));
  state.completed = {
      std::make_shared<const Clock>(std::move(state.arriving.known)),
      std::make_shared<const Clock>(std::move(state.arriving.proxied))};
  state.arriving = {};
}

bool RaceChecker::look(Warp &warp, unsigned lane, const Mbarrier &barrier,
                       MemoryOrder order, std::optional<uint32_t> parity,
                       bool isOver) {
  Access access = accessBy(warp, lane);
  access.isStrong = true;
  access.scope = Scope::Sys;
  if (!check(warp, lane, false, bytesOf(barrier), access))
    return false;
  MbarrierState &state = mbarriers[&barrier];
  if (parity) {
    // A parity names every other phase: whoever is two phases behind takes the
    // wrong one for the right one, or waits for ever.
    uint32_t self = numberOf(warp) * 32 + lane;
    auto next = state.next.find(self);
    bool follows = next != state.next.end() && next->second % 2 == *parity;
    if (follows && barrier.phase > next->second + 1) {
      warp.fail(lane, "waits for phase " + std::to_string(next->second) +
                          " of the mbarrier at shared address " +
                          hex(barrier.offset + sharedBase) +
                          " by its parity, but phase " +
                          std::to_string(barrier.phase - 1) +
                          " is over already: expected that no thread falls "
                          "two phases behind");
      return false;
    }
    state.next[self] = barrier.phase;
  }
  if (isOver && order.acquire)
    learn(thread(warp, lane), state.completed);
  return true;
}

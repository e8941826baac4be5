//===- Mbarrier.cpp - mbarrier objects ------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Mbarrier.h"

#include "Hazards/RaceChecker.h"

using namespace sparse_attn::emulator;

void Mbarrier::begin(const AsyncOp &op) {
  pendingInFlight += op.arrivals;
  transactionsInFlight += static_cast<int64_t>(op.transactions);
  wakeIfEnding();
}

void Mbarrier::end(const AsyncOp &op) {
  pendingInFlight -= op.arrivals;
  transactionsInFlight -= static_cast<int64_t>(op.transactions);
  if (op.transactions)
    addTransactions(*op.warp, op.lane, *op.inst,
                    -static_cast<int64_t>(op.transactions));
  if (op.arrivals)
    arrive(*op.warp, op.lane, *op.inst, op.arrivals);
}

static std::string place(const Mbarrier &barrier) {
  return "the mbarrier at shared address " +
         std::to_string(barrier.offset + sharedBase);
}

void Mbarrier::arrive(Warp &warp, unsigned lane, const Inst &inst,
                      uint32_t count) {
  if (pending < int64_t(count))
    return warp.failAt(inst, lane,
                       std::to_string(count) + " arrivals at " + place(*this) +
                           ", whose " + describe());
  pending -= count;
  completeIfDone();
  wakeIfEnding();
  if (pending == 0 && transactions < 0)
    warp.failAt(inst, lane,
                std::to_string(-transactions) + " more bytes came to " +
                    place(*this) + " than phase " + std::to_string(phase) +
                    " expects");
}

void Mbarrier::addTransactions(Warp &warp, unsigned lane, const Inst &inst,
                               int64_t bytes) {
  transactions += bytes;
  if (transactions > int64_t(maxCount) || transactions < -int64_t(maxCount))
    return warp.failAt(inst, lane,
                       "the tx-count of " + place(*this) + " is " +
                           std::to_string(transactions) +
                           ", expected at most " + std::to_string(maxCount) +
                           " either way");
  completeIfDone();
  if (pending == 0 && transactions < 0)
    warp.failAt(inst, lane,
                std::to_string(-transactions) + " more bytes came to " +
                    place(*this) + " than phase " + std::to_string(phase) +
                    " expects");
}

bool Mbarrier::waitsForOpsOnly() const {
  bool any = pendingInFlight || transactionsInFlight;
  return any && pending <= pendingInFlight &&
         transactions <= transactionsInFlight;
}

void Mbarrier::wakeIfEnding() {
  if (waitsForOpsOnly())
    block->cluster.wake(WaitFor::Mbarrier);
}

void Mbarrier::completeIfDone() {
  if (pending || transactions)
    return;
  if (block->races)
    block->races->completePhase(*this);
  ++phase;
  pending = expected;
  block->cluster.wake(WaitFor::Mbarrier);
}

std::string Mbarrier::describe() const {
  std::string text = "phase " + std::to_string(phase) + " lacks " +
                     std::to_string(pending) + " of " +
                     std::to_string(expected) + " arrivals";
  if (transactions)
    text += " and " + std::to_string(transactions) + " bytes";
  if (transactionsInFlight)
    text += ", " + std::to_string(transactionsInFlight) + " are in flight";
  return text;
}

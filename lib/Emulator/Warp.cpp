//===- Warp.cpp - The interpreter loop ------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Hazards/RaceChecker.h"

#include <cstdio>

using namespace sparse_attn::emulator;

void Warp::create(Block &owner, unsigned index) {
  block = &owner;
  warpIndex = index;
  // Slots begin at multiples of 64, as vector instructions like it.
  size_t bytes = size_t(owner.kernel.slots) * 128;
  storage = std::make_unique<uint8_t[]>(bytes + 64);
  file = storage.get();
  file += (64 - reinterpret_cast<uintptr_t>(file) % 64) % 64;
}

void Warp::fail(unsigned lane, std::string message, Error::Kind kind) {
  bool isFirst = !block->cluster.failed;
  failAt(*currentInst, lane, std::move(message));
  if (isFirst)
    block->cluster.error.kind = kind;
}

void Warp::failAt(const Inst &inst, unsigned lane, std::string message) {
  event = true;
  block->cluster.fail(inst.line, "'" + block->kernel.opcodes[inst.opcode] +
                                     "': " + std::move(message) + ", in " +
                                     block->threadName(warpIndex, lane));
}

std::string sparse_attn::emulator::hexMask(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

bool Warp::requireConverged(bool wholeWarp) {
  uint32_t wanted = wholeWarp ? ~0u : liveLanes;
  if (lanes == wanted)
    return true;
  fail(__builtin_ctz(lanes), "executed by lanes " + hexMask(lanes) +
                                 " only, expected the converged warp " +
                                 hexMask(wanted));
  return false;
}

void Warp::run(uint64_t &budget) {
  const Inst *code = block->kernel.code.data();
  const uint32_t *operands = block->kernel.operands.data();
  uint64_t begin = budget;
  const bool &failed = block->cluster.failed;
  auto &byClass = block->counters.byClass;
  bool tracksRegisters = block->races && !block->kernel.wgmmaShapes.empty();
  yields = false;
  while (budget > 0 && !failed && !yields && (hasCurrent || selectGroup())) {
    event = false;
    while (budget > 0 && !event) {
      --budget;
      const Inst &inst = code[pc++];
      currentInst = &inst;
      ++byClass[inst.kind];
      lanes = current.mask;
      if (inst.guard != noSlot) {
        if (uint32_t missing = lanes & ~writtenMasks[inst.guard]) {
          fail(__builtin_ctz(missing),
               "predicate '" + block->kernel.registerName(inst.guard) +
                   "' was never written");
          break;
        }
        uint32_t guard = predicate(inst.guard);
        lanes &= inst.guardNegated ? ~guard : guard;
        if (!lanes)
          continue;
      }
      const uint32_t *slots = operands + inst.slots;
      uint32_t ready = lanes;
      if (!inst.checksSources) {
        for (unsigned i = inst.dsts, end = inst.dsts + inst.srcs; i < end; ++i)
          ready &= writtenMasks[slots[i]];
        if (ready != lanes && !mayCompute(inst, slots)) {
          reportUnwritten(inst, slots);
          break;
        }
      }
      uint32_t writes = lanes;
      inst.run(*this, inst, slots);
      if (tracksRegisters && !inst.isAsync)
        block->races->touchRegisters(*this, inst, slots);
      if (!inst.checksSources)
        for (unsigned i = 0; i < inst.dsts; ++i) {
          uint32_t &written = writtenMasks[slots[i]];
          written = (written & ~writes) | (ready & writes);
        }
    }
  }
  block->counters.instructions += begin - budget;
}

bool Warp::requireWritten(uint32_t slot) {
  uint32_t missing = lanes & ~writtenMasks[slot];
  if (!missing)
    return true;
  fail(__builtin_ctz(missing),
       "register '" + block->kernel.registerName(slot) + "' " +
           (isInFlight(slot)
                ? "is used before wgmma.wait_group"
                : "was never written, nor what it was computed from"));
  return false;
}

bool Warp::mayCompute(const Inst &inst, const uint32_t *slots) const {
  bool may = inst.carriesUnwritten;
  for (unsigned i = inst.dsts; i < unsigned(inst.dsts + inst.srcs); ++i)
    may &= !isInFlight(slots[i]);
  return may;
}

void Warp::reportUnwritten(const Inst &inst, const uint32_t *slots) {
  for (unsigned i = inst.dsts; i < unsigned(inst.dsts + inst.srcs); ++i)
    if (!requireWritten(slots[i]))
      return;
}

void Warp::start() {
  unsigned threads = block->threadCount();
  unsigned first = warpIndex * 32;
  existingLanes = threads - first >= 32 ? ~0u : (1u << (threads - first)) - 1;
  liveLanes = existingLanes;
  groups.clear();
  convergences.clear();
  freeConvergences.clear();
  copyGroups.fill(0);
  bulkGroups.fill(0);
  lookedAt = nullptr;
  clusterArrived = 0;
  clusterPending = ~0u;
  carry = 0;
  pc = 0;
  current = {};
  current.mask = existingLanes;
  hasCurrent = true;
}

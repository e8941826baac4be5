//===- VectorAtomic.cpp - atom and red of halves and vectors ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Parallel Synchronization and Communication Instructions: atom,
// red", forms with f16, bf16 and vectors. Each element is updated by itself.
//
//===----------------------------------------------------------------------===//

#include "BulkCopy.h"
#include "Hazards/RaceChecker.h"

using namespace sparse_attn::emulator;

namespace {

// Inst::a registers of Inst::c bytes, Inst::b: the old values are returned,
// Inst::imm2: the reduction, Inst::imm3: the type of an element.
void runVectorAtomic(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint32_t *sources = slots + (inst.b ? inst.a : 0);
  auto type = static_cast<Type>(inst.imm3);
  Combine combine = combineOf(static_cast<Reduction>(inst.imm2), type);
  unsigned bytes = inst.a * inst.c, step = bitsOf(type) / 8;
  RaceChecker *races = warp.block->races;
  // Blocks run on several host threads.
  std::unique_lock<std::mutex> lock(warp.block->launch.memory.atomics);
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t address =
        addressOf(warp, sources[0], inst.wideAddress, inst.imm, lane);
    Location location;
    if (!locate(warp, lane, inst.space, address, bytes, location, true) ||
        (races &&
         !races->update(warp, lane, location, address, bytes, inst.order)) ||
        !requireInitialised(warp, lane, location, address, bytes))
      return;
    for (unsigned r = 0; r < inst.a; ++r) {
      uint8_t *target = location.data + r * inst.c;
      uint32_t value = getLane<uint32_t>(warp.slot(sources[1 + r]), lane);
      if (inst.b) {
        uint32_t old = 0;
        std::memcpy(&old, target, inst.c);
        putLane<uint32_t>(warp.slot(slots[r]), lane, old);
      }
      for (unsigned i = 0; i < inst.c; i += step)
        combine(target + i, reinterpret_cast<uint8_t *>(&value) + i);
    }
    (location.space == Space::Global ? warp.block->counters.globalBytes
                                     : warp.block->counters.sharedBytes) +=
        2 * bytes;
  }
}

} // namespace

bool sparse_attn::emulator::decodeVectorAtomic(Decoder &d, Reduction reduction,
                                               Type type, unsigned count) {
  bool returns = d.base() == "atom";
  Type element = type == Type::F16x2    ? Type::F16
                 : type == Type::BF16x2 ? Type::BF16
                                        : type;
  unsigned bytes = bitsOf(type) / 8;
  if (!combineOf(reduction, element) || bytes > 4 || count * bytes > 16 ||
      (count > 1 && d.inst.space != Space::Global))
    return d.unsupported();
  bool policy = d.take("L2::cache_hint");
  if (!d.expectOperands(2 + returns + policy))
    return false;
  d.inst.a = static_cast<uint8_t>(count);
  d.inst.b = returns;
  d.inst.c = static_cast<uint8_t>(bytes);
  auto forEach = [&](const Operand &operand, auto f) {
    std::vector<Operand> elements = {operand};
    if (operand.kind == Operand::Vector)
      elements = operand.elements;
    if (elements.size() != count)
      return d.fail("expected " + std::to_string(count) + " registers, found " +
                    std::to_string(elements.size()));
    for (const Operand &one : elements)
      f(one);
    return true;
  };
  if (returns &&
      !forEach(d.operand(0), [&](const Operand &one) { d.dst(one, type); }))
    return false;
  d.address(d.operand(returns));
  if (!forEach(d.operand(1 + returns),
               [&](const Operand &one) { d.src(one, type); }))
    return false;
  if (policy)
    d.src(d.operands() - 1, Type::B64);
  d.inst.imm2 = static_cast<int64_t>(reduction);
  d.inst.imm3 = static_cast<int64_t>(element);
  d.emit(runVectorAtomic);
  return true;
}

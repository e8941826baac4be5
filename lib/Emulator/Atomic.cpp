//===- Atomic.cpp - atom and red ------------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Numeric.h"

#include "BulkCopy.h"
#include "Hazards/RaceChecker.h"
#include "Memory.h"

using namespace sparse_attn::emulator;

namespace {

enum Operation : uint8_t { Add, Min, Max, And, Or, Xor, Exch, Cas, Inc, Dec };

template <class T>
T combine(Operation operation, T old, T b, T c) {
  switch (operation) {
  case Add:
    if constexpr (std::is_floating_point<T>::value)
      return canonical(old + b);
    else
      return static_cast<T>(std::make_unsigned_t<T>(old) +
                            std::make_unsigned_t<T>(b));
  case Min:
    return b < old ? b : old;
  case Max:
    return b > old ? b : old;
  case Exch:
    return b;
  case Cas:
    return old == b ? c : old;
  case Inc:
    return old >= b ? T(0) : static_cast<T>(old + 1);
  case Dec:
    return old == 0 || old > b ? b : static_cast<T>(old - 1);
  default:
    break;
  }
  if constexpr (!std::is_floating_point<T>::value) {
    if (operation == And)
      return old & b;
    if (operation == Or)
      return old | b;
    if (operation == Xor)
      return old ^ b;
  }
  return old;
}

// Inst::a is the operation, Inst::b whether the old value is returned.
template <class T>
void runAtomic(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint32_t *sources = slots + inst.b;
  RaceChecker *races = warp.block->races;
  // Blocks run on several host threads.
  std::unique_lock<std::mutex> lock(warp.block->launch.memory.atomics);
  uint32_t lanes = warp.lanes;
  T results[32] = {};
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t address =
        addressOf(warp, sources[0], inst.wideAddress, inst.imm, lane);
    Location location;
    if (!locate(warp, lane, inst.space, address, sizeof(T), location, true) ||
        (races && !races->update(warp, lane, location, address, sizeof(T),
                                 inst.order)) ||
        !requireInitialised(warp, lane, location, address, sizeof(T)))
      return;
    T old, value;
    std::memcpy(&old, location.data, sizeof(T));
    T b = getLane<T>(warp.slot(sources[1]), lane), c = 0;
    if (inst.a == Cas)
      c = getLane<T>(warp.slot(sources[2]), lane);
    value = combine<T>(Operation(inst.a), old, b, c);
    std::memcpy(location.data, &value, sizeof(T));
    std::memset(location.shadow, Written, sizeof(T));
    results[lane] = old;
    (location.space == Space::Global ? warp.block->counters.globalBytes
                                     : warp.block->counters.sharedBytes) +=
        2 * sizeof(T);
  }
  if (inst.b)
    eachLane<T>(warp, slots[0], [&](unsigned lane) { return results[lane]; });
}

Handler handlerOf(Type type, uint8_t operation) {
  bool bits = operation == And || operation == Or || operation == Xor ||
              operation == Exch || operation == Cas;
  bool ranked = operation == Min || operation == Max;
  bool add = operation == Add;
  switch (type) {
  case Type::B16:
    return operation == Cas ? runAtomic<uint16_t> : nullptr;
  case Type::B32:
    return bits ? runAtomic<uint32_t> : nullptr;
  case Type::B64:
    return bits ? runAtomic<uint64_t> : nullptr;
  case Type::U32:
    return bits && operation <= Xor ? nullptr : runAtomic<uint32_t>;
  case Type::S32:
    return add || ranked ? runAtomic<int32_t> : nullptr;
  case Type::U64:
    return add || ranked || operation >= Exch ? runAtomic<uint64_t> : nullptr;
  case Type::S64:
    return ranked ? runAtomic<int64_t> : nullptr;
  case Type::F32:
    return add ? runAtomic<float> : nullptr;
  case Type::F64:
    return add ? runAtomic<double> : nullptr;
  default:
    return nullptr;
  }
}

} // namespace

void sparse_attn::emulator::decodeAtomic(Decoder &d) {
  bool returns = d.base() == "atom";
  if (!returns && d.take("async"))
    return decodeAsyncStore(d);
  d.inst.order = takeMemoryOrder(d); // relaxed unless stated
  takeCacheModifiers(d);
  d.take("noftz");
  d.inst.space = d.take("global")                            ? Space::Global
                 : d.take("shared") || d.take("shared::cta") ? Space::Shared
                 : d.take("shared::cluster") ? Space::SharedCluster
                                             : Space::Generic;
  unsigned count = d.take("v2") ? 2 : d.take("v4") ? 4 : d.take("v8") ? 8 : 1;
  const char *names[] = {"add", "min",  "max", "and", "or",
                         "xor", "exch", "cas", "inc", "dec"};
  bool found = false;
  for (uint8_t i = 0; i < 10 && !found; ++i)
    if (d.take(names[i])) {
      d.inst.a = i;
      found = true;
    }
  Type type = d.takeType();
  bool isHalf = type == Type::F16 || type == Type::BF16 ||
                type == Type::F16x2 || type == Type::BF16x2;
  if (found && (count > 1 || isHalf)) {
    Reduction reduction = d.inst.a == Add   ? Reduction::Add
                          : d.inst.a == Min ? Reduction::Min
                          : d.inst.a == Max ? Reduction::Max
                                            : Reduction::None;
    return void(decodeVectorAtomic(d, reduction, type, count));
  }
  Handler handler = found ? handlerOf(type, d.inst.a) : nullptr;
  if (!handler)
    return void(d.unsupported());
  bool cas = d.inst.a == Cas;
  if (!d.expectOperands(2 + returns + cas))
    return;
  d.inst.b = returns;
  if (returns)
    d.dst(0, type);
  d.address(d.operand(returns));
  d.src(1 + returns, type);
  if (cas)
    d.src(2 + returns, type);
  d.emit(handler);
}

//===- Move.cpp - mov, cvta, isspacep -------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Decoder.h"
#include "Lanes.h"

using namespace sparse_attn::emulator;

namespace {

// Copies of registers that were never written are not errors but stay
// unwritten: compilers copy undefined values, and only their use is a fault.
void putWritten(Warp &warp, uint32_t target, uint32_t written) {
  uint32_t &result = warp.written(target);
  result = (result & ~warp.lanes) | (written & warp.lanes);
}

template <class T>
void runMove(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  eachLane<T>(warp, slots[0],
              [=](unsigned lane) { return getLane<T>(a, lane); });
  putWritten(warp, slots[0], warp.written(slots[1]));
}

void runMovePredicate(Warp &warp, const Inst &, const uint32_t *slots) {
  putPredicate(warp, slots[0], warp.predicate(slots[1]));
  putWritten(warp, slots[0], warp.written(slots[1]));
}

/// mov.b32 d, {a, b}: the first element is the lowest. Inst::a elements.
template <class T, class Part>
void runPack(Warp &warp, const Inst &inst, const uint32_t *slots) {
  uint32_t written = ~0u;
  for (unsigned i = 0; i < inst.a; ++i)
    written &= warp.written(slots[1 + i]);
  eachLane<T>(warp, slots[0], [&](unsigned lane) {
    T value = 0;
    for (unsigned i = 0; i < inst.a; ++i)
      value |= T(getLane<Part>(warp.slot(slots[1 + i]), lane))
               << (i * sizeof(Part) * 8);
    return value;
  });
  putWritten(warp, slots[0], written);
}

template <class T, class Part>
void runUnpack(Warp &warp, const Inst &inst, const uint32_t *slots) {
  // The source may be one of the targets.
  T source[32];
  for (unsigned lane = 0; lane < 32; ++lane)
    source[lane] = getLane<T>(warp.slot(slots[inst.a]), lane);
  uint32_t written = warp.written(slots[inst.a]);
  for (unsigned i = 0; i < inst.a; ++i) {
    eachLane<Part>(warp, slots[i], [&](unsigned lane) {
      return static_cast<Part>(source[lane] >> (i * sizeof(Part) * 8));
    });
    putWritten(warp, slots[i], written);
  }
}

Handler packOf(unsigned bits, size_t count, bool unpack) {
  if (bits == 32 && count == 2)
    return unpack ? runUnpack<uint32_t, uint16_t> : runPack<uint32_t, uint16_t>;
  if (bits == 64 && count == 2)
    return unpack ? runUnpack<uint64_t, uint32_t> : runPack<uint64_t, uint32_t>;
  if (bits == 64 && count == 4)
    return unpack ? runUnpack<uint64_t, uint16_t> : runPack<uint64_t, uint16_t>;
  return nullptr;
}

/// Inst::imm is added: the start of the window, or its negation.
template <class T>
void runAddress(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  uint64_t shift = static_cast<uint64_t>(inst.imm);
  eachLane<T>(warp, slots[0], [=](unsigned lane) {
    return static_cast<T>(getLane<T>(a, lane) + shift);
  });
}

void runIsSpace(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  uint64_t begin = static_cast<uint64_t>(inst.imm);
  uint64_t bytes = static_cast<uint64_t>(inst.imm2); // of the window
  putPredicate(warp, slots[0], collect(warp, [=](unsigned lane) {
                 uint64_t address = getLane<uint64_t>(a, lane);
                 if (begin == 0) // global: in no window
                   return address < sharedWindow;
                 return address - begin < bytes;
               }));
}

bool takeWindow(Decoder &d, uint64_t &window) {
  if (d.take("shared") || d.take("shared::cta") || d.take("shared::cluster"))
    window = sharedWindow;
  else if (d.take("local"))
    window = localWindow;
  else if (d.take("param") || d.take("param::entry"))
    window = paramWindow;
  else if (d.take("global") || d.take("const"))
    window = 0;
  else
    return d.fail("expected a state space");
  return true;
}

} // namespace

void sparse_attn::emulator::decodeMove(Decoder &d) {
  Type type = d.takeType();
  if (type == Type::None || bitsOf(type) == 8)
    return void(d.unsupported());
  if (!d.expectOperands(2))
    return;
  d.inst.checksSources = true;
  const Operand &to = d.operand(0), &from = d.operand(1);
  bool unpack = to.kind == Operand::Vector;
  if (unpack || from.kind == Operand::Vector) {
    const Operand &vector = unpack ? to : from;
    size_t count = vector.elements.size();
    Type part = bitsOf(type) == 64 && count == 2 ? Type::B32 : Type::B16;
    Handler handler = packOf(bitsOf(type), count, unpack);
    if (!handler)
      return void(d.unsupported());
    d.inst.a = static_cast<uint8_t>(count);
    if (!unpack)
      d.dst(to, type);
    for (const Operand &element : vector.elements)
      unpack ? d.dst(element, part) : d.src(element, part);
    if (unpack)
      d.src(from, type);
    return d.emit(handler);
  }
  d.dst(to, type);
  d.src(from, type);
  switch (bitsOf(type)) {
  case 1:
    return d.emit(runMovePredicate);
  case 16:
    return d.emit(runMove<uint16_t>);
  case 32:
    return d.emit(runMove<uint32_t>);
  default:
    return d.emit(runMove<uint64_t>);
  }
}

void sparse_attn::emulator::decodeAddress(Decoder &d) {
  uint64_t window = 0;
  bool isOwn = d.base() == "isspacep" && !d.has("shared::cluster");
  bool toSpace = d.take("to");
  if (!takeWindow(d, window))
    return;
  if (!d.expectOperands(2))
    return;
  if (d.base() == "isspacep") {
    d.inst.imm = static_cast<int64_t>(window);
    // Memory of other blocks is not in shared::cta.
    bool isNarrow = window == sharedWindow && isOwn;
    d.inst.imm2 = isNarrow ? remoteStride : windowBytes;
    d.dst(0, Type::Pred);
    d.src(1, Type::U64);
    return d.emit(runIsSpace);
  }
  Type type = d.takeType();
  if (type != Type::U64)
    return void(d.unsupported());
  d.inst.imm = static_cast<int64_t>(toSpace ? 0 - window : window);
  d.dst(0, type);
  d.src(1, type);
  d.emit(runAddress<uint64_t>);
}

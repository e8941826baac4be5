//===- DotProduct.cpp - dp4a, dp2a --------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Integer Arithmetic Instructions: dp4a, dp2a".
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Lanes.h"

using namespace sparse_attn::emulator;

/// Element `index` of `bits` bits.
static int64_t part(uint32_t word, unsigned bits, unsigned index,
                    bool isSigned) {
  uint32_t value = word >> (bits * index) & ((1u << bits) - 1);
  bool isNegative = isSigned && value >> (bits - 1);
  return int64_t(value) - (isNegative ? int64_t(1) << bits : 0);
}

// Inst::a: the types are signed (bit 0: of a, bit 1: of b), Inst::b: dp2a,
// Inst::c: its upper half of b.
static void runDotProduct(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]),
                *c = warp.slot(slots[3]);
  unsigned count = inst.b ? 2 : 4;
  eachLane<uint32_t>(warp, slots[0], [=](unsigned lane) {
    uint32_t x = getLane<uint32_t>(a, lane), y = getLane<uint32_t>(b, lane);
    int64_t sum = getLane<uint32_t>(c, lane);
    for (unsigned i = 0; i < count; ++i)
      sum += part(x, inst.b ? 16 : 8, i, inst.a & 1) *
             part(y, 8, i + 2 * inst.c, inst.a & 2);
    return static_cast<uint32_t>(sum);
  });
}

void sparse_attn::emulator::decodeDotProduct(Decoder &d) {
  d.inst.b = d.base() == "dp2a";
  if (d.inst.b) {
    d.inst.c = d.take("hi");
    if (!d.inst.c && !d.take("lo"))
      return void(d.unsupported());
  }
  Type a = d.takeType(), b = d.takeType();
  if ((a != Type::U32 && a != Type::S32) || (b != Type::U32 && b != Type::S32))
    return void(d.unsupported());
  d.inst.a = isSigned(a) | isSigned(b) << 1;
  if (!d.expectOperands(4))
    return;
  d.dst(0, Type::U32);
  for (size_t i = 1; i < 4; ++i)
    d.src(i, Type::U32);
  d.emit(runDotProduct);
}

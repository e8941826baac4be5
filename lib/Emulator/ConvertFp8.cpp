//===- ConvertFp8.cpp - cvt from and to e4m3 and e5m2 -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Data Movement and Conversion Instructions: cvt", packed fp8.
// Numbers out of range become the largest finite ones; NaN is 0x7f.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Lanes.h"
#include "Numeric.h"

using namespace sparse_attn::emulator;

namespace {

uint8_t floatToFp8(float value, bool e5m2, bool relu) {
  if (value != value)
    return 0x7f;
  if (relu && value < 0)
    value = 0;
  const Format format = e5m2 ? Format{2, -14, 57344.0} : Format{3, -6, 448.0};
  double rounded = roundTo(value, format, Rounding::Nearest);
  double magnitude = std::min(std::fabs(rounded), format.largest);
  uint8_t sign = std::signbit(value) && !(relu && value == 0) ? 0x80 : 0;
  if (magnitude == 0)
    return sign;
  int exponent = std::max(std::ilogb(magnitude), format.minExponent);
  auto units = static_cast<unsigned>(
      std::ldexp(magnitude, format.fractionBits - exponent));
  // The implicit bit carries into the exponent field.
  unsigned field = static_cast<unsigned>(exponent - format.minExponent);
  return static_cast<uint8_t>(sign | ((field << format.fractionBits) + units));
}

// Inst::a: e5m2, Inst::b: .relu.

/// cvt.e4m3x2.f32 d, a, b: a becomes the upper half.
void runFromFloats(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]);
  eachLane<uint16_t>(warp, slots[0], [&](unsigned lane) {
    unsigned high = floatToFp8(getLane<float>(a, lane), inst.a, inst.b);
    unsigned low = floatToFp8(getLane<float>(b, lane), inst.a, inst.b);
    return static_cast<uint16_t>(high << 8 | low);
  });
}

void runFromHalves(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  eachLane<uint16_t>(warp, slots[0], [&](unsigned lane) {
    uint32_t bits = getLane<uint32_t>(a, lane);
    auto one = [&](unsigned shift) -> unsigned {
      return floatToFp8(halfToFloat(static_cast<uint16_t>(bits >> shift)),
                        inst.a, inst.b);
    };
    return static_cast<uint16_t>(one(16) << 8 | one(0));
  });
}

void runToHalves(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  eachLane<uint32_t>(warp, slots[0], [&](unsigned lane) {
    uint16_t bits = getLane<uint16_t>(a, lane);
    auto one = [&](unsigned shift) -> uint32_t {
      float value = fp8ToFloat(static_cast<uint8_t>(bits >> shift), inst.a);
      return floatToHalf(inst.b && value < 0 ? 0 : value);
    };
    return one(8) << 16 | one(0);
  });
}

} // namespace

void sparse_attn::emulator::decodeConvertFp8(Decoder &d, Type to, Type from) {
  bool packs = to == Type::E4M3x2 || to == Type::E5M2x2;
  Type narrow = packs ? to : from;
  d.inst.a = narrow == Type::E5M2x2;
  d.inst.b = d.take("relu");
  if (!d.take("rn") || (packs && !d.take("satfinite")))
    return void(d.unsupported());
  if (packs && from == Type::F32) {
    if (!d.expectOperands(3))
      return;
    d.dst(0, Type::B16);
    d.src(1, Type::F32);
    d.src(2, Type::F32);
    return d.emit(runFromFloats);
  }
  if (packs ? from != Type::F16x2 : to != Type::F16x2)
    return void(d.unsupported());
  if (!d.expectOperands(2))
    return;
  d.dst(0, packs ? Type::B16 : Type::B32);
  d.src(1, packs ? Type::B32 : Type::B16);
  d.emit(packs ? runFromHalves : runToHalves);
}

//===- Convert.cpp - cvt --------------------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Numeric.h"

#include "Decoder.h"
#include "Lanes.h"

#include <algorithm>

using namespace sparse_attn::emulator;

namespace {

enum Flag : uint8_t { Ftz = 1, Sat = 2, Relu = 4, Finite = 8, WideSource = 16 };

// The general conversion: Inst::a and Inst::b are the types, Inst::c the
// flags, Inst::imm holds the rounding (low byte), whether it rounds to an
// integer (bit 8), and the width of the target register (from bit 16).

int64_t extend(uint64_t raw, Type type) {
  switch (type) {
  case Type::S8:
    return static_cast<int8_t>(raw);
  case Type::S16:
    return static_cast<int16_t>(raw);
  case Type::S32:
    return static_cast<int32_t>(raw);
  default:
    break;
  }
  unsigned bits = bitsOf(type);
  return static_cast<int64_t>(bits == 64 ? raw : raw & ((1ull << bits) - 1));
}

double readFloat(uint64_t raw, Type type, bool ftz) {
  switch (type) {
  case Type::F16:
    return halfToFloat(static_cast<uint16_t>(raw));
  case Type::BF16:
    return bfloatToFloat(static_cast<uint16_t>(raw));
  case Type::F32: {
    float value = bitCast<float>(static_cast<uint32_t>(raw));
    return ftz ? flushed(value) : value;
  }
  default:
    return bitCast<double>(raw);
  }
}

/// Clamps to the range of the integer type; NaN becomes 0.
uint64_t floatToInteger(double value, Type type) {
  unsigned bits = bitsOf(type);
  if (value != value)
    return 0;
  if (isSigned(type)) {
    double limit = std::ldexp(1.0, bits - 1);
    if (value >= limit)
      return (1ull << (bits - 1)) - 1;
    if (value < -limit)
      return ~0ull << (bits - 1);
    return static_cast<uint64_t>(static_cast<int64_t>(value));
  }
  if (value <= 0)
    return 0;
  if (value >= std::ldexp(1.0, bits))
    return bits == 64 ? ~0ull : (1ull << bits) - 1;
  return static_cast<uint64_t>(value);
}

uint64_t saturateInteger(int64_t value, Type from, Type to) {
  unsigned bits = bitsOf(to);
  bool huge = from == Type::U64 && value < 0;
  if (isSigned(to)) {
    int64_t high = static_cast<int64_t>(~0ull >> (65 - bits));
    return static_cast<uint64_t>(huge || value > high ? high
                                 : value < -high - 1  ? -high - 1
                                                      : value);
  }
  uint64_t high = bits == 64 ? ~0ull : (1ull << bits) - 1;
  if (value < 0 && !huge)
    return 0;
  return static_cast<uint64_t>(value) > high ? high
                                             : static_cast<uint64_t>(value);
}

/// The integer as a double, rounded to odd where it does not fit.
double integerToOdd(int64_t value, Type from) {
  bool negative = from != Type::U64 && value < 0;
  uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(value)
                                : static_cast<uint64_t>(value);
  double result;
  if (magnitude >> 53)
    result = std::ldexp(
        static_cast<double>(magnitude >> 11 | ((magnitude & 0x7ff) != 0)), 11);
  else
    result = static_cast<double>(magnitude);
  return negative ? -result : result;
}

uint64_t writeFloat(double value, Type type, Rounding rounding, uint8_t flags) {
  if (flags & Sat)
    value = value > 0 ? (value < 1 ? value : 1) : 0;
  if (flags & Relu)
    value = value > 0 || value != value ? value : 0;
  if (type == Type::F64)
    return bitCast<uint64_t>(value);
  const Format &format = type == Type::F16    ? formatF16
                         : type == Type::BF16 ? formatBf16
                         : type == Type::TF32 ? formatTf32
                                              : formatF32;
  double rounded = roundTo(value, format, rounding);
  if ((flags & Finite) && std::isinf(rounded))
    rounded = std::copysign(format.largest, rounded);
  float result = static_cast<float>(rounded);
  if (type == Type::F16)
    return floatToHalf(result);
  if (type == Type::BF16)
    return floatToBfloat(result);
  return bitCast<uint32_t>(canonical(flags & Ftz ? flushed(result) : result));
}

uint64_t convert(uint64_t raw, const Inst &inst) {
  Type to = static_cast<Type>(inst.a), from = static_cast<Type>(inst.b);
  Rounding rounding = static_cast<Rounding>(inst.imm & 0xff);
  bool toInteger = inst.imm >> 8 & 1;
  if (isFloat(from)) {
    double value = readFloat(raw, from, inst.c & Ftz);
    if (toInteger)
      value = roundToInteger(value, rounding);
    return isFloat(to) ? writeFloat(value, to, rounding, inst.c)
                       : floatToInteger(value, to);
  }
  int64_t value = extend(raw, from);
  if (!isFloat(to))
    return inst.c & Sat ? saturateInteger(value, from, to)
                        : static_cast<uint64_t>(value);
  if (to == Type::F64 && rounding == Rounding::Nearest)
    return bitCast<uint64_t>(from == Type::U64
                                 ? static_cast<double>(uint64_t(value))
                                 : static_cast<double>(value));
  return writeFloat(integerToOdd(value, from), to, rounding, inst.c);
}

void runConvert(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  Type to = static_cast<Type>(inst.a);
  unsigned registerBits = static_cast<unsigned>(inst.imm >> 16);
  auto one = [&](unsigned lane) {
    uint64_t raw = inst.c & WideSource ? getLane<uint64_t>(a, lane)
                                       : getLane<uint32_t>(a, lane);
    uint64_t result = convert(raw, inst);
    // A wider register holds the sign- or zero-extended value.
    if (!isFloat(to))
      result = static_cast<uint64_t>(extend(result, to));
    return registerBits == 64 ? result : result & ((1ull << registerBits) - 1);
  };
  if (registerBits == 64)
    eachLane<uint64_t>(warp, slots[0], one);
  else
    eachLane<uint32_t>(warp, slots[0], [&](unsigned lane) {
      return static_cast<uint32_t>(one(lane));
    });
}

// Fast paths of what kernels do in their inner loops.

template <class R, class A>
struct Cast {
  R operator()(A a) const { return static_cast<R>(a); }
};
struct HalfToFloat {
  float operator()(uint16_t a) const { return canonical(halfToFloat(a)); }
};
struct FloatToHalf {
  uint16_t operator()(float a) const { return floatToHalf(a); }
};
struct FloatToBfloat {
  uint16_t operator()(float a) const { return floatToBfloat(a); }
};
struct FloatToTf32 {
  uint32_t operator()(uint32_t a) const { return floatToTf32(a); }
};

Handler fastPath(Type to, Type from, Rounding rounding) {
  bool toU32 = to == Type::U32 || to == Type::S32;
  bool toU64 = to == Type::U64 || to == Type::S64;
  if (toU64 && from == Type::U32)
    return unaryLanes<uint64_t, uint32_t, Cast<uint64_t, uint32_t>>;
  if (toU64 && from == Type::S32)
    return unaryLanes<int64_t, int32_t, Cast<int64_t, int32_t>>;
  if (toU32 && (from == Type::U64 || from == Type::S64))
    return unaryLanes<uint32_t, uint64_t, Cast<uint32_t, uint64_t>>;
  if (to == Type::F32 && from == Type::F16)
    return unaryLanes<float, uint16_t, HalfToFloat>;
  if (to == Type::TF32 && rounding == Rounding::NearestAway)
    return unaryLanes<uint32_t, uint32_t, FloatToTf32>;
  if (rounding != Rounding::Nearest)
    return nullptr;
  if (to == Type::F32 && from == Type::S32)
    return unaryLanes<float, int32_t, Cast<float, int32_t>>;
  if (to == Type::F32 && from == Type::U32)
    return unaryLanes<float, uint32_t, Cast<float, uint32_t>>;
  if (to == Type::F16 && from == Type::F32)
    return unaryLanes<uint16_t, float, FloatToHalf>;
  if (to == Type::BF16 && from == Type::F32)
    return unaryLanes<uint16_t, float, FloatToBfloat>;
  return nullptr;
}

/// cvt.f16x2.f32 d, a, b: a becomes the upper half.
template <bool bfloat>
void runPack(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]);
  Rounding rounding = static_cast<Rounding>(inst.imm & 0xff);
  if (rounding == Rounding::Nearest && inst.c == 0)
    return eachLane<uint32_t>(warp, slots[0], [=](unsigned lane) {
      float high = getLane<float>(a, lane), low = getLane<float>(b, lane);
      return bfloat ? uint32_t(floatToBfloat(high)) << 16 | floatToBfloat(low)
                    : uint32_t(floatToHalf(high)) << 16 | floatToHalf(low);
    });
  Type type = bfloat ? Type::BF16 : Type::F16;
  eachLane<uint32_t>(warp, slots[0], [&](unsigned lane) {
    uint64_t high = writeFloat(getLane<float>(a, lane), type, rounding, inst.c);
    uint64_t low = writeFloat(getLane<float>(b, lane), type, rounding, inst.c);
    return static_cast<uint32_t>(high << 16 | low);
  });
}

struct RoundingName {
  const char *name;
  Rounding rounding;
  bool toInteger;
};

} // namespace

void sparse_attn::emulator::decodeConvert(Decoder &d) {
  Type to = d.takeType(), from = d.takeType();
  for (Type type : {to, from})
    if (type == Type::E4M3x2 || type == Type::E5M2x2)
      return decodeConvertFp8(d, to, from);
  uint8_t flags = (d.take("ftz") ? Ftz : 0) | (d.take("sat") ? Sat : 0) |
                  (d.take("relu") ? Relu : 0) |
                  (d.take("satfinite") ? Finite : 0);
  const RoundingName names[] = {{"rn", Rounding::Nearest, false},
                                {"rz", Rounding::Zero, false},
                                {"rm", Rounding::Down, false},
                                {"rp", Rounding::Up, false},
                                {"rna", Rounding::NearestAway, false},
                                {"rni", Rounding::Nearest, true},
                                {"rzi", Rounding::Zero, true},
                                {"rmi", Rounding::Down, true},
                                {"rpi", Rounding::Up, true}};
  const RoundingName *found = nullptr;
  for (const RoundingName &name : names)
    if (d.take(name.name))
      found = &name;
  Rounding rounding = found ? found->rounding : Rounding::Nearest;
  bool toInteger = found && found->toInteger;
  d.inst.imm = static_cast<int64_t>(rounding) | int64_t(toInteger) << 8;
  if (to == Type::F16x2 || to == Type::BF16x2) {
    if (from != Type::F32 || !found || toInteger)
      return void(d.unsupported());
    if (!d.expectOperands(3))
      return;
    d.inst.c = flags;
    d.dst(0, Type::B32);
    d.src(1, Type::F32);
    d.src(2, Type::F32);
    return d.emit(to == Type::F16x2 ? runPack<false> : runPack<true>);
  }
  bool known = to != Type::None && from != Type::None && to != Type::Pred &&
               from != Type::Pred && from != Type::TF32 &&
               (bitsOf(to) != 8 || !isFloat(to)) &&
               (bitsOf(from) != 8 || !isFloat(from)) &&
               !(from == Type::F16x2 || from == Type::BF16x2);
  if (!known)
    return void(d.unsupported());
  if (isFloat(from) && !isFloat(to) && !toInteger)
    return void(d.fail("expected a rounding to an integer"));
  if (!isFloat(from) && isFloat(to) && (!found || toInteger))
    return void(d.fail("expected a rounding"));
  if (to == Type::F64 && found && !toInteger && rounding != Rounding::Nearest)
    return void(d.unsupported());
  if (!d.expectOperands(2))
    return;
  unsigned toRegister = bitsOf(d.registerType(d.operand(0)));
  unsigned fromRegister = bitsOf(d.registerType(d.operand(1)));
  d.dst(d.operand(0), to, !isFloat(to) || to == Type::TF32);
  d.src(d.operand(1), from, !isFloat(from));
  if (fromRegister == 0)
    fromRegister = bitsOf(from) == 64 ? 64 : 32;
  Handler fast = nullptr;
  bool sameWidth = (toRegister == 64) == (bitsOf(to) == 64) &&
                   (fromRegister == 64) == (bitsOf(from) == 64);
  if (flags == 0 && !toInteger && sameWidth)
    fast = fastPath(to, from, rounding);
  if (fast)
    return d.emit(fast);
  d.inst.a = static_cast<uint8_t>(to);
  d.inst.b = static_cast<uint8_t>(from);
  d.inst.c = flags | (fromRegister == 64 ? WideSource : 0);
  d.inst.imm |= int64_t(std::max(toRegister, 16u)) << 16;
  d.emit(runConvert);
}

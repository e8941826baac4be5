//===- Half.cpp - f16 and bf16 arithmetic ---------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Numeric.h"

#include "Decoder.h"
#include "Lanes.h"

using namespace sparse_attn::emulator;

namespace {

// Every operation computes in double, rounds to odd in float, and rounds to
// the nearest half: the same as rounding the exact result once.

template <bool bfloat>
float widen(uint16_t bits) {
  return bfloat ? bfloatToFloat(bits) : halfToFloat(bits);
}
template <bool bfloat>
uint16_t narrow(double value) {
  float odd = oddFloat(value);
  return bfloat ? floatToBfloat(odd) : floatToHalf(odd);
}

struct Add {
  double operator()(double a, double b, double) const { return oddAdd(a, b); }
};
struct Sub {
  double operator()(double a, double b, double) const { return oddAdd(a, -b); }
};
struct Mul {
  double operator()(double a, double b, double) const { return a * b; }
};
struct Fma {
  double operator()(double a, double b, double c) const {
    return oddAdd(a * b, c);
  }
};
template <bool wantsMax, bool nan>
struct Extreme {
  double operator()(double a, double b, double) const {
    if (a != a || b != b)
      return nan || (a != a && b != b) ? NAN : a != a ? b : a;
    if (a == b)
      return std::signbit(a) == wantsMax ? b : a;
    return (a > b) == wantsMax ? a : b;
  }
};
struct Ex2 {
  double operator()(double a, double, double) const { return std::exp2(a); }
};
struct Tanh {
  double operator()(double a, double, double) const { return std::tanh(a); }
};

// Inst::a holds these.
enum Flag : uint8_t { Ftz = 1, Sat = 2, Relu = 4, Packed = 8 };

template <bool bfloat>
uint16_t flush(uint16_t bits) {
  return bits & (bfloat ? 0x7f80 : 0x7c00) ? bits : bits & 0x8000;
}

template <class F, bool bfloat>
uint16_t applyTo(const uint16_t (&operands)[3], uint8_t flags) {
  double x[3];
  for (unsigned i = 0; i < 3; ++i)
    x[i] =
        widen<bfloat>(flags & Ftz ? flush<bfloat>(operands[i]) : operands[i]);
  double value = F()(x[0], x[1], x[2]);
  if (flags & Sat)
    value = value > 0 ? (value < 1 ? value : 1) : 0;
  if (flags & Relu)
    value = value > 0 || value != value ? value : 0;
  uint16_t result = narrow<bfloat>(value);
  return flags & Ftz ? flush<bfloat>(result) : result;
}

template <class F, bool bfloat, unsigned sources>
void runHalf(Warp &warp, const Inst &inst, const uint32_t *slots) {
  if (std::is_same<F, Ex2>::value)
    warp.block->counters.exponentials +=
        __builtin_popcount(warp.lanes) * (inst.a & Packed ? 2 : 1);
  eachLane<uint32_t>(warp, slots[0], [&](unsigned lane) {
    uint16_t low[3] = {}, high[3] = {};
    for (unsigned i = 0; i < sources; ++i) {
      uint32_t bits = getLane<uint32_t>(warp.slot(slots[i + 1]), lane);
      low[i] = static_cast<uint16_t>(bits);
      high[i] = static_cast<uint16_t>(bits >> 16);
    }
    uint32_t result = applyTo<F, bfloat>(low, inst.a);
    if (inst.a & Packed)
      result |= uint32_t(applyTo<F, bfloat>(high, inst.a)) << 16;
    return result;
  });
}

// abs and neg only touch signs; Inst::imm is the sign mask.
template <bool negate>
void runSign(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  uint32_t mask = static_cast<uint32_t>(inst.imm);
  eachLane<uint32_t>(warp, slots[0], [=](unsigned lane) {
    uint32_t bits = getLane<uint32_t>(a, lane);
    return negate ? bits ^ mask : bits & ~mask;
  });
}

template <class F, unsigned sources>
Handler select(bool bfloat) {
  return bfloat ? runHalf<F, true, sources> : runHalf<F, false, sources>;
}

Handler extreme(bool isMax, bool nan, bool bfloat) {
  if (isMax)
    return nan ? select<Extreme<true, true>, 2>(bfloat)
               : select<Extreme<true, false>, 2>(bfloat);
  return nan ? select<Extreme<false, true>, 2>(bfloat)
             : select<Extreme<false, false>, 2>(bfloat);
}

} // namespace

bool sparse_attn::emulator::decodeHalf(Decoder &d, Type type) {
  std::string_view base = d.base();
  bool bfloat = type == Type::BF16 || type == Type::BF16x2;
  bool packed = bitsOf(type) == 32;
  d.inst.a = (d.take("ftz") ? Ftz : 0) | (d.take("sat") ? Sat : 0) |
             (d.take("relu") ? Relu : 0) | (packed ? Packed : 0);
  unsigned sources = 2;
  Handler handler = nullptr;
  if (base == "add" || base == "sub" || base == "mul") {
    d.take("rn");
    handler = base == "add"   ? select<Add, 2>(bfloat)
              : base == "sub" ? select<Sub, 2>(bfloat)
                              : select<Mul, 2>(bfloat);
  } else if (base == "fma") {
    sources = 3;
    handler = d.take("rn") ? select<Fma, 3>(bfloat) : nullptr;
  } else if (base == "min" || base == "max") {
    bool nan = d.take("NaN");
    handler = extreme(base == "max", nan, bfloat);
  } else if (base == "abs" || base == "neg") {
    sources = 1;
    d.inst.imm = packed ? 0x80008000 : 0x8000;
    handler = d.inst.a & Ftz  ? nullptr
              : base == "neg" ? runSign<true>
                              : runSign<false>;
  } else if (base == "ex2" || base == "tanh") {
    sources = 1;
    handler = !d.take("approx") ? nullptr
              : base == "ex2"   ? select<Ex2, 1>(bfloat)
                                : select<Tanh, 1>(bfloat);
  }
  if (!handler)
    return d.unsupported();
  if (!d.expectOperands(sources + 1))
    return false;
  d.dst(0, type);
  for (unsigned i = 1; i <= sources; ++i)
    d.src(i, type);
  d.emit(handler);
  return true;
}

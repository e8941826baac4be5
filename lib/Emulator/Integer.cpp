//===- Integer.cpp - Integer arithmetic -----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Decoder.h"
#include "Lanes.h"

#include <limits>

using namespace sparse_attn::emulator;

namespace {

// Signed overflow wraps in PTX: computed in unsigned words.
template <class T>
using Word = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
// __extension__ keeps -Wpedantic quiet about the 128-bit types.
__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;
template <class T>
using Wide = std::conditional_t<
    sizeof(T) == 8,
    std::conditional_t<std::is_signed<T>::value, Int128, Uint128>,
    std::conditional_t<std::is_signed<T>::value, int64_t, uint64_t>>;

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(Word<T>(a) + Word<T>(b));
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(Word<T>(a) - Word<T>(b));
  }
};
template <class T>
T saturate(int64_t value) {
  constexpr int64_t low = std::numeric_limits<T>::min(),
                    high = std::numeric_limits<T>::max();
  return static_cast<T>(value < low ? low : value > high ? high : value);
}
struct AddSat {
  template <class T>
  T operator()(T a, T b) const {
    return saturate<T>(int64_t(a) + int64_t(b));
  }
};
struct SubSat {
  template <class T>
  T operator()(T a, T b) const {
    return saturate<T>(int64_t(a) - int64_t(b));
  }
};
struct MulLo {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(Word<T>(a) * Word<T>(b));
  }
};
struct MulHi {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>((Wide<T>(a) * Wide<T>(b)) >> (sizeof(T) * 8));
  }
};
struct MadLo {
  template <class T>
  T operator()(T a, T b, T c) const {
    return static_cast<T>(Word<T>(a) * Word<T>(b) + Word<T>(c));
  }
};
struct MadHi {
  template <class T>
  T operator()(T a, T b, T c) const {
    return Add()(MulHi()(a, b), c);
  }
};
// 24-bit operands: the low 32 bits of the product.
struct Mul24 {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(Word<T>(narrow(a)) * Word<T>(narrow(b)));
  }
  template <class T>
  static T narrow(T value) {
    T shifted = static_cast<T>(Word<T>(value) << 8);
    return static_cast<T>(shifted >> 8);
  }
};
struct Mad24 {
  template <class T>
  T operator()(T a, T b, T c) const {
    return Add()(Mul24()(a, b), c);
  }
};
struct MulWide {
  template <class T>
  auto operator()(T a, T b) const {
    using R = std::conditional_t<
        sizeof(T) == 2,
        std::conditional_t<std::is_signed<T>::value, int32_t, uint32_t>,
        std::conditional_t<std::is_signed<T>::value, int64_t, uint64_t>>;
    return static_cast<R>(R(a) * R(b));
  }
};
struct MadWide {
  template <class T, class R>
  R operator()(T a, T b, R c) const {
    return static_cast<R>(Word<R>(MulWide()(a, b)) + Word<R>(c));
  }
};
// Division by zero has no defined result in PTX; all ones here, as hardware.
struct Div {
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0)
      return static_cast<T>(~T(0));
    if (std::is_signed<T>::value && b == static_cast<T>(-1))
      return Sub()(T(0), a);
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0)
      return a;
    if (std::is_signed<T>::value && b == static_cast<T>(-1))
      return 0;
    return static_cast<T>(a % b);
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};
struct Abs {
  template <class T>
  T operator()(T a) const {
    return a < 0 ? Sub()(T(0), a) : a;
  }
};
struct Neg {
  template <class T>
  T operator()(T a) const {
    return Sub()(T(0), a);
  }
};
struct Sad {
  template <class T>
  T operator()(T a, T b, T c) const {
    return Add()(a < b ? Sub()(b, a) : Sub()(a, b), c);
  }
};

template <class F>
Handler binaryOf(Type type) {
  switch (type) {
  case Type::U16:
    return binaryLanes<uint16_t, uint16_t, uint16_t, F>;
  case Type::S16:
    return binaryLanes<int16_t, int16_t, int16_t, F>;
  case Type::U32:
    return binaryLanes<uint32_t, uint32_t, uint32_t, F>;
  case Type::S32:
    return binaryLanes<int32_t, int32_t, int32_t, F>;
  case Type::U64:
    return binaryLanes<uint64_t, uint64_t, uint64_t, F>;
  case Type::S64:
    return binaryLanes<int64_t, int64_t, int64_t, F>;
  default:
    return nullptr;
  }
}

template <class F>
Handler ternaryOf(Type type) {
  switch (type) {
  case Type::U16:
    return ternaryLanes<uint16_t, uint16_t, uint16_t, uint16_t, F>;
  case Type::S16:
    return ternaryLanes<int16_t, int16_t, int16_t, int16_t, F>;
  case Type::U32:
    return ternaryLanes<uint32_t, uint32_t, uint32_t, uint32_t, F>;
  case Type::S32:
    return ternaryLanes<int32_t, int32_t, int32_t, int32_t, F>;
  case Type::U64:
    return ternaryLanes<uint64_t, uint64_t, uint64_t, uint64_t, F>;
  case Type::S64:
    return ternaryLanes<int64_t, int64_t, int64_t, int64_t, F>;
  default:
    return nullptr;
  }
}

template <class F>
Handler unarySigned(Type type) {
  switch (type) {
  case Type::S16:
    return unaryLanes<int16_t, int16_t, F>;
  case Type::S32:
    return unaryLanes<int32_t, int32_t, F>;
  case Type::S64:
    return unaryLanes<int64_t, int64_t, F>;
  default:
    return nullptr;
  }
}

Handler wideMul(Type type) {
  switch (type) {
  case Type::U16:
    return binaryLanes<uint32_t, uint16_t, uint16_t, MulWide>;
  case Type::S16:
    return binaryLanes<int32_t, int16_t, int16_t, MulWide>;
  case Type::U32:
    return binaryLanes<uint64_t, uint32_t, uint32_t, MulWide>;
  case Type::S32:
    return binaryLanes<int64_t, int32_t, int32_t, MulWide>;
  default:
    return nullptr;
  }
}

Handler wideMad(Type type) {
  switch (type) {
  case Type::U16:
    return ternaryLanes<uint32_t, uint16_t, uint16_t, uint32_t, MadWide>;
  case Type::S16:
    return ternaryLanes<int32_t, int16_t, int16_t, int32_t, MadWide>;
  case Type::U32:
    return ternaryLanes<uint64_t, uint32_t, uint32_t, uint64_t, MadWide>;
  case Type::S32:
    return ternaryLanes<int64_t, int32_t, int32_t, int64_t, MadWide>;
  default:
    return nullptr;
  }
}

// Extended precision: the carry is the warp's condition code. Inst::a says
// whether it is read, Inst::b whether it is written, Inst::c is subtraction.
template <class T>
void runCarry(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]);
  uint32_t carries = 0, carryIn = inst.a ? warp.carry : 0;
  alignas(64) T sums[32];
  for (unsigned lane = 0; lane < 32; ++lane) {
    T x = getLane<T>(a, lane), y = getLane<T>(b, lane);
    T in = carryIn >> lane & 1, sum;
    bool out;
    if (inst.c) {
      sum = x - y - in;
      out = x < y || (x == y && in);
    } else {
      sum = x + y + in;
      out = sum < x || (in && sum == x);
    }
    sums[lane] = sum;
    carries |= uint32_t(out) << lane;
  }
  eachLane<T>(warp, slots[0], [&](unsigned lane) { return sums[lane]; });
  if (inst.b)
    warp.carry = (warp.carry & ~warp.lanes) | (carries & warp.lanes);
}

bool decodeCarry(Decoder &d, Type type, bool subtract, bool reads,
                 bool writes) {
  d.inst.a = reads;
  d.inst.b = writes;
  d.inst.c = subtract;
  if (!d.expectOperands(3))
    return false;
  d.dst(0, type);
  d.src(1, type);
  d.src(2, type);
  d.emit(bitsOf(type) == 64   ? runCarry<uint64_t>
         : bitsOf(type) == 32 ? runCarry<uint32_t>
                              : Handler(nullptr));
  return true;
}

} // namespace

void sparse_attn::emulator::decodeExtendedPrecision(Decoder &d) {
  bool writes = d.take("cc");
  Type type = d.takeType();
  if (d.base() == "madc" || !isInteger(type))
    return void(d.unsupported());
  decodeCarry(d, type, d.base() == "subc", true, writes);
}

bool sparse_attn::emulator::decodeInteger(Decoder &d, Type type) {
  std::string_view base = d.base();
  Type result = type;
  unsigned sources = 2;
  Handler handler = nullptr;
  if (base == "add" || base == "sub") {
    bool subtract = base == "sub";
    if (d.take("cc"))
      return decodeCarry(d, type, subtract, false, true);
    if (d.take("sat"))
      handler = type != Type::S32 ? nullptr
                : subtract        ? binaryOf<SubSat>(type)
                                  : binaryOf<AddSat>(type);
    else
      handler = subtract ? binaryOf<Sub>(type) : binaryOf<Add>(type);
  } else if (base == "mul" || base == "mad") {
    bool add = base == "mad";
    sources = 2 + add;
    if (d.take("wide")) {
      handler = add ? wideMad(type) : wideMul(type);
      result = bitsOf(type) == 16 ? Type::U32 : Type::U64;
    } else if (d.take("hi")) {
      handler = add ? ternaryOf<MadHi>(type) : binaryOf<MulHi>(type);
    } else if (d.take("lo")) {
      handler = add ? ternaryOf<MadLo>(type) : binaryOf<MulLo>(type);
    }
  } else if (base == "mul24" || base == "mad24") {
    bool add = base == "mad24";
    sources = 2 + add;
    if (d.take("lo") && bitsOf(type) == 32)
      handler = add ? ternaryOf<Mad24>(type) : binaryOf<Mul24>(type);
  } else if (base == "div") {
    handler = binaryOf<Div>(type);
  } else if (base == "rem") {
    handler = binaryOf<Rem>(type);
  } else if (base == "min") {
    handler = binaryOf<Min>(type);
  } else if (base == "max") {
    handler = binaryOf<Max>(type);
  } else if (base == "abs" || base == "neg") {
    sources = 1;
    handler = base == "abs" ? unarySigned<Abs>(type) : unarySigned<Neg>(type);
  } else if (base == "sad") {
    sources = 3;
    handler = ternaryOf<Sad>(type);
  }
  if (!handler)
    return d.unsupported();
  if (!d.expectOperands(sources + 1))
    return false;
  d.dst(0, result);
  d.src(1, type);
  if (sources > 1)
    d.src(2, type);
  if (sources > 2)
    d.src(3, result);
  d.emit(handler);
  return true;
}

void sparse_attn::emulator::decodeArithmetic(Decoder &d) {
  Type type = d.takeType();
  switch (type) {
  case Type::F32:
  case Type::F64:
    decodeFloat(d, type);
    return;
  case Type::F16:
  case Type::F16x2:
  case Type::BF16:
  case Type::BF16x2:
    decodeHalf(d, type);
    return;
  case Type::None:
    d.fail("expected a type modifier");
    return;
  default:
    decodeInteger(d, type);
  }
}

//===- Bits.cpp - Logic, shifts and bit fields ----------------------------===//
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

struct And {
  template <class T>
  T operator()(T a, T b) const {
    return a & b;
  }
};
struct Or {
  template <class T>
  T operator()(T a, T b) const {
    return a | b;
  }
};
struct Xor {
  template <class T>
  T operator()(T a, T b) const {
    return a ^ b;
  }
};
struct Not {
  template <class T>
  T operator()(T a) const {
    return static_cast<T>(~a);
  }
};
struct CNot {
  template <class T>
  T operator()(T a) const {
    return a == 0;
  }
};
// Shift amounts beyond the width shift everything out.
struct Shl {
  template <class T>
  T operator()(T a, uint32_t n) const {
    return n >= sizeof(T) * 8 ? T(0) : static_cast<T>(uint64_t(a) << n);
  }
};
struct Shr {
  template <class T>
  T operator()(T a, uint32_t n) const {
    constexpr uint32_t most = sizeof(T) * 8 - 1;
    if (n > most)
      return std::is_signed<T>::value ? static_cast<T>(a >> most) : T(0);
    return static_cast<T>(a >> n);
  }
};

template <class F>
void predicateBinary(Warp &warp, const Inst &, const uint32_t *slots) {
  putPredicate(warp, slots[0],
               F()(warp.predicate(slots[1]), warp.predicate(slots[2])));
}
void predicateNot(Warp &warp, const Inst &, const uint32_t *slots) {
  putPredicate(warp, slots[0], ~warp.predicate(slots[1]));
}

template <class F>
Handler logicOf(Type type) {
  switch (bitsOf(type)) {
  case 1:
    return predicateBinary<F>;
  case 16:
    return binaryLanes<uint16_t, uint16_t, uint16_t, F>;
  case 32:
    return binaryLanes<uint32_t, uint32_t, uint32_t, F>;
  case 64:
    return binaryLanes<uint64_t, uint64_t, uint64_t, F>;
  default:
    return nullptr;
  }
}

template <class F>
Handler unaryBits(Type type) {
  switch (bitsOf(type)) {
  case 16:
    return unaryLanes<uint16_t, uint16_t, F>;
  case 32:
    return unaryLanes<uint32_t, uint32_t, F>;
  case 64:
    return unaryLanes<uint64_t, uint64_t, F>;
  default:
    return nullptr;
  }
}

template <class F>
Handler shiftOf(Type type) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return binaryLanes<uint16_t, uint16_t, uint32_t, F>;
  case Type::S16:
    return binaryLanes<int16_t, int16_t, uint32_t, F>;
  case Type::B32:
  case Type::U32:
    return binaryLanes<uint32_t, uint32_t, uint32_t, F>;
  case Type::S32:
    return binaryLanes<int32_t, int32_t, uint32_t, F>;
  case Type::B64:
  case Type::U64:
    return binaryLanes<uint64_t, uint64_t, uint32_t, F>;
  case Type::S64:
    return binaryLanes<int64_t, int64_t, uint32_t, F>;
  default:
    return nullptr;
  }
}

void runLop3(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]),
                *c = warp.slot(slots[3]);
  uint32_t table = inst.a;
  eachLane<uint32_t>(warp, slots[0], [=](unsigned lane) {
    uint32_t x = getLane<uint32_t>(a, lane), y = getLane<uint32_t>(b, lane),
             z = getLane<uint32_t>(c, lane), result = 0;
    for (unsigned row = 0; row < 8; ++row) {
      uint32_t term =
          (row & 4 ? x : ~x) & (row & 2 ? y : ~y) & (row & 1 ? z : ~z);
      result |= table >> row & 1 ? term : 0;
    }
    return result;
  });
}

struct Popc {
  template <class T>
  uint32_t operator()(T a) const {
    return __builtin_popcountll(a);
  }
};
struct Clz {
  template <class T>
  uint32_t operator()(T a) const {
    return a ? __builtin_clzll(a) - (64 - sizeof(T) * 8) : sizeof(T) * 8;
  }
};
struct Brev {
  template <class T>
  T operator()(T a) const {
    T result = 0;
    for (unsigned bit = 0; bit < sizeof(T) * 8; ++bit)
      result |= (a >> bit & 1) << (sizeof(T) * 8 - 1 - bit);
    return result;
  }
};
template <bool shiftAmount>
struct Bfind {
  template <class T>
  uint32_t operator()(T value) const {
    using U = std::make_unsigned_t<T>;
    U a =
        static_cast<U>(std::is_signed<T>::value && value < 0 ? ~value : value);
    if (a == 0)
      return ~0u;
    uint32_t bit = 63 - __builtin_clzll(a);
    return shiftAmount ? sizeof(T) * 8 - 1 - bit : bit;
  }
};
struct Bfe {
  template <class T>
  T operator()(T a, uint32_t start, uint32_t count) const {
    constexpr unsigned bits = sizeof(T) * 8;
    using U = std::make_unsigned_t<T>;
    start &= 255;
    count &= 255;
    bool sign = false;
    if (std::is_signed<T>::value && count) {
      unsigned last = start + count - 1;
      sign = U(a) >> (last < bits - 1 ? last : bits - 1) & 1;
    }
    U result = start < bits ? U(a) >> start : 0;
    unsigned valid = start < bits ? bits - start : 0;
    valid = count < valid ? count : valid;
    U keep = valid >= bits ? ~U(0) : (U(1) << valid) - 1;
    U fill = count >= bits ? ~U(0) : (U(1) << count) - 1;
    result &= keep;
    // Bits beyond the source and above the field repeat the sign.
    if (sign)
      result |= ~(keep & fill);
    return static_cast<T>(result);
  }
};

template <class T>
void runBfi(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]),
                *c = warp.slot(slots[3]), *e = warp.slot(slots[4]);
  eachLane<T>(warp, slots[0], [=](unsigned lane) {
    constexpr unsigned bits = sizeof(T) * 8;
    T field = getLane<T>(a, lane), into = getLane<T>(b, lane);
    unsigned start = getLane<uint32_t>(c, lane) & 255;
    unsigned count = getLane<uint32_t>(e, lane) & 255;
    if (start >= bits || count == 0)
      return into;
    T mask = count >= bits ? ~T(0) : (T(1) << count) - 1;
    mask <<= start;
    return static_cast<T>((into & ~mask) | ((field << start) & mask));
  });
}

template <bool left, bool wrap>
struct Funnel {
  uint32_t operator()(uint32_t low, uint32_t high, uint32_t n) const {
    n = wrap ? n & 31 : n > 32 ? 32 : n;
    uint64_t both = uint64_t(high) << 32 | low;
    return static_cast<uint32_t>(left ? both << n >> 32 : both >> n);
  }
};

enum PrmtMode : uint8_t { Generic, F4e, B4e, Rc8, Ecl, Ecr, Rc16 };

uint32_t permute(uint32_t a, uint32_t b, uint32_t control, uint8_t mode) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0, s = control & 3;
  for (unsigned i = 0; i < 4; ++i) {
    unsigned pick = 0;
    bool sign = false;
    switch (mode) {
    case Generic:
      pick = control >> (4 * i) & 7;
      sign = control >> (4 * i + 3) & 1;
      break;
    case F4e:
      pick = s + i;
      break;
    case B4e:
      pick = (s - i) & 7;
      break;
    case Rc8:
      pick = s;
      break;
    case Ecl:
      pick = i > s ? i : s;
      break;
    case Ecr:
      pick = i < s ? i : s;
      break;
    default: // Rc16
      pick = (s & 1) * 2 + (i & 1);
      break;
    }
    uint32_t byte = bytes >> (8 * pick) & 255;
    if (sign)
      byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * i);
  }
  return result;
}

void runPrmt(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]),
                *c = warp.slot(slots[3]);
  eachLane<uint32_t>(warp, slots[0], [=, mode = inst.a](unsigned lane) {
    return permute(getLane<uint32_t>(a, lane), getLane<uint32_t>(b, lane),
                   getLane<uint32_t>(c, lane), mode);
  });
}

template <bool shiftAmount>
Handler bfindHandler(Type type) {
  switch (type) {
  case Type::U32:
    return unaryLanes<uint32_t, uint32_t, Bfind<shiftAmount>>;
  case Type::S32:
    return unaryLanes<uint32_t, int32_t, Bfind<shiftAmount>>;
  case Type::U64:
    return unaryLanes<uint32_t, uint64_t, Bfind<shiftAmount>>;
  case Type::S64:
    return unaryLanes<uint32_t, int64_t, Bfind<shiftAmount>>;
  default:
    return nullptr;
  }
}

void decodeFields(Decoder &d, Type type) {
  bool insert = d.base() == "bfi";
  Handler handler = nullptr;
  switch (type) {
  case Type::B32:
    handler = insert ? runBfi<uint32_t> : nullptr;
    break;
  case Type::B64:
    handler = insert ? runBfi<uint64_t> : nullptr;
    break;
  case Type::U32:
    handler = ternaryLanes<uint32_t, uint32_t, uint32_t, uint32_t, Bfe>;
    break;
  case Type::S32:
    handler = ternaryLanes<int32_t, int32_t, uint32_t, uint32_t, Bfe>;
    break;
  case Type::U64:
    handler = ternaryLanes<uint64_t, uint64_t, uint32_t, uint32_t, Bfe>;
    break;
  case Type::S64:
    handler = ternaryLanes<int64_t, int64_t, uint32_t, uint32_t, Bfe>;
    break;
  default:
    break;
  }
  if (!handler || (insert && type != Type::B32 && type != Type::B64))
    return void(d.unsupported());
  if (!d.expectOperands(insert ? 5 : 4))
    return;
  d.dst(0, type);
  d.src(1, type);
  if (insert)
    d.src(2, type);
  d.src(insert ? 3 : 2, Type::U32);
  d.src(insert ? 4 : 3, Type::U32);
  d.emit(handler);
}

void decodeFunnel(Decoder &d) {
  bool left = d.take("l");
  if (!left && !d.take("r"))
    return void(d.unsupported());
  bool wrap = d.take("wrap");
  if (!wrap && !d.take("clamp"))
    return void(d.unsupported());
  if (d.takeType() != Type::B32)
    return void(d.unsupported());
  if (!d.expectOperands(4))
    return;
  d.dst(0, Type::B32);
  for (size_t i = 1; i < 4; ++i)
    d.src(i, Type::B32);
  using U = uint32_t;
  d.emit(left ? (wrap ? ternaryLanes<U, U, U, U, Funnel<true, true>>
                      : ternaryLanes<U, U, U, U, Funnel<true, false>>)
              : (wrap ? ternaryLanes<U, U, U, U, Funnel<false, true>>
                      : ternaryLanes<U, U, U, U, Funnel<false, false>>));
}

void decodePrmt(Decoder &d) {
  if (d.takeType() != Type::B32)
    return void(d.unsupported());
  const char *names[] = {"", "f4e", "b4e", "rc8", "ecl", "ecr", "rc16"};
  for (uint8_t mode = F4e; mode <= Rc16; ++mode)
    if (d.take(names[mode]))
      d.inst.a = mode;
  if (!d.expectOperands(4))
    return;
  d.dst(0, Type::B32);
  for (size_t i = 1; i < 4; ++i)
    d.src(i, Type::B32);
  d.emit(runPrmt);
}

} // namespace

void sparse_attn::emulator::decodeLogic(Decoder &d) {
  std::string_view base = d.base();
  Type type = d.takeType();
  if (type == Type::None || isFloat(type))
    return void(d.fail("expected a bit type"));
  if (base == "lop3") {
    if (type != Type::B32)
      return void(d.unsupported());
    if (!d.expectOperands(5))
      return;
    d.dst(0, type);
    for (size_t i = 1; i < 4; ++i)
      d.src(i, type);
    uint64_t table = d.literal(4);
    if (table > 255)
      return void(d.fail("the look-up table must be at most 255"));
    d.inst.a = static_cast<uint8_t>(table);
    return d.emit(runLop3);
  }
  bool unary = base == "not" || base == "cnot";
  if (!d.expectOperands(unary ? 2 : 3))
    return;
  d.dst(0, type);
  d.src(1, type);
  if (unary) {
    if (type == Type::Pred)
      return d.emit(base == "not" ? predicateNot : Handler(nullptr));
    return d.emit(base == "not" ? unaryBits<Not>(type) : unaryBits<CNot>(type));
  }
  bool shift = base == "shl" || base == "shr";
  d.src(2, shift ? Type::U32 : type);
  if (shift)
    return d.emit(base == "shl" ? shiftOf<Shl>(type) : shiftOf<Shr>(type));
  d.emit(base == "and"  ? logicOf<And>(type)
         : base == "or" ? logicOf<Or>(type)
                        : logicOf<Xor>(type));
}

void sparse_attn::emulator::decodeBits(Decoder &d) {
  std::string_view base = d.base();
  if (base == "shf")
    return decodeFunnel(d);
  if (base == "prmt")
    return decodePrmt(d);
  Type type = d.takeType();
  if (base == "bfe" || base == "bfi")
    return decodeFields(d, type);
  bool wide = bitsOf(type) == 64;
  if (!wide && bitsOf(type) != 32)
    return void(d.unsupported());
  Handler handler;
  using U = uint32_t;
  using W = uint64_t;
  if (base == "bfind")
    handler = d.take("shiftamt") ? bfindHandler<true>(type)
                                 : bfindHandler<false>(type);
  else if (base == "popc")
    handler = wide ? unaryLanes<U, W, Popc> : unaryLanes<U, U, Popc>;
  else if (base == "clz")
    handler = wide ? unaryLanes<U, W, Clz> : unaryLanes<U, U, Clz>;
  else
    handler = wide ? unaryLanes<W, W, Brev> : unaryLanes<U, U, Brev>;
  if (!d.expectOperands(2))
    return;
  d.dst(0, base == "brev" ? type : Type::U32);
  d.src(1, type);
  d.emit(handler);
}

//===- Compare.cpp - setp, set, testp, selp, slct -------------------------===//
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

// A comparison holds for some of these outcomes.
enum Outcome : uint8_t { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };

struct Comparison {
  const char *name;
  uint8_t outcomes;
  bool floatOnly;
};
constexpr Comparison comparisons[] = {
    {"eq", Equal, false},
    {"ne", Less | Greater, false},
    {"lt", Less, false},
    {"le", Less | Equal, false},
    {"gt", Greater, false},
    {"ge", Greater | Equal, false},
    {"lo", Less, false},
    {"ls", Less | Equal, false},
    {"hi", Greater, false},
    {"hs", Greater | Equal, false},
    {"equ", Equal | Unordered, true},
    {"neu", Less | Greater | Unordered, true},
    {"ltu", Less | Unordered, true},
    {"leu", Less | Equal | Unordered, true},
    {"gtu", Greater | Unordered, true},
    {"geu", Greater | Equal | Unordered, true},
    {"num", Less | Equal | Greater, true},
    {"nan", Unordered, true}};

struct HalfValue {
  uint16_t bits;
  float value() const { return halfToFloat(bits); }
};
struct BfloatValue {
  uint16_t bits;
  float value() const { return bfloatToFloat(bits); }
};
float valueOf(HalfValue half) { return half.value(); }
float valueOf(BfloatValue half) { return half.value(); }
template <class T>
T valueOf(T value) {
  return value;
}

/// The lanes whose comparison has one of `outcomes`.
template <class T, bool ftz>
uint32_t compareLanes(Warp &warp, uint32_t left, uint32_t right,
                      uint8_t outcomes) {
  const uint8_t *a = warp.slot(left), *b = warp.slot(right);
  return collect(warp, [=](unsigned lane) {
    auto x = valueOf(getLane<T>(a, lane)), y = valueOf(getLane<T>(b, lane));
    if constexpr (ftz) {
      x = flushed(x);
      y = flushed(y);
    }
    uint8_t outcome = x < y    ? Less
                      : x == y ? Equal
                      : x > y  ? Greater
                               : Unordered;
    return (outcome & outcomes) != 0;
  });
}

enum Combine : uint8_t { Alone, WithAnd, WithOr, WithXor };

// Inst::a is the set of outcomes, Inst::b the combination (bit 2: with the
// negated predicate), Inst::c how many predicates are written.
template <class T, bool ftz>
void runSetp(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint32_t *sources = slots + inst.c;
  uint32_t holds = compareLanes<T, ftz>(warp, sources[0], sources[1], inst.a);
  uint32_t fails = ~holds;
  if (inst.b) {
    uint32_t with = warp.predicate(sources[2]);
    if (inst.b & 4)
      with = ~with;
    switch (inst.b & 3) {
    case WithAnd:
      holds &= with;
      fails &= with;
      break;
    case WithOr:
      holds |= with;
      fails |= with;
      break;
    default:
      holds ^= with;
      fails ^= with;
    }
  }
  putPredicate(warp, slots[0], holds);
  if (inst.c == 2)
    putPredicate(warp, slots[1], fails);
}

/// set: all ones or 1.0 (Inst::c) where the comparison holds.
template <class T, bool ftz>
void runSet(Warp &warp, const Inst &inst, const uint32_t *slots) {
  uint32_t holds = compareLanes<T, ftz>(warp, slots[1], slots[2], inst.a);
  if (inst.b) {
    uint32_t with = warp.predicate(slots[3]);
    if (inst.b & 4)
      with = ~with;
    holds = (inst.b & 3) == WithAnd  ? holds & with
            : (inst.b & 3) == WithOr ? holds | with
                                     : holds ^ with;
  }
  uint32_t value = inst.c ? 0x3f800000u : ~0u;
  eachLane<uint32_t>(warp, slots[0], [=](unsigned lane) {
    return holds >> lane & 1 ? value : 0u;
  });
}

struct Handlers {
  Handler setp = nullptr, set = nullptr;
};
template <class T, bool ftz = false>
Handlers handlers() {
  return {runSetp<T, ftz>, runSet<T, ftz>};
}

Handlers handlersOf(Type type, bool ftz) {
  if (ftz && type != Type::F32)
    return {};
  switch (type) {
  case Type::B16:
  case Type::U16:
    return handlers<uint16_t>();
  case Type::S16:
    return handlers<int16_t>();
  case Type::B32:
  case Type::U32:
    return handlers<uint32_t>();
  case Type::S32:
    return handlers<int32_t>();
  case Type::B64:
  case Type::U64:
    return handlers<uint64_t>();
  case Type::S64:
    return handlers<int64_t>();
  case Type::F16:
    return handlers<HalfValue>();
  case Type::BF16:
    return handlers<BfloatValue>();
  case Type::F32:
    return ftz ? handlers<float, true>() : handlers<float>();
  case Type::F64:
    return handlers<double>();
  default:
    return {};
  }
}

/// setp.f16x2: the first predicate is for the low halves, the second for the
/// high ones.
template <class T>
void runSetpPacked(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[2]), *b = warp.slot(slots[3]);
  for (unsigned half = 0; half < 2; ++half)
    putPredicate(warp, slots[half], collect(warp, [=](unsigned lane) {
                   uint32_t left = getLane<uint32_t>(a, lane) >> (16 * half);
                   uint32_t right = getLane<uint32_t>(b, lane) >> (16 * half);
                   float x = T{static_cast<uint16_t>(left)}.value();
                   float y = T{static_cast<uint16_t>(right)}.value();
                   uint8_t outcome = x < y    ? Less
                                     : x == y ? Equal
                                     : x > y  ? Greater
                                              : Unordered;
                   return (outcome & inst.a) != 0;
                 }));
}

/// Reads ".eq" and ".and" and checks the comparison against the type.
bool takeComparison(Decoder &d, Type type) {
  const Comparison *found = nullptr;
  for (const Comparison &comparison : comparisons)
    if (!found && d.take(comparison.name))
      found = &comparison;
  if (!found)
    return d.fail("expected a comparison");
  if (found->floatOnly && !isFloat(type))
    return d.fail("this comparison needs a floating-point type");
  d.inst.a = found->outcomes;
  d.inst.b = d.take("and")   ? WithAnd
             : d.take("or")  ? WithOr
             : d.take("xor") ? WithXor
                             : Alone;
  return true;
}

/// setp compares, and and/or/xor come before the types: the operands.
void takeSources(Decoder &d, Type type) {
  d.src(1, type);
  d.src(2, type);
  if (d.inst.b && d.predicateSrc(d.operand(3)))
    d.inst.b |= 4;
}

enum Test : uint8_t {
  IsFinite,
  IsInfinite,
  IsNumber,
  IsNotANumber,
  IsNormal,
  IsSubnormal
};

template <class T>
void runTestp(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  putPredicate(warp, slots[0], collect(warp, [=](unsigned lane) {
                 int kind = std::fpclassify(getLane<T>(a, lane));
                 switch (inst.a) {
                 case IsFinite:
                   return kind != FP_NAN && kind != FP_INFINITE;
                 case IsInfinite:
                   return kind == FP_INFINITE;
                 case IsNumber:
                   return kind != FP_NAN;
                 case IsNotANumber:
                   return kind == FP_NAN;
                 case IsNormal:
                   return kind == FP_NORMAL || kind == FP_ZERO;
                 default:
                   return kind == FP_SUBNORMAL;
                 }
               }));
}

void decodeTestp(Decoder &d) {
  const char *names[] = {"finite",     "infinite", "number",
                         "notanumber", "normal",   "subnormal"};
  bool found = false;
  for (uint8_t i = 0; i < 6 && !found; ++i)
    if (d.take(names[i])) {
      d.inst.a = i;
      found = true;
    }
  Type type = d.takeType();
  if (!found || (type != Type::F32 && type != Type::F64))
    return void(d.unsupported());
  if (!d.expectOperands(2))
    return;
  d.dst(0, Type::Pred);
  d.src(1, type);
  d.emit(type == Type::F32 ? runTestp<float> : runTestp<double>);
}

// Both judge only the operand that they pick; an unwritten one makes an
// unwritten result, because compilers leave undefined arms in place.
template <class T>
void pick(Warp &warp, const uint32_t *slots, uint32_t first,
          uint32_t decided = ~0u) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]);
  uint32_t written =
      ((first & warp.written(slots[1])) | (~first & warp.written(slots[2]))) &
      decided;
  eachLane<T>(warp, slots[0], [=](unsigned lane) {
    return first >> lane & 1 ? getLane<T>(a, lane) : getLane<T>(b, lane);
  });
  uint32_t &result = warp.written(slots[0]);
  result = (result & ~warp.lanes) | (written & warp.lanes);
}

/// An unwritten predicate picks an unwritten result, as it would give one in
/// the logic of predicates: it decides nothing before something depends on it.
template <class T>
void runSelp(Warp &warp, const Inst &inst, const uint32_t *slots) {
  uint32_t first = warp.predicate(slots[3]);
  pick<T>(warp, slots, inst.a ? ~first : first, warp.written(slots[3]));
}

/// slct picks by sign; Inst::a: a float (bit 0), flushed (bit 1).
template <class T>
void runSlct(Warp &warp, const Inst &inst, const uint32_t *slots) {
  if (!warp.requireWritten(slots[3]))
    return;
  const uint8_t *c = warp.slot(slots[3]);
  pick<T>(warp, slots, collect(warp, [=](unsigned lane) {
            if (!inst.a)
              return getLane<int32_t>(c, lane) >= 0;
            float value = getLane<float>(c, lane);
            return (inst.a & 2 ? flushed(value) : value) >= 0;
          }));
}

} // namespace

void sparse_attn::emulator::decodeCompare(Decoder &d) {
  if (d.base() == "testp")
    return decodeTestp(d);
  bool isSet = d.base() == "set", ftz = d.take("ftz");
  Type result = isSet ? d.takeType() : Type::Pred;
  Type type = d.takeType();
  if (!takeComparison(d, type))
    return;
  bool combined = d.inst.b != Alone;
  if (!d.expectOperands(combined ? 4 : 3))
    return;
  if (isSet) {
    if (bitsOf(result) != 32 || result == Type::F16x2 || result == Type::BF16x2)
      return void(d.unsupported());
    d.inst.c = result == Type::F32;
    d.dst(0, result);
    takeSources(d, type);
    return d.emit(handlersOf(type, ftz).set);
  }
  bool pair = d.operand(0).kind == Operand::Pair;
  d.inst.c = pair ? 2 : 1;
  if (pair) {
    d.dst(d.operand(0).elements[0], Type::Pred);
    d.dst(d.operand(0).elements[1], Type::Pred);
  } else {
    d.dst(0, Type::Pred);
  }
  takeSources(d, type);
  if (type == Type::F16x2 || type == Type::BF16x2) {
    if (combined || !pair || ftz)
      return void(d.unsupported());
    return d.emit(type == Type::F16x2 ? runSetpPacked<HalfValue>
                                      : runSetpPacked<BfloatValue>);
  }
  d.emit(handlersOf(type, ftz).setp);
}

void sparse_attn::emulator::decodeSelect(Decoder &d) {
  Type type = d.takeType();
  Handler by16, by32, by64;
  d.inst.checksSources = true;
  if (!d.expectOperands(4))
    return;
  d.dst(0, type);
  d.src(1, type);
  d.src(2, type);
  if (d.base() == "selp") {
    d.inst.a = d.predicateSrc(d.operand(3));
    by16 = runSelp<uint16_t>;
    by32 = runSelp<uint32_t>;
    by64 = runSelp<uint64_t>;
  } else {
    Type sign = d.takeType();
    if (sign != Type::S32 && sign != Type::F32)
      return void(d.unsupported());
    d.src(3, sign);
    d.inst.a = (sign == Type::F32 ? 1 : 0) | (d.take("ftz") ? 3 : 0);
    by16 = runSlct<uint16_t>;
    by32 = runSlct<uint32_t>;
    by64 = runSlct<uint64_t>;
  }
  switch (bitsOf(type)) {
  case 16:
    return d.emit(by16);
  case 32:
    return d.emit(by32);
  case 64:
    return d.emit(by64);
  default:
    d.unsupported();
  }
}

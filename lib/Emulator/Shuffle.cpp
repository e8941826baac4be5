//===- Shuffle.cpp - Exchanges between the lanes of a warp ----------------===//
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

enum Mode : uint8_t { Up, Down, Butterfly, Index };

// Slots: d, [p], a, b, c, membermask. Inst::a is the mode, Inst::b whether
// there is a predicate.
void runShuffle(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint32_t *sources = slots + 1 + inst.b;
  if (!warp.checkMembers(warp.slot(sources[3])))
    return;
  const uint8_t *a = warp.slot(sources[0]), *b = warp.slot(sources[1]),
                *c = warp.slot(sources[2]);
  uint32_t inside = 0, results[32] = {};
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    int offset = getLane<uint32_t>(b, lane) & 31;
    uint32_t control = getLane<uint32_t>(c, lane);
    int clamp = control & 31, segment = control >> 8 & 31;
    int most = (int(lane) & segment) | (clamp & ~segment);
    int least = int(lane) & segment;
    int source = 0;
    bool valid = false;
    switch (inst.a) {
    case Up:
      source = int(lane) - offset;
      valid = source >= most;
      break;
    case Down:
      source = int(lane) + offset;
      valid = source <= most;
      break;
    case Butterfly:
      source = int(lane) ^ offset;
      valid = source <= most;
      break;
    default:
      source = least | (offset & ~segment);
      valid = source <= most;
    }
    if (!valid)
      source = static_cast<int>(lane);
    if (!(warp.lanes >> source & 1))
      return warp.fail(lane, "reads lane " + std::to_string(source) +
                                 ", which does not execute this instruction");
    results[lane] = getLane<uint32_t>(a, static_cast<unsigned>(source));
    inside |= uint32_t(valid) << lane;
  }
  eachLane<uint32_t>(warp, slots[0],
                     [&](unsigned lane) { return results[lane]; });
  if (inst.b)
    putPredicate(warp, slots[1], inside);
}

enum Vote : uint8_t { All, Any, Uniform, Ballot };

// Slots: d, predicate, membermask. Inst::b: the predicate is negated. The
// members of all executing lanes agree only if there is one member mask.
void runVote(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *masks = warp.slot(slots[2]);
  if (!warp.checkMembers(masks))
    return;
  uint32_t predicate = warp.predicate(slots[1]);
  if (inst.b)
    predicate = ~predicate;
  uint32_t lanes = warp.lanes;
  auto members = [&](unsigned lane) {
    return getLane<uint32_t>(masks, lane) & lanes;
  };
  if (inst.a == Ballot)
    return eachLane<uint32_t>(warp, slots[0], [&](unsigned lane) {
      return predicate & members(lane);
    });
  putPredicate(warp, slots[0], collect(warp, [&](unsigned lane) {
                 uint32_t group = members(lane), set = predicate & group;
                 return inst.a == All   ? set == group
                        : inst.a == Any ? set != 0
                                        : set == 0 || set == group;
               }));
}

enum Reduction : uint8_t { Add, Min, Max, And, Or, Xor };

template <class T>
uint32_t reduce(uint8_t operation, uint32_t x, uint32_t y) {
  T a = static_cast<T>(x), b = static_cast<T>(y);
  switch (operation) {
  case Add:
    return x + y;
  case Min:
    return static_cast<uint32_t>(a < b ? a : b);
  case Max:
    return static_cast<uint32_t>(a > b ? a : b);
  case And:
    return x & y;
  case Or:
    return x | y;
  default:
    return x ^ y;
  }
}

template <class T>
void runRedux(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *masks = warp.slot(slots[2]);
  if (!warp.checkMembers(masks))
    return;
  uint32_t lanes = warp.lanes, results[32] = {};
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint32_t members = getLane<uint32_t>(masks, lane) & lanes;
    unsigned first = __builtin_ctz(members);
    uint32_t result = getLane<uint32_t>(a, first);
    for (uint32_t others = members & (members - 1); others;
         others &= others - 1)
      result = reduce<T>(inst.a, result,
                         getLane<uint32_t>(a, __builtin_ctz(others)));
    results[lane] = result;
  }
  eachLane<uint32_t>(warp, slots[0],
                     [&](unsigned lane) { return results[lane]; });
}

/// match.any: the members with the same value; match.all (Inst::a): all
/// members if they agree, else none, and a predicate (Inst::b).
template <class T>
void runMatch(Warp &warp, const Inst &inst, const uint32_t *slots) {
  const uint32_t *sources = slots + 1 + inst.b;
  const uint8_t *a = warp.slot(sources[0]), *masks = warp.slot(sources[1]);
  if (!warp.checkMembers(masks))
    return;
  uint32_t lanes = warp.lanes, results[32] = {}, agree = 0;
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint32_t members = getLane<uint32_t>(masks, lane) & lanes;
    for (uint32_t others = members; others; others &= others - 1) {
      unsigned other = __builtin_ctz(others);
      if (getLane<T>(a, other) == getLane<T>(a, lane))
        results[lane] |= 1u << other;
    }
    if (inst.a && results[lane] != members)
      results[lane] = 0;
    agree |= uint32_t(results[lane] != 0) << lane;
  }
  eachLane<uint32_t>(warp, slots[0],
                     [&](unsigned lane) { return results[lane]; });
  if (inst.b)
    putPredicate(warp, slots[1], agree);
}

void runActiveMask(Warp &warp, const Inst &, const uint32_t *slots) {
  uint32_t lanes = warp.lanes;
  eachLane<uint32_t>(warp, slots[0], [=](unsigned) { return lanes; });
}

/// The member with the lowest number leads.
void runElect(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *masks = warp.slot(slots[2]);
  if (!warp.checkMembers(masks))
    return;
  uint32_t lanes = warp.lanes;
  auto leader = [&](unsigned lane) -> uint32_t {
    return __builtin_ctz(getLane<uint32_t>(masks, lane) & lanes);
  };
  putPredicate(warp, slots[1], collect(warp, [&](unsigned lane) {
                 return leader(lane) == lane;
               }));
  eachLane<uint32_t>(warp, slots[0], leader);
}

/// "d" or "d|p"; Inst::b says whether there is a predicate.
void takeTarget(Decoder &d) {
  const Operand &target = d.operand(0);
  d.inst.b = target.kind == Operand::Pair;
  d.dst(d.inst.b ? target.elements[0] : target, Type::B32);
  if (d.inst.b)
    d.dst(target.elements[1], Type::Pred);
}

void decodeShfl(Decoder &d) {
  d.inst.a = d.take("up")     ? Up
             : d.take("down") ? Down
             : d.take("bfly") ? Butterfly
                              : Index;
  if (d.inst.a == Index && !d.take("idx"))
    return void(d.unsupported());
  if (d.takeType() != Type::B32)
    return void(d.unsupported());
  if (!d.expectOperands(5))
    return;
  takeTarget(d);
  for (size_t i = 1; i < 5; ++i)
    d.src(i, Type::B32);
  d.emit(runShuffle);
}

void decodeVote(Decoder &d) {
  d.inst.a = d.take("all")   ? All
             : d.take("any") ? Any
             : d.take("uni") ? Uniform
                             : Ballot;
  if (d.inst.a == Ballot && !d.take("ballot"))
    return void(d.unsupported());
  Type type = d.inst.a == Ballot ? Type::B32 : Type::Pred;
  if (d.takeType() != type)
    return void(d.unsupported());
  if (!d.expectOperands(3))
    return;
  d.dst(0, type);
  d.inst.b = d.predicateSrc(d.operand(1));
  d.src(2, Type::B32);
  d.emit(runVote);
}

void decodeRedux(Decoder &d) {
  const char *names[] = {"add", "min", "max", "and", "or", "xor"};
  bool found = false;
  for (uint8_t i = 0; i < 6 && !found; ++i)
    if (d.take(names[i])) {
      d.inst.a = i;
      found = true;
    }
  Type type = d.takeType();
  bool bits = d.inst.a >= And;
  if (!found ||
      (bits ? type != Type::B32 : type != Type::U32 && type != Type::S32))
    return void(d.unsupported());
  if (!d.expectOperands(3))
    return;
  d.dst(0, type);
  d.src(1, type);
  d.src(2, Type::B32);
  d.emit(type == Type::S32 ? runRedux<int32_t> : runRedux<uint32_t>);
}

void decodeMatch(Decoder &d) {
  d.inst.a = d.take("all");
  if (!d.inst.a && !d.take("any"))
    return void(d.unsupported());
  Type type = d.takeType();
  if (type != Type::B32 && type != Type::B64)
    return void(d.unsupported());
  if (!d.expectOperands(3))
    return;
  takeTarget(d);
  if (d.inst.b && !d.inst.a)
    return void(d.unsupported());
  d.src(1, type);
  d.src(2, Type::B32);
  d.emit(type == Type::B32 ? runMatch<uint32_t> : runMatch<uint64_t>);
}

} // namespace

void sparse_attn::emulator::decodeElect(Decoder &d) {
  if (!d.take("sync"))
    return void(d.unsupported());
  if (!d.expectOperands(2))
    return;
  const Operand &target = d.operand(0);
  if (target.kind != Operand::Pair)
    return void(d.fail("expected 'd|p'"));
  d.dst(target.elements[0], Type::B32);
  d.dst(target.elements[1], Type::Pred);
  d.src(1, Type::B32);
  d.emit(runElect);
}

void sparse_attn::emulator::decodeShuffle(Decoder &d) {
  if (d.base() == "activemask") {
    if (d.takeType() != Type::B32)
      return void(d.unsupported());
    if (d.expectOperands(1))
      d.dst(0, Type::B32);
    return d.emit(runActiveMask);
  }
  // The forms without member mask do not exist on these targets.
  if (!d.take("sync"))
    return void(d.unsupported());
  if (d.base() == "shfl")
    decodeShfl(d);
  else if (d.base() == "vote")
    decodeVote(d);
  else if (d.base() == "redux")
    decodeRedux(d);
  else
    decodeMatch(d);
}

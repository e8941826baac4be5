//===- Lanes.h - Elementwise access to register slots --------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Handlers compute a whole slot into a local array first: the compiler can
// then vectorise the loop without asking whether operands overlap.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_LANES_H
#define SPARSEATTN_LIB_EMULATOR_LANES_H

#include "Machine.h"

#include <type_traits>

namespace sparse_attn::emulator {

/// How a value lies in a slot: 64-bit values as they are, all others in 32
/// bits, the narrower ones zero-extended.
template <class T>
using Stored = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T>
inline T getLane(const uint8_t *slot, unsigned lane) {
  T value;
  std::memcpy(&value, slot + lane * sizeof(Stored<T>), sizeof(T));
  return value;
}

template <class T>
inline void putLane(uint8_t *slot, unsigned lane, T value) {
  Stored<T> stored = 0;
  std::memcpy(&stored, &value, sizeof(T));
  std::memcpy(slot + lane * sizeof stored, &stored, sizeof stored);
}

/// Calls `f(lane)` for every executing lane and stores its result, a T.
template <class T, class F>
inline void eachLane(Warp &warp, uint32_t target, F f) {
  uint8_t *out = warp.slot(target);
  if (warp.lanes == ~0u) {
    alignas(64) Stored<T> results[32];
    for (unsigned lane = 0; lane < 32; ++lane) {
      T value = f(lane);
      results[lane] = 0;
      std::memcpy(&results[lane], &value, sizeof(T));
    }
    std::memcpy(out, results, sizeof results);
    return;
  }
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    putLane<T>(out, lane, f(lane));
  }
}

/// The same for predicates: `f(lane)` is a bool.
template <class F>
inline uint32_t collect(Warp &warp, F f) {
  uint32_t bits = 0;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    bits |= uint32_t(bool(f(lane))) << lane;
  }
  return bits;
}

inline void putPredicate(Warp &warp, uint32_t target, uint32_t bits) {
  uint32_t &predicate = warp.predicate(target);
  predicate = (predicate & ~warp.lanes) | (bits & warp.lanes);
}

// Elementwise handlers from a stateless functor: R and the operand types are
// the lane types, F is called with one value of each operand.

template <class R, class A, class F>
void unaryLanes(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]);
  eachLane<R>(warp, slots[0],
              [=](unsigned lane) { return F()(getLane<A>(a, lane)); });
}

template <class R, class A, class B, class F>
void binaryLanes(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]);
  eachLane<R>(warp, slots[0], [=](unsigned lane) {
    return static_cast<R>(F()(getLane<A>(a, lane), getLane<B>(b, lane)));
  });
}

template <class R, class A, class B, class C, class F>
void ternaryLanes(Warp &warp, const Inst &, const uint32_t *slots) {
  const uint8_t *a = warp.slot(slots[1]), *b = warp.slot(slots[2]),
                *c = warp.slot(slots[3]);
  eachLane<R>(warp, slots[0], [=](unsigned lane) {
    return static_cast<R>(
        F()(getLane<A>(a, lane), getLane<B>(b, lane), getLane<C>(c, lane)));
  });
}

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_LANES_H

//===- Reduction.cpp - Elements that bulk copies combine ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "BulkCopy.h"
#include "Numeric.h"

#include <algorithm>

using namespace sparse_attn::emulator;

namespace {

template <class T, Reduction reduction>
T combined(T old, T value) {
  constexpr bool isInteger = !std::is_floating_point<T>::value;
  if constexpr (reduction == Reduction::Add)
    return isInteger ? static_cast<T>(uint64_t(old) + uint64_t(value))
                     : static_cast<T>(old + value);
  if constexpr (reduction == Reduction::Min)
    return std::min(old, value);
  if constexpr (reduction == Reduction::Max)
    return std::max(old, value);
  if constexpr (isInteger) {
    if constexpr (reduction == Reduction::Inc)
      return old >= value ? T(0) : static_cast<T>(old + 1);
    if constexpr (reduction == Reduction::Dec)
      return old == 0 || old > value ? value : static_cast<T>(old - 1);
    if constexpr (reduction == Reduction::And)
      return old & value;
    if constexpr (reduction == Reduction::Or)
      return old | value;
    if constexpr (reduction == Reduction::Xor)
      return old ^ value;
  }
  return old;
}

template <class T, Reduction reduction>
void combine(uint8_t *target, const uint8_t *source) {
  T old, value;
  std::memcpy(&old, target, sizeof(T));
  std::memcpy(&value, source, sizeof(T));
  if constexpr (std::is_floating_point<T>::value && reduction == Reduction::Add)
    old = canonical(old + value);
  else
    old = combined<T, reduction>(old, value);
  std::memcpy(target, &old, sizeof(T));
}

template <bool bfloat, Reduction reduction>
void combineHalf(uint8_t *target, const uint8_t *source) {
  uint16_t a, b;
  std::memcpy(&a, target, 2);
  std::memcpy(&b, source, 2);
  double x = bfloat ? bfloatToFloat(a) : halfToFloat(a);
  double y = bfloat ? bfloatToFloat(b) : halfToFloat(b);
  double value = reduction == Reduction::Add   ? oddAdd(x, y)
                 : reduction == Reduction::Min ? std::min(x, y)
                                               : std::max(x, y);
  uint16_t result =
      bfloat ? floatToBfloat(oddFloat(value)) : floatToHalf(oddFloat(value));
  std::memcpy(target, &result, 2);
}

template <class T>
Combine arithmetic(Reduction reduction) {
  switch (reduction) {
  case Reduction::Add:
    return combine<T, Reduction::Add>;
  case Reduction::Min:
    return combine<T, Reduction::Min>;
  case Reduction::Max:
    return combine<T, Reduction::Max>;
  default:
    return nullptr;
  }
}

template <bool bfloat>
Combine halves(Reduction reduction) {
  switch (reduction) {
  case Reduction::Add:
    return combineHalf<bfloat, Reduction::Add>;
  case Reduction::Min:
    return combineHalf<bfloat, Reduction::Min>;
  case Reduction::Max:
    return combineHalf<bfloat, Reduction::Max>;
  default:
    return nullptr;
  }
}

template <class T>
Combine bitwise(Reduction reduction) {
  switch (reduction) {
  case Reduction::And:
    return combine<T, Reduction::And>;
  case Reduction::Or:
    return combine<T, Reduction::Or>;
  case Reduction::Xor:
    return combine<T, Reduction::Xor>;
  default:
    return nullptr;
  }
}

} // namespace

Reduction sparse_attn::emulator::takeReduction(Decoder &d) {
  const char *names[] = {"add", "min", "max", "inc", "dec", "and", "or", "xor"};
  for (uint8_t i = 0; i < 8; ++i)
    if (d.take(names[i]))
      return static_cast<Reduction>(i + 1);
  return Reduction::None;
}

Combine sparse_attn::emulator::combineOf(Reduction reduction, Type type) {
  switch (type) {
  case Type::U32:
    if (reduction == Reduction::Inc)
      return combine<uint32_t, Reduction::Inc>;
    if (reduction == Reduction::Dec)
      return combine<uint32_t, Reduction::Dec>;
    return arithmetic<uint32_t>(reduction);
  case Type::S32:
    return arithmetic<int32_t>(reduction);
  case Type::U64:
    return arithmetic<uint64_t>(reduction);
  case Type::S64:
    return arithmetic<int64_t>(reduction);
  case Type::F32:
    return reduction == Reduction::Add ? arithmetic<float>(reduction) : nullptr;
  case Type::F64:
    return reduction == Reduction::Add ? arithmetic<double>(reduction)
                                       : nullptr;
  case Type::F16:
    return halves<false>(reduction);
  case Type::BF16:
    return halves<true>(reduction);
  case Type::B32:
    return bitwise<uint32_t>(reduction);
  case Type::B64:
    return bitwise<uint64_t>(reduction);
  default:
    return nullptr;
  }
}

void ReduceOp::put(const Piece &piece, const uint8_t *source) {
  // Blocks run on several host threads.
  std::lock_guard<std::mutex> lock(warp->block->launch.memory.atomics);
  for (uint32_t i = 0; source && i < piece.bytes; i += elementBytes)
    combine(piece.target + i, source + i);
}

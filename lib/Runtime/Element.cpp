//===- Element.cpp - Element types and conversions ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Element.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace llvm;

namespace sparse_attn::runtime {

StringRef elementName(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return "f16";
  case ElementType::BF16:
    return "bf16";
  case ElementType::F32:
    return "f32";
  case ElementType::I1:
    return "i1";
  case ElementType::I32:
    return "i32";
  case ElementType::I64:
    return "i64";
  }
  llvm_unreachable("all element types are handled");
}

std::optional<ElementType> parseElementType(StringRef name) {
  return StringSwitch<std::optional<ElementType>>(name)
      .Case("f16", ElementType::F16)
      .Case("bf16", ElementType::BF16)
      .Case("f32", ElementType::F32)
      .Case("i1", ElementType::I1)
      .Case("i32", ElementType::I32)
      .Case("i64", ElementType::I64)
      .Default(std::nullopt);
}

unsigned elementBytes(ElementType type) {
  switch (type) {
  case ElementType::F16:
  case ElementType::BF16:
    return 2;
  case ElementType::F32:
  case ElementType::I32:
    return 4;
  case ElementType::I64:
    return 8;
  case ElementType::I1:
    return 1;
  }
  llvm_unreachable("all element types are handled");
}

bool isFloat(ElementType type) {
  return type == ElementType::F16 || type == ElementType::BF16 ||
         type == ElementType::F32;
}

/// Rounds to a binary format of 16 bits with `mantissaBits` stored bits.
/// Works on the bits of the double, so that the result is rounded once.
template <unsigned mantissaBits>
static uint16_t narrow(double value) {
  constexpr unsigned exponentBits = 15 - mantissaBits;
  constexpr int bias = (1 << (exponentBits - 1)) - 1;
  constexpr uint16_t infinity = ((1 << exponentBits) - 1) << mantissaBits;
  uint64_t bits = bit_cast<uint64_t>(value);
  uint16_t sign = uint16_t(bits >> 48) & 0x8000;
  int biased = int(bits >> 52) & 0x7ff;
  uint64_t mantissa = bits & maskTrailingOnes<uint64_t>(52);
  if (biased == 0x7ff) {
    if (mantissa == 0)
      return sign | infinity;
    return sign | infinity | (1 << (mantissaBits - 1));
  }
  // Doubles below the normal range are far below half of the smallest result.
  if (biased == 0)
    return sign;
  int exponent = biased - 1023 + bias;
  mantissa |= uint64_t(1) << 52;
  // A subnormal result keeps fewer bits: one less for every step below 1.
  unsigned shift = 52 - mantissaBits;
  if (exponent < 1) {
    shift += unsigned(1 - exponent);
    exponent = 1;
    if (shift > 53)
      return sign;
  }
  uint64_t kept = mantissa >> shift;
  uint64_t rest = mantissa & maskTrailingOnes<uint64_t>(shift);
  uint64_t half = uint64_t(1) << (shift - 1);
  if (rest > half || (rest == half && (kept & 1)))
    ++kept;
  // The hidden bit, when present, adds one to the exponent field; so does a
  // carry out of the mantissa, which makes both roundings up come out right.
  uint64_t result = (uint64_t(exponent - 1) << mantissaBits) + kept;
  return sign | uint16_t(result < infinity ? result : infinity);
}

uint16_t halfFromDouble(double value) { return narrow<10>(value); }
uint16_t bfloatFromDouble(double value) { return narrow<7>(value); }

double doubleFromBfloat(uint16_t bits) {
  return bit_cast<float>(uint32_t(bits) << 16);
}

double doubleFromHalf(uint16_t bits) {
  uint64_t sign = uint64_t(bits & 0x8000) << 48;
  unsigned exponent = (bits >> 10) & 31;
  uint64_t mantissa = bits & 0x3ff;
  if (exponent == 31)
    return bit_cast<double>(sign | (uint64_t(0x7ff) << 52) | (mantissa << 42));
  if (exponent == 0) {
    double magnitude = double(mantissa) * 0x1p-24;
    return sign ? -magnitude : magnitude;
  }
  return bit_cast<double>(sign | (uint64_t(exponent - 15 + 1023) << 52) |
                          (mantissa << 42));
}

template <typename T>
static T load(const void *source) {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return value;
}

double loadElement(ElementType type, const void *source) {
  switch (type) {
  case ElementType::F16:
    return doubleFromHalf(load<uint16_t>(source));
  case ElementType::BF16:
    return doubleFromBfloat(load<uint16_t>(source));
  case ElementType::F32:
    return load<float>(source);
  case ElementType::I1:
    return load<uint8_t>(source);
  case ElementType::I32:
    return load<int32_t>(source);
  case ElementType::I64:
    return static_cast<double>(load<int64_t>(source));
  }
  llvm_unreachable("all element types are handled");
}

} // namespace sparse_attn::runtime

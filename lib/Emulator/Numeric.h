//===- Numeric.h - Rounding and number formats ---------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_NUMERIC_H
#define SPARSEATTN_LIB_EMULATOR_NUMERIC_H

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace sparse_attn::emulator {

template <class To, class From>
inline To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "bit casts keep the size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

/// The NaN that f32 instructions return.
inline float canonical(float value) {
  return value != value ? bitCast<float>(0x7fffffffu) : value;
}
inline double canonical(double value) { return value; }

inline float flushed(float value) {
  uint32_t bits = bitCast<uint32_t>(value);
  return bits & 0x7f800000u ? value : bitCast<float>(bits & 0x80000000u);
}
inline double flushed(double value) { return value; }

inline float halfToFloat(uint16_t half) {
  uint32_t magnitude = half & 0x7fffu;
  // Moves the exponent's bias; subnormals become normal on the way.
  float scaled = bitCast<float>(magnitude << 13) * 0x1p112f;
  uint32_t bits = bitCast<uint32_t>(scaled);
  bits |= magnitude >= 0x7c00u ? 0x7f800000u : 0;
  return bitCast<float>(bits | uint32_t(half & 0x8000u) << 16);
}

inline uint16_t floatToHalf(float value) {
  uint32_t bits = bitCast<uint32_t>(value), magnitude = bits & 0x7fffffffu;
  uint32_t sign = bits >> 16 & 0x8000u, half;
  if (magnitude > 0x7f800000u)
    return 0x7fff;
  if (magnitude >= 0x477ff000u)
    half = 0x7c00;
  else if (magnitude >= 0x38800000u)
    half = ((magnitude + 0xfff + (magnitude >> 13 & 1)) >> 13) - (112u << 10);
  else // adding 0.5 rounds at the subnormal's last place
    half = bitCast<uint32_t>(bitCast<float>(magnitude) + 0.5f) - 0x3f000000u;
  return static_cast<uint16_t>(sign | half);
}

inline float bfloatToFloat(uint16_t value) {
  return bitCast<float>(uint32_t(value) << 16);
}

inline uint16_t floatToBfloat(float value) {
  uint32_t bits = bitCast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// e4m3 or e5m2.
float fp8ToFloat(uint8_t bits, bool e5m2);

/// Rounds to tf32 (10 fraction bits), ties away from zero.
inline uint32_t floatToTf32(uint32_t bits) {
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u)
    return 0x7fffffffu;
  return magnitude == 0x7f800000u ? bits : (bits + 0x1000u) & ~0x1fffu;
}

enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway };

/// A binary format narrower than double.
struct Format {
  int fractionBits;
  int minExponent;
  double largest;
};
constexpr Format formatF32 = {23, -126, FLT_MAX};
constexpr Format formatTf32 = {10, -126, 0x1.ffcp127};
constexpr Format formatF16 = {10, -14, 65504.0};
constexpr Format formatBf16 = {7, -126, 0x1.fep127};

/// Rounds to an integer.
inline double roundToInteger(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::Nearest:
    return std::nearbyint(value);
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  case Rounding::NearestAway:
    return std::round(value);
  }
  return value;
}

double roundTo(double value, const Format &format, Rounding rounding);

// Results in double, rounded to odd: rounding these once more, to a format of
// at most 51 bits and in any direction, equals rounding the exact result.
double oddAdd(double a, double b);
double oddDivide(double a, double b);
double oddSqrt(double a);

/// Rounds to odd from double to float.
inline float oddFloat(double value) {
  float rounded = static_cast<float>(value);
  uint32_t bits = bitCast<uint32_t>(rounded);
  if (static_cast<double>(rounded) == value || (bits & 1) || value != value)
    return rounded;
  if (std::isinf(rounded))
    return std::isinf(value) ? rounded : bitCast<float>(bits - 1);
  if (bits << 1 == 0)
    return bitCast<float>((value < 0 ? 0x80000000u : 0) | 1);
  bool away = std::fabs(value) > std::fabs(static_cast<double>(rounded));
  return bitCast<float>(away ? bits + 1 : bits - 1);
}

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_NUMERIC_H

//===- MatrixProduct.cpp - Elements and sums of tensor cores ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "MatrixProduct.h"

#include "Numeric.h"

#include <algorithm>
#include <array>
#include <vector>

using namespace sparse_attn::emulator;

namespace {

/// How a tensor core sums a block of products.
struct BlockFma {
  MmaModel model;
  Type type;
  unsigned products;     // of a block
  int fractionBits;      // kept when aligned to the largest exponent
  int resultBits;        // fraction bits of an f32 result
  int minExponent;       // the largest exponent counts as at least this
  int minExponentOfHalf; // the same where the result is f16
};

constexpr BlockFma blockFmas[] = {
    {MmaModel::Ampere, Type::F16, 8, 24, 23, -132, -20},
    {MmaModel::Ampere, Type::BF16, 8, 24, 23, -132, 0},
    {MmaModel::Ampere, Type::TF32, 4, 24, 23, -132, 0},
    {MmaModel::Ada, Type::F16, 8, 24, 23, -132, -20},
    {MmaModel::Ada, Type::BF16, 8, 24, 23, -132, 0},
    {MmaModel::Ada, Type::TF32, 4, 24, 23, -132, 0},
    {MmaModel::Ada, Type::E4M3, 16, 13, 13, -132, -132},
    {MmaModel::Ada, Type::E5M2, 16, 13, 13, -132, -132},
    {MmaModel::Hopper, Type::F16, 16, 25, 23, -133, -21},
    {MmaModel::Hopper, Type::BF16, 16, 25, 23, -133, 0},
    {MmaModel::Hopper, Type::TF32, 8, 25, 23, -133, 0},
    {MmaModel::Hopper, Type::E4M3, 32, 13, 13, -133, -133},
    {MmaModel::Hopper, Type::E5M2, 32, 13, 13, -133, -133},
};

/// The smallest exponent of a normal number.
int minExponentOf(Type type) {
  switch (type) {
  case Type::F16:
  case Type::E5M2:
    return -14;
  case Type::E4M3:
    return -6;
  default:
    return -126;
  }
}

int exponentOf(double value, int least) {
  return std::max(std::ilogb(value), least);
}

/// Cuts off what exceeds `bits` fraction bits.
double truncated(double value, int bits) {
  if (value == 0)
    return 0;
  int shift = bits - exponentOf(value, -126);
  return std::ldexp(std::trunc(std::ldexp(value, shift)), -shift);
}

struct Factor {
  double value;
  int exponent;
};

/// One block: `count` products and `c`.
double addBlock(const BlockFma &fma, const Factor *a, const Factor *b,
                unsigned count, double c, bool isHalf) {
  int largest = isHalf ? fma.minExponentOfHalf : fma.minExponent;
  bool isFinite = std::isfinite(c), any = c != 0;
  if (c != 0 && isFinite)
    largest = std::max(largest, exponentOf(c, -126));
  double plain = c;
  for (unsigned i = 0; i < count; ++i) {
    double product = a[i].value * b[i].value;
    plain += product;
    isFinite &= std::isfinite(product);
    any |= product != 0;
    if (product != 0)
      largest = std::max(largest, a[i].exponent + b[i].exponent);
  }
  if (!isFinite || !any)
    return plain;
  // As integers of the last place that is kept.
  double scale = std::ldexp(1.0, fma.fractionBits - largest);
  double sum = std::trunc(c * scale);
  for (unsigned i = 0; i < count; ++i)
    sum += std::trunc(a[i].value * b[i].value * scale);
  sum = sum / scale;
  if (isHalf)
    return halfToFloat(floatToHalf(oddFloat(sum)));
  double result = truncated(sum, fma.resultBits);
  return std::fabs(result) > FLT_MAX ? std::copysign(HUGE_VAL, result) : result;
}

void sumBlocks(const BlockFma &fma, const MatrixProduct &p) {
  int leastA = minExponentOf(p.typeA), leastB = minExponentOf(p.typeB);
  std::vector<Factor> columns(size_t(p.n) * p.k), row(p.k);
  for (unsigned n = 0; n < p.n; ++n)
    for (unsigned k = 0; k < p.k; ++k) {
      double value = p.b[k * p.n + n];
      columns[n * p.k + k] = {value, exponentOf(value, leastB)};
    }
  bool isHalf = p.result == Type::F16;
  for (unsigned m = 0; m < p.m; ++m) {
    for (unsigned k = 0; k < p.k; ++k) {
      double value = p.a[m * p.k + k];
      row[k] = {value, exponentOf(value, leastA)};
    }
    for (unsigned n = 0; n < p.n; ++n) {
      double &d = p.d[m * p.n + n];
      for (unsigned k = 0; k < p.k; k += fma.products)
        d = addBlock(fma, &row[k], &columns[n * p.k + k],
                     std::min(fma.products, p.k - k), d, isHalf);
    }
  }
}

using Table = std::array<float, 256>;

/// fp8 values (PTX ISA, "Alternate Floating-Point Data Formats").
Table makeTable(unsigned fractionBits, int bias, bool hasInfinity) {
  Table table;
  unsigned exponents = (0x80u >> fractionBits) - 1;
  for (unsigned bits = 0; bits < 256; ++bits) {
    unsigned fraction = bits & ((1u << fractionBits) - 1);
    unsigned exponent = (bits & 0x7f) >> fractionBits;
    float magnitude =
        exponent ? std::ldexp(float(fraction | 1u << fractionBits),
                              int(exponent) - bias - int(fractionBits))
                 : std::ldexp(float(fraction), 1 - bias - int(fractionBits));
    bool isTop = exponent == exponents;
    if (isTop && hasInfinity)
      magnitude = fraction ? NAN : HUGE_VALF;
    if (!hasInfinity && (bits & 0x7f) == 0x7f)
      magnitude = NAN;
    table[bits] = bits & 0x80 ? -magnitude : magnitude;
  }
  return table;
}

} // namespace

float sparse_attn::emulator::fp8ToFloat(uint8_t bits, bool e5m2) {
  static const Table tableE4m3 = makeTable(3, 7, false);
  static const Table tableE5m2 = makeTable(2, 15, true);
  return e5m2 ? tableE5m2[bits] : tableE4m3[bits];
}

bool sparse_attn::emulator::isMatrixElement(Type type) {
  switch (type) {
  case Type::F16:
  case Type::BF16:
  case Type::TF32:
  case Type::E4M3:
  case Type::E5M2:
  case Type::S8:
  case Type::U8:
    return true;
  default:
    return false;
  }
}

void sparse_attn::emulator::widen(Type type, const uint8_t *packed,
                                  double *values, unsigned count) {
  switch (type) {
  case Type::F16:
  case Type::BF16:
    for (unsigned i = 0; i < count; ++i) {
      uint16_t bits;
      std::memcpy(&bits, packed + 2 * i, 2);
      values[i] = type == Type::F16 ? halfToFloat(bits) : bfloatToFloat(bits);
    }
    break;
  case Type::TF32:
    for (unsigned i = 0; i < count; ++i) {
      uint32_t bits;
      std::memcpy(&bits, packed + 4 * i, 4);
      values[i] = bitCast<float>(bits & ~0x1fffu);
    }
    break;
  case Type::S8:
    for (unsigned i = 0; i < count; ++i)
      values[i] = static_cast<int8_t>(packed[i]);
    break;
  case Type::U8:
    for (unsigned i = 0; i < count; ++i)
      values[i] = packed[i];
    break;
  default:
    for (unsigned i = 0; i < count; ++i)
      values[i] = fp8ToFloat(packed[i], type == Type::E5M2);
    break;
  }
}

bool MatrixProduct::run(MmaModel model) const {
  // Sums of integers have one result.
  if (model == MmaModel::Ieee || result == Type::S32) {
    sumExactly();
    return true;
  }
  // Only warpgroups multiply fp8 on Hopper.
  if (model == MmaModel::Hopper && isOfWarp && bitsOf(typeA) == 8) {
    sumAsHalves(model);
    return true;
  }
  for (const BlockFma &fma : blockFmas)
    if (fma.model == model && fma.type == typeA) {
      sumBlocks(fma, *this);
      return true;
    }
  return false;
}

// What ptxas makes of mma.sync: a product of the elements in the lower halves
// of the registers from zero, one of the upper halves added, both in f16 with
// the type of the result as accumulator, and then an addition of C.
void MatrixProduct::sumAsHalves(MmaModel model) const {
  std::vector<double> factors(size_t(m) * k / 2), others(size_t(n) * k / 2),
      sums(size_t(m) * n);
  MatrixProduct half = *this;
  half.typeA = half.typeB = Type::F16;
  half.isOfWarp = false;
  half.k = k / 2;
  half.a = factors.data();
  half.b = others.data();
  half.d = sums.data();
  for (unsigned upper = 0; upper < 2; ++upper) {
    for (unsigned i = 0; i < half.k; ++i) {
      // Registers hold four elements.
      unsigned from = i / 2 * 4 + upper * 2 + i % 2;
      for (unsigned row = 0; row < m; ++row)
        factors[size_t(row) * half.k + i] = a[size_t(row) * k + from];
      std::copy_n(b + size_t(from) * n, n, &others[size_t(i) * n]);
    }
    half.run(model);
  }
  for (size_t i = 0; i < sums.size(); ++i)
    d[i] += sums[i];
}

void MatrixProduct::sumExactly() const {
  // Products are exact in double; their sum over k is taken in ascending k,
  // and the accumulator is added last.
  for (unsigned row = 0; row < m; ++row) {
    alignas(64) double sums[256] = {};
    const double *factors = a + row * k;
    for (unsigned i = 0; i < k; ++i) {
      double factor = factors[i];
      const double *others = b + size_t(i) * n;
      for (unsigned column = 0; column < n; ++column)
        sums[column] += factor * others[column];
    }
    double *out = d + size_t(row) * n;
    for (unsigned column = 0; column < n; ++column)
      out[column] += sums[column];
  }
}

uint32_t sparse_attn::emulator::roundSum(double sum, Type result,
                                         bool saturate) {
  if (result == Type::F16)
    return floatToHalf(oddFloat(sum));
  if (result == Type::F32)
    return bitCast<uint32_t>(canonical(static_cast<float>(sum)));
  auto wide = static_cast<int64_t>(sum);
  if (saturate)
    wide = std::clamp<int64_t>(wide, INT32_MIN, INT32_MAX);
  return static_cast<uint32_t>(wide);
}

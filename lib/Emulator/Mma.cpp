//===- Mma.cpp - mma.sync -------------------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Products are exact in double, their sum over k is taken in double in
// ascending k, the accumulator is added last, and the result is rounded once.
//
//===----------------------------------------------------------------------===//

#include "Numeric.h"

#include "Decoder.h"
#include "Lanes.h"

using namespace sparse_attn::emulator;

namespace {

enum Kind : uint8_t { Half, Bfloat, Tf32 };

/// A and B of one warp, k first, so that the inner loops run over n.
template <unsigned k>
struct Operands {
  alignas(64) double a[16][k];
  alignas(64) double b[k][8];
};

template <unsigned k>
void multiply(const Operands<k> &in, double (&sums)[16][8]) {
  for (unsigned m = 0; m < 16; ++m) {
    double row[8] = {};
    for (unsigned i = 0; i < k; ++i)
      for (unsigned n = 0; n < 8; ++n)
        row[n] += in.a[m][i] * in.b[i][n];
    for (unsigned n = 0; n < 8; ++n)
      sums[m][n] = row[n];
  }
}

template <Kind kind>
double widen(uint16_t bits) {
  return kind == Bfloat ? bfloatToFloat(bits) : halfToFloat(bits);
}

// 16-bit fragments: register r of lane (g, t) holds columns 2t, 2t+1, plus 8
// for each second pair of registers, of row g (+ 8 for odd r).
template <Kind kind, unsigned k>
void unpack16(Warp &warp, const uint32_t *a, const uint32_t *b,
              Operands<k> &out) {
  for (unsigned r = 0; r < k / 4; ++r) {
    const uint8_t *in = warp.slot(a[r]);
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint32_t bits = getLane<uint32_t>(in, lane);
      double *row = out.a[lane / 4 + (r & 1) * 8] + (r >> 1) * 8 + lane % 4 * 2;
      row[0] = widen<kind>(static_cast<uint16_t>(bits));
      row[1] = widen<kind>(static_cast<uint16_t>(bits >> 16));
    }
  }
  for (unsigned r = 0; r < k / 8; ++r) {
    const uint8_t *in = warp.slot(b[r]);
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint32_t bits = getLane<uint32_t>(in, lane);
      unsigned row = r * 8 + lane % 4 * 2;
      out.b[row][lane / 4] = widen<kind>(static_cast<uint16_t>(bits));
      out.b[row + 1][lane / 4] = widen<kind>(static_cast<uint16_t>(bits >> 16));
    }
  }
}

// tf32 fragments: register r holds column t (+ 4 for each second pair) of row
// g (+ 8 for odd r). The low 13 bits are ignored.
template <unsigned k>
void unpackTf32(Warp &warp, const uint32_t *a, const uint32_t *b,
                Operands<k> &out) {
  auto value = [&](uint32_t slot, unsigned lane) {
    uint32_t bits = getLane<uint32_t>(warp.slot(slot), lane);
    return static_cast<double>(bitCast<float>(bits & ~0x1fffu));
  };
  for (unsigned r = 0; r < k / 2; ++r)
    for (unsigned lane = 0; lane < 32; ++lane)
      out.a[lane / 4 + (r & 1) * 8][lane % 4 + (r >> 1) * 4] =
          value(a[r], lane);
  for (unsigned r = 0; r < k / 4; ++r)
    for (unsigned lane = 0; lane < 32; ++lane)
      out.b[lane % 4 + r * 4][lane / 4] = value(b[r], lane);
}

// Slots: D, A, B, C.
template <Kind kind, unsigned k, bool halfResult>
void runMma(Warp &warp, const Inst &, const uint32_t *slots) {
  if (!warp.requireConverged(true))
    return;
  ++warp.block->counters.mma;
  constexpr unsigned results = halfResult ? 2 : 4;
  constexpr unsigned countA = kind == Tf32 ? k / 2 : k / 4;
  constexpr unsigned countB = countA / 2;
  const uint32_t *a = slots + results, *b = a + countA, *c = b + countB;
  Operands<k> in;
  if constexpr (kind == Tf32)
    unpackTf32<k>(warp, a, b, in);
  else
    unpack16<kind, k>(warp, a, b, in);
  double sums[16][8];
  multiply<k>(in, sums);
  for (unsigned r = 0; r < results; ++r) {
    alignas(64) uint32_t out[32];
    const uint8_t *addend = warp.slot(c[r]);
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned row = halfResult ? r : r >> 1;
      const double *sum = sums[lane / 4 + row * 8] + lane % 4 * 2;
      if constexpr (halfResult) {
        uint32_t bits = getLane<uint32_t>(addend, lane);
        double low = sum[0] + halfToFloat(static_cast<uint16_t>(bits));
        double high = sum[1] + halfToFloat(static_cast<uint16_t>(bits >> 16));
        out[lane] = floatToHalf(oddFloat(low)) |
                    uint32_t(floatToHalf(oddFloat(high))) << 16;
      } else {
        double value = sum[r & 1] + double(getLane<float>(addend, lane));
        out[lane] = bitCast<uint32_t>(canonical(static_cast<float>(value)));
      }
    }
    std::memcpy(warp.slot(slots[r]), out, sizeof out);
  }
}

Handler handlerOf(Type a, Type d, unsigned k) {
  bool half = d == Type::F16;
  if (!half && d != Type::F32)
    return nullptr;
  if (a == Type::F16 && k == 16)
    return half ? runMma<Half, 16, true> : runMma<Half, 16, false>;
  if (a == Type::F16 && k == 8)
    return half ? runMma<Half, 8, true> : runMma<Half, 8, false>;
  if (half)
    return nullptr;
  if (a == Type::BF16 && k == 16)
    return runMma<Bfloat, 16, false>;
  if (a == Type::BF16 && k == 8)
    return runMma<Bfloat, 8, false>;
  if (a == Type::TF32 && k == 8)
    return runMma<Tf32, 8, false>;
  if (a == Type::TF32 && k == 4)
    return runMma<Tf32, 4, false>;
  return nullptr;
}

} // namespace

void sparse_attn::emulator::decodeMma(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned"))
    return void(d.unsupported());
  unsigned k = d.take("m16n8k16")  ? 16
               : d.take("m16n8k8") ? 8
               : d.take("m16n8k4") ? 4
                                   : 0;
  if (!d.take("row") || !d.take("col"))
    return void(d.unsupported());
  Type result = d.takeType(), a = d.takeType(), b = d.takeType(),
       c = d.takeType();
  Handler handler = a == b && c == result ? handlerOf(a, result, k) : nullptr;
  if (!handler)
    return void(d.unsupported());
  if (!d.expectOperands(4))
    return;
  size_t results = result == Type::F16 ? 2 : 4;
  size_t countA = a == Type::TF32 ? k / 2 : k / 4;
  const size_t counts[] = {results, countA, countA / 2, results};
  for (size_t i = 0; i < 4; ++i) {
    const Operand &operand = d.operand(i);
    std::vector<Operand> elements = {operand};
    if (operand.kind == Operand::Vector)
      elements = operand.elements;
    if (elements.size() != counts[i])
      return void(d.fail("operand " + std::to_string(i + 1) + " needs " +
                         std::to_string(counts[i]) + " registers, found " +
                         std::to_string(elements.size())));
    for (const Operand &element : elements)
      i == 0 ? d.dst(element, Type::B32) : d.src(element, Type::B32);
  }
  d.emit(handler);
}

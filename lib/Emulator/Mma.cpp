//===- Mma.cpp - mma.sync -------------------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Warp Level Matrix Instructions: mma". A 32-bit register holds
// `pack` elements: register r of lane (g, t) those from column t * pack of row
// g, 4 * pack further for each second pair of registers, row g + 8 for odd r.
//
//===----------------------------------------------------------------------===//

#include "MatrixProduct.h"

#include "Decoder.h"
#include "Lanes.h"
#include "Numeric.h"

using namespace sparse_attn::emulator;

namespace {

template <Type type>
double element(uint32_t word, unsigned index) {
  if constexpr (type == Type::TF32)
    return bitCast<float>(word & ~0x1fffu);
  else if constexpr (type == Type::F16)
    return halfToFloat(static_cast<uint16_t>(word >> (16 * index)));
  else if constexpr (type == Type::BF16)
    return bfloatToFloat(static_cast<uint16_t>(word >> (16 * index)));
  else if constexpr (type == Type::S8)
    return static_cast<int8_t>(word >> (8 * index));
  else if constexpr (type == Type::U8)
    return static_cast<uint8_t>(word >> (8 * index));
  else
    return fp8ToFloat(static_cast<uint8_t>(word >> (8 * index)),
                      type == Type::E5M2);
}

template <unsigned k>
void multiply(const double (&a)[16][k], const double (&b)[k][8],
              double (&sums)[16][8]) {
  for (unsigned m = 0; m < 16; ++m) {
    double row[8] = {};
    for (unsigned i = 0; i < k; ++i)
      for (unsigned n = 0; n < 8; ++n)
        row[n] += a[m][i] * b[i][n];
    for (unsigned n = 0; n < 8; ++n)
      sums[m][n] += row[n];
  }
}

// Slots: D, A, B, C. Inst::a: results saturate.
template <Type typeA, Type typeB, unsigned k, Type result>
void runMma(Warp &warp, const Inst &inst, const uint32_t *slots) {
  if (!warp.requireConverged(true))
    return;
  ++warp.block->counters.mma;
  constexpr bool isHalf = result == Type::F16;
  constexpr unsigned results = isHalf ? 2 : 4;
  constexpr unsigned pack = 32 / bitsOf(typeA);
  constexpr unsigned countA = k / 2 / pack, countB = countA / 2;
  const uint32_t *slotsA = slots + results, *slotsB = slotsA + countA,
                 *slotsC = slotsB + countB;
  alignas(64) double a[16][k], b[k][8], sums[16][8];
  for (unsigned r = 0; r < countA; ++r) {
    const uint8_t *in = warp.slot(slotsA[r]);
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < pack; ++i)
        a[lane / 4 + (r & 1) * 8][((r >> 1) * 4 + lane % 4) * pack + i] =
            element<typeA>(getLane<uint32_t>(in, lane), i);
  }
  for (unsigned r = 0; r < countB; ++r) {
    const uint8_t *in = warp.slot(slotsB[r]);
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < pack; ++i)
        b[(r * 4 + lane % 4) * pack + i][lane / 4] =
            element<typeB>(getLane<uint32_t>(in, lane), i);
  }
  for (unsigned r = 0; r < results; ++r) {
    const uint8_t *in = warp.slot(slotsC[r]);
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint32_t word = getLane<uint32_t>(in, lane);
      double *at = sums[lane / 4 + (isHalf ? r : r >> 1) * 8] + lane % 4 * 2;
      if constexpr (isHalf) {
        at[0] = element<Type::F16>(word, 0);
        at[1] = element<Type::F16>(word, 1);
      } else if constexpr (result == Type::S32) {
        at[r & 1] = static_cast<int32_t>(word);
      } else {
        at[r & 1] = bitCast<float>(word);
      }
    }
  }
  MmaModel model = warp.block->launch.launch.mmaModel;
  if (model == MmaModel::Ieee || result == Type::S32) {
    multiply<k>(a, b, sums);
  } else {
    MatrixProduct product{typeA, typeB, result, 16,      8,
                          k,     a[0],  b[0],   sums[0], true};
    if (!product.run(model))
      return warp.fail(0, "the chosen model of tensor cores knows no products "
                          "of this type");
  }
  for (unsigned r = 0; r < results; ++r) {
    alignas(64) uint32_t out[32];
    for (unsigned lane = 0; lane < 32; ++lane) {
      const double *at =
          sums[lane / 4 + (isHalf ? r : r >> 1) * 8] + lane % 4 * 2;
      if constexpr (isHalf)
        out[lane] = roundSum(at[0], result) | roundSum(at[1], result) << 16;
      else if constexpr (result == Type::F32)
        out[lane] = bitCast<uint32_t>(canonical(static_cast<float>(at[r & 1])));
      else
        out[lane] = roundSum(at[r & 1], result, inst.a);
    }
    std::memcpy(warp.slot(slots[r]), out, sizeof out);
  }
}

template <Type a, Type b, unsigned k>
Handler withResult(Type result) {
  if constexpr (a == Type::S8 || a == Type::U8)
    return result == Type::S32 ? runMma<a, b, k, Type::S32> : nullptr;
  else if constexpr (a == Type::BF16 || a == Type::TF32)
    return result == Type::F32 ? runMma<a, b, k, Type::F32> : nullptr;
  else
    return result == Type::F32   ? runMma<a, b, k, Type::F32>
           : result == Type::F16 ? runMma<a, b, k, Type::F16>
                                 : nullptr;
}

template <Type a, Type b, unsigned small>
Handler withDepth(unsigned k, Type result) {
  return k == small       ? withResult<a, b, small>(result)
         : k == 2 * small ? withResult<a, b, 2 * small>(result)
                          : nullptr;
}

Handler handlerOf(Type a, Type b, unsigned k, Type result) {
  if (a == Type::F16 && b == a)
    return withDepth<Type::F16, Type::F16, 8>(k, result);
  if (a == Type::BF16 && b == a)
    return withDepth<Type::BF16, Type::BF16, 8>(k, result);
  if (a == Type::TF32 && b == a)
    return withDepth<Type::TF32, Type::TF32, 4>(k, result);
  if (a == Type::S8)
    return b == Type::S8   ? withDepth<Type::S8, Type::S8, 16>(k, result)
           : b == Type::U8 ? withDepth<Type::S8, Type::U8, 16>(k, result)
                           : nullptr;
  if (a == Type::U8)
    return b == Type::S8   ? withDepth<Type::U8, Type::S8, 16>(k, result)
           : b == Type::U8 ? withDepth<Type::U8, Type::U8, 16>(k, result)
                           : nullptr;
  if (a == Type::E4M3)
    return b == Type::E4M3   ? withDepth<Type::E4M3, Type::E4M3, 16>(k, result)
           : b == Type::E5M2 ? withDepth<Type::E4M3, Type::E5M2, 16>(k, result)
                             : nullptr;
  if (a == Type::E5M2)
    return b == Type::E4M3   ? withDepth<Type::E5M2, Type::E4M3, 16>(k, result)
           : b == Type::E5M2 ? withDepth<Type::E5M2, Type::E5M2, 16>(k, result)
                             : nullptr;
  return nullptr;
}

} // namespace

void sparse_attn::emulator::decodeMma(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned"))
    return void(d.unsupported());
  unsigned k = d.take("m16n8k32")   ? 32
               : d.take("m16n8k16") ? 16
               : d.take("m16n8k8")  ? 8
               : d.take("m16n8k4")  ? 4
                                    : 0;
  if (!d.take("row") || !d.take("col"))
    return void(d.unsupported());
  d.inst.a = d.take("satfinite");
  Type result = d.takeType(), a = d.takeType(), b = d.takeType(),
       c = d.takeType();
  Handler handler = c == result ? handlerOf(a, b, k, result) : nullptr;
  if (!handler || (d.inst.a && result != Type::S32))
    return void(d.unsupported());
  if (!d.expectOperands(4))
    return;
  size_t results = result == Type::F16 ? 2 : 4;
  size_t countA = k * bitsOf(a) / 64;
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

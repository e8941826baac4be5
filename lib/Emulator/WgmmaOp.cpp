//===- WgmmaOp.cpp - The product of a warpgroup -------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Lanes.h"
#include "MatrixDescriptor.h"
#include "MatrixProduct.h"
#include "Numeric.h"
#include "Wgmma.h"

using namespace sparse_attn::emulator;

namespace {

constexpr unsigned rows = 64; // of A and D; 16 for each warp

/// Calls `f(row, chunk, offset)` for each 16 bytes of an operand, which lie at
/// `offset` of shared memory; stops when it returns false. `extent` is M or N.
template <class F>
bool forEachChunk(uint64_t bits, Type type, bool isKMajor, unsigned extent,
                  unsigned k, F f) {
  MatrixDescriptor descriptor(bits);
  unsigned elements = 128 / bitsOf(type);
  unsigned lines = isKMajor ? extent : k;
  unsigned chunks = (isKMajor ? k : extent) / elements;
  for (unsigned line = 0; line < lines; ++line)
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      uint64_t address = descriptor.chunkAddress(isKMajor, line, chunk);
      if (!f(line, chunk, address - sharedBase))
        return false;
    }
  return true;
}

void negate(std::vector<double> &values) {
  for (double &value : values)
    value = -value;
}

/// Calls `f(word, sum)` for each word of the accumulators: register r of lane
/// (g, t) of warp w holds row 16 w + g (+ 8) and columns 8 j + 2 t and the
/// next, in one register (f16) or two.
template <bool isHalf, class F>
void forEachWord(const std::vector<uint32_t *> &registers, unsigned n,
                 double *sums, F f) {
  size_t count = registers.size() / 4;
  for (size_t i = 0; i < registers.size(); ++i) {
    size_t member = i / count, r = i % count;
    size_t half = isHalf ? r & 1 : r >> 1 & 1;
    size_t column = isHalf ? (r >> 1) * 8 : (r >> 2) * 8 + (r & 1);
    double *at = sums + (member * 16 + half * 8) * n + column;
    for (unsigned lane = 0; lane < 32; ++lane)
      f(registers[i][lane], at + lane / 4 * n + lane % 4 * 2);
  }
}

void loadSums(Type result, const std::vector<uint32_t *> &registers, unsigned n,
              double *sums) {
  if (result == Type::F32)
    return forEachWord<false>(
        registers, n, sums,
        [](uint32_t word, double *at) { *at = bitCast<float>(word); });
  if (result == Type::S32)
    return forEachWord<false>(
        registers, n, sums,
        [](uint32_t word, double *at) { *at = static_cast<int32_t>(word); });
  forEachWord<true>(registers, n, sums, [](uint32_t word, double *at) {
    at[0] = halfToFloat(static_cast<uint16_t>(word));
    at[1] = halfToFloat(static_cast<uint16_t>(word >> 16));
  });
}

void storeSums(const WgmmaShape &shape,
               const std::vector<uint32_t *> &registers, unsigned n,
               double *sums) {
  if (shape.result == Type::F32)
    return forEachWord<false>(
        registers, n, sums, [](uint32_t &word, const double *at) {
          word = bitCast<uint32_t>(canonical(static_cast<float>(*at)));
        });
  if (shape.result == Type::S32)
    return forEachWord<false>(
        registers, n, sums, [&](uint32_t &word, const double *at) {
          word = roundSum(*at, Type::S32, shape.saturates);
        });
  forEachWord<true>(registers, n, sums, [](uint32_t &word, const double *at) {
    word = roundSum(at[0], Type::F16) | roundSum(at[1], Type::F16) << 16;
  });
}

} // namespace

std::vector<uint32_t> WgmmaOp::fragmentOf(Warp &member) const {
  std::vector<uint32_t> fragment;
  if (!shape.isARegisters)
    return fragment;
  const uint32_t *slots =
      member.block->kernel.operands.data() + inst->slots + inst->dsts;
  for (unsigned r = 0; r < 4; ++r) {
    auto *words = reinterpret_cast<const uint32_t *>(member.slot(slots[r]));
    fragment.insert(fragment.end(), words, words + 32);
  }
  return fragment;
}

bool WgmmaOp::checkOperands() const {
  const Block &block = *warp->block;
  auto check = [&](char operand, uint64_t bits, Type type, bool isKMajor,
                   unsigned extent) {
    auto fail = [&](std::string what) {
      warp->failAt(*inst, 0, std::string("operand ") + operand + " " + what);
      return false;
    };
    return forEachChunk(
        bits, type, isKMajor, extent, shape.k,
        [&](unsigned, unsigned, uint64_t offset) {
          if (block.shared.size() < 16 || offset > block.shared.size() - 16)
            return fail("reads shared address " +
                        std::to_string(offset + sharedBase) +
                        ", which is out of bounds: the block has " +
                        std::to_string(block.shared.size()) + " bytes");
          const uint8_t *shadow = block.sharedShadow.data() + offset;
          if (allWritten(shadow, 16))
            return true;
          for (unsigned i = 0; i < 16; ++i)
            if (shadow[i] == InFlight)
              return fail("reads bytes at shared address " +
                          std::to_string(offset + sharedBase) +
                          " that a copy is still writing");
          return fail("reads uninitialised bytes at shared address " +
                      std::to_string(offset + sharedBase));
        });
  };
  return (shape.isARegisters ||
          check('A', descriptorA, shape.typeA, !shape.transposesA, rows)) &&
         check('B', descriptorB, shape.typeB, !shape.transposesB, shape.n);
}

void WgmmaOp::extents(std::vector<Extent> &reads, std::vector<Extent> &) const {
  auto add = [&](uint64_t bits, Type type, bool isKMajor, unsigned extent) {
    forEachChunk(bits, type, isKMajor, extent, shape.k,
                 [&](unsigned, unsigned, uint64_t offset) {
                   reads.push_back({warp->block, offset, 16});
                   return true;
                 });
  };
  if (!shape.isARegisters)
    add(descriptorA, shape.typeA, !shape.transposesA, rows);
  add(descriptorB, shape.typeB, !shape.transposesB, shape.n);
}

void WgmmaOp::write() {
  // What was written when it was issued may be on its way out again.
  if (!checkOperands())
    return;
  Block &block = *warp->block;
  ++block.counters.mma;
  const uint8_t *shared = block.shared.data();
  unsigned k = shape.k, n = shape.n;
  std::vector<double> a(size_t(rows) * k), b(size_t(k) * n);
  std::vector<double> d(size_t(rows) * n);

  auto load = [&](uint64_t bits, Type type, bool isKMajor, unsigned extent,
                  double *out, size_t kStep, size_t otherStep) {
    unsigned count = 128 / bitsOf(type);
    double values[16];
    size_t lineStep = isKMajor ? otherStep : kStep;
    size_t elementStep = isKMajor ? kStep : otherStep;
    forEachChunk(bits, type, isKMajor, extent, k,
                 [&](unsigned line, unsigned chunk, uint64_t offset) {
                   widen(type, shared + offset, values, count);
                   double *to =
                       out + line * lineStep + chunk * count * elementStep;
                   for (unsigned i = 0; i < count; ++i)
                     to[i * elementStep] = values[i];
                   return true;
                 });
    block.counters.sharedBytes += uint64_t(extent) * k * bitsOf(type) / 8;
  };
  load(descriptorB, shape.typeB, !shape.transposesB, n, b.data(), n, 1);
  if (shape.isARegisters) {
    // Register r of lane (g, t) holds `pack` elements of row g (+ 8 for odd r).
    unsigned pack = 32 / bitsOf(shape.typeA);
    for (unsigned member = 0; member < 4; ++member)
      for (unsigned r = 0; r < 4; ++r)
        for (unsigned lane = 0; lane < 32; ++lane) {
          uint32_t word = fragmentsA[(member * 4 + r) * 32 + lane];
          unsigned row = member * 16 + (r & 1) * 8 + lane / 4;
          unsigned column = (r >> 1) * 4 * pack + lane % 4 * pack;
          widen(shape.typeA, reinterpret_cast<uint8_t *>(&word),
                &a[size_t(row) * k + column], pack);
        }
  } else {
    load(descriptorA, shape.typeA, !shape.transposesA, rows, a.data(), 1, k);
  }
  if (shape.negatesA)
    negate(a);
  if (shape.negatesB)
    negate(b);

  // All registers of the four warps, where they lie.
  const uint32_t *slots = block.kernel.operands.data() + inst->slots;
  unsigned first = warp->index() / 4 * 4, count = shape.resultRegisters();
  std::vector<uint32_t *> registers;
  for (unsigned member = 0; member < 4; ++member)
    for (unsigned r = 0; r < count; ++r)
      registers.push_back(reinterpret_cast<uint32_t *>(
          block.warps[first + member]->slot(slots[r])));
  if (accumulates)
    loadSums(shape.result, registers, n, d.data());
  MatrixProduct product{shape.typeA, shape.typeB, shape.result, rows,    n,
                        k,           a.data(),    b.data(),     d.data()};
  if (!product.run(block.launch.launch.mmaModel))
    return warp->failAt(*inst, 0,
                        "the chosen model of tensor cores knows no products "
                        "of this type");
  storeSums(shape, registers, n, d.data());
}

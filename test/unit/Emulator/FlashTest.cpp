//===- FlashTest.cpp - A whole kernel for sm_90a ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "FlashKernel.h"
#include "HopperHarness.h"

#include <algorithm>
#include <cmath>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

constexpr unsigned headDim = 128;

/// A matrix of bf16 in the emulator's memory, and its tensor map.
struct Matrix {
  uint64_t rows, address = 0;
  std::vector<uint16_t> bits;

  Matrix(uint64_t rows, uint32_t seed) : rows(rows), bits(rows * headDim) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (uint16_t &value : bits)
      value = nearestHalf(normal(random), true);
  }
  double at(uint64_t row, unsigned column) const {
    return halfValue(bits[row * headDim + column], true);
  }
  TensorMap::Encoded place(GlobalMemory &memory, uint32_t boxRows,
                           bool isOutput) {
    address = memory.allocate(bits.size() * 2);
    if (!isOutput)
      memory.write(address, bits.data(), bits.size() * 2);
    uint64_t sizes[] = {headDim, rows}, strides[] = {headDim * 2};
    uint32_t box[] = {64, boxRows}, steps[] = {1, 1};
    TensorMap::Encoded map;
    EXPECT_FALSE(TensorMap::encodeTiled(
        map, TensorMap::DataType::BFloat16, 2, address, sizes, strides, box,
        steps, TensorMap::Interleave::None, TensorMap::Swizzle::Bytes128,
        TensorMap::L2Promotion::None, TensorMap::OobFill::None));
    return map;
  }
};

struct Attention {
  Attention(uint64_t queries, unsigned tiles, const std::string &text,
            bool assemble = false)
      : q(queries, 1), k(tiles * 128, 2), v(tiles * 128, 3), o(queries, 4),
        run(text, assemble) {
    run.maps = {q.place(run.memory, 128, false),
                k.place(run.memory, 128, false),
                v.place(run.memory, 128, false), o.place(run.memory, 64, true)};
    run.setInput(std::vector<uint32_t>{tiles});
    run.launch.grid = {static_cast<uint32_t>((queries + 127) / 128), 1, 1};
    run.launch.block = {384, 1, 1};
    run.launch.dynamicSharedBytes = flashSharedBytes;
    run.launch.instructionLimit = 1 << 26;
  }

  std::optional<Error> execute() {
    run.prepare();
    return run.run();
  }

  /// Whether the output is that of float64, but for rounding P and O to bf16.
  bool isRight() {
    if (!run.memory.read(o.address, o.bits.data(), o.bits.size() * 2))
      return false;
    const double scale = 1 / std::sqrt(double(headDim));
    for (uint64_t i = 0; i < q.rows; i += 7) {
      std::vector<double> weights(k.rows);
      double largest = -INFINITY, sum = 0;
      for (uint64_t j = 0; j < k.rows; ++j) {
        for (unsigned c = 0; c < headDim; ++c)
          weights[j] += q.at(i, c) * k.at(j, c) * scale;
        largest = std::max(largest, weights[j]);
      }
      for (double &weight : weights)
        sum += weight = std::exp(weight - largest);
      for (unsigned c = 0; c < headDim; ++c) {
        double wanted = 0, magnitude = 0;
        for (uint64_t j = 0; j < k.rows; ++j) {
          wanted += weights[j] / sum * v.at(j, c);
          magnitude += weights[j] / sum * std::fabs(v.at(j, c));
        }
        double error = std::fabs(o.at(i, c) - wanted);
        if (!(error <= magnitude / 256))
          return false;
      }
    }
    return true;
  }

  Matrix q, k, v, o;
  HopperRun run;
};

TEST(Flash, MatchesFloat64) {
  // The second block has fewer queries than rows: missing rows are not stored.
  Attention attention(200, 3, flashKernel(), true);
  std::optional<Error> error = attention.execute();
  ASSERT_FALSE(error) << error->str();
  EXPECT_TRUE(attention.isRight());
  EXPECT_EQ(attention.run.counters.mma, 2u * 3 * 2 * 16);
}

TEST(Flash, SchedulesAgree) {
  std::vector<uint16_t> first;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Attention attention(64, 4, flashKernel());
    attention.run.launch.seed = seed;
    attention.run.launch.checkRaces = true;
    std::optional<Error> error = attention.execute();
    ASSERT_FALSE(error) << "seed " << seed << ": " << error->str();
    ASSERT_TRUE(attention.isRight()) << "seed " << seed;
    if (seed == 0)
      first = attention.o.bits;
    EXPECT_EQ(attention.o.bits, first) << "seed " << seed;
  }
}

/// Replaces the `index`-th occurrence of `from`.
std::string mutate(std::string text, const std::string &from,
                   const std::string &to, unsigned index = 0) {
  size_t at = text.find(from);
  for (; index && at != std::string::npos; --index)
    at = text.find(from, at + 1);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Flash, PlantedFaults) {
  std::string kernel = flashKernel();
  const std::string bytes = "], 32768;";
  struct Mutant {
    const char *name;
    std::string text;
  };
  const Mutant mutants[] = {
      {"a byte count too small", mutate(kernel, bytes, "], 32512;", 1)},
      {"a byte count too large", mutate(kernel, bytes, "], 33024;", 2)},
      {"keys not waited for", mutate(kernel, "@!%p1 bra WAIT_KEYS;", "", 0)},
      {"values not waited for", mutate(kernel, "@!%p1 bra WAIT_VALUES;", "")},
      {"scores used in flight",
       mutate(kernel, "wgmma.wait_group.sync.aligned 0; // SCORES",
              "wgmma.wait_group.sync.aligned 1;")},
      {"weights packed too early",
       mutate(kernel, "wgmma.wait_group.sync.aligned 0; // OUTPUT",
              "wgmma.wait_group.sync.aligned 1;")},
      {"keys released twice", mutate(kernel, "+163864], 8;", "+163864], 4;")},
      {"values never released",
       mutate(kernel, "mbarrier.arrive.shared::cta.b64 _, [%bar+163896]",
              "mbarrier.arrive.shared::cta.b64 _, [%bar+163864]")},
      {"another swizzle",
       mutate(kernel, "or.b64 %keys, %keys, 4611686293305294848",
              "or.b64 %keys, %keys, 9223372311732682752")},
      {"a wrong stride",
       mutate(kernel, "or.b64 %values, %values, 4611686293372403712",
              "or.b64 %values, %values, 4611686293338849280")},
      {"P rounded from the wrong scores",
       mutate(kernel, "cvt.rn.bf16x2.f32 %w5, %s11, %s10",
              "cvt.rn.bf16x2.f32 %w5, %s10, %s11")},
      {"a store not waited for",
       mutate(kernel, "cp.async.bulk.wait_group 0;", "")},
      {"an arrival too few at the other's turn",
       mutate(kernel, "@!%firstGroup bar.arrive 3, 256;", "")},
      {"too many registers",
       mutate(kernel, "setmaxnreg.dec.sync.aligned.u32 24;",
              "setmaxnreg.dec.sync.aligned.u32 40;")},
  };
  for (const Mutant &mutant : mutants) {
    bool isCaught = false;
    for (uint64_t seed = 0; seed < 4 && !isCaught; ++seed) {
      Attention attention(64, 4, mutant.text);
      attention.run.launch.seed = seed;
      isCaught = attention.execute().has_value() || !attention.isRight();
    }
    EXPECT_TRUE(isCaught) << mutant.name;
  }
}

/// Drops each statement that orders memory or registers, one at a time.
TEST(Flash, EveryOrderIsNeeded) {
  const std::string kernel = flashKernel();
  const char *const orders[] = {"fence",    "wait_group", "commit_group",
                                "bar.sync", "bar.arrive", "mbarrier.arrive"};
  std::vector<std::string> survivors;
  for (size_t begin = 0, end; begin < kernel.size(); begin = end + 1) {
    end = kernel.find('\n', begin);
    std::string line = kernel.substr(begin, end - begin);
    if (std::none_of(std::begin(orders), std::end(orders),
                     [&](const char *order) {
                       return line.find(order) != std::string::npos;
                     }))
      continue;
    std::string text = kernel;
    text.replace(begin, line.size(), "");
    bool isCaught = false;
    for (uint64_t seed = 0; seed < 2 && !isCaught; ++seed) {
      Attention attention(64, 4, text);
      attention.run.launch.seed = seed;
      attention.run.launch.checkRaces = true;
      isCaught = attention.execute().has_value() || !attention.isRight();
    }
    if (!isCaught)
      survivors.push_back(line);
  }
  // The turns of the warpgroups are for speed alone.
  EXPECT_EQ(survivors, std::vector<std::string>{"  bar.sync %turn, 256;"});
}

} // namespace

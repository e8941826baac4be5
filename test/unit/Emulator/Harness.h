//===- Harness.h - Runs PTX in tests -------------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_UNITTESTS_EMULATOR_HARNESS_H
#define SPARSEATTN_UNITTESTS_EMULATOR_HARNESS_H

#include "SparseAttn/Emulator/Emulator.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace sparse_attn::emulator::test {

/// One kernel "k" with the parameters `in` and `out` (both pointers): declares
/// registers of every type, loads the pointers to %in and %out and the thread
/// index to %tid, and then executes `body`.
std::string kernel(const std::string &body, const std::string &module = "");

/// A kernel, its memory and its launch.
class KernelRun {
public:
  /// Fails the test if `text` does not parse.
  explicit KernelRun(const std::string &text);

  /// Executes; returns the error.
  std::optional<Error> run();
  /// Executes and expects no error.
  void expectSuccess();
  /// Executes and expects an error at the line that holds "HERE" whose
  /// message contains each of `parts`.
  void expectError(const std::vector<std::string> &parts);

  template <class T>
  void setInput(const std::vector<T> &values) {
    in = memory.allocate(values.size() * sizeof(T));
    memory.write(in, values.data(), values.size() * sizeof(T));
  }
  /// Allocates the output without writing it.
  void setOutput(size_t bytes) { out = memory.allocate(bytes); }
  template <class T>
  std::vector<T> output(size_t count) {
    std::vector<T> values(count);
    EXPECT_TRUE(memory.read(out, values.data(), count * sizeof(T)));
    return values;
  }

  std::string text;
  std::unique_ptr<Program> program;
  GlobalMemory memory;
  Launch launch;
  Counters counters;
  uint64_t in = 0, out = 0;
};

/// Parses `text` and expects an error at the line that holds "HERE".
void expectParseError(const std::string &text,
                      const std::vector<std::string> &parts);

/// Executes one instruction for each case. In `instruction`, $d is the
/// destination and $a, $b, $c the operands, whose widths in bits are `dst` and
/// `srcs` (1 is a predicate: any operand but zero is true).
using Case = std::array<uint64_t, 3>;
std::vector<uint64_t> evaluate(const std::string &instruction, unsigned dst,
                               const std::vector<unsigned> &srcs,
                               const std::vector<Case> &cases);

/// Random operands of these widths after all combinations of edge values.
std::vector<Case> casesFor(const std::vector<unsigned> &srcs,
                           uint32_t seed = 1);

/// evaluate() against `expected`, a function of up to three operands that are
/// given as uint64_t and of which `srcs` are used.
template <class F>
void check(const std::string &instruction, unsigned dst,
           const std::vector<unsigned> &srcs, F expected,
           std::vector<Case> cases = {}) {
  if (cases.empty())
    cases = casesFor(srcs);
  std::vector<uint64_t> results = evaluate(instruction, dst, srcs, cases);
  ASSERT_EQ(results.size(), cases.size()) << instruction;
  uint64_t mask = dst == 64 ? ~0ull : (1ull << dst) - 1;
  for (size_t i = 0; i < cases.size(); ++i)
    ASSERT_EQ(results[i] & mask,
              static_cast<uint64_t>(expected(cases[i])) & mask)
        << instruction << std::hex << " of " << cases[i][0] << ", "
        << cases[i][1] << ", " << cases[i][2];
}

inline float asFloat(uint64_t bits) {
  uint32_t narrow = static_cast<uint32_t>(bits);
  float value;
  std::memcpy(&value, &narrow, 4);
  return value;
}
inline double asDouble(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}
/// The bits of a float, with PTX's NaN for any NaN.
inline uint64_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return value != value ? 0x7fffffff : bits;
}
inline uint64_t bitsOf(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, 8);
  return bits;
}

/// f16 and bf16 by table and by nearest neighbour, independent of the
/// emulator's own conversions.
double halfValue(uint16_t bits, bool bfloat);
uint16_t nearestHalf(double value, bool bfloat);

} // namespace sparse_attn::emulator::test

#endif // SPARSEATTN_UNITTESTS_EMULATOR_HARNESS_H

//===- HopperHarness.h - Runs sm_90a kernels in tests --------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_UNITTESTS_EMULATOR_HOPPERHARNESS_H
#define SPARSEATTN_UNITTESTS_EMULATOR_HOPPERHARNESS_H

#include "Harness.h"
#include "HopperKernel.h"
#include "SparseAttn/Emulator/TensorMap.h"

namespace sparse_attn::emulator::test {

/// The launch of a hopperKernel(). Fails the test if ptxas is there and does
/// not take the text.
class HopperRun : public KernelRun {
public:
  explicit HopperRun(const std::string &text, bool assemble = true);

  /// Sets the parameters from `maps`, `in` and `out`.
  void prepare();
  void expectSuccess();
  void expectError(const std::vector<std::string> &parts);

  std::array<TensorMap::Encoded, 4> maps = {};
};

/// Runs `body` with 128 threads, a word of input for each, and returns the
/// word that each stores from %r1.
std::vector<uint32_t> hopperWords(const std::string &body, uint32_t threads,
                                  uint64_t seed = 0,
                                  const std::string &module = "",
                                  std::array<uint32_t, 3> grid = {1, 1, 1},
                                  std::array<uint32_t, 3> cluster = {1, 1, 1});

/// The same, expecting an error.
void expectHopperFault(const std::string &body, uint32_t threads,
                       const std::vector<std::string> &parts,
                       const std::string &module = "",
                       std::array<uint32_t, 3> grid = {1, 1, 1},
                       std::array<uint32_t, 3> cluster = {1, 1, 1});

} // namespace sparse_attn::emulator::test

#endif // SPARSEATTN_UNITTESTS_EMULATOR_HOPPERHARNESS_H

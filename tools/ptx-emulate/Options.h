//===- Options.h - Command line of ptx-emulate ---------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_TOOLS_EMULATE_OPTIONS_H
#define SPARSEATTN_TOOLS_EMULATE_OPTIONS_H

#include "SparseAttn/Emulator/Emulator.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace sparse_attn::emulate {

struct Options {
  std::string file;
  bool list = false;
  std::string entry;
  std::optional<std::array<uint32_t, 3>> grid, block, cluster;
  uint32_t sharedBytes = 0;
  std::vector<std::string> arguments;
  uint64_t seed = 0;
  uint64_t schedules = 1;
  bool checkRaces = false;
  emulator::Arrival arrival = emulator::Arrival::BySeed;
  emulator::MmaModel mmaModel = emulator::MmaModel::Ieee;
  unsigned jobs = 0;
  uint64_t instructionLimit = 0;
  uint64_t memoryLimit = 0; // bytes of all buffers
  std::string stats;
};

/// Parses the command line; prints and exits for --help and --version.
llvm::Expected<Options> parseOptions(int argc, char **argv);

} // namespace sparse_attn::emulate

#endif // SPARSEATTN_TOOLS_EMULATE_OPTIONS_H

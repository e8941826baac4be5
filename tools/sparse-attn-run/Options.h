//===- Options.h - Command line of sparse-attn-run --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the command line into checked values. Flags that contradict each other
// are errors; none is ignored.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TOOLS_RUN_OPTIONS_H
#define SPARSEATTN_TOOLS_RUN_OPTIONS_H

#include "SparseAttn/Runtime/PackageRunner.h"

#include <optional>
#include <string>
#include <vector>

namespace sparse_attn::run {

/// "@file.npy", or "name=@file.npy" when `name` is not empty.
struct FileBinding {
  std::string name;
  std::string path;
};

enum class DeviceChoice { Default, Cpu, Emulator, Cuda };

struct Options {
  std::string directory;
  DeviceChoice device = DeviceChoice::Default;
  std::string function;
  std::string target;
  std::vector<FileBinding> inputs;
  std::vector<FileBinding> outputs;
  std::vector<FileBinding> expected;
  /// Unset: by the type of the output.
  std::optional<double> absoluteTolerance;
  double relativeTolerance = 0;
  std::string stats;
  /// In bytes; unset: by the device.
  std::optional<uint64_t> memoryLimit;
  /// Seed, schedules, blocks, jobs and repeat.
  runtime::RunOptions run;

  /// True when standard output carries a file instead of the summary.
  bool writesToStandardOutput() const;
};

/// Parses the command line; prints and exits for --help and --version.
llvm::Expected<Options> parseOptions(int argc, char **argv);

} // namespace sparse_attn::run

#endif // SPARSEATTN_TOOLS_RUN_OPTIONS_H

//===- PackageRunner.h - Runs a kernel on arrays ----------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes the inputs of one kernel through a device: shapes, memory, launches,
// outputs, and statistics.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_PACKAGERUNNER_H
#define SPARSEATTN_RUNTIME_PACKAGERUNNER_H

#include "SparseAttn/Runtime/Device.h"
#include "SparseAttn/Runtime/Shape.h"
#include "SparseAttn/Runtime/Stats.h"

#include <functional>

namespace sparse_attn::runtime {

/// The thread blocks `first` to `last`, both included, counted with x fastest.
struct BlockRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

struct RunOptions {
  /// The emulator's order of warps. With several schedules, the kernel runs
  /// with seed, seed + 1, ... and every run must give the same bits.
  uint64_t seed = 0;
  uint64_t schedules = 1;
  /// The emulator reports accesses that nothing orders.
  bool checkRaces = false;
  /// How the emulator sums products; exactly by default.
  emulator::MmaModel mmaModel = {};
  /// The emulator runs only these blocks; all when empty. Elements that no
  /// block wrote are then marked in the results instead of being an error.
  std::vector<BlockRange> blocks;
  unsigned jobs = 0;
  /// A GPU launches this often, after one launch that is not timed.
  uint64_t repeat = 1;
  /// For all arguments together.
  uint64_t byteLimit = defaultByteLimit;
  /// Told what is about to run, if set.
  std::function<void(const std::string &)> progress;
};

struct KernelRun {
  /// One for each argument: outputs and statistics; the others are empty.
  std::vector<Tensor> results;
  KernelStats stats;
};

/// Runs `kernel`, whose code is `ptx`, on `device`. `inputs` has one tensor for
/// each argument, of which those of input tensors are used.
llvm::Expected<KernelRun> runKernel(const Kernel &kernel, llvm::StringRef ptx,
                                    Device &device,
                                    llvm::ArrayRef<Tensor> inputs,
                                    const RunOptions &options);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_PACKAGERUNNER_H

//===- Stats.h - What a run reports -----------------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The statistics that a kernel counted, and stats.json. docs/Package.md
// describes the fields.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_STATS_H
#define SPARSEATTN_RUNTIME_STATS_H

#include "SparseAttn/Runtime/Manifest.h"
#include "SparseAttn/Runtime/Tensor.h"

namespace sparse_attn::runtime {

struct TileCounts {
  uint64_t visited = 0;
  uint64_t skipped = 0;
  /// The share of tiles that was skipped.
  double sparsity() const;
};

struct RecallBound {
  double minimum = 0;
  double mean = 0;
};

struct KernelStats {
  std::string name;
  std::string target;
  /// How often the kernel ran; the other numbers are those of one launch.
  uint64_t launches = 0;
  std::optional<TileCounts> tiles;
  std::optional<RecallBound> recall;
  /// The median time of a launch, on devices that measure it.
  std::optional<double> milliseconds;
  /// What the emulator executed.
  std::vector<std::pair<std::string, uint64_t>> counters;
};

/// Sums (visited, skipped) pairs; only those that were written.
llvm::Expected<TileCounts> sumTileCounts(const Tensor &counts);

/// Nothing when no element was written.
std::optional<RecallBound> summarizeRecall(const Tensor &bounds);

/// The text of stats.json.
std::string statsJson(llvm::StringRef device,
                      llvm::ArrayRef<KernelStats> kernels);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_STATS_H

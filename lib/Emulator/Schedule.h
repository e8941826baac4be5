//===- Schedule.h - Which warp runs next ---------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_SCHEDULE_H
#define SPARSEATTN_LIB_EMULATOR_SCHEDULE_H

#include "SparseAttn/Emulator/Emulator.h"

namespace sparse_attn::emulator {

class Warp;

/// What Launch::seed and Launch::arrival leave to chance, for one cluster.
class Schedule {
public:
  /// For cluster `linear` of the launch, which has so many warps.
  void begin(const Launch &launch, uint64_t linear, size_t warps);

  struct Turn {
    Warp *warp;
    uint64_t slice; // instructions
  };
  /// Chooses among the warps that can run, which come with their numbers in
  /// ascending order.
  Turn choose(const std::vector<std::pair<size_t, Warp *>> &ready);

  bool finishesAtOnce() const { return earliest; }

private:
  uint32_t nextRandom();

  bool inOrder = true;
  bool earliest = false;
  size_t starved = ~size_t(0);
  size_t next = 0; // in order: whose turn it is
  uint64_t random = 0;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_SCHEDULE_H

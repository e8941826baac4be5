//===- Settings.h - What environment variables say ------------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_CUDAEMULATOR_SETTINGS_H
#define SPARSEATTN_LIB_CUDAEMULATOR_SETTINGS_H

#include "SparseAttn/Emulator/Emulator.h"

namespace sparse_attn::cuda_emulator {

/// The variables SPARSE_ATTN_EMULATOR_..., described in docs/RunningPtx.md.
struct Settings {
  unsigned capability = 90;          // DEVICE
  uint64_t memoryBytes = 4ull << 30; // MEMORY
  emulator::Launch launch;           // SEED, ARRIVAL, JOBS, ...
  std::string stats, log;            // STATS, LOG
  bool exitOnError = false;          // ON_ERROR
  /// What was wrong with one of them; nothing works until it is corrected.
  std::string fault;
};

/// Read once.
const Settings &settings();

} // namespace sparse_attn::cuda_emulator

#endif // SPARSEATTN_LIB_CUDAEMULATOR_SETTINGS_H

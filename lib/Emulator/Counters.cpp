//===- Counters.cpp - What a launch executed ------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Emulator/Emulator.h"

using namespace sparse_attn::emulator;

std::vector<std::pair<std::string, uint64_t>> Counters::named() const {
  std::vector<std::pair<std::string, uint64_t>> result = {
      {"instructions", instructions}};
  constexpr const char *classes[ClassCount] = {
      "integer", "float", "half",   "compare",  "convert",     "move",
      "memory",  "copy",  "matrix", "exchange", "synchronize", "control"};
  for (unsigned i = 0; i < ClassCount; ++i)
    result.emplace_back(std::string("instructions_") + classes[i], byClass[i]);
  result.insert(result.end(), {{"mma", mma},
                               {"exponentials", exponentials},
                               {"global_bytes", globalBytes},
                               {"shared_bytes", sharedBytes},
                               {"local_bytes", localBytes},
                               {"shared_wavefronts", sharedWavefronts},
                               {"bank_conflicts", bankConflicts}});
  return result;
}

Counters &Counters::operator+=(const Counters &other) {
  instructions += other.instructions;
  for (unsigned i = 0; i < ClassCount; ++i)
    byClass[i] += other.byClass[i];
  mma += other.mma;
  exponentials += other.exponentials;
  globalBytes += other.globalBytes;
  sharedBytes += other.sharedBytes;
  localBytes += other.localBytes;
  sharedWavefronts += other.sharedWavefronts;
  bankConflicts += other.bankConflicts;
  return *this;
}

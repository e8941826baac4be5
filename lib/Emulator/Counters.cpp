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
  return {{"instructions", instructions},
          {"mma", mma},
          {"exponentials", exponentials},
          {"global_bytes", globalBytes},
          {"shared_bytes", sharedBytes}};
}

Counters &Counters::operator+=(const Counters &other) {
  instructions += other.instructions;
  mma += other.mma;
  exponentials += other.exponentials;
  globalBytes += other.globalBytes;
  sharedBytes += other.sharedBytes;
  return *this;
}

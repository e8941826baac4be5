//===- SharedBanks.cpp - Bank conflicts of shared memory ------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SharedBanks.h"

#include <algorithm>

using namespace sparse_attn::emulator;

unsigned SharedAccess::busiestBank(uint32_t part, unsigned wide) const {
  std::array<std::array<uint32_t, 32>, 32> seen;
  std::array<unsigned, 32> counts = {};
  for (uint32_t rest = part; rest; rest &= rest - 1)
    for (unsigned i = 0; i < wide; ++i) {
      uint32_t word = words[__builtin_ctz(rest)] + i;
      auto &bank = seen[word % 32];
      unsigned &count = counts[word % 32];
      if (std::find(bank.begin(), bank.begin() + count, word) ==
          bank.begin() + count)
        bank[count++] = word;
    }
  return *std::max_element(counts.begin(), counts.end());
}

//===- SharedBanks.h - Bank conflicts of shared memory -------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared memory has 32 banks of 4 bytes; successive words lie in successive
// banks. In one wavefront a bank serves one word, to any number of lanes.
// Accesses of 8 bytes are served for half a warp at a time, those of 16 bytes
// (and the rows of ldmatrix) for 8 lanes (CUDA C++ Best Practices Guide,
// "Shared Memory and Memory Banks").
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_SHAREDBANKS_H
#define SPARSEATTN_LIB_EMULATOR_SHAREDBANKS_H

#include "SparseAttn/Emulator/Emulator.h"

namespace sparse_attn::emulator {

/// Collects the addresses of one access of a warp.
class SharedAccess {
public:
  void add(unsigned lane, uint64_t address) {
    words[lane] = static_cast<uint32_t>(address / 4);
    lanes |= 1u << lane;
  }
  /// Counts it as an access of `bytes` a lane.
  void count(Counters &counters, unsigned bytes) const {
    if (!lanes)
      return;
    unsigned width = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
    for (unsigned first = 0; first < 32; first += width)
      if (uint32_t part = lanes >> first & ((2u << (width - 1)) - 1))
        countPart(counters, part << first, bytes <= 4 ? 1 : bytes / 4);
  }

private:
  void countPart(Counters &counters, uint32_t part, unsigned wide) const {
    uint32_t used = 0;
    bool collides = false;
    uint32_t pattern = (1u << wide) - 1;
    for (uint32_t rest = part; rest; rest &= rest - 1) {
      // Accesses are aligned, so none wraps around the banks.
      uint32_t banks = pattern << (words[__builtin_ctz(rest)] % 32);
      collides |= used & banks;
      used |= banks;
    }
    unsigned rounds = collides ? busiestBank(part, wide) : 1;
    counters.sharedWavefronts += rounds;
    counters.bankConflicts += rounds - 1;
  }
  /// The most different words that lie in one bank.
  unsigned busiestBank(uint32_t part, unsigned wide) const;

  uint32_t words[32];
  uint32_t lanes = 0;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_SHAREDBANKS_H

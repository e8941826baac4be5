//===- Mbarrier.h - mbarrier objects -------------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Parallel Synchronization and Communication Instructions:
// mbarrier". An object is opaque to programs, so its state lives beside shared
// memory, whose shadow bytes say that an object is there.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_MBARRIER_H
#define SPARSEATTN_LIB_EMULATOR_MBARRIER_H

#include "Async.h"

namespace sparse_attn::emulator {

struct Mbarrier {
  static constexpr uint32_t maxCount = (1u << 20) - 1;

  Block *block = nullptr;
  uint32_t offset = 0;      // in Block::shared
  uint64_t phase = 0;       // phases completed; its lowest bit is the parity
  uint32_t expected = 0;    // arrivals of the next phase
  int64_t pending = 0;      // arrivals that the current phase lacks
  int64_t transactions = 0; // tx-count
  // What operations in flight will bring.
  int64_t pendingInFlight = 0;
  int64_t transactionsInFlight = 0;

  void begin(const AsyncOp &op);
  void end(const AsyncOp &op);

  /// Counts `count` arrivals after `transactions` bytes are expected. `lane`
  /// of `warp` is to blame for what goes wrong.
  void arrive(Warp &warp, unsigned lane, const Inst &inst, uint32_t count);
  /// Adds to the tx-count; negative when bytes have come.
  void addTransactions(Warp &warp, unsigned lane, const Inst &inst,
                       int64_t bytes);
  /// Whether nothing but operations in flight keeps the phase from ending.
  bool waitsForOpsOnly() const;
  /// "phase 2 lacks 1 of 2 arrivals and 512 bytes".
  std::string describe() const;

private:
  void completeIfDone();
  /// Lets those who wait ask again: what they wait for can end.
  void wakeIfEnding();
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_MBARRIER_H

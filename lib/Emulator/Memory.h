//===- Memory.h - Checked access to the state spaces ---------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_MEMORY_H
#define SPARSEATTN_LIB_EMULATOR_MEMORY_H

#include "Decoder.h"
#include "Lanes.h"

namespace sparse_attn::emulator {

/// Where an address leads. `shadow` is null for memory that is always written.
struct Location {
  uint8_t *data = nullptr;
  uint8_t *shadow = nullptr;
  Space space = Space::Generic; // where a generic address led
  Block *owner = nullptr;       // of shared memory
};

/// Fails for the lane unless the address is a multiple of `align`.
bool requireAligned(Warp &warp, unsigned lane, uint64_t address,
                    unsigned align);

/// Finds `bytes` (a power of two up to 16) at `address`; fails for the lane if
/// they are misaligned or out of bounds.
bool locate(Warp &warp, unsigned lane, Space space, uint64_t address,
            unsigned bytes, Location &location, bool store);

/// The same for an address that must be in shared memory, of any block of the
/// cluster where `space` allows. Does not care what the bytes are used for.
bool locateShared(Warp &warp, unsigned lane, Space space, uint64_t address,
                  uint64_t bytes, unsigned align, Location &location);

/// The mbarrier object that begins here; fails if there is none.
Mbarrier *findMbarrier(Warp &warp, unsigned lane, const Location &location);

/// Fails unless the bytes were written.
bool requireInitialised(Warp &warp, unsigned lane, const Location &location,
                        uint64_t address, unsigned bytes);

/// The address operand in `slot` of a lane.
inline uint64_t addressOf(Warp &warp, uint32_t slot, bool wide, int64_t offset,
                          unsigned lane) {
  const uint8_t *data = warp.slot(slot);
  uint64_t base =
      wide ? getLane<uint64_t>(data, lane) : getLane<uint32_t>(data, lane);
  return base + static_cast<uint64_t>(offset);
}

/// Consumes the modifiers that steer caches.
void takeCacheModifiers(Decoder &d);
/// Consumes those that order accesses, and a scope.
MemoryOrder takeMemoryOrder(Decoder &d);

std::string hex(uint64_t value);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_MEMORY_H

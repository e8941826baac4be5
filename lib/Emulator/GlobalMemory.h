//===- GlobalMemory.h - Buffers with shadow bytes ------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_GLOBALMEMORY_H
#define SPARSEATTN_LIB_EMULATOR_GLOBALMEMORY_H

#include "SparseAttn/Emulator/Emulator.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

namespace sparse_attn::emulator {

/// The states of a byte. One byte of shadow for each byte of memory, not one
/// bit, because blocks on different threads may write neighbouring bytes.
/// `Opaque` is part of an mbarrier object.
enum Shadow : uint8_t { Unwritten = 0, Written = 1, InFlight = 2, Opaque = 3 };

/// True if all `bytes` shadow bytes at `shadow` are Written.
inline bool allWritten(const uint8_t *shadow, size_t bytes) {
  constexpr uint64_t ones = 0x0101010101010101ull;
  uint64_t word;
  for (; bytes >= 8; bytes -= 8, shadow += 8) {
    std::memcpy(&word, shadow, 8);
    if (word != ones)
      return false;
  }
  for (; bytes; --bytes, ++shadow)
    if (*shadow != Written)
      return false;
  return true;
}

/// Zeros that take no memory until they are touched, so that a few bytes of a
/// huge buffer can be used.
struct Release {
  bool owned = true;
  void operator()(uint8_t *bytes) const {
    if (owned)
      std::free(bytes);
  }
};
using SparseBytes = std::unique_ptr<uint8_t[], Release>;

inline SparseBytes makeZeros(size_t bytes) {
  auto *zeros = static_cast<uint8_t *>(std::calloc(bytes + (bytes == 0), 1));
  if (!zeros) // as operator new does without exceptions
    std::abort();
  return SparseBytes(zeros);
}

struct Buffer {
  uint64_t base = 0;
  uint64_t bytes = 0;
  SparseBytes data;
  SparseBytes shadow;

  bool contains(uint64_t address, uint64_t count) const {
    return address >= base && count <= bytes && address - base <= bytes - count;
  }
};

/// Buffers begin here, each followed by a gap that nothing may touch: wide
/// enough that a wrong row or tile stride cannot step over it.
constexpr uint64_t globalBase = 0x100000000000ull;
constexpr uint64_t globalGap = 1ull << 30;
constexpr uint64_t moduleBase = 1ull << 40;

struct GlobalMemory::Impl {
  std::vector<Buffer> buffers; // ascending addresses
  uint64_t next = globalBase;
  std::mutex atomics;

  /// Keeps the addresses ascending.
  void insert(Buffer buffer);
  /// The buffer that holds or most closely precedes `address`, or null.
  const Buffer *find(uint64_t address) const;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_GLOBALMEMORY_H

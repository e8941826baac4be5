//===- BulkCopy.h - What bulk and tensor copies share --------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_BULKCOPY_H
#define SPARSEATTN_LIB_EMULATOR_BULKCOPY_H

#include "Memory.h"

#include <optional>

namespace sparse_attn::emulator {

/// Adds one element of a reduction to memory.
using Combine = void (*)(uint8_t *target, const uint8_t *source);

/// Copies that combine what they carry with what is there
/// (cp.reduce.async.bulk).
class ReduceOp : public CopyOp {
public:
  ReduceOp(Warp &warp, uint32_t lanes, const Inst &inst, Proxy proxy,
           Publisher publisher)
      : CopyOp(warp, lanes, inst, proxy, publisher) {
    isAtomic = true;
  }
  Combine combine = nullptr;
  unsigned elementBytes = 0;

protected:
  void put(const Piece &piece, const uint8_t *source) override;
};

/// How cp.reduce.async.bulk combines elements.
enum class Reduction : uint8_t { None, Add, Min, Max, Inc, Dec, And, Or, Xor };

/// Consumes the name of a reduction; None if there is none.
Reduction takeReduction(Decoder &d);
/// Null if elements of this type cannot be combined so.
Combine combineOf(Reduction reduction, Type type);

/// atom and red of halves, and of `count` registers; the address's space and
/// the order have been taken.
bool decodeVectorAtomic(Decoder &d, Reduction reduction, Type type,
                        unsigned count);

/// Where the bytes of a copy end, and who is told.
struct Destination {
  Block *block = nullptr;
  uint64_t offset = 0;          // in its shared memory
  Mbarrier *mbarrier = nullptr; // of the same block
};

/// The destinations in shared memory of a copy by one lane: one, or with
/// `mask` one for each block of the cluster that it names. `target` and
/// `barrier` are addresses in `space`; fails if they are not valid.
bool findDestinations(Warp &warp, unsigned lane, Space space, uint64_t target,
                      uint64_t barrier, std::optional<uint32_t> mask,
                      uint64_t bytes, unsigned align,
                      std::vector<Destination> &destinations);

/// Bytes of shared memory of this block, or of another one of the cluster.
bool locateBytes(Warp &warp, unsigned lane, Space space, uint64_t address,
                 uint64_t bytes, unsigned align, Location &location);

/// Decodes what follows "cp.async.bulk" and "cp.reduce.async.bulk".
void decodeBulkCopy(Decoder &d, bool reduces, bool prefetches);
void decodeTensorCopy(Decoder &d, bool reduces, bool prefetches);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_BULKCOPY_H

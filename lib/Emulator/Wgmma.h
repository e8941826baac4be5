//===- Wgmma.h - Products of warpgroups ----------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions". The four warps
// of a warpgroup issue one operation together: it begins when the last of them
// has come, and each of them waits for it by itself.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_WGMMA_H
#define SPARSEATTN_LIB_EMULATOR_WGMMA_H

#include "Async.h"

#include <deque>

namespace sparse_attn::emulator {

class WgmmaOp : public AsyncOp {
public:
  WgmmaOp(Warp &warp, const Inst &inst, const WgmmaShape &shape)
      : AsyncOp(warp, ~0u, inst, Proxy::Async, Publisher::WgmmaGroup),
        shape(shape) {}

  const WgmmaShape &shape;
  uint64_t descriptorA = 0, descriptorB = 0;
  bool accumulates = true;
  uint8_t joined = 0;               // a bit for each warp that issued it
  std::vector<uint32_t> fragmentsA; // A in registers: warp, register, lane

  /// The rows of A that this warp holds, from its registers now.
  std::vector<uint32_t> fragmentOf(Warp &warp) const;
  /// Whether all of the shared memory that it reads has been written; fails at
  /// `inst` if not.
  bool checkOperands() const;

  void extents(std::vector<Extent> &reads,
               std::vector<Extent> &writes) const override;
  void write() override;
};

/// What four warps have in flight.
class Warpgroup {
public:
  void reset() { *this = Warpgroup(); }

  /// The part of `warp` in its next operation.
  void issue(Warp &warp, const Inst &inst, const WgmmaShape &shape,
             const uint32_t *slots);
  void commit(Warp &warp);
  /// Waits until at most `pending` groups of `warp` are in flight; the warp
  /// blocks while others still have to issue their part.
  void wait(Warp &warp, uint64_t pending);

private:
  struct Member {
    uint64_t issued = 0;          // operations
    uint64_t published = 0;       // that the warp has waited for
    std::deque<uint64_t> groups;  // operations before the end of each
    std::deque<const Inst *> ops; // not published, oldest first
    std::deque<std::vector<uint32_t>> fragments; // of A, when issued
  };
  void publish(Warp &warp, uint64_t operations);

  std::array<Member, 4> members;
  std::vector<uint32_t> finished; // registers, while they are published
  std::deque<std::unique_ptr<WgmmaOp>> gathering; // lack warps
  uint64_t begun = 0;                             // operations that do not
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_WGMMA_H

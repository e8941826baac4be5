//===- Async.h - Operations in flight ------------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Whatever runs beside the thread that issued it (cp.async, bulk and tensor
// copies, wgmma) is an AsyncOp. It reads its sources and writes its targets
// at moments that the policy of the launch chooses: when it is issued, or when
// somebody observes that it has finished, which is the latest moment that PTX
// allows. Until then its targets may not be read.
//
// An operation says who issued it, which bytes it reads and writes, in which
// proxy, and what publishes its end. That is all that a checker needs.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_ASYNC_H
#define SPARSEATTN_LIB_EMULATOR_ASYNC_H

#include "Code.h"

namespace sparse_attn::emulator {

class Block;
struct Mbarrier;

/// How an operation accesses memory (PTX ISA, "Proxies").
enum class Proxy : uint8_t { Generic, Async };

/// Bytes in memory.
struct Extent {
  Block *block = nullptr; // whose shared memory; null for global memory
  uint64_t address = 0;   // an offset in Block::shared, or a global address
  uint64_t bytes = 0;
};

/// What tells a thread that an operation has finished (PTX ISA, "Async
/// Operations": completion mechanisms).
enum class Publisher : uint8_t {
  CopyGroup,  // cp.async.wait_group of the lane that issued it
  BulkGroup,  // cp.async.bulk.wait_group of the lane that issued it
  Mbarrier,   // the current phase of AsyncOp::mbarrier
  WgmmaGroup, // wgmma.wait_group of the warps that issued it
};

class AsyncOp {
public:
  AsyncOp(Warp &warp, uint32_t lanes, const Inst &inst, Proxy proxy,
          Publisher publisher)
      : warp(&warp), lanes(lanes), lane(__builtin_ctz(lanes)), inst(&inst),
        proxy(proxy), publisher(publisher) {}
  virtual ~AsyncOp();

  Warp *warp;       // who issued it,
  uint32_t lanes;   // its lanes whose part has not finished,
  unsigned lane;    // the first of those that issued it,
  const Inst *inst; // and with which instruction
  Proxy proxy;
  Publisher publisher;
  uint32_t group = 0;           // CopyGroup, BulkGroup: number since the start
  Mbarrier *mbarrier = nullptr; // Mbarrier: what happens to it at the end:
  uint32_t arrivals = 0;        //   arrivals,
  uint64_t transactions = 0;    //   and bytes of complete-tx
  uint64_t phase = 0;           // Mbarrier: the one in which it was issued
  uint64_t number = 0;          // in the order of issue
  bool isAtomic = false;        // its writes are
  bool hasRead = false;         // the sources may change from now on

  /// The bytes that the parts of `lanes` read and write.
  virtual void extents(std::vector<Extent> &reads,
                       std::vector<Extent> &writes) const = 0;
  /// Takes the sources, without writing the targets.
  virtual void read() {}
  /// Writes the targets of `lanes`; reads the sources first unless read() did.
  virtual void write() = 0;
};

/// The operations in flight of all blocks of a cluster, oldest first.
class AsyncOps {
public:
  /// Begins an operation. Finishes it at once if the policy is `Earliest`.
  void issue(std::unique_ptr<AsyncOp> op, bool atOnce);

  /// Finishes, oldest first, the lanes `select(op)` of each operation.
  template <class F>
  void finish(F select) {
    size_t kept = 0;
    // Finishing may fail but never issues.
    for (size_t i = 0; i < ops.size(); ++i) {
      if (uint32_t part = select(*ops[i]))
        finishLanes(*ops[i], part);
      if (ops[i]->lanes)
        std::swap(ops[kept++], ops[i]);
    }
    ops.resize(kept);
  }
  /// Lets those that `selects(op)` read their sources.
  template <class F>
  void read(F selects) {
    for (auto &op : ops)
      if (selects(*op))
        op->read();
  }

  const std::vector<std::unique_ptr<AsyncOp>> &inFlight() const { return ops; }
  void clear() { ops.clear(); }

private:
  static void finishLanes(AsyncOp &op, uint32_t part);

  std::vector<std::unique_ptr<AsyncOp>> ops;
  uint64_t issued = 0;
};

/// An operation that copies bytes as they are.
class CopyOp : public AsyncOp {
public:
  using AsyncOp::AsyncOp;

  /// Contiguous bytes. Without a source they are filled with `fill`.
  struct Piece {
    const uint8_t *source = nullptr;
    uint8_t *target = nullptr;
    uint8_t *shadow = nullptr;                     // of the target
    uint64_t sourceAddress = 0, targetAddress = 0; // as in Extent
    uint32_t bytes = 0;
    uint8_t lane = 0;
  };
  std::vector<Piece> pieces;
  const uint8_t *fill = nullptr; // 16 bytes, repeated
  Block *sourceBlock = nullptr;  // null: global memory
  Block *targetBlock = nullptr;

  /// Takes the sources from `bytes` instead of from memory, piece after piece.
  void stage(std::vector<uint8_t> bytes);
  /// Marks shared targets as in flight.
  void markInFlight();

  void extents(std::vector<Extent> &reads,
               std::vector<Extent> &writes) const override;
  void read() override;
  void write() override;

protected:
  /// Writes one piece; `source` is null where it is filled.
  virtual void put(const Piece &piece, const uint8_t *source);

private:
  std::vector<uint8_t> staged; // what read() took, piece after piece
  bool isStaged = false;       // for pieces without a source too
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_ASYNC_H

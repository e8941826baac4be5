//===- AsyncCopy.cpp - cp.async and its groups ----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The data of a copy arrives when the lane waits for it, which is the latest
// moment that PTX allows; until then its target may not be read.
//
//===----------------------------------------------------------------------===//

#include "BulkCopy.h"
#include "Hazards/RaceChecker.h"
#include "SharedBanks.h"

#include <algorithm>

using namespace sparse_attn::emulator;

namespace {

/// Issues an operation for each set of lanes that are in the same group.
void issueByGroup(Warp &warp, std::unique_ptr<CopyOp> op) {
  Cluster &cluster = warp.block->cluster;
  op->markInFlight();
  for (uint32_t rest = op->lanes; rest;) {
    uint32_t group = warp.copyGroups[__builtin_ctz(rest)], same = 0;
    for (uint32_t lanes = rest; lanes; lanes &= lanes - 1)
      if (warp.copyGroups[__builtin_ctz(lanes)] == group)
        same |= 1u << __builtin_ctz(lanes);
    rest &= ~same;
    // NOLINTNEXTLINE(bugprone-use-after-move): the last one ends the loop.
    auto part = rest ? std::make_unique<CopyOp>(*op) : std::move(op);
    part->lanes = same;
    part->lane = __builtin_ctz(same);
    part->group = group;
    cluster.async.issue(std::move(part), cluster.finishesAtOnce());
  }
}

// Inst::a bytes; Inst::b is what a third operand means.
enum Extra : uint8_t { None, SourceSize, IgnoreSource, IgnoreSourceNot };

void runCopy(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Block &block = *warp.block;
  auto op = std::make_unique<CopyOp>(warp, warp.lanes, inst, Proxy::Generic,
                                     Publisher::CopyGroup);
  op->targetBlock = &block;
  op->pieces.reserve(32);
  SharedAccess banks;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint32_t wanted = inst.a;
    if (inst.b == SourceSize)
      wanted = getLane<uint32_t>(warp.slot(slots[2]), lane);
    else if (inst.b != None)
      wanted =
          (warp.predicate(slots[2]) >> lane & 1) == (inst.b == IgnoreSource)
              ? 0
              : inst.a;
    if (wanted > inst.a)
      return warp.fail(lane, "source size must be at most " +
                                 std::to_string(inst.a) + ", found " +
                                 std::to_string(wanted));
    uint64_t target =
        addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    uint64_t source =
        addressOf(warp, slots[1], inst.wideAddress2, inst.imm2, lane);
    Location to, from;
    if (!locate(warp, lane, Space::Shared, target, inst.a, to, true))
      return;
    if (wanted) {
      // Only the bytes that are read must lie in the buffer.
      if (source % inst.a)
        return warp.fail(lane, "the source address is misaligned, expected a "
                               "multiple of " +
                                   std::to_string(inst.a));
      for (unsigned done = 0; done < wanted;) {
        unsigned part = wanted - done;
        while (part & (part - 1))
          part &= part - 1;
        Location piece;
        if (!locate(warp, lane, Space::Global, source + done, part, piece,
                    false) ||
            !requireInitialised(warp, lane, piece, source + done, part))
          return;
        if (done == 0)
          from = piece;
        done += part;
      }
    }
    CopyOp::Piece piece;
    piece.lane = static_cast<uint8_t>(lane);
    piece.target = to.data;
    piece.shadow = to.shadow;
    piece.targetAddress = static_cast<uint64_t>(to.data - block.shared.data());
    piece.bytes = wanted;
    if (wanted) {
      piece.source = from.data;
      piece.sourceAddress = source;
      op->pieces.push_back(piece);
    }
    if (wanted < inst.a) { // the rest is zero
      piece.source = nullptr;
      piece.target += wanted;
      piece.shadow += wanted;
      piece.targetAddress += wanted;
      piece.bytes = inst.a - wanted;
      op->pieces.push_back(piece);
    }
    block.counters.globalBytes += wanted;
    block.counters.sharedBytes += inst.a;
    banks.add(lane, target);
  }
  banks.count(block.counters, inst.a);
  issueByGroup(warp, std::move(op));
}

void runCommit(Warp &warp, const Inst &, const uint32_t *) {
  if (warp.block->races)
    warp.block->races->commit(warp, Stream::Copy);
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1)
    ++warp.copyGroups[__builtin_ctz(rest)];
}

/// Inst::imm groups may stay in flight. cp.async.wait_all (Inst::a) commits
/// first.
void runWait(Warp &warp, const Inst &inst, const uint32_t *slots) {
  if (inst.a)
    runCommit(warp, inst, slots);
  if (warp.block->races)
    warp.block->races->wait(warp, Stream::Copy,
                            static_cast<uint64_t>(inst.imm));
  // The lanes of an operation are in one group, but need not wait together.
  warp.block->cluster.async.finish([&](const AsyncOp &op) -> uint32_t {
    if (op.publisher != Publisher::CopyGroup || op.warp != &warp)
      return 0;
    uint32_t finished = op.lanes & warp.lanes;
    for (uint32_t rest = finished; rest; rest &= rest - 1) {
      unsigned lane = __builtin_ctz(rest);
      if (int64_t(op.group) + inst.imm >= int64_t(warp.copyGroups[lane]))
        finished &= ~(1u << lane);
    }
    return finished;
  });
}

} // namespace

void sparse_attn::emulator::decodeCopy(Decoder &d) {
  bool reduces = d.take("reduce");
  if (!d.take("async"))
    return void(d.unsupported());
  if (d.take("bulk")) {
    bool prefetches = d.take("prefetch");
    return d.take("tensor") ? decodeTensorCopy(d, reduces, prefetches)
                            : decodeBulkCopy(d, reduces, prefetches);
  }
  if (reduces)
    return void(d.unsupported());
  decodeAsyncCopy(d);
}

void sparse_attn::emulator::decodeAsyncCopy(Decoder &d) {
  if (d.take("mbarrier"))
    return decodeCopyArrive(d);
  if (d.take("commit_group")) {
    d.expectOperands(0);
    return d.emit(runCommit);
  }
  if (d.take("wait_all")) {
    d.expectOperands(0);
    d.inst.a = true;
    return d.emit(runWait);
  }
  if (d.take("wait_group")) {
    if (!d.expectOperands(1))
      return;
    d.inst.imm = static_cast<int64_t>(d.literal(0) & 0xffffffffu);
    return d.emit(runWait);
  }
  bool all = d.take("ca");
  if (!all && !d.take("cg"))
    return void(d.unsupported());
  if (!d.take("shared") && !d.take("shared::cta"))
    return void(d.unsupported());
  if (!d.take("global"))
    return void(d.unsupported());
  takeCacheModifiers(d);
  bool policy = d.take("L2::cache_hint");
  if (!d.expectOperands(3 + policy, 4 + policy))
    return;
  uint64_t bytes = d.literal(2);
  if (bytes != 16 && (!all || (bytes != 4 && bytes != 8)))
    return void(d.fail(std::string("copy size must be ") +
                       (all ? "4, 8 or 16" : "16") + ", found " +
                       std::to_string(bytes)));
  d.inst.a = static_cast<uint8_t>(bytes);
  d.inst.space = Space::Shared; // so that variables may be named
  d.addresses({&d.operand(0), &d.operand(1)});
  if (d.operands() == 4u + policy) {
    if (d.registerType(d.operand(3)) == Type::Pred) {
      bool negated = d.predicateSrc(d.operand(3));
      d.inst.b = negated ? IgnoreSourceNot : IgnoreSource;
    } else {
      d.src(3, Type::U32);
      d.inst.b = SourceSize;
    }
  }
  if (policy)
    d.src(d.operands() - 1, Type::B64);
  d.emit(runCopy);
}

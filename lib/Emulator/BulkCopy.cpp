//===- BulkCopy.cpp - cp.async.bulk -------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Data Movement and Conversion Instructions: Bulk copy":
// cp.async.bulk, cp.reduce.async.bulk, cp.async.bulk.prefetch and the groups.
//
//===----------------------------------------------------------------------===//

#include "BulkCopy.h"

#include "Hazards/RaceChecker.h"

using namespace sparse_attn::emulator;

bool sparse_attn::emulator::locateBytes(Warp &warp, unsigned lane, Space space,
                                        uint64_t address, uint64_t bytes,
                                        unsigned align, Location &location) {
  if (!requireAligned(warp, lane, address, align))
    return false;
  if (space == Space::Shared || space == Space::SharedCluster)
    return locateShared(warp, lane, space, address, bytes, align, location);
  Block &block = *warp.block;
  const Buffer *buffer = block.findGlobal(address, bytes);
  if (!buffer) {
    warp.fail(lane,
              std::to_string(bytes) + " bytes at global address " +
                  hex(address) + " are out of bounds: it " +
                  block.describeGlobal(address),
              Error::Kind::IllegalAddress);
    return false;
  }
  location.data = buffer->data.get() + (address - buffer->base);
  location.shadow = buffer->shadow.get() + (address - buffer->base);
  location.space = Space::Global;
  return true;
}

bool sparse_attn::emulator::findDestinations(
    Warp &warp, unsigned lane, Space space, uint64_t target, uint64_t barrier,
    std::optional<uint32_t> mask, uint64_t bytes, unsigned align,
    std::vector<Destination> &destinations) {
  Location to, at;
  if (!locateBytes(warp, lane, space, target, bytes, align, to) ||
      !locateShared(warp, lane, space, barrier, 8, 8, at))
    return false;
  if (to.owner != at.owner) {
    warp.fail(lane, "the target is in block rank " +
                        std::to_string(to.owner->rank) +
                        " of the cluster, but the mbarrier in rank " +
                        std::to_string(at.owner->rank));
    return false;
  }
  uint64_t offset = static_cast<uint64_t>(to.data - to.owner->shared.data());
  auto barrierOffset = static_cast<uint32_t>(at.data - at.owner->shared.data());
  Cluster &cluster = warp.block->cluster;
  uint32_t ranks = mask ? *mask : 1u << to.owner->rank;
  if (ranks == 0 || ranks >> cluster.blocks.size()) {
    warp.fail(lane, "the mask of blocks is " + hex(ranks) +
                        ", expected some of the cluster's " +
                        std::to_string(cluster.blocks.size()) + " blocks");
    return false;
  }
  for (; ranks; ranks &= ranks - 1) {
    unsigned rank = __builtin_ctz(ranks);
    Block &block = *cluster.blocks[rank];
    // The same place in each block; checks that it may be accessed.
    uint64_t remote = (rank + 1) * remoteStride + sharedBase;
    Location partBarrier;
    if (!locateShared(warp, lane, Space::SharedCluster, remote + barrierOffset,
                      8, 8, partBarrier))
      return false;
    Mbarrier *found = findMbarrier(warp, lane, partBarrier);
    if (!found)
      return false;
    if (block.overlapsMbarrier(static_cast<uint32_t>(offset),
                               static_cast<uint32_t>(bytes))) {
      warp.fail(lane, "writes over an mbarrier object, expected an "
                      "mbarrier.inval before");
      return false;
    }
    destinations.push_back({&block, offset, found});
  }
  return true;
}

namespace {

// Inst::a says where from and where to, Inst::b whether there is a mask of
// blocks, Inst::c the reduction.
enum Way : uint8_t { GlobalToShared, SharedToShared, SharedToGlobal };

std::unique_ptr<CopyOp> makeOp(Warp &warp, unsigned lane, const Inst &inst,
                               Publisher publisher) {
  uint32_t lanes = 1u << lane;
  if (inst.c == 0)
    return std::make_unique<CopyOp>(warp, lanes, inst, Proxy::Async, publisher);
  auto op =
      std::make_unique<ReduceOp>(warp, lanes, inst, Proxy::Async, publisher);
  Type type = static_cast<Type>(inst.registerMask);
  op->combine = combineOf(static_cast<Reduction>(inst.c), type);
  op->elementBytes = bitsOf(type) / 8;
  return op;
}

// Slots: target, source, [mbarrier], bytes, [mask].
void runBulkCopy(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Block &block = *warp.block;
  Cluster &cluster = block.cluster;
  bool toShared = inst.a != SharedToGlobal;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t target =
        addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    uint64_t source =
        addressOf(warp, slots[1], inst.wideAddress2, inst.imm2, lane);
    uint32_t bytes = getLane<uint32_t>(warp.slot(slots[2 + toShared]), lane);
    if (bytes == 0 || bytes % 16)
      return warp.fail(lane, "size must be a positive multiple of 16, found " +
                                 std::to_string(bytes));
    Location from;
    bool fromGlobal = inst.a == GlobalToShared;
    if (!locateBytes(warp, lane, fromGlobal ? Space::Global : Space::Shared,
                     source, bytes, 16, from) ||
        !requireInitialised(warp, lane, from, source, bytes))
      return;
    CopyOp::Piece piece;
    piece.lane = static_cast<uint8_t>(lane);
    piece.bytes = bytes;
    piece.source = from.data;
    piece.sourceAddress =
        fromGlobal ? source
                   : static_cast<uint64_t>(from.data - block.shared.data());
    (fromGlobal ? block.counters.globalBytes : block.counters.sharedBytes) +=
        bytes;
    if (!toShared) {
      Location to;
      if (!locateBytes(warp, lane, Space::Global, target, bytes, 16, to))
        return;
      if (inst.c && !requireInitialised(warp, lane, to, target, bytes))
        return;
      auto op = makeOp(warp, lane, inst, Publisher::BulkGroup);
      op->group = warp.bulkGroups[lane];
      op->sourceBlock = &block;
      piece.target = to.data;
      piece.shadow = to.shadow;
      piece.targetAddress = target;
      op->pieces.push_back(piece);
      block.counters.globalBytes += bytes;
      cluster.async.issue(std::move(op), cluster.finishesAtOnce());
      continue;
    }
    uint64_t barrier =
        addressOf(warp, slots[2], inst.wideAddress3, inst.imm3, lane);
    std::optional<uint32_t> mask;
    if (inst.b)
      mask = getLane<uint32_t>(warp.slot(slots[4]), lane) & 0xffff;
    std::vector<Destination> destinations;
    if (!findDestinations(warp, lane, inst.space, target, barrier, mask, bytes,
                          16, destinations))
      return;
    for (const Destination &to : destinations) {
      auto op = makeOp(warp, lane, inst, Publisher::Mbarrier);
      op->mbarrier = to.mbarrier;
      op->transactions = bytes;
      op->sourceBlock = fromGlobal ? nullptr : &block;
      op->targetBlock = to.block;
      piece.target = to.block->shared.data() + to.offset;
      piece.shadow = to.block->sharedShadow.data() + to.offset;
      piece.targetAddress = to.offset;
      op->pieces.push_back(piece);
      if (inst.c == 0) // a reduction needs what is there
        op->markInFlight();
      block.counters.sharedBytes += bytes;
      cluster.async.issue(std::move(op), cluster.finishesAtOnce());
      if (cluster.failed)
        return;
    }
  }
}

/// A prefetch must name memory that is there.
void runPrefetch(Warp &warp, const Inst &inst, const uint32_t *slots) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t source =
        addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    uint32_t bytes = getLane<uint32_t>(warp.slot(slots[1]), lane);
    Location from;
    if (bytes % 16)
      return warp.fail(lane, "size must be a multiple of 16, found " +
                                 std::to_string(bytes));
    if (!locateBytes(warp, lane, Space::Global, source, bytes, 16, from))
      return;
  }
}

void runBulkCommit(Warp &warp, const Inst &, const uint32_t *) {
  if (RaceChecker *races = warp.block->races) {
    races->commit(warp, Stream::Bulk);
    races->commit(warp, Stream::BulkRead);
  }
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1)
    ++warp.bulkGroups[__builtin_ctz(rest)];
}

/// Inst::imm groups may stay in flight; Inst::a: only wait for the reads.
void runBulkWait(Warp &warp, const Inst &inst, const uint32_t *) {
  auto isWaitedFor = [&](const AsyncOp &op) {
    return op.publisher == Publisher::BulkGroup && op.warp == &warp &&
           (warp.lanes >> op.lane & 1) &&
           int64_t(op.group) + inst.imm < int64_t(warp.bulkGroups[op.lane]);
  };
  AsyncOps &async = warp.block->cluster.async;
  if (RaceChecker *races = warp.block->races) {
    races->wait(warp, Stream::BulkRead, static_cast<uint64_t>(inst.imm));
    if (!inst.a)
      races->wait(warp, Stream::Bulk, static_cast<uint64_t>(inst.imm));
  }
  if (inst.a)
    return async.read(isWaitedFor);
  async.finish(
      [&](const AsyncOp &op) { return isWaitedFor(op) ? op.lanes : 0; });
}

} // namespace

void sparse_attn::emulator::decodeBulkCopy(Decoder &d, bool reduces,
                                           bool prefetches) {
  if (d.take("commit_group")) {
    d.expectOperands(0);
    return d.emit(runBulkCommit);
  }
  if (d.take("wait_group")) {
    d.inst.a = d.take("read");
    if (!d.expectOperands(1))
      return;
    d.inst.imm = static_cast<int64_t>(d.literal(0) & 0xffffffffu);
    return d.emit(runBulkWait);
  }
  bool policy = d.take("L2::cache_hint");
  if (prefetches) {
    if (!d.take("L2") || !d.take("global"))
      return void(d.unsupported());
    if (!d.expectOperands(2 + policy))
      return;
    d.address(d.operand(0));
    d.src(1, Type::U32);
    if (policy)
      d.src(2, Type::B64);
    return d.emit(runPrefetch);
  }
  bool global = d.take("global"), cta = d.take("shared::cta");
  bool cluster = d.take("shared::cluster");
  bool toGlobal = d.take("bulk_group");
  bool byBarrier = d.take("mbarrier::complete_tx::bytes");
  bool multicast = d.take("multicast::cluster");
  // Which of two spaces is the target follows from who is told of the end.
  bool known = toGlobal    ? global && cta && !cluster && !byBarrier
               : byBarrier ? global + cta + cluster == 2 && !(reduces && global)
                           : false;
  if (!known || (multicast && !(global && cluster)))
    return void(d.unsupported());
  d.inst.a = toGlobal ? SharedToGlobal
             : global ? GlobalToShared
                      : SharedToShared;
  d.inst.b = multicast;
  d.inst.space = cluster ? Space::SharedCluster : Space::Shared;
  if (reduces) {
    d.take("noftz");
    Reduction reduction = takeReduction(d);
    Type type = d.takeType();
    if (!combineOf(reduction, type))
      return void(d.unsupported());
    d.inst.c = static_cast<uint8_t>(reduction);
    d.inst.registerMask = static_cast<uint32_t>(type);
  }
  if (!d.expectOperands(3 + byBarrier + multicast + policy))
    return;
  if (byBarrier)
    d.addresses({&d.operand(0), &d.operand(1), &d.operand(3)});
  else
    d.addresses({&d.operand(0), &d.operand(1)});
  d.src(2, Type::U32);
  if (multicast)
    d.src(4, Type::U16);
  if (policy)
    d.src(d.operands() - 1, Type::B64);
  d.emit(runBulkCopy);
}

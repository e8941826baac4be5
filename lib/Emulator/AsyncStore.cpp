//===- AsyncStore.cpp - st.async and red.async --------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Data Movement and Conversion Instructions: st.async" and "Parallel
// Synchronization and Communication Instructions: red.async": stores of
// registers into shared memory of the cluster that end at an mbarrier.
//
//===----------------------------------------------------------------------===//

#include "BulkCopy.h"

using namespace sparse_attn::emulator;

namespace {

// Slots: target, mbarrier, values. Inst::a registers of Inst::b bytes, Inst::c
// the reduction, Inst::imm3 its type.
void runAsyncStore(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Cluster &cluster = warp.block->cluster;
  unsigned bytes = inst.a * inst.b;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t target =
        addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    uint64_t barrier =
        addressOf(warp, slots[1], inst.wideAddress2, inst.imm2, lane);
    std::vector<Destination> found;
    if (!findDestinations(warp, lane, Space::SharedCluster, target, barrier,
                          std::nullopt, bytes, bytes, found))
      return;
    const Destination &to = found[0];
    std::vector<uint8_t> values;
    for (unsigned r = 0; r < inst.a; ++r) {
      uint64_t value = inst.b == 8
                           ? getLane<uint64_t>(warp.slot(slots[2 + r]), lane)
                           : getLane<uint32_t>(warp.slot(slots[2 + r]), lane);
      auto *first = reinterpret_cast<uint8_t *>(&value);
      values.insert(values.end(), first, first + inst.b);
    }
    std::unique_ptr<CopyOp> op;
    if (inst.c) {
      auto reduce = std::make_unique<ReduceOp>(
          warp, 1u << lane, inst, Proxy::Generic, Publisher::Mbarrier);
      auto type = static_cast<Type>(inst.imm3);
      reduce->combine = combineOf(static_cast<Reduction>(inst.c), type);
      reduce->elementBytes = inst.b;
      op = std::move(reduce);
    } else {
      op = std::make_unique<CopyOp>(warp, 1u << lane, inst, Proxy::Generic,
                                    Publisher::Mbarrier);
    }
    op->mbarrier = to.mbarrier;
    op->transactions = bytes;
    op->targetBlock = to.block;
    CopyOp::Piece piece;
    piece.lane = static_cast<uint8_t>(lane);
    piece.target = to.block->shared.data() + to.offset;
    piece.shadow = to.block->sharedShadow.data() + to.offset;
    piece.targetAddress = to.offset;
    piece.bytes = bytes;
    op->pieces.push_back(piece);
    op->stage(std::move(values));
    warp.block->counters.sharedBytes += bytes;
    if (inst.c == 0) // a reduction needs what is there
      op->markInFlight();
    cluster.async.issue(std::move(op), cluster.finishesAtOnce());
    if (cluster.failed)
      return;
  }
}

} // namespace

void sparse_attn::emulator::decodeAsyncStore(Decoder &d) {
  bool reduces = d.base() == "red";
  takeMemoryOrder(d);
  if (!d.take("shared::cluster") || !d.take("mbarrier::complete_tx::bytes"))
    return void(d.unsupported());
  unsigned count = d.take("v2") ? 2 : d.take("v4") ? 4 : 1;
  Reduction reduction = reduces ? takeReduction(d) : Reduction::None;
  Type type = d.takeType();
  unsigned bytes = bitsOf(type) / 8;
  if (bytes < 4 || bytes * count > 16 ||
      (reduces && (count > 1 || !combineOf(reduction, type))))
    return void(d.unsupported());
  if (!d.expectOperands(3))
    return;
  const Operand &value = d.operand(1);
  std::vector<Operand> elements = {value};
  if (value.kind == Operand::Vector)
    elements = value.elements;
  if (elements.size() != count)
    return void(d.fail("expected " + std::to_string(count) +
                       " registers, found " + std::to_string(elements.size())));
  d.inst.space = Space::SharedCluster; // so that variables may be named
  d.addresses({&d.operand(0), &d.operand(2)});
  for (const Operand &element : elements)
    d.src(element, type);
  d.inst.a = static_cast<uint8_t>(count);
  d.inst.b = static_cast<uint8_t>(bytes);
  d.inst.c = static_cast<uint8_t>(reduction);
  d.inst.imm3 = static_cast<int64_t>(type);
  d.emit(runAsyncStore);
}

//===- Async.cpp - Operations in flight -----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Async.h"

#include "Hazards/RaceChecker.h"

#include <algorithm>

using namespace sparse_attn::emulator;

AsyncOp::~AsyncOp() = default;

void AsyncOps::issue(std::unique_ptr<AsyncOp> op, bool atOnce) {
  op->number = issued++;
  RaceChecker *races = op->warp->block->races;
  if (races && !races->issue(*op))
    return;
  if (op->mbarrier)
    op->mbarrier->begin(*op);
  if (atOnce)
    return finishLanes(*op, op->lanes);
  ops.push_back(std::move(op));
}

void AsyncOps::finishLanes(AsyncOp &op, uint32_t part) {
  uint32_t rest = op.lanes & ~part;
  op.lanes = part;
  op.write();
  op.lanes = rest;
  if (op.mbarrier && !rest)
    op.mbarrier->end(op);
}

void CopyOp::stage(std::vector<uint8_t> bytes) {
  staged = std::move(bytes);
  isStaged = hasRead = true;
}

void CopyOp::markInFlight() {
  if (!targetBlock)
    return;
  for (const Piece &piece : pieces)
    std::memset(piece.shadow, InFlight, piece.bytes);
}

static void add(std::vector<Extent> &extents, Block *block, uint64_t address,
                uint64_t bytes) {
  // Neighbouring pieces are one extent.
  if (!extents.empty()) {
    Extent &last = extents.back();
    if (last.block == block && last.address + last.bytes == address) {
      last.bytes += bytes;
      return;
    }
  }
  extents.push_back({block, address, bytes});
}

void CopyOp::extents(std::vector<Extent> &reads,
                     std::vector<Extent> &writes) const {
  for (const Piece &piece : pieces) {
    if (!(lanes >> piece.lane & 1))
      continue;
    if (piece.source)
      add(reads, sourceBlock, piece.sourceAddress, piece.bytes);
    add(writes, targetBlock, piece.targetAddress, piece.bytes);
  }
}

void CopyOp::read() {
  if (hasRead)
    return;
  hasRead = true;
  for (const Piece &piece : pieces)
    if (piece.source)
      staged.insert(staged.end(), piece.source, piece.source + piece.bytes);
}

void CopyOp::write() {
  const uint8_t *next = staged.data();
  for (const Piece &piece : pieces) {
    const uint8_t *source = piece.source;
    if (hasRead && (source || isStaged)) {
      source = next;
      next += piece.bytes;
    }
    if (!(lanes >> piece.lane & 1))
      continue;
    put(piece, source);
    std::memset(piece.shadow, Written, piece.bytes);
  }
}

void CopyOp::put(const Piece &piece, const uint8_t *source) {
  if (source)
    std::memcpy(piece.target, source, piece.bytes);
  else
    for (uint32_t i = 0; i < piece.bytes; ++i)
      piece.target[i] = fill ? fill[i % 16] : 0;
}

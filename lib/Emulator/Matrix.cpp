//===- Matrix.cpp - ldmatrix and stmatrix ---------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Hazards/RaceChecker.h"
#include "Memory.h"
#include "SharedBanks.h"

using namespace sparse_attn::emulator;

namespace {

// Inst::a matrices of 8 rows of 16 bytes, Inst::b transposed. Lanes 8i..8i+7
// hold the row addresses of matrix i. Lane l holds the elements (l/4, 2(l%4))
// and its right neighbour, or the transposed ones.

bool rowAddress(Warp &warp, const Inst &inst, uint32_t slot, unsigned row,
                bool store, Location &location, uint64_t &address) {
  address = addressOf(warp, slot, inst.wideAddress, inst.imm, row);
  Space space = inst.space;
  if (space == Space::Generic) {
    if (address - sharedWindow >= remoteStride) {
      warp.fail(row, "the address is not in the block's shared memory");
      return false;
    }
    address -= sharedWindow;
    space = Space::Shared;
  }
  return locate(warp, row, space, address, 16, location, store);
}

void runLoadMatrix(Warp &warp, const Inst &inst, const uint32_t *slots) {
  if (!warp.requireConverged(true))
    return;
  RaceChecker *races = warp.block->races;
  uint16_t rows[32][8];
  SharedAccess banks;
  for (unsigned row = 0; row < inst.a * 8u; ++row) {
    Location location;
    uint64_t address;
    if (!rowAddress(warp, inst, slots[inst.a], row, false, location, address) ||
        (races && !races->readForWarp(warp, row, location, address, 16)) ||
        !requireInitialised(warp, row, location, address, 16))
      return;
    std::memcpy(rows[row], location.data, 16);
    banks.add(row, address);
  }
  banks.count(warp.block->counters, 16);
  warp.block->counters.sharedBytes += inst.a * 128u;
  for (unsigned matrix = 0; matrix < inst.a; ++matrix) {
    const uint16_t (*part)[8] = rows + matrix * 8;
    if (!inst.b) {
      // In memory order, the lanes' registers are the rows.
      std::memcpy(warp.slot(slots[matrix]), part, 128);
      continue;
    }
    uint8_t *out = warp.slot(slots[matrix]);
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned row = 2 * (lane % 4), column = lane / 4;
      putLane<uint32_t>(
          out, lane, part[row][column] | uint32_t(part[row + 1][column]) << 16);
    }
  }
}

void runStoreMatrix(Warp &warp, const Inst &inst, const uint32_t *slots) {
  if (!warp.requireConverged(true))
    return;
  RaceChecker *races = warp.block->races;
  SharedAccess banks;
  for (unsigned matrix = 0; matrix < inst.a; ++matrix) {
    uint16_t part[8][8];
    const uint8_t *in = warp.slot(slots[1 + matrix]);
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint32_t value = getLane<uint32_t>(in, lane);
      unsigned row = lane / 4, column = 2 * (lane % 4);
      uint16_t low = static_cast<uint16_t>(value);
      uint16_t high = static_cast<uint16_t>(value >> 16);
      (inst.b ? part[column][row] : part[row][column]) = low;
      (inst.b ? part[column + 1][row] : part[row][column + 1]) = high;
    }
    for (unsigned row = 0; row < 8; ++row) {
      Location location;
      uint64_t address;
      if (!rowAddress(warp, inst, slots[0], matrix * 8 + row, true, location,
                      address) ||
          (races &&
           !races->write(warp, matrix * 8 + row, location, address, 16,
                         reinterpret_cast<const uint8_t *>(part[row]))))
        return;
      std::memcpy(location.data, part[row], 16);
      std::memset(location.shadow, Written, 16);
      banks.add(matrix * 8 + row, address);
    }
  }
  banks.count(warp.block->counters, 16);
  warp.block->counters.sharedBytes += inst.a * 128u;
}

/// An 8x8 matrix of 16-bit elements, a row in four lanes.
void runTranspose(Warp &warp, const Inst &, const uint32_t *slots) {
  if (!warp.requireConverged(true))
    return;
  uint16_t rows[8][8];
  std::memcpy(rows, warp.slot(slots[1]), sizeof rows);
  eachLane<uint32_t>(warp, slots[0], [&](unsigned lane) {
    unsigned row = 2 * (lane % 4), column = lane / 4;
    return rows[row][column] | uint32_t(rows[row + 1][column]) << 16;
  });
}

} // namespace

void sparse_attn::emulator::decodeMatrix(Decoder &d) {
  bool store = d.base() == "stmatrix";
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8"))
    return void(d.unsupported());
  unsigned count = d.take("x1") ? 1 : d.take("x2") ? 2 : d.take("x4") ? 4 : 0;
  d.inst.b = d.take("trans");
  d.inst.space = d.take("shared") || d.take("shared::cta") ? Space::Shared
                                                           : Space::Generic;
  if (count == 0 || d.takeType() != Type::B16)
    return void(d.unsupported());
  if (!d.expectOperands(2))
    return;
  const Operand &value = d.operand(store ? 1 : 0);
  std::vector<Operand> elements = {value};
  if (value.kind == Operand::Vector)
    elements = value.elements;
  if (elements.size() != count)
    return void(d.fail("expected " + std::to_string(count) +
                       " registers, found " + std::to_string(elements.size())));
  d.inst.a = static_cast<uint8_t>(count);
  if (store)
    d.address(d.operand(0));
  for (const Operand &element : elements)
    store ? d.src(element, Type::B32) : d.dst(element, Type::B32);
  if (!store)
    d.address(d.operand(1));
  d.emit(store ? runStoreMatrix : runLoadMatrix);
}

void sparse_attn::emulator::decodeTranspose(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8") ||
      !d.take("trans") || d.takeType() != Type::B16)
    return void(d.unsupported());
  if (!d.expectOperands(2))
    return;
  d.dst(0, Type::B32);
  d.src(1, Type::B32);
  d.emit(runTranspose);
}

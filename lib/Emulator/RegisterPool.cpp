//===- RegisterPool.cpp - setmaxnreg ------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Miscellaneous Instructions: setmaxnreg". Warps give registers back
// to a pool of their block and take them out of it. How many a kernel starts
// with is known only if .maxnreg or .maxntid and .minnctapersm say so; else
// nothing but the operand is checked.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Machine.h"

using namespace sparse_attn::emulator;

uint32_t Block::initialRegisters() const {
  constexpr uint32_t registersOfSm = 65536, most = 255;
  uint32_t known = kernel.maxRegisters;
  const std::array<uint32_t, 3> &limit = kernel.maxThreads;
  if (!known && limit[0] && kernel.minBlocks)
    known = std::min(most, registersOfSm / (limit[0] * limit[1] * limit[2] *
                                            kernel.minBlocks));
  return known / 8 * 8;
}

// Inst::a: increases, Inst::imm registers a thread.
static void runSetRegisters(Warp &warp, const Inst &inst, const uint32_t *) {
  if (!warp.requireConverged(true))
    return;
  uint32_t wanted = static_cast<uint32_t>(inst.imm), found = warp.registers;
  if (found == 0)
    return;
  if (inst.a ? wanted < found : wanted > found)
    return warp.fail(
        0, std::string("expected at ") + (inst.a ? "least" : "most") + " the " +
               std::to_string(found) + " registers that the thread has");
  Block &block = *warp.block;
  if (inst.a && block.freeRegisters < wanted - found)
    return warp.blockFor(WaitFor::Registers);
  block.freeRegisters += found - wanted;
  warp.registers = wanted;
  if (!inst.a)
    block.cluster.wake(WaitFor::Registers);
}

void sparse_attn::emulator::decodeSetRegisters(Decoder &d) {
  d.inst.a = d.take("inc");
  if ((!d.inst.a && !d.take("dec")) || !d.take("sync") || !d.take("aligned") ||
      d.takeType() != Type::U32)
    return void(d.unsupported());
  if (!d.expectOperands(1))
    return;
  uint64_t count = d.literal(0);
  if (count < 24 || count > 256 || count % 8)
    d.fail("expected a multiple of 8 from 24 to 256, found " +
           std::to_string(count));
  d.inst.imm = static_cast<int64_t>(count);
  d.emit(runSetRegisters);
}

//===- Wgmma.cpp - The wgmma instructions -------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Wgmma.h"

#include "Hazards/RaceChecker.h"
#include "MatrixProduct.h"

#include <algorithm>

using namespace sparse_attn::emulator;

void Warpgroup::issue(Warp &warp, const Inst &inst, const WgmmaShape &shape,
                      const uint32_t *slots) {
  Block &block = *warp.block;
  unsigned index = warp.index() % 4;
  Member &member = members[index];
  // Sources after A in registers: descriptors, scale-d.
  const uint32_t *sources = slots + inst.dsts;
  const uint32_t *last = sources + inst.srcs;
  auto uniform = [&](uint32_t slot, const char *what, uint64_t &value) {
    const uint8_t *lanes = warp.slot(slot);
    value = getLane<uint64_t>(lanes, 0);
    for (unsigned lane = 1; lane < 32; ++lane)
      if (getLane<uint64_t>(lanes, lane) != value) {
        warp.fail(lane, std::string(what) + " differs from lane 0's");
        return false;
      }
    return true;
  };
  uint64_t descriptorA = 0, descriptorB = 0;
  bool isReady = true;
  for (const uint32_t *source = sources; source != last; ++source)
    isReady = isReady && warp.requireWritten(*source);
  if (!isReady ||
      (!shape.isARegisters &&
       !uniform(sources[0], "descriptor A", descriptorA)) ||
      !uniform(sources[shape.isARegisters ? 4 : 1], "descriptor B",
               descriptorB))
    return;
  uint32_t scale = warp.predicate(last[-1]);
  if (scale && ~scale)
    return warp.fail(__builtin_ctz(scale), "scale-d differs between lanes");
  bool accumulates = scale != 0;
  for (unsigned i = 0; accumulates && i < inst.dsts; ++i)
    if (!warp.isInFlight(slots[i]) && !warp.requireWritten(slots[i]))
      return;

  RaceChecker *races = block.races;
  if (races && !races->checkRegisters(warp, slots,
                                      inst.dsts + (shape.isARegisters ? 4 : 0)))
    return;
  uint64_t number = member.issued - begun;
  if (number == gathering.size())
    gathering.push_back(std::make_unique<WgmmaOp>(warp, inst, shape));
  WgmmaOp &op = *gathering[number];
  if (op.joined == 0) {
    op.descriptorA = descriptorA;
    op.descriptorB = descriptorB;
    op.accumulates = accumulates;
    op.group = static_cast<uint32_t>(member.issued);
    op.fragmentsA.resize(shape.isARegisters ? 4 * 4 * 32 : 0);
  } else if (op.inst != &inst) {
    return warp.fail(0, "warp " + std::to_string(op.warp->index()) +
                            " of the warpgroup executes the one in line " +
                            std::to_string(op.inst->line));
  } else if (op.descriptorA != descriptorA || op.descriptorB != descriptorB ||
             op.accumulates != accumulates) {
    return warp.fail(0, "descriptors or scale-d differ from those of warp " +
                            std::to_string(op.warp->index()) +
                            " of the warpgroup");
  }
  if (races && !races->issuePart(warp, op))
    return;
  op.joined |= 1u << index;
  std::vector<uint32_t> fragment = op.fragmentOf(warp);
  std::copy(fragment.begin(), fragment.end(),
            op.fragmentsA.begin() + index * fragment.size());
  ++member.issued;
  member.ops.push_back(&inst);
  member.fragments.push_back(std::move(fragment));
  for (unsigned i = 0; i < inst.dsts; ++i) {
    warp.written(slots[i]) = 0;
    warp.addInFlight(slots[i], 1);
  }
  if (op.joined != 15)
    return;
  op.warp = &warp;
  if (!op.checkOperands())
    return;
  ++begun;
  std::unique_ptr<WgmmaOp> complete = std::move(gathering.front());
  gathering.pop_front();
  block.cluster.async.issue(std::move(complete),
                            block.cluster.finishesAtOnce());
  block.cluster.wake(WaitFor::Warpgroup);
}

void Warpgroup::commit(Warp &warp) {
  Member &member = members[warp.index() % 4];
  member.groups.push_back(member.issued);
}

void Warpgroup::wait(Warp &warp, uint64_t pending) {
  Member &member = members[warp.index() % 4];
  if (member.groups.size() <= pending)
    return;
  size_t finished = member.groups.size() - pending;
  uint64_t operations = member.groups[finished - 1];
  if (begun < operations)
    return warp.blockFor(WaitFor::Warpgroup);
  member.groups.erase(member.groups.begin(),
                      member.groups.begin() + static_cast<long>(finished));
  unsigned first = warp.index() / 4;
  warp.block->cluster.async.finish([&](const AsyncOp &op) {
    bool isOurs = op.publisher == Publisher::WgmmaGroup &&
                  op.warp->block == warp.block && op.warp->index() / 4 == first;
    return isOurs && op.group < operations ? op.lanes : 0;
  });
  if (RaceChecker *races = warp.block->races)
    races->wait(warp, Stream::Wgmma, pending);
  publish(warp, operations);
}

void Warpgroup::publish(Warp &warp, uint64_t operations) {
  Member &member = members[warp.index() % 4];
  const Kernel &kernel = warp.block->kernel;
  for (; member.published < operations; ++member.published) {
    const Inst &inst = *member.ops.front();
    const uint32_t *slots = kernel.operands.data() + inst.slots;
    auto touched = [&](uint32_t slot) {
      warp.failAt(inst, 0,
                  "register '" + kernel.registerName(slot) +
                      "' was written before wgmma.wait_group");
    };
    for (unsigned i = 0; i < inst.dsts; ++i) {
      if (warp.written(slots[i]))
        return touched(slots[i]);
      warp.addInFlight(slots[i], -1);
    }
    const std::vector<uint32_t> &fragment = member.fragments.front();
    for (unsigned r = 0; r * 32 < fragment.size(); ++r) {
      uint32_t slot = slots[inst.dsts + r];
      if (std::memcmp(warp.slot(slot), &fragment[r * 32], 128) != 0)
        return touched(slot);
    }
    // Registers of an operation still in flight stay what they are.
    member.ops.pop_front();
    member.fragments.pop_front();
    finished.insert(finished.end(), slots, slots + inst.dsts);
  }
  for (uint32_t slot : finished)
    if (!warp.isInFlight(slot))
      warp.written(slot) = ~0u;
  finished.clear();
}

namespace {

bool requireWarpgroup(Warp &warp) {
  if (!warp.requireConverged(true))
    return false;
  unsigned first = warp.index() / 4 * 4;
  if (first + 4 <= warp.block->warps.size())
    return true;
  warp.fail(0, "expected a warpgroup of four warps, found " +
                   std::to_string(warp.block->warps.size() - first));
  return false;
}

Warpgroup &warpgroupOf(Warp &warp) {
  return warp.block->warpgroups[warp.index() / 4];
}

// Inst::imm is the shape's number in the kernel.
void runProduct(Warp &warp, const Inst &inst, const uint32_t *slots) {
  if (requireWarpgroup(warp))
    warpgroupOf(warp).issue(
        warp, inst, warp.block->kernel.wgmmaShapes[size_t(inst.imm)], slots);
}

// Orders registers, which only a checker can tell.
void runWgmmaFence(Warp &warp, const Inst &, const uint32_t *) {
  if (requireWarpgroup(warp) && warp.block->races)
    warp.block->races->fenceRegisters(warp);
}

void runWgmmaCommit(Warp &warp, const Inst &, const uint32_t *) {
  if (!requireWarpgroup(warp))
    return;
  if (RaceChecker *races = warp.block->races)
    races->commit(warp, Stream::Wgmma);
  warpgroupOf(warp).commit(warp);
}

void runWgmmaWait(Warp &warp, const Inst &inst, const uint32_t *) {
  if (requireWarpgroup(warp))
    warpgroupOf(warp).wait(warp, static_cast<uint64_t>(inst.imm));
}

/// "m64n128k16".
bool parseShape(std::string_view text, WgmmaShape &shape) {
  unsigned numbers[3] = {}, index = 0;
  const char letters[] = {'m', 'n', 'k'};
  for (size_t i = 0; i < text.size();) {
    if (index == 3 || text[i++] != letters[index])
      return false;
    unsigned digits = 0;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && digits < 4;
         ++i, ++digits)
      numbers[index] = numbers[index] * 10 + unsigned(text[i] - '0');
    if (digits == 0)
      return false;
    ++index;
  }
  shape.n = static_cast<uint16_t>(numbers[1]);
  shape.k = static_cast<uint16_t>(numbers[2]);
  return index == 3 && numbers[0] == 64 && shape.n >= 8 && shape.n <= 256 &&
         shape.n % 8 == 0;
}

bool areTypesKnown(const WgmmaShape &shape) {
  Type a = shape.typeA, b = shape.typeB, d = shape.result;
  if (!isMatrixElement(a) || !isMatrixElement(b) || shape.k != 256 / bitsOf(a))
    return false;
  bool isFloatResult = d == Type::F32 || d == Type::F16;
  switch (a) {
  case Type::F16:
    return b == a && isFloatResult;
  case Type::BF16:
  case Type::TF32:
    return b == a && d == Type::F32;
  case Type::E4M3:
  case Type::E5M2:
    return (b == Type::E4M3 || b == Type::E5M2) && isFloatResult;
  default:
    // Only some widths exist for integers.
    return (b == Type::S8 || b == Type::U8) && d == Type::S32 &&
           (shape.n <= 32 || shape.n % 16 == 0);
  }
}

/// An immediate that is one of two values; true for the second one.
bool takeChoice(Decoder &d, size_t index, int64_t no, int64_t yes) {
  auto value = static_cast<int64_t>(d.literal(index));
  if (value != no && value != yes)
    d.fail("operand " + std::to_string(index + 1) + " must be " +
           std::to_string(no) + " or " + std::to_string(yes) + ", found " +
           std::to_string(value));
  return value == yes;
}

void decodeProduct(Decoder &d) {
  WgmmaShape shape;
  bool isKnown = false;
  d.takeIf([&](std::string_view modifier) {
    isKnown = modifier[0] == 'm' && parseShape(modifier, shape);
    return isKnown;
  });
  shape.result = d.takeType();
  shape.typeA = d.takeType();
  shape.typeB = d.takeType();
  shape.saturates = shape.result == Type::S32 && d.take("satfinite");
  if (!isKnown || !areTypesKnown(shape))
    return void(d.unsupported());
  const Operand &a = d.operand(1);
  shape.isARegisters = a.kind == Operand::Vector;
  bool isInteger = shape.result == Type::S32;
  bool canTranspose = bitsOf(shape.typeA) == 16;
  size_t transposes = canTranspose ? 2 - shape.isARegisters : 0;
  if (!d.expectOperands(4 + (isInteger ? 0 : 2) + transposes))
    return;
  const Operand &target = d.operand(0);
  auto expectVector = [&](const Operand &vector, size_t count, size_t index) {
    size_t found = vector.kind == Operand::Vector ? vector.elements.size() : 0;
    return found == count ||
           d.fail("operand " + std::to_string(index) + " needs " +
                  std::to_string(count) + " registers, found " +
                  std::to_string(found));
  };
  if (!expectVector(target, shape.resultRegisters(), 1) ||
      (shape.isARegisters && !expectVector(a, 4, 2)))
    return;
  for (const Operand &element : target.elements)
    d.dst(element, Type::B32);
  if (shape.isARegisters)
    for (const Operand &element : a.elements)
      d.src(element, Type::B32);
  else
    d.src(1, Type::B64);
  d.src(2, Type::B64);
  d.src(3, Type::Pred);
  if (!isInteger) {
    shape.negatesA = takeChoice(d, 4, 1, -1);
    shape.negatesB = takeChoice(d, 5, 1, -1);
  }
  if (canTranspose) {
    if (!shape.isARegisters)
      shape.transposesA = takeChoice(d, 6, 0, 1);
    shape.transposesB = takeChoice(d, d.operands() - 1, 0, 1);
  }
  d.inst.checksSources = true;
  d.inst.isAsync = true;
  d.inst.imm = d.addWgmmaShape(shape);
  d.emit(runProduct);
}

} // namespace

void sparse_attn::emulator::decodeWgmma(Decoder &d) {
  bool product = d.take("mma_async"), fence = d.take("fence");
  bool commit = d.take("commit_group"), wait = d.take("wait_group");
  if (!d.take("sync") || !d.take("aligned") ||
      product + fence + commit + wait != 1)
    return void(d.unsupported());
  if (product)
    return decodeProduct(d);
  if (!d.expectOperands(wait ? 1 : 0))
    return;
  if (wait)
    d.inst.imm = static_cast<int64_t>(d.literal(0) & 0xffffffffu);
  d.emit(fence ? runWgmmaFence : commit ? runWgmmaCommit : runWgmmaWait);
}

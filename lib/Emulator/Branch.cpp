//===- Branch.cpp - Divergence, reconvergence and exit --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ControlFlow.h"
#include "Decoder.h"
#include "Lanes.h"

using namespace sparse_attn::emulator;

void Warp::branch(const Inst &inst) {
  uint32_t taken = lanes, rest = current.mask & ~lanes;
  if (!rest) {
    pc = inst.target;
    return;
  }
  if (inst.join != noPc &&
      (current.convergence < 0 ||
       convergences[current.convergence].pc != inst.join)) {
    Convergence convergence;
    convergence.pc = inst.join;
    convergence.expected = current.mask;
    convergence.parent = current.convergence;
    if (freeConvergences.empty()) {
      freeConvergences.push_back(static_cast<int>(convergences.size()));
      convergences.emplace_back();
    }
    current.convergence = freeConvergences.back();
    freeConvergences.pop_back();
    convergences[current.convergence] = convergence;
  }
  Group other = current;
  // The lanes that are behind go first: they may catch up.
  bool takenFirst = inst.target < pc;
  other.pc = takenFirst ? pc : inst.target;
  other.mask = takenFirst ? rest : taken;
  current.mask = takenFirst ? taken : rest;
  pc = takenFirst ? inst.target : pc;
  groups.push_back(other);
}

void Warp::branchIndexed(const Inst &inst, const uint8_t *index) {
  const std::vector<uint32_t> &table =
      block->kernel.branchTables[static_cast<size_t>(inst.imm)];
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    if (getLane<uint32_t>(index, lane) >= table.size())
      return fail(lane, "the index " +
                            std::to_string(getLane<uint32_t>(index, lane)) +
                            " exceeds the " + std::to_string(table.size()) +
                            " branch targets");
  }
  // One two-way branch after another; what is left goes last.
  for (uint32_t rest = lanes; rest;) {
    unsigned first = __builtin_ctz(rest);
    uint32_t same = 0;
    for (uint32_t others = rest; others; others &= others - 1) {
      unsigned lane = __builtin_ctz(others);
      if (getLane<uint32_t>(index, lane) == getLane<uint32_t>(index, first))
        same |= 1u << lane;
    }
    rest &= ~same;
    Inst step = inst;
    step.target = table[getLane<uint32_t>(index, first)];
    uint32_t after = pc;
    lanes = same;
    if (same == current.mask) {
      pc = step.target;
      return;
    }
    branch(step);
    // Keep working on the group of the remaining lanes.
    if (current.mask == same) {
      std::swap(current, groups.back());
      groups.back().pc = step.target;
      pc = after;
    }
  }
}

void Warp::arriveAtJoin() {
  uint32_t here = pc - 1;
  if (groups.empty() && current.convergence < 0)
    return;
  while (current.convergence >= 0 &&
         convergences[current.convergence].pc == here) {
    Convergence &convergence = convergences[current.convergence];
    convergence.arrived |= current.mask;
    if (convergence.arrived != convergence.expected) {
      hasCurrent = false;
      event = true;
      return;
    }
    current.mask = convergence.expected;
    freeConvergences.push_back(current.convergence);
    current.convergence = convergence.parent;
  }
  // Lanes whose paths join only at the exit meet here if they can: whoever is
  // ahead waits for those behind, but not forever.
  bool isBehind = false;
  for (size_t i = 0; i < groups.size();) {
    Group &other = groups[i];
    bool waits = other.waits();
    if (!waits && other.pc == here &&
        other.convergence == current.convergence) {
      current.mask |= other.mask;
      other = groups.back();
      groups.pop_back();
      continue;
    }
    isBehind |= !waits && other.pc < here;
    ++i;
  }
  bool yields = isBehind;
  if (!groups.empty() && ++joins % 4096 == 0)
    yields = !isBehind;
  if (yields) {
    current.pc = here;
    Group mine = current;
    hasCurrent = false;
    event = true;
    // Rotated to the front, so that ties go to the others.
    groups.insert(groups.begin(), mine);
    rotate = !isBehind;
  }
}

bool Warp::selectGroup() {
  size_t best = groups.size();
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].waits())
      continue;
    if (best == groups.size() || (rotate ? groups[i].pc > groups[best].pc
                                         : groups[i].pc < groups[best].pc))
      best = i;
  }
  rotate = false;
  if (best == groups.size())
    return false;
  current = groups[best];
  pc = current.pc;
  groups.erase(groups.begin() + best);
  hasCurrent = true;
  return true;
}

void Warp::exitLanes() {
  liveLanes &= ~lanes;
  current.mask &= ~lanes;
  if (!current.mask)
    hasCurrent = false;
  event = true;
  for (int index = current.convergence; index >= 0;) {
    Convergence &convergence = convergences[index];
    int parent = convergence.parent;
    convergence.expected &= ~lanes;
    if (convergence.expected == 0) {
      freeConvergences.push_back(index);
    } else if (convergence.arrived == convergence.expected) {
      Group group;
      group.pc = convergence.pc;
      group.mask = convergence.expected;
      group.convergence = parent;
      groups.push_back(group);
      freeConvergences.push_back(index);
    }
    index = parent;
  }
  block->cluster.completeBarrier();
}

void Warp::blockFor(WaitFor what, uint32_t index) {
  // Lanes that the guard excludes go on by themselves.
  uint32_t rest = current.mask & ~lanes;
  Group waiting = current;
  // Who is asked again executes the instruction again.
  waiting.pc = what == WaitFor::Barrier ? pc : pc - 1;
  waiting.mask = lanes;
  waiting.waitFor = what;
  waiting.waitIndex = index;
  waiting.waitPc = pc - 1;
  groups.push_back(waiting);
  current.mask = rest;
  hasCurrent = rest != 0;
  event = true;
}

void sparse_attn::emulator::runBranch(Warp &warp, const Inst &inst,
                                      const uint32_t *) {
  warp.branch(inst);
}

void sparse_attn::emulator::runBranchIndexed(Warp &warp, const Inst &inst,
                                             const uint32_t *slots) {
  warp.branchIndexed(inst, warp.slot(slots[0]));
}

void sparse_attn::emulator::runExit(Warp &warp, const Inst &,
                                    const uint32_t *) {
  warp.exitLanes();
}

void sparse_attn::emulator::runTrap(Warp &warp, const Inst &,
                                    const uint32_t *) {
  warp.fail(__builtin_ctz(warp.lanes), "the kernel trapped");
}

void sparse_attn::emulator::runJoin(Warp &warp, const Inst &,
                                    const uint32_t *) {
  // Not an instruction of the program.
  --warp.block->counters.instructions;
  --warp.block->counters.byClass[Counters::Control];
  warp.arriveAtJoin();
}

void sparse_attn::emulator::decodeBranch(Decoder &d) {
  if (d.base() == "bra" || d.base() == "brx") {
    bool indexed = d.base() == "brx";
    d.take("uni");
    if (indexed && !d.take("idx")) {
      d.unsupported();
      return;
    }
    if (!d.expectOperands(indexed ? 2 : 1))
      return;
    if (indexed)
      d.src(0, Type::U32);
    d.label(indexed ? 1 : 0, indexed);
    return d.emit(indexed ? runBranchIndexed : runBranch);
  }
  d.take("uni");
  d.expectOperands(0);
  d.emit(d.base() == "trap" ? runTrap : runExit);
}

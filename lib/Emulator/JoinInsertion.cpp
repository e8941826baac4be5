//===- JoinInsertion.cpp - Where diverged lanes meet again ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ControlFlow.h"

using namespace sparse_attn::emulator;

namespace {

/// The control flow graph of a kernel, with a virtual exit block at the end.
class Graph {
public:
  explicit Graph(Kernel &kernel) : kernel(kernel) {
    findBlocks();
    findEdges();
    findPostDominators();
  }

  void insertJoins();

private:
  static constexpr uint32_t none = ~0u;

  void findBlocks();
  void findEdges();
  void findPostDominators();
  void addEdge(uint32_t from, uint32_t to) {
    successors[from].push_back(to);
    predecessors[to].push_back(from);
  }
  std::vector<uint32_t> targetsOf(const Inst &inst) const {
    if (inst.run == runBranch)
      return {inst.target};
    if (inst.run == runBranchIndexed)
      return kernel.branchTables[static_cast<size_t>(inst.imm)];
    return {};
  }
  static bool endsBlock(const Inst &inst) {
    return inst.run == runBranch || inst.run == runBranchIndexed ||
           inst.run == runExit || inst.run == runTrap;
  }

  Kernel &kernel;
  std::vector<uint32_t> firsts;  // first instruction of each block
  std::vector<uint32_t> blockOf; // by instruction
  std::vector<std::vector<uint32_t>> successors, predecessors;
  std::vector<uint32_t> postDominator;
  uint32_t exit = 0;
};

void Graph::findBlocks() {
  std::vector<bool> leads(kernel.code.size() + 1, false);
  leads[0] = true;
  for (size_t i = 0; i < kernel.code.size(); ++i) {
    for (uint32_t target : targetsOf(kernel.code[i]))
      leads[target] = true;
    if (endsBlock(kernel.code[i]))
      leads[i + 1] = true;
  }
  for (uint32_t i = 0; i < kernel.code.size(); ++i) {
    if (leads[i])
      firsts.push_back(i);
    blockOf.push_back(static_cast<uint32_t>(firsts.size() - 1));
  }
  exit = static_cast<uint32_t>(firsts.size());
  successors.resize(exit + 1);
  predecessors.resize(exit + 1);
}

void Graph::findEdges() {
  for (uint32_t block = 0; block < exit; ++block) {
    uint32_t end = block + 1 < exit ? firsts[block + 1]
                                    : static_cast<uint32_t>(kernel.code.size());
    const Inst &last = kernel.code[end - 1];
    for (uint32_t target : targetsOf(last))
      addEdge(block, blockOf[target]);
    bool leaves = last.run == runExit || last.run == runTrap;
    bool guarded = last.guard != noSlot;
    // Lanes that leave early are not waited for: their edge does not count,
    // so that the others still meet.
    if (leaves && !guarded)
      addEdge(block, exit);
    if (!endsBlock(last) || guarded)
      addEdge(block, block + 1);
  }
}

/// Cooper, Harvey and Kennedy's algorithm on the reversed graph.
void Graph::findPostDominators() {
  std::vector<uint32_t> order; // postorder from the exit
  std::vector<uint32_t> number(exit + 1, none);
  std::vector<bool> seen(exit + 1, false);
  std::vector<std::pair<uint32_t, size_t>> stack = {{exit, 0}};
  seen[exit] = true;
  while (!stack.empty()) {
    auto &[block, edge] = stack.back();
    if (edge < predecessors[block].size()) {
      uint32_t next = predecessors[block][edge++];
      if (!seen[next]) {
        seen[next] = true;
        stack.emplace_back(next, 0);
      }
      continue;
    }
    number[block] = static_cast<uint32_t>(order.size());
    order.push_back(block);
    stack.pop_back();
  }
  postDominator.assign(exit + 1, none);
  postDominator[exit] = exit;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = order.size(); i-- > 0;) {
      uint32_t block = order[i];
      if (block == exit)
        continue;
      uint32_t meet = none;
      for (uint32_t next : successors[block]) {
        if (postDominator[next] == none)
          continue;
        if (meet == none) {
          meet = next;
          continue;
        }
        uint32_t other = next;
        while (meet != other) {
          while (number[meet] < number[other])
            meet = postDominator[meet];
          while (number[other] < number[meet])
            other = postDominator[other];
        }
      }
      if (meet != postDominator[block]) {
        postDominator[block] = meet;
        changed = true;
      }
    }
  }
}

void Graph::insertJoins() {
  std::vector<bool> joins(exit + 1, false);
  for (uint32_t block = 0; block < exit; ++block) {
    if (predecessors[block].size() > 1)
      joins[block] = true;
    if (successors[block].size() > 1 && postDominator[block] != none)
      joins[postDominator[block]] = true;
  }
  std::vector<Inst> code;
  std::vector<uint32_t> start(exit + 1, noPc);
  for (uint32_t i = 0; i < kernel.code.size(); ++i) {
    uint32_t block = blockOf[i];
    if (firsts[block] == i) {
      start[block] = static_cast<uint32_t>(code.size());
      if (joins[block]) {
        Inst join;
        join.run = runJoin;
        join.line = kernel.code[i].line;
        join.opcode = kernel.code[i].opcode;
        code.push_back(join);
      }
    }
    code.push_back(kernel.code[i]);
    Inst &inst = code.back();
    if (endsBlock(inst) && postDominator[block] < exit)
      inst.join = postDominator[block];
  }
  for (Inst &inst : code) {
    if (inst.target != noPc)
      inst.target = start[blockOf[inst.target]];
    if (inst.join != noPc)
      inst.join = start[inst.join];
  }
  for (std::vector<uint32_t> &table : kernel.branchTables)
    for (uint32_t &target : table)
      target = start[blockOf[target]];
  kernel.code = std::move(code);
}

} // namespace

void sparse_attn::emulator::insertJoins(Kernel &kernel) {
  // Running off the end of the body returns.
  Inst end;
  end.run = runExit;
  end.line = kernel.code.empty() ? kernel.line : kernel.code.back().line;
  kernel.opcodes.push_back("ret");
  end.opcode = static_cast<uint32_t>(kernel.opcodes.size() - 1);
  kernel.code.push_back(end);
  Graph(kernel).insertJoins();
}

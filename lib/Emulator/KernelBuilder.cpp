//===- KernelBuilder.cpp - Names and instructions of one entry point ------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "ControlFlow.h"
#include "Decoder.h"
#include "GlobalMemory.h"

#include <algorithm>

using namespace sparse_attn::emulator;

// A text can name more registers than fit into memory; real kernels stay far
// below.
static constexpr uint32_t maxSlots = 1u << 17;
static constexpr uint32_t maxSharedBytes = 1u << 20;
static constexpr uint32_t maxLocalBytes = 1u << 19;

std::string Kernel::registerName(uint32_t slot) const {
  for (const auto &[known, name] : registerNames)
    if (known == slot)
      return name;
  return "?";
}

bool KernelBuilder::fail(unsigned line, std::string message) {
  if (error.message.empty())
    error = {line, std::move(message)};
  return false;
}

void KernelBuilder::openScope() {
  Scope scope;
  scope.parent = currentScope;
  currentScope = static_cast<unsigned>(scopes.size());
  scopes.push_back(std::move(scope));
}

bool KernelBuilder::declareRegister(std::string_view name, Type type,
                                    unsigned line) {
  if (!scopes[currentScope].registers.emplace(name, Register{type}).second)
    return fail(line, "register '" + std::string(name) + "' is declared twice");
  return true;
}

bool KernelBuilder::declareRegisters(std::string_view prefix, Type type,
                                     uint64_t count, unsigned line) {
  Family family;
  family.type = type;
  family.count = count;
  if (!scopes[currentScope].families.emplace(prefix, std::move(family)).second)
    return fail(line, "registers '" + std::string(prefix) +
                          "<n>' are declared twice");
  return true;
}

bool KernelBuilder::declareVariable(const Variable &variable,
                                    std::string_view name, unsigned line) {
  if (!scopes[currentScope].variables.emplace(name, variable).second)
    return fail(line, "variable '" + std::string(name) + "' is declared twice");
  return true;
}

bool KernelBuilder::defineLabel(std::string_view name, unsigned line) {
  uint32_t here = static_cast<uint32_t>(kernel.code.size());
  if (!scopes[currentScope].labels.emplace(name, here).second)
    return fail(line, "label '" + std::string(name) + "' is defined twice");
  return true;
}

bool KernelBuilder::defineBranchTargets(std::string_view name,
                                        std::vector<std::string_view> targets,
                                        unsigned line) {
  if (!scopes[currentScope].tables.emplace(name, std::move(targets)).second)
    return fail(line, "label '" + std::string(name) + "' is defined twice");
  return true;
}

KernelBuilder::Register *KernelBuilder::findRegister(std::string_view name) {
  size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
    --digits;
  uint64_t number = ~0ull;
  // "%r01" is not a member of %r<n>.
  if (digits < name.size() && name.size() - digits < 10 &&
      (name[digits] != '0' || name.size() - digits == 1)) {
    number = 0;
    for (size_t i = digits; i < name.size(); ++i)
      number = number * 10 + static_cast<unsigned>(name[i] - '0');
  }
  std::string_view prefix = name.substr(0, digits);
  for (unsigned scope = currentScope;; scope = scopes[scope].parent) {
    auto exact = scopes[scope].registers.find(name);
    if (exact != scopes[scope].registers.end())
      return &exact->second;
    auto family = scopes[scope].families.find(prefix);
    if (family != scopes[scope].families.end() && number < family->second.count)
      return &family->second.members
                  .try_emplace(number, Register{family->second.type})
                  .first->second;
    if (scope == 0)
      return nullptr;
  }
}

const Variable *KernelBuilder::findVariable(std::string_view name) const {
  for (unsigned scope = currentScope;; scope = scopes[scope].parent) {
    auto found = scopes[scope].variables.find(name);
    if (found != scopes[scope].variables.end())
      return &found->second;
    if (scope == 0)
      break;
  }
  auto found = module.find(name);
  return found == module.end() ? nullptr : &found->second;
}

uint32_t KernelBuilder::allocate(unsigned bits) {
  uint32_t slot = kernel.slots;
  if (slot >= maxSlots) {
    fail(kernel.line, "kernel '" + kernel.name + "' uses more than " +
                          std::to_string(maxSlots) + " registers");
    return 0;
  }
  kernel.slots += bits == 64 ? 2 : 1;
  return slot;
}

uint32_t KernelBuilder::constant(Constant wanted) {
  unsigned kind = wanted.wide + 2 * wanted.dynamicShared;
  auto [entry, isNew] = constantSlots.try_emplace({wanted.value, kind}, 0);
  if (isNew) {
    entry->second = wanted.slot = allocate(wanted.wide ? 64 : 32);
    kernel.constants.push_back(wanted);
  }
  return entry->second;
}

uint32_t KernelBuilder::special(std::string_view name) {
  static const std::unordered_map<std::string_view, Special> names = {
      {"%tid.x", Special::TidX},
      {"%tid.y", Special::TidY},
      {"%tid.z", Special::TidZ},
      {"%ntid.x", Special::NtidX},
      {"%ntid.y", Special::NtidY},
      {"%ntid.z", Special::NtidZ},
      {"%ctaid.x", Special::CtaidX},
      {"%ctaid.y", Special::CtaidY},
      {"%ctaid.z", Special::CtaidZ},
      {"%nctaid.x", Special::NctaidX},
      {"%nctaid.y", Special::NctaidY},
      {"%nctaid.z", Special::NctaidZ},
      {"%clusterid.x", Special::ClusteridX},
      {"%clusterid.y", Special::ClusteridY},
      {"%clusterid.z", Special::ClusteridZ},
      {"%nclusterid.x", Special::NclusteridX},
      {"%nclusterid.y", Special::NclusteridY},
      {"%nclusterid.z", Special::NclusteridZ},
      {"%cluster_ctaid.x", Special::ClusterCtaidX},
      {"%cluster_ctaid.y", Special::ClusterCtaidY},
      {"%cluster_ctaid.z", Special::ClusterCtaidZ},
      {"%cluster_nctaid.x", Special::ClusterNctaidX},
      {"%cluster_nctaid.y", Special::ClusterNctaidY},
      {"%cluster_nctaid.z", Special::ClusterNctaidZ},
      {"%cluster_ctarank", Special::ClusterCtarank},
      {"%cluster_nctarank", Special::ClusterNctarank},
      {"%laneid", Special::LaneId},
      {"%warpid", Special::WarpId},
      {"%nwarpid", Special::NWarpId},
      {"%smid", Special::SmId},
      {"%nsmid", Special::NSmId},
      {"%gridid", Special::GridId},
      {"%lanemask_eq", Special::LanemaskEq},
      {"%lanemask_le", Special::LanemaskLe},
      {"%lanemask_lt", Special::LanemaskLt},
      {"%lanemask_ge", Special::LanemaskGe},
      {"%lanemask_gt", Special::LanemaskGt},
      {"%dynamic_smem_size", Special::DynamicSharedSize},
      {"%total_smem_size", Special::TotalSharedSize}};
  auto known = names.find(name);
  if (known == names.end())
    return noSlot;
  auto [entry, isNew] = specialSlots.try_emplace(known->second, 0);
  if (isNew) {
    entry->second = allocate(32);
    kernel.specials.emplace_back(entry->second, known->second);
  }
  return entry->second;
}

static uint32_t alignTo(uint64_t value, uint64_t align) {
  return static_cast<uint32_t>((value + align - 1) / align * align);
}

uint32_t KernelBuilder::addressOf(const Variable &variable, bool wide) {
  Constant address;
  address.wide = wide;
  if (variable.space == Space::Global || variable.space == Space::Const) {
    address.value = moduleBase + variable.offset;
  } else if (variable.space == Space::Param) {
    address.value = variable.offset;
  } else if (variable.dynamic) {
    // All dynamic arrays begin at the same place, the most aligned one's.
    kernel.usesDynamicShared = true;
    kernel.dynamicSharedAlign =
        std::max(kernel.dynamicSharedAlign, variable.align);
    address.dynamicShared = true;
  } else {
    bool isShared = variable.space == Space::Shared;
    uint32_t &used = isShared ? kernel.staticSharedBytes : kernel.localBytes;
    auto &offsets = isShared ? sharedOffsets : localOffsets;
    auto [entry, isNew] = offsets.try_emplace(&variable, 0);
    if (isNew) {
      uint64_t offset = alignTo(used, variable.align);
      if (offset + variable.bytes > (isShared ? maxSharedBytes : maxLocalBytes))
        fail(kernel.line, "variables of kernel '" + kernel.name +
                              "' exceed its memory at '" + variable.name + "'");
      else
        used = static_cast<uint32_t>(offset + variable.bytes);
      entry->second = static_cast<uint32_t>(offset);
      if (isShared)
        kernel.sharedVariables.push_back({variable.name, entry->second});
    }
    address.value = entry->second + (isShared ? sharedBase : 0);
  }
  return constant(address);
}

bool KernelBuilder::add(const Statement &statement) {
  DecodeFunction decode = findDecoder(statement.base);
  if (!decode)
    return fail(statement.line,
                "unknown instruction '" + statement.opcode() + "'");
  if (std::string fault = checkTarget(statement, target); !fault.empty())
    return fail(statement.line, "'" + statement.opcode() + "': " + fault);
  Decoder decoder(*this, statement);
  if (!statement.guard.empty()) {
    Operand guard;
    guard.kind = Operand::Name;
    guard.name = statement.guard;
    decoder.inst.guard = decoder.slotOf(guard, Type::Pred, false);
    decoder.inst.guardNegated = statement.guardNegated;
  }
  decode(decoder);
  decoder.inst.kind = classOf(decode, statement);
  for (DecodeFunction elementwise :
       {decodeArithmetic, decodeExtendedPrecision, decodeLogic, decodeBits,
        decodeCompare, decodeConvert})
    decoder.inst.carriesUnwritten |= decode == elementwise;
  if (!decoder.done() || !error.message.empty())
    return false;
  auto [entry, isNew] = opcodeIndex.try_emplace(
      statement.opcode(), static_cast<uint32_t>(kernel.opcodes.size()));
  if (isNew)
    kernel.opcodes.push_back(statement.opcode());
  decoder.inst.opcode = entry->second;
  decoder.inst.slots = static_cast<uint32_t>(kernel.operands.size());
  kernel.operands.insert(kernel.operands.end(), decoder.slots.begin(),
                         decoder.slots.end());
  kernel.code.push_back(decoder.inst);
  return true;
}

uint32_t KernelBuilder::findLabel(std::string_view name, unsigned scope) const {
  for (;; scope = scopes[scope].parent) {
    auto found = scopes[scope].labels.find(name);
    if (found != scopes[scope].labels.end())
      return found->second;
    if (scope == 0)
      return noPc;
  }
}

bool KernelBuilder::resolveBranches() {
  for (const BranchUse &use : branches) {
    Inst &inst = kernel.code[use.inst];
    std::vector<std::string_view> names = {use.label};
    if (use.indexed) {
      const std::vector<std::string_view> *table = nullptr;
      for (unsigned scope = use.scope;; scope = scopes[scope].parent) {
        auto found = scopes[scope].tables.find(use.label);
        if (found != scopes[scope].tables.end())
          table = &found->second;
        if (table || scope == 0)
          break;
      }
      if (!table)
        return fail(inst.line, "branch targets '" + std::string(use.label) +
                                   "' are not defined");
      names = *table;
    }
    std::vector<uint32_t> targets;
    for (std::string_view name : names) {
      targets.push_back(findLabel(name, use.scope));
      if (targets.back() == noPc)
        return fail(inst.line,
                    "label '" + std::string(name) + "' is not defined");
    }
    if (use.indexed) {
      inst.imm = static_cast<int64_t>(kernel.branchTables.size());
      kernel.branchTables.push_back(std::move(targets));
    } else {
      inst.target = targets[0];
    }
  }
  return true;
}

bool KernelBuilder::finish() {
  if (!resolveBranches())
    return false;
  kernel.dynamicSharedOffset =
      alignTo(kernel.staticSharedBytes, kernel.dynamicSharedAlign);
  if (kernel.usesDynamicShared)
    kernel.sharedVariables.push_back(
        {"dynamic shared memory", kernel.dynamicSharedOffset});
  for (Constant &constant : kernel.constants)
    if (constant.dynamicShared)
      constant.value += sharedBase + kernel.dynamicSharedOffset;
  insertJoins(kernel);
  return true;
}

//===- Decoder.cpp - Turns statements into instructions -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Decoder.h"

#include <cstring>

using namespace sparse_attn::emulator;

static const Operand noOperand;

Decoder::Decoder(KernelBuilder &builder, const Statement &statement)
    : builder(builder), statement(statement),
      used(statement.modifiers.size(), false) {
  inst.line = statement.line;
}

bool Decoder::fail(std::string message) {
  if (!hasFailed) {
    hasFailed = true;
    builder.fail(statement.line,
                 "'" + statement.opcode() + "': " + std::move(message));
  }
  return false;
}

bool Decoder::unsupported() {
  return fail("this form of the instruction is not supported");
}

bool Decoder::take(std::string_view modifier) {
  return takeIf([=](std::string_view found) { return found == modifier; });
}

Type Decoder::takeType() {
  for (size_t i = 0; i < used.size(); ++i)
    if (!used[i])
      if (Type type = typeNamed(statement.modifiers[i]); type != Type::None) {
        used[i] = true;
        return type;
      }
  return Type::None;
}

const Operand &Decoder::operand(size_t index) const {
  return index < operands() ? statement.operands[index] : noOperand;
}

bool Decoder::expectOperands(size_t low, size_t high) {
  if (operands() >= low && operands() <= high)
    return true;
  std::string wanted = std::to_string(low);
  if (high != low)
    wanted += " to " + std::to_string(high);
  return fail("expected " + wanted + " operands, found " +
              std::to_string(operands()));
}

Type Decoder::registerType(const Operand &operand) {
  if (operand.kind != Operand::Name)
    return Type::None;
  KernelBuilder::Register *found = builder.findRegister(operand.name);
  return found ? found->type : Type::None;
}

static std::string widthName(unsigned bits) {
  return bits == 1 ? "a predicate" : std::to_string(bits) + " bits wide";
}

uint32_t Decoder::slotOf(const Operand &operand, Type type, bool mayBeWider) {
  unsigned bits = bitsOf(type);
  if (operand.kind != Operand::Name) {
    Constant constant;
    constant.wide = bits == 64;
    constant.value = operand.value;
    bool literal = operand.kind == Operand::Integer;
    if (operand.kind == Operand::Float32) {
      literal = bits == 32;
    } else if (operand.kind == Operand::Float64) {
      literal = bits == 64 || type == Type::F32;
      if (type == Type::F32) {
        double wide;
        std::memcpy(&wide, &operand.value, sizeof wide);
        float narrow = static_cast<float>(wide);
        uint32_t narrowBits;
        std::memcpy(&narrowBits, &narrow, sizeof narrow);
        constant.value = narrowBits;
      }
    }
    if (!literal) {
      fail("expected a register or a literal of a matching type");
      return 0;
    }
    if (bits == 1)
      constant.value = constant.value ? ~0u : 0;
    else if (bits < 64)
      constant.value &= (1ull << bits) - 1;
    return builder.constant(constant);
  }
  std::string name(operand.name);
  if (KernelBuilder::Register *found = builder.findRegister(operand.name)) {
    unsigned width = bitsOf(found->type);
    bool fits =
        mayBeWider && bits > 1 && width > 1 ? width >= bits : width == bits;
    if (!fits) {
      fail("register '" + name + "' is " + widthName(width) + ", expected " +
           widthName(bits));
      return 0;
    }
    if (found->slot == noSlot) {
      found->slot = builder.allocate(width);
      builder.kernel.registerNames.emplace_back(found->slot, name);
    }
    return found->slot;
  }
  if (uint32_t slot = builder.special(operand.name); slot != noSlot) {
    // Special registers are 32 bits wide; none has a 64-bit form here.
    if (bits != 32)
      fail("special register '" + name + "' is 32 bits wide, expected " +
           widthName(bits));
    return slot;
  }
  if (operand.name[0] == '%') {
    fail("register '" + name + "' is not declared or not supported");
    return 0;
  }
  if (const Variable *variable = builder.findVariable(operand.name)) {
    if (bits != 64 && !(bits == 32 && variable->space == Space::Shared)) {
      fail("the address of '" + name + "' needs 64 bits, expected " +
           widthName(bits));
      return 0;
    }
    return builder.addressOf(*variable, bits == 64);
  }
  fail("'" + name + "' is not declared");
  return 0;
}

void Decoder::dst(const Operand &operand, Type type, bool mayBeWider) {
  uint32_t slot = 0;
  if (operand.kind == Operand::Sink) {
    slot = builder.allocate(64);
  } else if (registerType(operand) == Type::None) {
    fail("the destination must be a register");
  } else {
    slot = slotOf(operand, type, mayBeWider);
  }
  slots.push_back(slot);
  ++inst.dsts;
}

void Decoder::src(const Operand &operand, Type type, bool mayBeWider) {
  if (operand.negated)
    fail("this operand cannot be negated");
  slots.push_back(slotOf(operand, type, mayBeWider));
  ++inst.srcs;
}

bool Decoder::predicateSrc(const Operand &operand) {
  slots.push_back(slotOf(operand, Type::Pred, false));
  ++inst.srcs;
  return operand.negated;
}

void Decoder::address(const Operand &operand) {
  ++inst.srcs;
  slots.push_back(0);
  if (operand.kind != Operand::Memory) {
    fail("expected an address in brackets");
    return;
  }
  inst.imm = static_cast<int64_t>(operand.value);
  inst.wideAddress = true;
  if (operand.name.empty()) {
    Constant zero;
    zero.wide = true;
    slots.back() = builder.constant(zero);
    return;
  }
  Operand name = operand;
  name.kind = Operand::Name;
  Type type = registerType(name);
  if (type == Type::None) {
    slots.back() = slotOf(name, Type::U64, false);
    if (const Variable *variable = builder.findVariable(operand.name))
      if (inst.space == Space::Generic && variable->space != Space::Global &&
          variable->space != Space::Const)
        fail("'" + variable->name + "' is accessed without its state space");
    return;
  }
  inst.wideAddress = bitsOf(type) == 64;
  slots.back() =
      slotOf(name, bitsOf(type) == 64 ? Type::U64 : Type::U32, false);
}

void Decoder::addresses(std::initializer_list<const Operand *> operands) {
  int64_t offsets[3] = {};
  bool wide[3] = {};
  unsigned count = 0;
  for (const Operand *one : operands) {
    address(*one);
    offsets[count] = inst.imm;
    wide[count++] = inst.wideAddress;
  }
  inst.imm = offsets[0];
  inst.imm2 = offsets[1];
  inst.imm3 = offsets[2];
  inst.wideAddress = wide[0];
  inst.wideAddress2 = wide[1];
  inst.wideAddress3 = wide[2];
}

uint64_t Decoder::literal(size_t index) {
  const Operand &found = operand(index);
  if (found.kind != Operand::Integer)
    fail("operand " + std::to_string(index + 1) +
         " must be an integer literal");
  return found.value;
}

void Decoder::label(size_t index, bool indexed) {
  const Operand &found = operand(index);
  if (found.kind != Operand::Name)
    fail("expected a label");
  else
    builder.branches.push_back({builder.kernel.code.size(), found.name,
                                builder.currentScope, indexed});
}

int64_t Decoder::addWgmmaShape(const WgmmaShape &shape) {
  std::vector<WgmmaShape> &shapes = builder.kernel.wgmmaShapes;
  shapes.push_back(shape);
  return static_cast<int64_t>(shapes.size() - 1);
}

bool Decoder::done() {
  for (size_t i = 0; i < used.size() && !hasFailed; ++i)
    if (!used[i])
      fail("modifier '." + std::string(statement.modifiers[i]) +
           "' is not supported here");
  if (!hasFailed && !inst.run)
    unsupported();
  return !hasFailed;
}

//===- Syntax.h - Statements of a PTX function body ----------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_SYNTAX_H
#define SPARSEATTN_LIB_EMULATOR_SYNTAX_H

#include "Code.h"

namespace sparse_attn::emulator {

struct Operand {
  enum Kind : uint8_t {
    Name,    // register, special register, variable or label
    Integer, // value
    Float32, // value holds the bits
    Float64, // value holds the bits
    Vector,  // {a, b}
    Pair,    // a|b
    Memory,  // [name + value] or [value]; [name, {a, b}] has elements
    Sink     // _
  };
  Kind kind = Sink;
  bool negated = false; // !p
  std::string_view name;
  uint64_t value = 0;
  std::vector<Operand> elements;
};

struct Statement {
  unsigned line = 0;
  std::string_view guard;
  bool guardNegated = false;
  std::string_view base;                   // "add"
  std::vector<std::string_view> modifiers; // "s32"
  std::vector<Operand> operands;

  std::string opcode() const;
};

/// What keeps modules for `target` from using the instruction; empty if nothing
/// does.
std::string checkTarget(const Statement &statement, std::string_view target);

/// The number in the name of a target, 90 of "sm_90a"; 0 if it has none.
unsigned targetNumber(std::string_view target);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_SYNTAX_H

//===- Types.h - PTX fundamental types ------------------------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_TYPES_H
#define SPARSEATTN_LIB_EMULATOR_TYPES_H

#include <cstdint>
#include <string_view>

namespace sparse_attn::emulator {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  U8,
  S8,
  E4M3,
  E5M2,
  B16,
  U16,
  S16,
  F16,
  BF16,
  E4M3x2,
  E5M2x2,
  B32,
  U32,
  S32,
  F32,
  TF32,
  F16x2,
  BF16x2,
  B64,
  U64,
  S64,
  F64
};

/// The type named `name` (without its dot), or None.
Type typeNamed(std::string_view name);

/// The width of a register of this type; a predicate counts as 1.
constexpr unsigned bitsOf(Type type) {
  if (type == Type::None)
    return 0;
  if (type == Type::Pred)
    return 1;
  if (type < Type::B16)
    return 8;
  if (type < Type::B32)
    return 16;
  return type < Type::B64 ? 32 : 64;
}

constexpr bool isFloat(Type type) {
  switch (type) {
  case Type::E4M3:
  case Type::E5M2:
  case Type::F16:
  case Type::BF16:
  case Type::F32:
  case Type::TF32:
  case Type::E4M3x2:
  case Type::E5M2x2:
  case Type::F16x2:
  case Type::BF16x2:
  case Type::F64:
    return true;
  default:
    return false;
  }
}

constexpr bool isSigned(Type type) {
  return type == Type::S8 || type == Type::S16 || type == Type::S32 ||
         type == Type::S64;
}

constexpr bool isInteger(Type type) {
  return type != Type::None && type != Type::Pred && !isFloat(type);
}

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_TYPES_H

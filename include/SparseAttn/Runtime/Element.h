//===- Element.h - Element types and conversions ----------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The element types of kernel arguments, and conversion between them and the
// numbers of the host. Narrowing rounds to nearest, ties to even, in one step.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_ELEMENT_H
#define SPARSEATTN_RUNTIME_ELEMENT_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace sparse_attn::runtime {

/// I1 is stored as one byte, 0 or 1.
enum class ElementType { F16, BF16, F32, I1, I32, I64 };

/// The manifest's spelling: "f16", "bf16", "f32", "i1", "i32", "i64".
llvm::StringRef elementName(ElementType type);
std::optional<ElementType> parseElementType(llvm::StringRef name);
unsigned elementBytes(ElementType type);
bool isFloat(ElementType type);

/// Rounds to f16 or bf16; a value too large becomes an infinity, a NaN stays a
/// (quiet) NaN of the same sign.
uint16_t halfFromDouble(double value);
uint16_t bfloatFromDouble(double value);

/// Exact.
double doubleFromHalf(uint16_t bits);
double doubleFromBfloat(uint16_t bits);

/// Reads the element at `source` as a number; exact for every type.
double loadElement(ElementType type, const void *source);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_ELEMENT_H

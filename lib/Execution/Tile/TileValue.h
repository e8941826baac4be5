//===- TileValue.h - Tiles and numbers while a kernel runs ------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EXECUTION_TILE_TILEVALUE_H
#define SPARSEATTN_LIB_EXECUTION_TILE_TILEVALUE_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::attn_tile {

/// The bits of `value` rounded to f16 or bf16, to nearest even, and back.
uint16_t toHalfBits(float value);
float fromHalfBits(uint16_t bits);
uint16_t toBFloatBits(float value);
float fromBFloatBits(uint16_t bits);
/// `value` with 10 fraction bits, to nearest and ties away from zero, as
/// cvt.rna.tf32.f32 has it.
float roundToTF32(float value);

/// How the elements of a tile are held. Floats of any type are held as float,
/// already rounded to their type; integers sign-extended, i1 as 0 or 1.
struct Element {
  enum class Kind : uint8_t { F16, BF16, F32, Integer };
  Kind kind = Kind::F32;
  /// Bits of an integer; index has 64.
  unsigned width = 32;

  /// Null for a type that the interpreter does not hold.
  static std::optional<Element> of(Type type);

  bool isFloat() const { return kind != Kind::Integer; }
  /// Bytes in memory; an i1 takes one.
  unsigned getBytes() const { return width == 1 ? 1 : width / 8; }
  /// `value` cut to the width and sign-extended.
  int64_t wrap(int64_t value) const;
  /// `value` zero-extended from the width.
  uint64_t zeroExtend(int64_t value) const;
  /// `value` rounded to the type.
  float round(float value) const;
};

/// A tile, or a number where the shape is empty.
struct Tile {
  Element element;
  SmallVector<int64_t, 2> shape;
  std::vector<float> floats;     // where element.isFloat()
  std::vector<int64_t> integers; // elsewhere

  /// More elements are refused: no thread block holds them.
  static constexpr int64_t maxElements = int64_t(1) << 24;

  /// All zeros.
  Tile(Element element, ArrayRef<int64_t> shape);
  /// A tile of zeros. Null when the type has a dynamic size, too many elements
  /// or elements of no known kind.
  static std::optional<Tile> of(Type type);
  static Tile number(int64_t value, unsigned width);

  size_t size() const {
    return element.isFloat() ? floats.size() : integers.size();
  }
  /// Rounds every float to the element type.
  void round();
  /// Copies `count` elements from or to memory, beginning at element `first`.
  void decode(const uint8_t *bytes, size_t first, size_t count);
  void encode(uint8_t *bytes, size_t first, size_t count) const;
};

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_EXECUTION_TILE_TILEVALUE_H

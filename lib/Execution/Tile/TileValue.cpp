//===- TileValue.cpp - Tiles and numbers while a kernel runs --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileValue.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::attn_tile;

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

uint16_t attn_tile::toHalfBits(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint16_t sign = (bits >> 16) & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    return sign | 0x7e00 | ((bits >> 13) & 0x3ff);
  // 65520 lies halfway between the greatest number and infinity.
  if (bits >= 0x477ff000)
    return sign | 0x7c00;
  // Below 2^-14 the spacing is 2^-24, which is that of floats from 0.5 to 1.
  if (bits < 0x38800000)
    return sign | (llvm::bit_cast<uint32_t>(0.5f + std::fabs(value)) -
                   llvm::bit_cast<uint32_t>(0.5f));
  uint32_t odd = (bits >> 13) & 1;
  return sign | ((bits + 0xfff + odd - (112u << 23)) >> 13);
}

float attn_tile::fromHalfBits(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1f;
  uint32_t fraction = bits & 0x3ff;
  if (exponent == 0) {
    float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  exponent = exponent == 31 ? 255 : exponent + 112;
  return llvm::bit_cast<float>(sign | exponent << 23 | fraction << 13);
}

uint16_t attn_tile::toBFloatBits(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return (bits >> 16) | 0x40;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

float attn_tile::fromBFloatBits(uint16_t bits) {
  return llvm::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

float attn_tile::roundToTF32(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  if ((bits & 0x7f800000) == 0x7f800000)
    return value;
  return llvm::bit_cast<float>((bits + 0x1000) & ~0x1fffu);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

std::optional<Element> Element::of(Type type) {
  if (type.isF16())
    return Element{Kind::F16, 16};
  if (type.isBF16())
    return Element{Kind::BF16, 16};
  if (type.isF32())
    return Element{Kind::F32, 32};
  if (type.isIndex())
    return Element{Kind::Integer, 64};
  for (unsigned width : {1, 8, 16, 32, 64})
    if (type.isSignlessInteger(width))
      return Element{Kind::Integer, width};
  return std::nullopt;
}

int64_t Element::wrap(int64_t value) const {
  return width == 1 ? value & 1 : llvm::SignExtend64(value, width);
}

uint64_t Element::zeroExtend(int64_t value) const {
  return static_cast<uint64_t>(value) & llvm::maskTrailingOnes<uint64_t>(width);
}

float Element::round(float value) const {
  switch (kind) {
  case Kind::F16:
    return fromHalfBits(toHalfBits(value));
  case Kind::BF16:
    return fromBFloatBits(toBFloatBits(value));
  default:
    return value;
  }
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Tile::Tile(Element element, ArrayRef<int64_t> shape)
    : element(element), shape(shape) {
  int64_t size = 1;
  for (int64_t extent : shape)
    size *= extent;
  if (element.isFloat())
    floats.resize(size);
  else
    integers.resize(size);
}

std::optional<Tile> Tile::of(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor) {
    int64_t size = 1;
    for (int64_t extent : tensor.getShape())
      if (ShapedType::isDynamic(extent) ||
          llvm::MulOverflow(size, extent, size) || size > maxElements)
        return std::nullopt;
  }
  std::optional<Element> element = Element::of(getElementTypeOrSelf(type));
  if (!element)
    return std::nullopt;
  return Tile(*element, tensor ? tensor.getShape() : ArrayRef<int64_t>());
}

Tile Tile::number(int64_t value, unsigned width) {
  Tile tile({Element::Kind::Integer, width}, {});
  tile.integers[0] = tile.element.wrap(value);
  return tile;
}

void Tile::round() {
  if (!element.isFloat() || element.kind == Element::Kind::F32)
    return;
  for (float &value : floats)
    value = element.round(value);
}

/// Copies numbers of type `T` to `target`, through `convert`.
template <typename T, typename Target, typename Convert>
static void decodeAs(const uint8_t *bytes, Target *target, size_t count,
                     Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    target[i] = convert(value);
  }
}

template <typename T, typename Source, typename Convert>
static void encodeAs(uint8_t *bytes, const Source *source, size_t count,
                     Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    T value = convert(source[i]);
    std::memcpy(bytes + i * sizeof(T), &value, sizeof(T));
  }
}

void Tile::decode(const uint8_t *bytes, size_t first, size_t count) {
  auto keep = [](auto value) { return value; };
  switch (element.kind) {
  case Element::Kind::F16:
    return decodeAs<uint16_t>(bytes, floats.data() + first, count,
                              fromHalfBits);
  case Element::Kind::BF16:
    return decodeAs<uint16_t>(bytes, floats.data() + first, count,
                              fromBFloatBits);
  case Element::Kind::F32:
    return decodeAs<float>(bytes, floats.data() + first, count, keep);
  case Element::Kind::Integer:
    break;
  }
  int64_t *target = integers.data() + first;
  switch (element.width) {
  case 1:
    return decodeAs<uint8_t>(bytes, target, count,
                             [](uint8_t value) { return value != 0; });
  case 8:
    return decodeAs<int8_t>(bytes, target, count, keep);
  case 16:
    return decodeAs<int16_t>(bytes, target, count, keep);
  case 32:
    return decodeAs<int32_t>(bytes, target, count, keep);
  default:
    return decodeAs<int64_t>(bytes, target, count, keep);
  }
}

void Tile::encode(uint8_t *bytes, size_t first, size_t count) const {
  switch (element.kind) {
  case Element::Kind::F16:
    return encodeAs<uint16_t>(bytes, floats.data() + first, count, toHalfBits);
  case Element::Kind::BF16:
    return encodeAs<uint16_t>(bytes, floats.data() + first, count,
                              toBFloatBits);
  case Element::Kind::F32:
    return encodeAs<float>(bytes, floats.data() + first, count,
                           [](float value) { return value; });
  case Element::Kind::Integer:
    break;
  }
  const int64_t *source = integers.data() + first;
  switch (element.width) {
  case 1:
  case 8:
    return encodeAs<uint8_t>(bytes, source, count,
                             [](int64_t value) { return value; });
  case 16:
    return encodeAs<uint16_t>(bytes, source, count,
                              [](int64_t value) { return value; });
  case 32:
    return encodeAs<uint32_t>(bytes, source, count,
                              [](int64_t value) { return value; });
  default:
    return encodeAs<int64_t>(bytes, source, count,
                             [](int64_t value) { return value; });
  }
}

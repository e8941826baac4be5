//===- TensorMap.cpp - Tensor maps of the emulator ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Emulator/TensorMap.h"

#include <cstring>

using namespace sparse_attn::emulator;

namespace {

/// The 128 bytes. The magic number and the sum tell a map from other bytes.
struct Layout {
  char magic[8];
  uint64_t address;
  uint64_t strides[4];
  uint32_t sizesMinusOne[5];
  uint16_t box[5];
  uint8_t elementStrides[5];
  uint8_t dataType, rank, interleave, swizzle, l2Promotion, oobFill;
  uint8_t unused[33];
  uint32_t sum;
};
static_assert(sizeof(Layout) == TensorMap::bytes, "as large as a CUtensorMap");

constexpr char magic[8] = {'s', 'a', 't', 'e', 'n', 's', 'o', 'r'};

uint32_t sumOf(const Layout &layout) {
  uint32_t sum = 2166136261u; // FNV-1a
  auto *bytes = reinterpret_cast<const uint8_t *>(&layout);
  for (size_t i = 0; i < offsetof(Layout, sum); ++i)
    sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

bool isFloatType(TensorMap::DataType type) {
  switch (type) {
  case TensorMap::DataType::Float16:
  case TensorMap::DataType::BFloat16:
  case TensorMap::DataType::Float32:
  case TensorMap::DataType::Float64:
    return true;
  default:
    return false;
  }
}

std::string range(const char *what, unsigned dimension, const char *wanted,
                  uint64_t found) {
  return std::string(what) + " of dimension " + std::to_string(dimension) +
         " must be " + wanted + ", found " + std::to_string(found);
}

/// What cuTensorMapEncodeTiled would call an invalid value.
std::optional<std::string> check(const TensorMap &map) {
  using DataType = TensorMap::DataType;
  if (map.dataType > DataType::TFloat32Ftz)
    return "unknown data type " + std::to_string(unsigned(map.dataType));
  if (map.dataType >= DataType::Float32Ftz)
    return "data types that round or flush f32 are not supported";
  if (map.interleave != TensorMap::Interleave::None)
    return "interleaved layouts are not supported";
  if (map.swizzle > TensorMap::Swizzle::Bytes128)
    return "unknown swizzle " + std::to_string(unsigned(map.swizzle));
  if (map.oobFill > TensorMap::OobFill::Nan ||
      (map.oobFill == TensorMap::OobFill::Nan && !isFloatType(map.dataType)))
    return std::string("filling with NaN needs a floating-point type");
  if (map.address % 16)
    return std::string("the global address must be a multiple of 16");
  unsigned element = map.elementBytes();
  for (unsigned i = 0; i < map.rank; ++i) {
    if (map.sizes[i] == 0 || map.sizes[i] > 1ull << 32)
      return range("the size", i, "1 to 2^32", map.sizes[i]);
    if (i > 0 && (map.strides[i] % 16 || map.strides[i] >= 1ull << 40))
      return range("the stride", i, "a multiple of 16 below 2^40",
                   map.strides[i]);
    if (map.box[i] == 0 || map.box[i] > 256)
      return range("the box", i, "1 to 256", map.box[i]);
    if (map.elementStrides[i] == 0 || map.elementStrides[i] > 8)
      return range("the element stride", i, "1 to 8", map.elementStrides[i]);
  }
  uint64_t row = uint64_t(map.box[0]) * element;
  if (row % 16)
    return "a row of the box must be a multiple of 16 bytes, found " +
           std::to_string(row);
  if (map.swizzle != TensorMap::Swizzle::None) {
    uint64_t span = 16ull << unsigned(map.swizzle);
    if (row > span)
      return "a row of the box must have at most the " + std::to_string(span) +
             " bytes of the swizzle, found " + std::to_string(row);
  }
  return std::nullopt;
}

} // namespace

std::optional<std::string>
TensorMap::encodeTiled(Encoded &encoded, DataType dataType, uint32_t tensorRank,
                       uint64_t globalAddress, const uint64_t *globalDim,
                       const uint64_t *globalStrides, const uint32_t *boxDim,
                       const uint32_t *elementStrides, Interleave interleave,
                       Swizzle swizzle, L2Promotion l2Promotion,
                       OobFill oobFill) {
  if (tensorRank == 0 || tensorRank > 5)
    return "the rank must be 1 to 5, found " + std::to_string(tensorRank);
  TensorMap map;
  map.dataType = dataType;
  map.rank = tensorRank;
  map.address = globalAddress;
  for (unsigned i = 0; i < tensorRank; ++i) {
    map.sizes[i] = globalDim[i];
    map.box[i] = boxDim[i];
    // Without interleaving the first one is ignored.
    map.elementStrides[i] = i ? elementStrides[i] : 1;
    if (i > 0)
      map.strides[i] = globalStrides[i - 1];
  }
  map.interleave = interleave;
  map.swizzle = swizzle;
  map.l2Promotion = l2Promotion;
  map.oobFill = oobFill;
  if (std::optional<std::string> fault = check(map))
    return fault;

  Layout layout = {};
  std::memcpy(layout.magic, magic, sizeof magic);
  layout.address = map.address;
  for (unsigned i = 0; i < 5; ++i) {
    if (i > 0)
      layout.strides[i - 1] = map.strides[i];
    layout.sizesMinusOne[i] = static_cast<uint32_t>(map.sizes[i] - 1);
    layout.box[i] = static_cast<uint16_t>(map.box[i]);
    layout.elementStrides[i] = static_cast<uint8_t>(map.elementStrides[i]);
  }
  layout.dataType = static_cast<uint8_t>(dataType);
  layout.rank = static_cast<uint8_t>(tensorRank);
  layout.interleave = static_cast<uint8_t>(interleave);
  layout.swizzle = static_cast<uint8_t>(swizzle);
  layout.l2Promotion = static_cast<uint8_t>(l2Promotion);
  layout.oobFill = static_cast<uint8_t>(oobFill);
  layout.sum = sumOf(layout);
  std::memcpy(encoded.data(), &layout, bytes);
  return std::nullopt;
}

std::optional<TensorMap> TensorMap::decode(const uint8_t *encoded) {
  Layout layout;
  std::memcpy(&layout, encoded, bytes);
  // What has the right sum was checked when it was encoded.
  if (std::memcmp(layout.magic, magic, sizeof magic) != 0 ||
      layout.sum != sumOf(layout))
    return std::nullopt;
  TensorMap map;
  map.dataType = static_cast<DataType>(layout.dataType);
  map.rank = layout.rank;
  map.address = layout.address;
  for (unsigned i = 0; i < 5; ++i) {
    map.sizes[i] = uint64_t(layout.sizesMinusOne[i]) + 1;
    map.strides[i] = i ? layout.strides[i - 1] : map.elementBytes();
    map.box[i] = layout.box[i];
    map.elementStrides[i] = layout.elementStrides[i];
  }
  map.interleave = static_cast<Interleave>(layout.interleave);
  map.swizzle = static_cast<Swizzle>(layout.swizzle);
  map.l2Promotion = static_cast<L2Promotion>(layout.l2Promotion);
  map.oobFill = static_cast<OobFill>(layout.oobFill);
  if (map.rank == 0 || map.rank > 5 || check(map))
    return std::nullopt; // a sum can be forged
  return map;
}

unsigned TensorMap::elementBytes() const {
  switch (dataType) {
  case DataType::UInt8:
    return 1;
  case DataType::UInt16:
  case DataType::Float16:
  case DataType::BFloat16:
    return 2;
  case DataType::UInt64:
  case DataType::Int64:
  case DataType::Float64:
    return 8;
  default:
    return 4;
  }
}

uint64_t TensorMap::boxBytes() const {
  uint64_t result = elementBytes();
  for (unsigned i = 0; i < rank; ++i)
    result *= boxElements(i);
  return result;
}

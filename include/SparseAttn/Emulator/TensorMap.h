//===- TensorMap.h - Tensor maps of the emulator ----------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What cp.async.bulk.tensor takes its tensor from. NVIDIA does not publish how
// the 128 bytes of a CUtensorMap are laid out, so the emulator has a layout of
// its own; the arguments, their meaning and the values of the enumerations are
// those of cuTensorMapEncodeTiled (CUDA Driver API, "Tensor Map Object
// Management").
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_TENSORMAP_H
#define SPARSEATTN_EMULATOR_TENSORMAP_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace sparse_attn::emulator {

/// The decoded form.
struct TensorMap {
  enum class DataType : uint8_t {
    UInt8,
    UInt16,
    UInt32,
    Int32,
    UInt64,
    Int64,
    Float16,
    Float32,
    Float64,
    BFloat16,
    Float32Ftz,
    TFloat32,
    TFloat32Ftz
  };
  enum class Interleave : uint8_t { None, Bytes16, Bytes32 };
  enum class Swizzle : uint8_t { None, Bytes32, Bytes64, Bytes128 };
  enum class L2Promotion : uint8_t { None, Bytes64, Bytes128, Bytes256 };
  enum class OobFill : uint8_t { None, Nan };

  DataType dataType = DataType::UInt8;
  uint32_t rank = 1; // 1 to 5; dimension 0 is the innermost
  uint64_t address = 0;
  std::array<uint64_t, 5> sizes = {1, 1, 1, 1, 1};
  std::array<uint64_t, 5> strides = {}; // bytes; of dimension 0 implied
  std::array<uint32_t, 5> box = {1, 1, 1, 1, 1};
  std::array<uint32_t, 5> elementStrides = {1, 1, 1, 1, 1};
  Interleave interleave = Interleave::None;
  Swizzle swizzle = Swizzle::None;
  L2Promotion l2Promotion = L2Promotion::None;
  OobFill oobFill = OobFill::None;

  static constexpr unsigned bytes = 128;
  using Encoded = std::array<uint8_t, bytes>;

  /// cuTensorMapEncodeTiled: fills `map` (which a program passes on as it is,
  /// 64-byte aligned), or returns what is wrong. `globalStrides` has
  /// `tensorRank - 1` elements.
  static std::optional<std::string>
  encodeTiled(Encoded &map, DataType dataType, uint32_t tensorRank,
              uint64_t globalAddress, const uint64_t *globalDim,
              const uint64_t *globalStrides, const uint32_t *boxDim,
              const uint32_t *elementStrides, Interleave interleave,
              Swizzle swizzle, L2Promotion l2Promotion, OobFill oobFill);

  /// The map that 128 bytes hold, or nothing if they hold none.
  static std::optional<TensorMap> decode(const uint8_t *map);

  unsigned elementBytes() const;
  /// The elements that a box takes along a dimension.
  uint32_t boxElements(unsigned dimension) const {
    uint32_t step = elementStrides[dimension];
    return (box[dimension] + step - 1) / step;
  }
  /// Bytes of a box in shared memory.
  uint64_t boxBytes() const;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_TENSORMAP_H

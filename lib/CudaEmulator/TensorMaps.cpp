//===- TensorMaps.cpp - Descriptors of tensor copies ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Machine.h"

#include "SparseAttn/Emulator/TensorMap.h"

#include <cstring>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;
using emulator::TensorMap;

CUDA_API cuTensorMapEncodeTiled(void *map, unsigned dataType, unsigned rank,
                                void *address, const uint64_t *sizes,
                                const uint64_t *strides, const uint32_t *box,
                                const uint32_t *elementStrides,
                                unsigned interleave, unsigned swizzle,
                                unsigned promotion, unsigned fill) {
  REQUIRE(requireInit());
  bool known = dataType <= unsigned(TensorMap::DataType::TFloat32Ftz) &&
               interleave <= 2 && swizzle <= 3 && promotion <= 3 && fill <= 1;
  if (!map || !known || !sizes || (rank > 1 && !strides) || !box ||
      !elementStrides)
    return InvalidValue;
  TensorMap::Encoded encoded;
  if (std::optional<std::string> fault = TensorMap::encodeTiled(
          encoded, TensorMap::DataType(dataType), rank,
          reinterpret_cast<uint64_t>(address), sizes, strides, box,
          elementStrides, TensorMap::Interleave(interleave),
          TensorMap::Swizzle(swizzle), TensorMap::L2Promotion(promotion),
          TensorMap::OobFill(fill))) {
    complain("cuTensorMapEncodeTiled: " + *fault);
    return InvalidValue;
  }
  std::memcpy(map, encoded.data(), encoded.size());
  return Success;
}

//===- HostTensor.cpp - Tensors in the host's memory ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Execution/CpuExecution.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"
#include <cstring>

using namespace mlir;
using namespace mlir::sparse_attn;

unsigned sparse_attn::getHostElementSize(Type elementType) {
  if (!elementType.isIntOrFloat())
    return elementType.isIndex() ? 8 : 0;
  unsigned bits = elementType.getIntOrFloatBitWidth();
  if (bits == 1)
    return 1;
  return bits == 8 || bits == 16 || bits == 32 || bits == 64 ? bits / 8 : 0;
}

int64_t HostTensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

HostTensor HostTensor::zeros(ArrayRef<int64_t> shape, Type elementType) {
  HostTensor tensor{SmallVector<int64_t>(shape), elementType, {}};
  tensor.bytes.resize(tensor.getNumElements() *
                      getHostElementSize(elementType));
  return tensor;
}

/// The bits of an element of `size` bytes.
static uint64_t readBits(const uint8_t *bytes, unsigned size) {
  uint64_t bits = 0;
  std::memcpy(&bits, bytes, size);
  return bits;
}

std::vector<double> HostTensor::toDoubles() const {
  unsigned size = getHostElementSize(elementType);
  std::vector<double> values(getNumElements());
  auto floatType = dyn_cast<FloatType>(elementType);
  for (auto [index, value] : llvm::enumerate(values)) {
    uint64_t bits = readBits(bytes.data() + index * size, size);
    if (floatType) {
      llvm::APFloat real(floatType.getFloatSemantics(),
                         llvm::APInt(size * 8, bits));
      bool loses;
      real.convert(llvm::APFloat::IEEEdouble(),
                   llvm::APFloat::rmNearestTiesToEven, &loses);
      value = real.convertToDouble();
    } else if (elementType.isInteger(1)) {
      value = bits != 0;
    } else {
      value = static_cast<double>(llvm::SignExtend64(bits, size * 8));
    }
  }
  return values;
}

HostTensor HostTensor::fromDoubles(ArrayRef<int64_t> shape, Type elementType,
                                   ArrayRef<double> values) {
  HostTensor tensor = zeros(shape, elementType);
  unsigned size = getHostElementSize(elementType);
  auto floatType = dyn_cast<FloatType>(elementType);
  for (auto [index, value] : llvm::enumerate(values)) {
    uint64_t bits;
    if (floatType) {
      llvm::APFloat real(value);
      bool loses;
      real.convert(floatType.getFloatSemantics(),
                   llvm::APFloat::rmNearestTiesToEven, &loses);
      bits = real.bitcastToAPInt().getZExtValue();
    } else if (elementType.isInteger(1)) {
      bits = value != 0;
    } else {
      bits = static_cast<uint64_t>(static_cast<int64_t>(value));
    }
    std::memcpy(tensor.bytes.data() + index * size, &bits, size);
  }
  return tensor;
}

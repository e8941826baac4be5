//===- NpyFuzzer.cpp - Fuzzes the reader of .npy --------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Tensor.h"

using namespace sparse_attn::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::Expected<NpyArray> array =
      parseNpy({reinterpret_cast<const char *>(data), size});
  if (!array) {
    llvm::consumeError(array.takeError());
    return 0;
  }
  // What was accepted is what is written, and converts or is refused.
  llvm::Expected<NpyArray> again = parseNpy(serializeNpy(*array));
  if (!again || again->shape != array->shape || again->data != array->data)
    __builtin_trap();
  for (ElementType type : {ElementType::F16, ElementType::BF16,
                           ElementType::F32, ElementType::I1, ElementType::I32})
    llvm::consumeError(tensorFromNpy(*array, type).takeError());
  return 0;
}

//===- Tensor.h - Arguments of kernels on the host --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor as the runner passes it, and its conversion from and to .npy.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_TENSOR_H
#define SPARSEATTN_RUNTIME_TENSOR_H

#include "SparseAttn/Runtime/Element.h"
#include "SparseAttn/Runtime/NpyFile.h"

#include <vector>

namespace sparse_attn::runtime {

/// A row-major tensor.
struct Tensor {
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> data;
  /// One entry an element, false for elements that no thread block wrote;
  /// empty when all were written.
  std::vector<bool> written;

  uint64_t size() const { return data.size() / elementBytes(type); }
  bool isWritten(uint64_t index) const {
    return written.empty() || written[index];
  }
  double element(uint64_t index) const {
    return loadElement(type, data.data() + index * elementBytes(type));
  }
  /// The position of element `index`, as in "[1, 0, 12, 3]".
  std::string position(uint64_t index) const;
};

/// Converts `array` to `type`. Floating-point arrays convert among each other,
/// integers to i32 when every value fits, and b1 or u1 of 0 and 1 to i1; all
/// else is an error. `overflowed`, when given, receives how many finite values
/// became infinite.
llvm::Expected<Tensor> tensorFromNpy(const NpyArray &array, ElementType type,
                                     uint64_t *overflowed = nullptr);

/// The tensor as an array of the same type, except bf16, which NumPy lacks and
/// which becomes f4. Elements never written become NaN, or 0 in integers.
NpyArray npyFromTensor(const Tensor &tensor);

/// Where a tensor differs from what was expected.
struct Difference {
  uint64_t count = 0;    // elements outside the tolerance
  uint64_t compared = 0; // elements that were written
  uint64_t firstIndex = 0;
  double firstExpected = 0, firstFound = 0;
  double largest = 0; // largest absolute difference of finite elements
};

/// Compares the written elements: equal, both NaN, or
/// |found - expected| <= absolute + relative * |expected|.
llvm::Expected<Difference> compare(const Tensor &found,
                                   const NpyArray &expected, double absolute,
                                   double relative);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_TENSOR_H

//===- MatrixProduct.h - Elements and sums of tensor cores ---- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What mma.sync and wgmma share: the formats of their elements, and how the
// products of a tile are summed. Launch::mmaModel chooses between exact sums
// and models of tensor cores (facts from Khattak and Mikaitis, "Accurate
// Models of NVIDIA Tensor Cores", arXiv 2512.07004): blocks of products and the
// accumulator are aligned to the largest exponent, cut off, added as integers
// and cut off once more.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_MATRIXPRODUCT_H
#define SPARSEATTN_LIB_EMULATOR_MATRIXPRODUCT_H

#include "SparseAttn/Emulator/Emulator.h"
#include "Types.h"

namespace sparse_attn::emulator {

/// Whether elements of this type can be multiplied.
bool isMatrixElement(Type type);

/// Widens packed elements.
void widen(Type type, const uint8_t *packed, double *values, unsigned count);

/// D = A * B + C, where `d` holds C before, all in row-major order.
struct MatrixProduct {
  Type typeA = Type::None, typeB = Type::None;
  Type result = Type::None; // F32, F16 or S32
  unsigned m = 0, n = 0, k = 0;
  const double *a = nullptr; // m x k
  const double *b = nullptr; // k x n
  double *d = nullptr;       // m x n
  bool isOfWarp = false;     // mma.sync, not wgmma

  /// Leaves exact or correctly rounded sums, which are still to be rounded to
  /// the result's type; returns false if the model knows no such elements.
  bool run(MmaModel model) const;

private:
  void sumExactly() const;
  void sumAsHalves(MmaModel model) const;
};

/// Rounds a sum to the type of the result. Integers wrap, or saturate.
uint32_t roundSum(double sum, Type result, bool saturate = false);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_MATRIXPRODUCT_H

//===- Gilbert.h - Generalised Hilbert curves -------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_LAYOUT_GILBERT_H
#define SPARSEATTN_LIB_LAYOUT_GILBERT_H

#include "SparseAttn/Layout/TokenOrder.h"

namespace mlir::sparse_attn {

/// The raster indices of the grid along a curve that begins in a corner and
/// visits halves of the box, halves of these, and so on.
std::vector<int32_t> orderByHalves(const Grid &grid);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_LAYOUT_GILBERT_H

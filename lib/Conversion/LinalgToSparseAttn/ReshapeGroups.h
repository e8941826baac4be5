//===- ReshapeGroups.h - Which dimensions a reshape keeps ------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_RESHAPEGROUPS_H
#define SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_RESHAPEGROUPS_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {

/// Dimensions of the source and of the result of a reshape, each from first to
/// before last, that hold the same index. On one side at most one of them has
/// a size other than 1.
struct ReshapeGroup {
  unsigned sourceFirst = 0, sourceLast = 0, resultFirst = 0, resultLast = 0;
};

struct ReshapeGroups {
  SmallVector<ReshapeGroup> groups;
  /// The group whose sizes follow from those of the others only, because the
  /// numbers of elements are equal; and only if no other size is 0.
  std::optional<unsigned> inferred;
};

/// Takes a `tensor.reshape` apart as far as its sizes are proven to be those of
/// the source. Sizes are compared as products of constants and values, through
/// casts of integers, `tensor.dim` and the ops that make tensors. None if more
/// than one group is open, or a group is no plain collapse or expansion.
std::optional<ReshapeGroups> findReshapeGroups(tensor::ReshapeOp reshape);

/// Whether a dimension of one tensor is proven to be as long as one of another.
bool haveSameSize(Value tensor, int64_t dim, Value other, int64_t otherDim);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_RESHAPEGROUPS_H

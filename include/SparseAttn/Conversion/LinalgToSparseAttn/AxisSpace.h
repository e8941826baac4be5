//===- AxisSpace.h - Tensor dimensions as products of axes -----*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_AXISSPACE_H
#define SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_AXISSPACE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>

namespace mlir::sparse_attn {

/// One dimension of a tensor as the row-major product of axes, outermost
/// first. A dimension of size 1 has no axes.
using AxisList = SmallVector<unsigned, 2>;
/// One list for each dimension of a tensor, or for each loop of an op.
using AxisView = SmallVector<AxisList, 6>;

/// The common iteration space that tensors are views of. An axis has a size,
/// or ShapedType::kDynamic, and may be split later on, when a reshape tells
/// that it is a product: lists that name it stay valid, `resolve` gives the
/// parts. Collapsing concatenates lists, expanding distributes them, so views
/// see through any nest of reshapes.
class AxisSpace {
public:
  /// A new axis of `size`.
  unsigned create(int64_t size);
  int64_t getSize(unsigned axis) const { return axes[axis].size; }

  /// `list` in axes that are not split, without axes of size 1.
  AxisList resolve(ArrayRef<unsigned> list) const;
  AxisView resolveAll(ArrayRef<AxisList> view) const;
  /// Whether the two are the same index for every point of the space.
  bool same(ArrayRef<unsigned> a, ArrayRef<unsigned> b) const;
  bool sameAll(ArrayRef<AxisList> a, ArrayRef<AxisList> b) const;
  /// Number of values of the index; kDynamic if unknown.
  int64_t extent(ArrayRef<unsigned> list) const;

  /// Distributes `list` over dimensions of the given sizes, splitting axes
  /// where a boundary falls inside of one. Fails if the sizes do not divide,
  /// or more than one is dynamic.
  std::optional<AxisView> distribute(ArrayRef<unsigned> list,
                                     ArrayRef<int64_t> sizes);

private:
  struct Axis {
    int64_t size;
    /// The parts of a split axis, outermost first; equal if it is whole.
    unsigned outer = 0, inner = 0;
  };
  void resolveInto(unsigned axis, AxisList &result) const;
  /// Takes axes worth `size` from the inner (or outer) end of `pool`.
  std::optional<AxisList> take(AxisList &pool, int64_t size, bool fromInner);

  SmallVector<Axis> axes;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_AXISSPACE_H

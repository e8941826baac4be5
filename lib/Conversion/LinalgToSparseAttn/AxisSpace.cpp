//===- AxisSpace.cpp - Tensor dimensions as products of axes --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/AxisSpace.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

unsigned AxisSpace::create(int64_t size) {
  axes.push_back({size});
  return axes.size() - 1;
}

void AxisSpace::resolveInto(unsigned axis, AxisList &result) const {
  const Axis &entry = axes[axis];
  if (entry.outer != entry.inner) {
    resolveInto(entry.outer, result);
    resolveInto(entry.inner, result);
  } else if (entry.size != 1) {
    result.push_back(axis);
  }
}

AxisList AxisSpace::resolve(ArrayRef<unsigned> list) const {
  AxisList result;
  for (unsigned axis : list)
    resolveInto(axis, result);
  return result;
}

AxisView AxisSpace::resolveAll(ArrayRef<AxisList> view) const {
  AxisView result;
  for (const AxisList &list : view)
    result.push_back(resolve(list));
  return result;
}

bool AxisSpace::same(ArrayRef<unsigned> a, ArrayRef<unsigned> b) const {
  return resolve(a) == resolve(b);
}

bool AxisSpace::sameAll(ArrayRef<AxisList> a, ArrayRef<AxisList> b) const {
  return a.size() == b.size() &&
         llvm::all_of(llvm::zip_equal(a, b), [&](auto pair) {
           return same(std::get<0>(pair), std::get<1>(pair));
         });
}

int64_t AxisSpace::extent(ArrayRef<unsigned> list) const {
  int64_t product = 1;
  for (unsigned axis : list) {
    if (ShapedType::isDynamic(axes[axis].size))
      return ShapedType::kDynamic;
    product *= axes[axis].size;
  }
  return product;
}

std::optional<AxisList> AxisSpace::take(AxisList &pool, int64_t size,
                                        bool fromInner) {
  AxisList taken;
  while (size != 1) {
    if (pool.empty())
      return std::nullopt;
    unsigned axis = fromInner ? pool.back() : pool.front();
    int64_t have = axes[axis].size;
    if (have == 0 || size == 0) {
      // An empty axis, of which any size is a divisor, is taken whole.
      if (have != size)
        return std::nullopt;
      size = 1;
    } else if (!ShapedType::isDynamic(have) && size % have == 0) {
      size /= have;
    } else if (ShapedType::isDynamic(have) || have % size == 0) {
      // The reshape tells that an unknown size is a multiple, too.
      int64_t rest =
          ShapedType::isDynamic(have) ? ShapedType::kDynamic : have / size;
      unsigned outer = create(fromInner ? rest : size);
      unsigned inner = create(fromInner ? size : rest);
      axes[axis].outer = outer;
      axes[axis].inner = inner;
      (fromInner ? pool.back() : pool.front()) = fromInner ? outer : inner;
      unsigned part = fromInner ? inner : outer;
      taken.insert(fromInner ? taken.begin() : taken.end(), part);
      return taken;
    } else {
      return std::nullopt;
    }
    taken.insert(fromInner ? taken.begin() : taken.end(), axis);
    pool.erase(fromInner ? pool.end() - 1 : pool.begin());
  }
  return taken;
}

std::optional<AxisView> AxisSpace::distribute(ArrayRef<unsigned> list,
                                              ArrayRef<int64_t> sizes) {
  if (llvm::count_if(sizes, ShapedType::isDynamic) > 1)
    return std::nullopt;
  AxisList pool = resolve(list);
  AxisView result(sizes.size());
  // Static sizes are taken from both ends; a dynamic one gets what is left.
  size_t inner = sizes.size();
  for (; inner > 0 && !ShapedType::isDynamic(sizes[inner - 1]); --inner) {
    std::optional<AxisList> taken = take(pool, sizes[inner - 1], true);
    if (!taken)
      return std::nullopt;
    result[inner - 1] = *taken;
  }
  for (size_t outer = 0; outer + 1 < inner; ++outer) {
    std::optional<AxisList> taken = take(pool, sizes[outer], false);
    if (!taken)
      return std::nullopt;
    result[outer] = *taken;
  }
  if (inner > 0)
    result[inner - 1] = pool;
  else if (!pool.empty())
    return std::nullopt;
  return result;
}

//===- ReshapeGroups.cpp - Which dimensions a reshape keeps ---------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReshapeGroups.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

/// A size as a constant times values. Equal ones are equal numbers; the
/// reverse is not known.
struct Size {
  int64_t factor = 1;
  /// Scalars, and tensors with a dimension of theirs; sorted.
  SmallVector<std::pair<void *, int64_t>, 2> symbols;

  bool operator==(const Size &other) const {
    return factor == other.factor && symbols == other.symbols;
  }
  void multiply(const Size &other) {
    // Beyond any tensor; then two sizes must not look alike by wrapping.
    if (llvm::MulOverflow(factor, other.factor, factor))
      addSymbol(this, 0);
    llvm::append_range(symbols, other.symbols);
    llvm::sort(symbols);
  }
  void addSymbol(void *pointer, int64_t dim) {
    symbols.push_back({pointer, dim});
    llvm::sort(symbols);
  }
};

/// Finds what sizes are made of. `depth` bounds the way up.
class SizeFinder {
public:
  Size get(Value tensor, int64_t dim, unsigned depth = 32);
  /// The size that `shape`, the operand of a reshape, tells for `dim`.
  Size getOfShape(tensor::ReshapeOp reshape, int64_t dim, unsigned depth = 32);

private:
  Size get(OpFoldResult size, unsigned depth);
  Size getScalar(Value scalar, unsigned depth);
  /// The size of `dim`, which is dynamic, from the op that makes the tensor.
  std::optional<Size> getFromOp(Operation *op, OpResult tensor, int64_t dim,
                                unsigned depth);
};

} // namespace

static Size constantSize(int64_t value) {
  Size size;
  size.factor = value;
  return size;
}

Size SizeFinder::get(OpFoldResult size, unsigned depth) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return constantSize(*constant);
  return getScalar(cast<Value>(size), depth);
}

Size SizeFinder::getScalar(Value scalar, unsigned depth) {
  // Sizes fit all integers that they are cast to.
  while (Operation *cast = scalar.getDefiningOp()) {
    if (!isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp,
             arith::ExtUIOp, arith::TruncIOp>(cast))
      break;
    scalar = cast->getOperand(0);
  }
  APInt constant;
  if (matchPattern(scalar, m_ConstantInt(&constant)))
    return constantSize(constant.getSExtValue());
  if (depth != 0)
    if (auto product = scalar.getDefiningOp<arith::MulIOp>()) {
      Size size = getScalar(product.getLhs(), depth - 1);
      size.multiply(getScalar(product.getRhs(), depth - 1));
      return size;
    }
  if (depth != 0)
    if (auto dim = scalar.getDefiningOp<tensor::DimOp>())
      if (std::optional<int64_t> index = dim.getConstantIndex())
        if (auto type = dyn_cast<RankedTensorType>(dim.getSource().getType()))
          if (*index >= 0 && *index < type.getRank())
            return get(dim.getSource(), *index, depth - 1);
  Size size;
  size.addSymbol(scalar.getAsOpaquePointer(), -1);
  return size;
}

Size SizeFinder::getOfShape(tensor::ReshapeOp reshape, int64_t dim,
                            unsigned depth) {
  int64_t known =
      cast<RankedTensorType>(reshape.getResult().getType()).getDimSize(dim);
  if (!ShapedType::isDynamic(known))
    return constantSize(known);
  DenseIntElementsAttr constant;
  if (matchPattern(reshape.getShape(), m_Constant(&constant)))
    return constantSize(constant.getValues<APInt>()[dim].getSExtValue());
  if (auto made = reshape.getShape().getDefiningOp<tensor::FromElementsOp>())
    return getScalar(made.getElements()[dim], depth);
  Size size;
  size.addSymbol(reshape.getResult().getAsOpaquePointer(), dim);
  return size;
}

std::optional<Size> SizeFinder::getFromOp(Operation *op, OpResult tensor,
                                          int64_t dim, unsigned depth) {
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return get(empty.getMixedSizes()[dim], depth);
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return get(cast.getSource(), dim, depth);
  if (auto reshape = dyn_cast<tensor::ReshapeOp>(op))
    return getOfShape(reshape, dim, depth);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return get(expand.getMixedOutputShape()[dim], depth);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    Size size;
    SmallVector<ReassociationIndices, 4> parts =
        collapse.getReassociationIndices();
    for (int64_t part : parts[dim])
      size.multiply(get(collapse.getSrc(), part, depth));
    return size;
  }
  if (auto written = dyn_cast<DestinationStyleOpInterface>(op))
    return get(written.getTiedOpOperand(tensor)->get(), dim, depth);
  return std::nullopt;
}

Size SizeFinder::get(Value tensor, int64_t dim, unsigned depth) {
  if (auto type = dyn_cast<RankedTensorType>(tensor.getType()))
    if (!type.isDynamicDim(dim))
      return constantSize(type.getDimSize(dim));
  auto result = dyn_cast<OpResult>(tensor);
  if (result && depth != 0)
    if (std::optional<Size> size =
            getFromOp(result.getOwner(), result, dim, depth - 1))
      return *size;
  Size size;
  size.addSymbol(tensor.getAsOpaquePointer(), dim);
  return size;
}

/// How many of `source` and `result`, counted from the front, first have equal
/// products; zeros if none have.
static std::pair<unsigned, unsigned> findFirstGroup(ArrayRef<Size> source,
                                                    ArrayRef<Size> result) {
  Size product;
  for (auto [count, size] : llvm::enumerate(source)) {
    product.multiply(size);
    Size other;
    for (auto [otherCount, otherSize] : llvm::enumerate(result)) {
      other.multiply(otherSize);
      if (product == other)
        return {count + 1, otherCount + 1};
    }
  }
  return {0, 0};
}

/// Whether `group` has one index on one of its sides: then the other side's
/// are its parts.
static bool hasPlainSide(const ReshapeGroup &group, ArrayRef<Size> source,
                         ArrayRef<Size> result) {
  auto isUnit = [](const Size &size) { return size == Size(); };
  auto count = [&](ArrayRef<Size> sizes, unsigned first, unsigned last) {
    ArrayRef<Size> part = sizes.slice(first, last - first);
    return part.size() - llvm::count_if(part, isUnit);
  };
  return count(source, group.sourceFirst, group.sourceLast) <= 1 ||
         count(result, group.resultFirst, group.resultLast) <= 1;
}

std::optional<ReshapeGroups>
mlir::sparse_attn::findReshapeGroups(tensor::ReshapeOp reshape) {
  auto sourceType = dyn_cast<RankedTensorType>(reshape.getSource().getType());
  auto resultType = dyn_cast<RankedTensorType>(reshape.getResult().getType());
  if (!sourceType || !resultType)
    return std::nullopt;
  SizeFinder finder;
  SmallVector<Size> source, result;
  for (int64_t dim : llvm::seq(sourceType.getRank()))
    source.push_back(finder.get(reshape.getSource(), dim));
  for (int64_t dim : llvm::seq(resultType.getRank()))
    result.push_back(finder.getOfShape(reshape, dim));
  // Any other size could go with a zero.
  if (llvm::any_of(llvm::concat<Size>(source, result),
                   [](const Size &size) { return size.factor == 0; }))
    return std::nullopt;

  // Groups of equal products from the front, then from the back.
  unsigned sourceFirst = 0, resultFirst = 0;
  unsigned sourceLast = source.size(), resultLast = result.size();
  SmallVector<ReshapeGroup> front, back;
  auto rest = [&](ArrayRef<Size> sizes, unsigned first, unsigned last) {
    return llvm::to_vector(sizes.slice(first, last - first));
  };
  while (true) {
    auto [sourceCount, resultCount] =
        findFirstGroup(rest(source, sourceFirst, sourceLast),
                       rest(result, resultFirst, resultLast));
    if (sourceCount == 0)
      break;
    front.push_back({sourceFirst, sourceFirst + sourceCount, resultFirst,
                     resultFirst + resultCount});
    sourceFirst += sourceCount;
    resultFirst += resultCount;
  }
  while (true) {
    SmallVector<Size> sourceRest = rest(source, sourceFirst, sourceLast);
    SmallVector<Size> resultRest = rest(result, resultFirst, resultLast);
    std::reverse(sourceRest.begin(), sourceRest.end());
    std::reverse(resultRest.begin(), resultRest.end());
    auto [sourceCount, resultCount] = findFirstGroup(sourceRest, resultRest);
    if (sourceCount == 0)
      break;
    back.push_back({sourceLast - sourceCount, sourceLast,
                    resultLast - resultCount, resultLast});
    sourceLast -= sourceCount;
    resultLast -= resultCount;
  }

  ReshapeGroups found;
  found.groups = std::move(front);
  if (sourceFirst != sourceLast || resultFirst != resultLast) {
    ReshapeGroup open = {sourceFirst, sourceLast, resultFirst, resultLast};
    Size left, right;
    for (const Size &size : rest(source, sourceFirst, sourceLast))
      left.multiply(size);
    for (const Size &size : rest(result, resultFirst, resultLast))
      right.multiply(size);
    // Leftover units are no question; two different constants are a mistake.
    if (!(left == right)) {
      if (left.symbols.empty() && right.symbols.empty())
        return std::nullopt;
      found.inferred = found.groups.size();
    }
    found.groups.push_back(open);
  }
  found.groups.append(back.rbegin(), back.rend());
  if (!llvm::all_of(found.groups, [&](const ReshapeGroup &group) {
        return hasPlainSide(group, source, result);
      }))
    return std::nullopt;
  // Sizes that are all known cannot be 0.
  bool onlyConstants =
      llvm::all_of(llvm::enumerate(found.groups), [&](auto entry) {
        const ReshapeGroup &group = entry.value();
        auto isConstant = [](const Size &size) { return size.symbols.empty(); };
        return entry.index() == found.inferred ||
               llvm::all_of(rest(source, group.sourceFirst, group.sourceLast),
                            isConstant);
      });
  if (onlyConstants)
    found.inferred.reset();
  return found;
}

bool mlir::sparse_attn::haveSameSize(Value tensor, int64_t dim, Value other,
                                     int64_t otherDim) {
  SizeFinder finder;
  return finder.get(tensor, dim) == finder.get(other, otherDim);
}

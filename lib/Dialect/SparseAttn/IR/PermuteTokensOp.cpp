//===- PermuteTokensOp.cpp - Tokens in another order ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

LogicalResult PermuteTokensOp::verify() {
  auto type = cast<RankedTensorType>(getSource().getType());
  int64_t dim = getDim();
  if (dim < 0 || dim >= type.getRank())
    return emitOpError("expected a dimension of ") << type << ", found " << dim;
  int64_t tokens = getLayout().getTokenOrder().count();
  if (type.getDimSize(dim) != tokens)
    return emitOpError("expected ") << tokens << " tokens in dimension " << dim
                                    << " by the layout, found " << type;
  return success();
}

std::vector<int32_t> PermuteTokensOp::getSourcePositions() {
  std::vector<int32_t> perm = getPermutation(getLayout().getTokenOrder());
  return getInverse() ? invertPermutation(perm) : perm;
}

bool PermuteTokensOp::isUndoneBy(PermuteTokensOp other) {
  return other && getLayout() == other.getLayout() &&
         getDim() == other.getDim() && getInverse() != other.getInverse();
}

/// The elements of `source` in the order of the result, for element types that
/// have plain storage.
template <typename Element>
static DenseElementsAttr permute(DenseElementsAttr source, int64_t dim,
                                 ArrayRef<int32_t> positions) {
  ArrayRef<int64_t> shape = source.getType().getShape();
  int64_t inner = ShapedType::getNumElements(shape.drop_front(dim + 1));
  int64_t outer = ShapedType::getNumElements(shape.take_front(dim));
  auto from = source.getValues<Element>();
  SmallVector<Element> to;
  to.reserve(source.getNumElements());
  for (int64_t o = 0; o < outer; ++o)
    for (int32_t position : positions)
      for (int64_t i = 0; i < inner; ++i)
        to.push_back(from[(o * shape[dim] + position) * inner + i]);
  return DenseElementsAttr::get(source.getType(), ArrayRef<Element>(to));
}

OpFoldResult PermuteTokensOp::fold(FoldAdaptor adaptor) {
  // Tokens in their own order, one undoing the other, or all tokens alike.
  if (isa<RasterLayoutAttr>(getLayout()))
    return getSource();
  auto before = getSource().getDefiningOp<PermuteTokensOp>();
  if (isUndoneBy(before))
    return before.getSource();
  if (getSource().getDefiningOp<tensor::EmptyOp>())
    return getSource();
  auto constant = dyn_cast_or_null<DenseElementsAttr>(adaptor.getSource());
  if (!constant)
    return {};
  if (constant.isSplat())
    return constant;
  // Tables of positions are put in order when the graph is compiled.
  Type element = constant.getElementType();
  if (isa<FloatType>(element))
    return permute<APFloat>(constant, getDim(), getSourcePositions());
  if (element.isIntOrIndex())
    return permute<APInt>(constant, getDim(), getSourcePositions());
  return {};
}

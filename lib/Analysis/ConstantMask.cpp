//===- ConstantMask.cpp - Masks known when compiling ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ConstantMask.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Analysis/ScoreStructure.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// The constant that `value` is, perhaps in another shape.
static DenseElementsAttr findConstant(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
      break;
    value = op->getOperand(0);
  }
  DenseElementsAttr attr;
  return matchPattern(value, m_Constant(&attr)) ? attr : DenseElementsAttr();
}

std::optional<ConstantMask> ConstantMask::get(AttentionOp op) {
  if (!op.getMask())
    return std::nullopt;
  DenseElementsAttr attr = findConstant(op.getMask());
  AttentionOp::Dims dims = op.getDims();
  ConstantMask mask;
  mask.queries = op.getDimSize(dims.m);
  mask.keys = op.getDimSize(dims.k2);
  auto type = cast<RankedTensorType>(op.getMask().getType());
  if (!attr || !type.hasStaticShape() || ShapedType::isDynamic(mask.queries) ||
      ShapedType::isDynamic(mask.keys))
    return std::nullopt;
  AffineMap map = op.getMaskMap();
  auto pitch = [&](unsigned dim) -> int64_t {
    std::optional<unsigned> position = getPosition(map, dim);
    return position ? *getPitch(type, *position) : 0;
  };
  mask.queryPitch = pitch(dims.m);
  mask.keyPitch = pitch(dims.k2);
  for (auto [position, dim] : llvm::enumerate(dims.batch))
    if (getPosition(map, dim)) {
      mask.batchDims.push_back(position);
      mask.batchPitches.push_back(pitch(dim));
    }
  bool alone = !op.getBlockCounts() && !analyzeScore(op).masks();
  mask.classify(attr, alone);
  return mask;
}

void ConstantMask::classify(DenseElementsAttr attr, bool alone) {
  elements.reserve(attr.getNumElements());
  if (attr.getElementType().isInteger(1)) {
    for (bool keeps : attr.getValues<bool>())
      elements.push_back(keeps ? Element::Keeps : Element::Hides);
    return;
  }
  // A finite stand-in for -inf hides like it in rows that keep a key, which
  // nothing else then hides.
  bool finite = false;
  for (const APFloat &value : attr.getValues<APFloat>()) {
    double added = value.convertToDouble();
    finite |= std::isfinite(added) && added <= largestFill;
    elements.push_back(added <= largestFill ? Element::Hides
                       : value.isZero()     ? Element::Keeps
                                            : Element::Adds);
  }
  if (!finite)
    return;
  // Rows follow each other in the order of the elements if keys come last.
  bool everyRowKeeps = alone && keyPitch == 1;
  for (size_t row = 0; everyRowKeeps && row < elements.size(); row += keys)
    everyRowKeeps =
        llvm::any_of(ArrayRef(elements).slice(row, keys),
                     [](Element element) { return element != Element::Hides; });
  if (everyRowKeeps)
    return;
  for (auto [element, value] :
       llvm::zip_equal(elements, attr.getValues<APFloat>()))
    if (element == Element::Hides && !value.isInfinity())
      element = Element::Adds;
}

int64_t ConstantMask::offset(ArrayRef<int64_t> batch) const {
  int64_t offset = 0;
  for (auto [position, pitch] : llvm::zip_equal(batchDims, batchPitches))
    if (position < batch.size())
      offset += batch[position] * pitch;
  return offset;
}

TileKind ConstantMask::getKind(ArrayRef<int64_t> batch, int64_t firstQuery,
                               int64_t lastQuery, int64_t firstKey,
                               int64_t lastKey) const {
  int64_t start = offset(batch);
  bool hides = false, keeps = false;
  for (int64_t query = firstQuery; query <= lastQuery; ++query)
    for (int64_t key = firstKey; key <= lastKey; ++key) {
      Element element = at(start, query, key);
      if (element == Element::Adds)
        return TileKind::Partial;
      (element == Element::Hides ? hides : keeps) = true;
      if (hides && keeps)
        return TileKind::Partial;
    }
  return hides ? TileKind::Empty : TileKind::Full;
}

std::optional<ConstantMask::Band> ConstantMask::getBand() const {
  if (!batchDims.empty() || llvm::is_contained(elements, Element::Adds))
    return std::nullopt;
  // Any row that a bound cuts tells where it is; then all must agree.
  Band band;
  for (int64_t query = 0; query < queries; ++query) {
    int64_t first = 0, last = keys - 1;
    while (first < keys && at(0, query, first) == Element::Hides)
      ++first;
    while (last > first && at(0, query, last) == Element::Hides)
      --last;
    if (first == keys)
      continue;
    if (first > 0 && !band.first)
      band.first = first - query;
    if (last < keys - 1 && !band.last)
      band.last = last - query;
  }
  for (int64_t query = 0; query < queries; ++query)
    for (int64_t key = 0; key < keys; ++key) {
      bool keeps = (!band.first || key - query >= *band.first) &&
                   (!band.last || key - query <= *band.last);
      if (keeps != (at(0, query, key) == Element::Keeps))
        return std::nullopt;
    }
  return band;
}

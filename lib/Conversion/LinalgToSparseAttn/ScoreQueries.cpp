//===- ScoreQueries.cpp - What an element of a graph depends on -----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreMatcher.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

bool mlir::sparse_attn::isZeroBasedContraction(Tracer &tracer,
                                               linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(op) ||
      op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return false;
  for (OpOperand &operand : op->getOpOperands())
    if (!isa<FloatType>(getElementTypeOrSelf(operand.get().getType())))
      return false;
  // The view of the init does not matter: it has to be zero everywhere.
  OpOperand *init = op.getDpsInitOperand(0);
  AxisView axes(cast<RankedTensorType>(init->get().getType()).getRank());
  return tracer.isZero(tracer.peel({init->get(), nullptr, axes}));
}

namespace {
/// What an expression of the score region is made of.
struct Ingredients {
  /// Axes of the indices in it.
  AxisList indices;
  /// The axes that each element of a tensor in it depends on.
  SmallVector<AxisList> captured;
};
} // namespace

static void addAxes(AxisList &list, ArrayRef<unsigned> axes) {
  for (unsigned axis : axes)
    if (!llvm::is_contained(list, axis))
      list.push_back(axis);
}

static bool canCapture(const Tracer &tracer, Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  return type && !type.getEncoding() && !tracer.isInRegion(tensor) &&
         type.getElementType().isIntOrIndexOrFloat();
}

/// Whether `element` is made of indices, constants and, if `found` may hold
/// them, elements of tensors, by ops that can be repeated in a score region.
static bool collect(Tracer &tracer, const Element &element, unsigned &budget,
                    Ingredients &found, bool captures) {
  if (budget == 0)
    return false;
  --budget;
  if (tracer.getFloat(element) || tracer.getInteger(element))
    return true;
  if (std::optional<Ramp> ramp = tracer.getRamp(element)) {
    addAxes(found.indices, tracer.getSpace().resolve(ramp->index));
    return true;
  }
  if (element.isTensor()) {
    if (!captures || !canCapture(tracer, element.value))
      return false;
    AxisList &axes = found.captured.emplace_back();
    for (const AxisList &list : element.axes)
      addAxes(axes, tracer.getSpace().resolve(list));
    return true;
  }
  Operation *op = element.getScalarOp();
  if (!op || op->getNumResults() != 1 || op->getNumRegions() != 0)
    return false;
  auto extract = dyn_cast<tensor::ExtractOp>(op);
  if (extract) {
    Operation *def = extract.getTensor().getDefiningOp();
    if (!captures || !canCapture(tracer, extract.getTensor()) ||
        (element.op && def && element.op->isAncestor(def)))
      return false;
  } else if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
                 op->getDialect()) ||
             op->getNumOperands() == 0) {
    return false;
  }
  Ingredients inner;
  for (unsigned i = extract ? 1 : 0; i < op->getNumOperands(); ++i)
    if (!collect(tracer, tracer.operand(element, i), budget, inner, captures))
      return false;
  if (!extract) {
    addAxes(found.indices, inner.indices);
    llvm::append_range(found.captured, inner.captured);
    return true;
  }
  AxisList axes = inner.indices;
  for (const AxisList &list : inner.captured)
    addAxes(axes, list);
  found.captured.push_back(std::move(axes));
  return true;
}

bool mlir::sparse_attn::isIndexOnly(Tracer &tracer, const Element &element) {
  // Shared subexpressions are visited once per use: bounded, not memoised.
  unsigned budget = 256;
  Ingredients found;
  return collect(tracer, tracer.peel(element), budget, found, false);
}

bool mlir::sparse_attn::isRegional(Tracer &tracer, const Element &element) {
  unsigned budget = 256;
  Ingredients found;
  return collect(tracer, tracer.peel(element), budget, found, true);
}

bool mlir::sparse_attn::isBroadcast(Tracer &tracer, const Element &element,
                                    ArrayRef<AxisList> beside) {
  unsigned budget = 256;
  Ingredients found;
  if (!collect(tracer, tracer.peel(element), budget, found, true))
    return false;
  AxisList all = found.indices;
  for (const AxisList &list : found.captured)
    addAxes(all, list);
  for (const AxisList &list : beside)
    addAxes(all, tracer.getSpace().resolve(list));
  return llvm::all_of(found.captured, [&](const AxisList &list) {
    return list.size() < all.size();
  });
}

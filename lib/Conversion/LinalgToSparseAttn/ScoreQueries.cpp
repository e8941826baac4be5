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

static bool isIndexOnly(Tracer &tracer, const Element &element,
                        unsigned &budget) {
  if (budget == 0)
    return false;
  --budget;
  if (tracer.getFloat(element) || tracer.getInteger(element))
    return true;
  if (tracer.getRamp(element))
    return true;
  Operation *op = element.getScalarOp();
  if (!op || op->getNumResults() != 1 || op->getNumRegions() != 0)
    return false;
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
          op->getDialect()))
    return false;
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    if (!isIndexOnly(tracer, tracer.operand(element, i), budget))
      return false;
  return op->getNumOperands() != 0;
}

bool mlir::sparse_attn::isIndexOnly(Tracer &tracer, const Element &element) {
  // Shared subexpressions are visited once per use: bounded, not memoised.
  unsigned budget = 256;
  return ::isIndexOnly(tracer, tracer.peel(element), budget);
}

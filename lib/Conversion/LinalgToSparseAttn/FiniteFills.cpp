//===- FiniteFills.cpp - Finite masks that mean -inf ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layout.h"
#include "SparseAttn/Analysis/KeyRanges.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Whether every query is known to keep a key under all of `structure`.
static bool rowsKeepKeys(AttentionOp op, const ScoreStructure &structure) {
  if (!getUsedBatchDims(op).empty())
    return false;
  AttentionOp::Dims dims = op.getDims();
  SmallVector<Number> batch(dims.batch.size(), Number(0));
  int64_t queries = op.getDimSize(dims.m), keys = op.getDimSize(dims.k2);
  NumberMath math;
  auto keepsKey = [&](int64_t first, int64_t last, int64_t length) {
    KeyRange kept = findVisibleKeys(op, structure,
                                    {Number(first), Number(last), batch}, math)
                        .every;
    return std::max<int64_t>(kept.first.constant, 0) <=
           std::min(kept.last.constant, length - 1);
  };
  // Rows of unknown number, or that may have one key only, must agree on one.
  constexpr int64_t manyRows = 1 << 16;
  if (ShapedType::isDynamic(queries) || ShapedType::isDynamic(keys) ||
      queries > manyRows)
    return keepsKey(0, INT32_MAX, ShapedType::isDynamic(keys) ? 1 : keys);
  return llvm::all_of(llvm::seq<int64_t>(0, queries), [&](int64_t query) {
    return keepsKey(query, query, keys);
  });
}

void mlir::sparse_attn::sharpenFills(AttentionOp op) {
  // A mask operand or a block list could leave a row nothing but fills.
  if (!op.hasScore() || op.getMask() || op.getBlockCounts())
    return;
  ScoreStructure structure;
  SmallVector<OpOperand *> fills;
  Value kept = cast<YieldOp>(op.getScore().front().getTerminator()).getScore();
  while (auto select = kept.getDefiningOp<arith::SelectOp>()) {
    OpOperand *fill = nullptr;
    for (OpOperand &operand : llvm::drop_begin(select->getOpOperands())) {
      APFloat value(0.0f);
      if (matchPattern(operand.get(), m_ConstantFloat(&value)) &&
          value.convertToDouble() <= largestFill)
        fill = &operand;
    }
    if (!fill)
      break;
    fills.push_back(fill);
    bool keepsWhenTrue = fill->getOperandNumber() == 2;
    structure.conditions.push_back({select.getCondition(), keepsWhenTrue});
    kept = select->getOperand(keepsWhenTrue ? 1 : 2);
  }
  if (fills.empty() || !rowsKeepKeys(op, structure))
    return;
  OpBuilder builder(op.getContext());
  for (OpOperand *fill : fills) {
    builder.setInsertionPoint(fill->getOwner());
    fill->set(arith::ConstantOp::create(
        builder, op.getLoc(),
        builder.getFloatAttr(
            builder.getF32Type(),
            APFloat::getInf(APFloat::IEEEsingle(), /*Negative=*/true))));
  }
}

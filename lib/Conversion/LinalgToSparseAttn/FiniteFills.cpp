//===- FiniteFills.cpp - Finite masks that mean -inf ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layout.h"
#include "SparseAttn/Analysis/KeyRanges.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Whether every query is known to keep a key under all of `structure`.
static bool rowsKeepKeys(AttentionOp op, const ScoreStructure &structure) {
  if (!getUsedBatchDims(op).empty())
    return false;
  AttentionOp::Dims dims = op.getDims();
  int64_t queries = op.getDimSize(dims.m), keys = op.getDimSize(dims.k2);
  auto keepsKey = [&](int64_t first, int64_t last, int64_t length) {
    KeyRange kept = findVisibleKeys(op, structure, first, last).every;
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
  ScoreStructure structure = analyzeScore(op, largestFill);
  if (!structure.masks() || !rowsKeepKeys(op, structure))
    return;
  OpBuilder builder(op.getContext());
  for (const ScoreCondition &condition : structure.conditions) {
    builder.setInsertionPoint(condition.fill->getOwner());
    condition.fill->set(createMinusInfinity(builder, op.getLoc()));
  }
}

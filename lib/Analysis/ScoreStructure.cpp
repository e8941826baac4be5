//===- ScoreStructure.cpp - Mask and modification of a score --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ScoreStructure.h"
#include "SparseAttn/Analysis/KeyRanges.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;

ScoreStructure sparse_attn::analyzeScore(AttentionOp op, double largestFill) {
  ScoreStructure structure;
  if (!op.hasScore())
    return structure;
  auto isFill = [&](OpOperand &operand) {
    APFloat constant(0.0f);
    return matchPattern(operand.get(), m_ConstantFloat(&constant)) &&
           constant.convertToDouble() <= largestFill;
  };
  Block &region = op.getScore().front();
  Value kept = cast<YieldOp>(region.getTerminator()).getScore();
  while (auto select = kept.getDefiningOp<arith::SelectOp>()) {
    OpOperand &ifTrue = select.getTrueValueMutable();
    OpOperand &ifFalse = select.getFalseValueMutable();
    bool keeps = isFill(ifFalse);
    if (!keeps && !isFill(ifTrue))
      break;
    structure.conditions.push_back(
        {select.getCondition(), keeps, keeps ? &ifFalse : &ifTrue});
    kept = (keeps ? ifTrue : ifFalse).get();
  }
  if (kept != region.getArgument(0))
    structure.kept = kept;
  return structure;
}

Value sparse_attn::createMinusInfinity(OpBuilder &b, Location loc) {
  return arith::ConstantOp::create(
      b, loc, b.getF32FloatAttr(-std::numeric_limits<float>::infinity()));
}

void sparse_attn::createIdentityScore(OpBuilder &b, AttentionOp op) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types(op.getDims().batch.size() + 3, b.getIndexType());
  types[0] = b.getF32Type();
  Block *region =
      b.createBlock(&op.getScore(), {}, types,
                    SmallVector<Location>(types.size(), op.getLoc()));
  YieldOp::create(b, op.getLoc(), region->getArgument(0));
}

SmallVector<unsigned> sparse_attn::getUsedBatchDims(AttentionOp op) {
  SmallVector<unsigned> used;
  if (op.hasScore())
    for (auto [position, argument] : llvm::enumerate(
             op.getScore().getArguments().drop_front().drop_back(2)))
      if (!argument.use_empty())
        used.push_back(position);
  return used;
}

std::optional<int64_t>
sparse_attn::getCausalOffset(const ScoreStructure &structure) {
  if (structure.conditions.size() != 1)
    return std::nullopt;
  auto compare =
      structure.conditions.front().value.getDefiningOp<arith::CmpIOp>();
  if (!compare)
    return std::nullopt;
  auto op = compare->getParentOfType<AttentionOp>();
  // Conditions that differ from head to head have no one offset.
  if (!getUsedBatchDims(op).empty())
    return std::nullopt;
  // Under a comparison of indices, `key <= query + o` and nothing else lets two
  // queries in a row see all keys up to o and up to o + 1.
  auto last = [&](int64_t first, int64_t to) -> std::optional<int64_t> {
    VisibleKeys keys = findVisibleKeys(op, structure, first, to);
    if (keys.some.first.constant != -NumberMath::infinity ||
        keys.every.first.constant != -NumberMath::infinity ||
        keys.every.last.constant + (to - first) != keys.some.last.constant)
      return std::nullopt;
    return keys.some.last.constant;
  };
  constexpr int64_t far = int64_t(1) << 20;
  std::optional<int64_t> near = last(0, 1), wide = last(0, far);
  if (!near || !wide || *wide - *near != far - 1)
    return std::nullopt;
  return *near - 1;
}

std::optional<std::pair<int64_t, int64_t>>
sparse_attn::getWindow(AttentionOp op, const ScoreStructure &structure) {
  if (!structure.masks() || !getUsedBatchDims(op).empty())
    return std::nullopt;
  // A window moves with its query; blocks of keys do not at every step.
  std::optional<std::pair<int64_t, int64_t>> window;
  for (int64_t query : {1 << 20, (1 << 20) + 1, (1 << 21) + 37}) {
    VisibleKeys keys = findVisibleKeys(op, structure, query, query);
    int64_t first = keys.some.first.constant, last = keys.some.last.constant;
    if (keys.every.first.constant != first ||
        keys.every.last.constant != last || first > last ||
        first == -NumberMath::infinity || last == NumberMath::infinity)
      return std::nullopt;
    std::pair<int64_t, int64_t> offsets(first - query, last - query);
    if (window && *window != offsets)
      return std::nullopt;
    window = offsets;
  }
  return window;
}

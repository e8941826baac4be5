//===- ScoreStructure.cpp - Which keys a score region lets through --------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ScoreStructure.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// query · q + key · k + constant.
struct Linear {
  int64_t query = 0, key = 0, constant = 0;
};
} // namespace

/// The linear form of an integer of the region, none if it is something else.
static std::optional<Linear> linearForm(Value value, Block &region) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != &region)
      return std::nullopt;
    unsigned last = region.getNumArguments() - 1;
    if (argument.getArgNumber() == last)
      return Linear{0, 1, 0};
    if (argument.getArgNumber() == last - 1)
      return Linear{1, 0, 0};
    return std::nullopt;
  }
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    // Small constants only, so that no sum of a few of them overflows.
    return constant.abs().ult(uint64_t(1) << 40) || constant.getBitWidth() < 40
               ? std::optional<Linear>(Linear{0, 0, constant.getSExtValue()})
               : std::nullopt;
  Operation *op = value.getDefiningOp();
  if (isa<arith::IndexCastOp, arith::ExtSIOp>(op))
    return linearForm(op->getOperand(0), region);
  if (isa<arith::AddIOp, arith::SubIOp>(op)) {
    auto a = linearForm(op->getOperand(0), region);
    auto b = linearForm(op->getOperand(1), region);
    if (!a || !b)
      return std::nullopt;
    int64_t sign = isa<arith::AddIOp>(op) ? 1 : -1;
    return Linear{a->query + sign * b->query, a->key + sign * b->key,
                  a->constant + sign * b->constant};
  }
  return std::nullopt;
}

ScoreStructure sparse_attn::analyzeScore(AttentionOp op) {
  using Kind = ScoreStructure::Kind;
  if (!op.hasScore())
    return {Kind::Identity, 0};
  ScoreStructure general{Kind::General, 0};
  Block &region = op.getScore().front();
  Value result = cast<YieldOp>(region.getTerminator()).getScore();
  if (result == region.getArgument(0))
    return {Kind::Identity, 0};
  auto select = result.getDefiningOp<arith::SelectOp>();
  if (!select)
    return general;
  auto isMinusInfinity = [](Value value) {
    APFloat constant(0.0f);
    return matchPattern(value, m_ConstantFloat(&constant)) &&
           constant.isInfinity() && constant.isNegative();
  };
  bool keepsIfTrue = select.getTrueValue() == region.getArgument(0) &&
                     isMinusInfinity(select.getFalseValue());
  bool keepsIfFalse = select.getFalseValue() == region.getArgument(0) &&
                      isMinusInfinity(select.getTrueValue());
  auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
  if ((!keepsIfTrue && !keepsIfFalse) || !compare)
    return general;
  auto a = linearForm(compare.getLhs(), region);
  auto b = linearForm(compare.getRhs(), region);
  if (!a || !b)
    return general;

  // Bring the condition under which a score is kept to `difference <= 0`.
  using Predicate = arith::CmpIPredicate;
  Predicate predicate = compare.getPredicate();
  if (keepsIfFalse)
    predicate = arith::invertPredicate(predicate);
  // Indices are not negative, so that unsigned comparisons of plain indices
  // mean the same; with constants they need not.
  bool plain = a->constant == 0 && b->constant == 0 && a->key >= 0 &&
               a->query >= 0 && b->key >= 0 && b->query >= 0;
  Linear difference{a->query - b->query, a->key - b->key,
                    a->constant - b->constant};
  auto negate = [&] {
    difference = {-difference.query, -difference.key, -difference.constant};
  };
  switch (predicate) {
  case Predicate::ule:
    if (!plain)
      return general;
    [[fallthrough]];
  case Predicate::sle:
    break;
  case Predicate::ult:
    if (!plain)
      return general;
    [[fallthrough]];
  case Predicate::slt:
    ++difference.constant;
    break;
  case Predicate::uge:
    if (!plain)
      return general;
    [[fallthrough]];
  case Predicate::sge:
    negate();
    break;
  case Predicate::ugt:
    if (!plain)
      return general;
    [[fallthrough]];
  case Predicate::sgt:
    negate();
    ++difference.constant;
    break;
  default:
    return general;
  }
  // key - query + constant <= 0.
  if (difference.key != 1 || difference.query != -1)
    return general;
  // Kernels add the offset to positions in i32.
  if (!llvm::isInt<31>(difference.constant))
    return general;
  return {Kind::Causal, -difference.constant};
}

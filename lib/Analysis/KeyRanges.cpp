//===- KeyRanges.cpp - Which keys a query tile can see --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/KeyRanges.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Coefficients and constants of a condition stay below this, so that neither
/// they nor their products with positions overflow 64 bits.
static constexpr int64_t maxConstant = int64_t(1) << 31;
static constexpr int64_t maxCoefficient = int64_t(1) << 20;

namespace {

/// coefficient · value.
struct Term {
  Value value;
  int64_t coefficient;
};

/// Sum of terms, each value once, and a constant.
struct Linear {
  SmallVector<Term> terms;
  int64_t constant = 0;
};

class Solver {
public:
  using Load = llvm::function_ref<std::optional<Number>(tensor::ExtractOp,
                                                        ArrayRef<Number>)>;
  Solver(AttentionOp op, const QueryTile &tile, NumberMath &math, Load load)
      : region(op.getScore().front()), tile(tile), math(math), load(load) {}

  /// The keys for which `condition` is `wanted`.
  VisibleKeys solve(Value condition, bool wanted);

  VisibleKeys both(const VisibleKeys &a, const VisibleKeys &b) {
    return {intersect(a.some, b.some), intersect(a.every, b.every)};
  }

private:
  bool isKey(Value value) { return value == region.getArguments().back(); }
  bool dependsOnKey(Value value);
  bool isNonNegative(Value value);
  bool flatten(Value value, int64_t coefficient, Linear &sum);

  /// Every value that something without a key takes over the queries.
  std::optional<KeyRange> valuesOf(Value value);
  std::optional<KeyRange> valuesOf(const Linear &sum);

  /// The keys for which `sum` is at most a bound that lies in `bounds`,
  /// depending on the query.
  VisibleKeys solveAtMost(Linear sum, KeyRange bounds);
  VisibleKeys solveAtom(Value atom, bool atMost, KeyRange bounds);
  VisibleKeys compare(arith::CmpIPredicate predicate, Value lhs, Value rhs);

  KeyRange intersect(const KeyRange &a, const KeyRange &b) {
    return {math.max(a.first, b.first), math.min(a.last, b.last)};
  }
  KeyRange hull(const KeyRange &a, const KeyRange &b) {
    return {math.min(a.first, b.first), math.max(a.last, b.last)};
  }
  KeyRange within(const KeyRange &a, const KeyRange &b);
  VisibleKeys either(const VisibleKeys &a, const VisibleKeys &b) {
    return {hull(a.some, b.some), within(a.every, b.every)};
  }
  static VisibleKeys unknown() { return {KeyRange::all(), KeyRange::none()}; }
  /// False once a condition that shares its parts too often has cost enough.
  bool spend() {
    if (budget <= 0)
      return false;
    --budget;
    return true;
  }

  Block &region;
  const QueryTile &tile;
  NumberMath &math;
  Load load;
  int budget = 1 << 14;
};

} // namespace

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

bool Solver::dependsOnKey(Value value) {
  if (isKey(value) || !spend())
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != &region)
    return false;
  return llvm::any_of(op->getOperands(),
                      [&](Value operand) { return dependsOnKey(operand); });
}

/// Positions fit these types.
static bool isWide(Type type) {
  return type.isIndex() || type.isInteger(32) || type.isInteger(64);
}

/// Whether the value cannot be negative; indices never are.
bool Solver::isNonNegative(Value value) {
  APInt constant;
  if (!spend())
    return false;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return !constant.isNegative();
  Operation *op = value.getDefiningOp();
  if (!op)
    return value.getType().isIndex();
  if (isa<arith::AddIOp, arith::MulIOp, arith::DivSIOp, arith::FloorDivSIOp,
          arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::IndexCastOp,
          arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp, arith::MinSIOp>(
          op) ||
      (isa<arith::TruncIOp>(op) && isWide(value.getType())))
    return llvm::all_of(op->getOperands(),
                        [&](Value operand) { return isNonNegative(operand); });
  if (isa<arith::MaxSIOp>(op))
    return llvm::any_of(op->getOperands(),
                        [&](Value operand) { return isNonNegative(operand); });
  return isa<math::AbsIOp>(op);
}

/// The constant that `value` is, if it is small enough to compute with.
static std::optional<int64_t> smallConstant(Value value, int64_t limit) {
  APInt constant;
  if (!matchPattern(value, m_ConstantInt(&constant)) ||
      constant.getSignificantBits() > 63)
    return std::nullopt;
  int64_t number = constant.getSExtValue();
  if (number > limit || number < -limit)
    return std::nullopt;
  return number;
}

/// Adds coefficient · value to `sum`; false if a number grows too large.
bool Solver::flatten(Value value, int64_t coefficient, Linear &sum) {
  if (std::abs(coefficient) > maxCoefficient || !spend())
    return false;
  APInt any;
  if (matchPattern(value, m_ConstantInt(&any))) {
    auto constant = smallConstant(value, maxConstant);
    if (!constant)
      return false;
    sum.constant += coefficient * *constant;
    return std::abs(sum.constant) < NumberMath::infinity / 4;
  }
  Operation *op = value.getDefiningOp();
  if (op && op->getBlock() == &region && isWide(value.getType())) {
    if (isa<arith::AddIOp, arith::SubIOp>(op))
      return flatten(op->getOperand(0), coefficient, sum) &&
             flatten(op->getOperand(1),
                     isa<arith::AddIOp>(op) ? coefficient : -coefficient, sum);
    // Positions fit i32, so that no width above it changes them.
    if (op->getNumOperands() == 1 && isWide(op->getOperand(0).getType()) &&
        (isa<arith::IndexCastOp, arith::ExtSIOp>(op) ||
         (isa<arith::IndexCastUIOp, arith::ExtUIOp, arith::TruncIOp>(op) &&
          isNonNegative(op->getOperand(0)))))
      return flatten(op->getOperand(0), coefficient, sum);
    if (isa<arith::MulIOp>(op))
      for (unsigned index : {0, 1})
        if (auto factor = smallConstant(op->getOperand(index), maxCoefficient))
          return flatten(op->getOperand(1 - index), coefficient * *factor, sum);
  }
  for (Term &term : sum.terms)
    if (term.value == value) {
      term.coefficient += coefficient;
      return true;
    }
  sum.terms.push_back({value, coefficient});
  return true;
}

std::optional<KeyRange> Solver::valuesOf(const Linear &sum) {
  KeyRange total{Number(sum.constant), Number(sum.constant)};
  for (const Term &term : sum.terms) {
    if (term.coefficient == 0)
      continue;
    auto values = valuesOf(term.value);
    if (!values)
      return std::nullopt;
    // One number stays one: what looks it up asks for no more.
    bool alike =
        same(total.first, total.last) && same(values->first, values->last);
    auto add = [&](Number bound, Number value) {
      return math.add(bound, math.scale(value, term.coefficient));
    };
    if (term.coefficient < 0)
      std::swap(values->first, values->last);
    total.first = add(total.first, values->first);
    total.last = alike ? total.first : add(total.last, values->last);
  }
  return total;
}

std::optional<KeyRange> Solver::valuesOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned number = argument.getArgNumber();
    if (argument.getOwner() != &region || number == 0 || isKey(value))
      return std::nullopt;
    if (number == region.getNumArguments() - 2)
      return KeyRange{tile.firstQuery, tile.lastQuery};
    Number index = tile.batch[number - 1];
    return KeyRange{index, index};
  }
  Operation *op = value.getDefiningOp();
  Linear sum;
  if (!flatten(value, 1, sum))
    return std::nullopt;
  if (sum.terms.size() != 1 || sum.terms.front().value != value)
    return valuesOf(sum);

  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    SmallVector<Number> indices;
    for (Value index : extract.getIndices()) {
      auto values = valuesOf(index);
      if (!values || !same(values->first, values->last))
        return std::nullopt;
      indices.push_back(values->first);
    }
    std::optional<Number> element;
    if (load)
      element = load(extract, indices);
    return element ? std::optional<KeyRange>(KeyRange{*element, *element})
                   : std::nullopt;
  }
  if (isa<arith::IndexCastOp, arith::ExtSIOp>(op))
    return valuesOf(op->getOperand(0));
  if (op->getNumOperands() != 2)
    return std::nullopt;
  auto a = valuesOf(op->getOperand(0));
  if (!a)
    return std::nullopt;
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp, arith::RemSIOp,
          arith::RemUIOp>(op)) {
    auto by = smallConstant(op->getOperand(1), maxConstant);
    bool plain =
        isa<arith::FloorDivSIOp>(op) || isNonNegative(op->getOperand(0));
    if (!by || *by <= 0 || !plain)
      return std::nullopt;
    KeyRange quotient{math.floorDiv(a->first, *by),
                      math.floorDiv(a->last, *by)};
    if (!isa<arith::RemSIOp, arith::RemUIOp>(op))
      return quotient;
    if (!same(a->first, a->last))
      return KeyRange{Number(0), Number(*by - 1)};
    Number rest = math.sub(a->first, math.scale(quotient.first, *by));
    return KeyRange{rest, rest};
  }
  auto b = valuesOf(op->getOperand(1));
  if (!b)
    return std::nullopt;
  if (isa<arith::MinSIOp>(op))
    return KeyRange{math.min(a->first, b->first), math.min(a->last, b->last)};
  if (isa<arith::MaxSIOp>(op))
    return KeyRange{math.max(a->first, b->first), math.max(a->last, b->last)};
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

VisibleKeys Solver::solveAtMost(Linear sum, KeyRange bounds) {
  std::optional<Term> key;
  Linear rest;
  rest.constant = sum.constant;
  for (const Term &term : sum.terms) {
    if (term.coefficient == 0)
      continue;
    if (!dependsOnKey(term.value))
      rest.terms.push_back(term);
    else if (key)
      return unknown();
    else
      key = term;
  }
  auto values = valuesOf(rest);
  if (!values)
    return unknown();
  bounds = {math.sub(bounds.first, values->last),
            math.sub(bounds.last, values->first)};
  if (!key) {
    // Nothing to solve for: 0 <= bound for all keys or for none.
    auto range = [&](Number bound) -> KeyRange {
      KeyRange all = KeyRange::all(), none = KeyRange::none();
      return {math.ifLessEqual(0, bound, all.first, none.first),
              math.ifLessEqual(0, bound, all.last, none.last)};
    };
    return {range(bounds.last), range(bounds.first)};
  }
  if (key->coefficient > 0)
    return solveAtom(key->value, /*atMost=*/true,
                     {math.floorDiv(bounds.first, key->coefficient),
                      math.floorDiv(bounds.last, key->coefficient)});
  // -c · atom <= bound, that is atom >= -floor(bound / c).
  auto atLeast = [&](Number bound) {
    return math.negate(math.floorDiv(bound, -key->coefficient));
  };
  return solveAtom(key->value, /*atMost=*/false,
                   {atLeast(bounds.last), atLeast(bounds.first)});
}

/// The keys for which `atom` is at most, or at least, a bound in `bounds`.
VisibleKeys Solver::solveAtom(Value atom, bool atMost, KeyRange bounds) {
  if (isKey(atom)) {
    if (atMost)
      return {{-NumberMath::infinity, bounds.last},
              {-NumberMath::infinity, bounds.first}};
    return {{bounds.first, NumberMath::infinity},
            {bounds.last, NumberMath::infinity}};
  }
  Operation *op = atom.getDefiningOp();
  // x at most the bounds, or at least.
  auto solveFor = [&](Value x, bool less, KeyRange to) -> VisibleKeys {
    Linear sum;
    if (!flatten(x, less ? 1 : -1, sum))
      return unknown();
    if (!less)
      to = {math.negate(to.last), math.negate(to.first)};
    return solveAtMost(sum, to);
  };
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(op)) {
    auto by = smallConstant(op->getOperand(1), maxConstant);
    bool floors =
        isa<arith::FloorDivSIOp>(op) || isNonNegative(op->getOperand(0));
    if (!by || *by <= 0 || !floors)
      return unknown();
    // floor(x / c) <= B iff x <= cB + c - 1, and >= B iff x >= cB.
    Number rest(atMost ? *by - 1 : 0);
    return solveFor(op->getOperand(0), atMost,
                    {math.add(math.scale(bounds.first, *by), rest),
                     math.add(math.scale(bounds.last, *by), rest)});
  }
  if (isa<arith::MinSIOp, arith::MaxSIOp>(op)) {
    VisibleKeys a = solveFor(op->getOperand(0), atMost, bounds);
    VisibleKeys b = solveFor(op->getOperand(1), atMost, bounds);
    return isa<arith::MaxSIOp>(op) == atMost ? both(a, b) : either(a, b);
  }
  if (isa<math::AbsIOp>(op)) {
    Value x = op->getOperand(0);
    KeyRange negated{math.negate(bounds.last), math.negate(bounds.first)};
    VisibleKeys a = solveFor(x, atMost, bounds);
    VisibleKeys b = solveFor(x, !atMost, negated);
    return atMost ? both(a, b) : either(a, b);
  }
  return unknown();
}

VisibleKeys Solver::compare(arith::CmpIPredicate predicate, Value lhs,
                            Value rhs) {
  using Predicate = arith::CmpIPredicate;
  // Unsigned comparisons of what is never negative are signed ones.
  if (predicate >= Predicate::ult) {
    if (!isNonNegative(lhs) || !isNonNegative(rhs))
      return unknown();
    predicate = static_cast<Predicate>(static_cast<int64_t>(predicate) - 4);
  }
  // sign · (lhs - rhs) <= bound.
  auto atMost = [&](int64_t sign, int64_t bound) -> VisibleKeys {
    Linear sum;
    if (!flatten(lhs, sign, sum) || !flatten(rhs, -sign, sum))
      return unknown();
    return solveAtMost(sum, {Number(bound), Number(bound)});
  };
  switch (predicate) {
  case Predicate::eq:
    return both(atMost(1, 0), atMost(-1, 0));
  case Predicate::ne:
    return either(atMost(1, -1), atMost(-1, -1));
  case Predicate::sle:
    return atMost(1, 0);
  case Predicate::slt:
    return atMost(1, -1);
  case Predicate::sge:
    return atMost(-1, 0);
  case Predicate::sgt:
    return atMost(-1, -1);
  default:
    llvm_unreachable("unsigned predicates were made signed");
  }
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

/// A range inside the union of two: their hull where they touch, else the
/// longer one.
KeyRange Solver::within(const KeyRange &a, const KeyRange &b) {
  auto length = [&](const KeyRange &range) {
    return math.sub(range.last, range.first);
  };
  KeyRange joined = hull(a, b), longer;
  Number lengthA = length(a), lengthB = length(b);
  longer = {math.ifLessEqual(lengthB, lengthA, a.first, b.first),
            math.ifLessEqual(lengthB, lengthA, a.last, b.last)};
  // The gap between them is negative or 0 where they touch.
  Number gap = math.max(math.sub(b.first, math.add(a.last, 1)),
                        math.sub(a.first, math.add(b.last, 1)));
  return {math.ifLessEqual(gap, 0, joined.first, longer.first),
          math.ifLessEqual(gap, 0, joined.last, longer.last)};
}

VisibleKeys Solver::solve(Value condition, bool wanted) {
  APInt constant;
  if (matchPattern(condition, m_ConstantInt(&constant)))
    return constant.isZero() == wanted
               ? VisibleKeys{KeyRange::none(), KeyRange::none()}
               : VisibleKeys{};
  Operation *op = condition.getDefiningOp();
  if (!op || op->getBlock() != &region || !spend())
    return unknown();
  auto solveBoth = [&](Value a, bool wantA, Value b, bool wantB, bool all) {
    VisibleKeys first = solve(a, wantA), second = solve(b, wantB);
    return all ? both(first, second) : either(first, second);
  };
  if (isa<arith::AndIOp>(op))
    return solveBoth(op->getOperand(0), wanted, op->getOperand(1), wanted,
                     wanted);
  if (isa<arith::OrIOp>(op))
    return solveBoth(op->getOperand(0), wanted, op->getOperand(1), wanted,
                     !wanted);
  if (isa<arith::XOrIOp>(op))
    for (unsigned index : {0, 1})
      if (matchPattern(op->getOperand(index), m_ConstantInt(&constant)))
        return solve(op->getOperand(1 - index), wanted == constant.isZero());
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    Value c = select.getCondition();
    VisibleKeys yes =
        both(solve(c, true), solve(select.getTrueValue(), wanted));
    VisibleKeys no =
        both(solve(c, false), solve(select.getFalseValue(), wanted));
    return either(yes, no);
  }
  if (auto compared = dyn_cast<arith::CmpIOp>(op)) {
    arith::CmpIPredicate predicate = compared.getPredicate();
    if (!wanted)
      predicate = arith::invertPredicate(predicate);
    return compare(predicate, compared.getLhs(), compared.getRhs());
  }
  return unknown();
}

VisibleKeys sparse_attn::findVisibleKeys(
    AttentionOp op, const ScoreStructure &structure, const QueryTile &tile,
    NumberMath &math,
    llvm::function_ref<std::optional<Number>(tensor::ExtractOp,
                                             ArrayRef<Number>)>
        load) {
  VisibleKeys keys;
  if (!structure.masks())
    return keys;
  Solver solver(op, tile, math, load);
  for (const ScoreCondition &condition : structure.conditions)
    keys = solver.both(keys, solver.solve(condition.value, condition.keeps));
  return keys;
}

VisibleKeys sparse_attn::findVisibleKeys(AttentionOp op,
                                         const ScoreStructure &structure,
                                         int64_t first, int64_t last,
                                         ArrayRef<int64_t> batch) {
  QueryTile tile{first, last, {}};
  tile.batch.assign(batch.begin(), batch.end());
  tile.batch.resize(op.getDims().batch.size());
  NumberMath math;
  return findVisibleKeys(op, structure, tile, math);
}

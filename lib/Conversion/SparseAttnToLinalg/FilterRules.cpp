//===- FilterRules.cpp - Which key tiles a filter skips -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TiledAttention.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;
using arith::CmpFPredicate;

namespace {

/// Emits scalar f32 arithmetic at one place; the rules read better for it.
struct Scalar {
  OpBuilder &b;
  Location loc;

  Value of(double value) const {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }
  Value add(Value x, Value y) const {
    return arith::AddFOp::create(b, loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return arith::SubFOp::create(b, loc, x, y);
  }
  Value mul(Value x, Value y) const {
    return arith::MulFOp::create(b, loc, x, y);
  }
  Value div(Value x, Value y) const {
    return arith::DivFOp::create(b, loc, x, y);
  }
  Value exp(Value x) const { return math::ExpOp::create(b, loc, x); }
  Value log(Value x) const { return math::LogOp::create(b, loc, x); }
  Value less(Value x, Value y) const {
    return arith::CmpFOp::create(b, loc, CmpFPredicate::OLT, x, y);
  }
  Value atMost(Value x, Value y) const {
    return arith::CmpFOp::create(b, loc, CmpFPredicate::OLE, x, y);
  }
  Value equals(Value x, double y) const {
    return arith::CmpFOp::create(b, loc, CmpFPredicate::OEQ, x, of(y));
  }
  Value isMasked(Value x) const {
    return equals(x, -std::numeric_limits<double>::infinity());
  }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value zeroIf(Value condition, Value x) const {
    return select(condition, of(0.0), x);
  }
};

/// Emits the rules for one tile.
class Rules {
public:
  Rules(LinalgAttention &steps, const TileState &state, Value scores,
        Value maxima)
      : steps(steps), b(steps.builder), loc(steps.loc), at{b, loc},
        state(state), scores(scores), maxima(maxima) {}

  TileDecision decide(ThresholdFilterAttr filter) {
    Value limit = filter.getPerKey() ? toF32(overKeys(filter.getReal()))
                                     : at.of(filter.getReal());
    return {allRows([&](const Scalar &at, Value tile, Value m, Value) {
              return at.less(at.exp(at.sub(tile, m)), limit);
            }),
            massByMaxima()};
  }

  TileDecision decide(EnergyFilterAttr filter) {
    Value limit = at.of(filter.getReal());
    if (filter.getIsBudget()) {
      // ln(P) + ln(Bc / L), with Bc the width of a whole decision tile.
      double width = static_cast<double>((*steps.op.getDecisionTile())[1]);
      Value share = overKeys(filter.getReal() * width);
      limit = toF32(math::LogOp::create(b, loc, share));
    }
    return {allRows([&](const Scalar &at, Value tile, Value m, Value l) {
              return at.less(at.sub(tile, at.add(m, at.log(l))), limit);
            }),
            massByMaxima()};
  }

  TileDecision decide(RecallFilterAttr filter) {
    Value mass = filter.isExact()
                     ? steps.rowSums(steps.exponentials(scores, state.maxima))
                     : massByGroups(filter.getGroups());
    Value total =
        steps.mapRows({state.skippedMass, mass}, b.getF32Type(),
                      [](OpBuilder &b, Location loc, ValueRange args) -> Value {
                        return Scalar{b, loc}.add(args[0], args[1]);
                      });
    double allowance = filter.getAllowance();
    if (!filter.getPerTile())
      return {allRows(
                  [&](const Scalar &at, Value, Value, Value l, Value all) {
                    return at.atMost(all, at.mul(at.of(allowance), l));
                  },
                  total),
              mass};

    // Rows without a key so far have lost nothing; those that the tile would
    // give their first key make it stay.
    Value shares =
        steps.mapRows({total, state.sums}, b.getF32Type(),
                      [](OpBuilder &b, Location loc, ValueRange args) -> Value {
                        Scalar at{b, loc};
                        Value share = at.div(args[0], args[1]);
                        return at.zeroIf(at.equals(args[1], 0.0), share);
                      });
    Value lost = steps.reduceAll(
        shares, at.of(0.0), [](OpBuilder &b, Location loc, ValueRange args) {
          return Scalar{b, loc}.add(args[0], args[1]);
        });
    Value rows = toFloat(steps.getRowSizes().back(), b.getF32Type());
    Value within = at.atMost(lost, at.mul(rows, at.of(allowance)));
    Value started = allRows([&](const Scalar &at, Value, Value,
                                Value) -> Value {
      return arith::ConstantOp::create(at.b, at.loc, at.b.getBoolAttr(true));
    });
    return {arith::AndIOp::create(b, loc, within, started), mass};
  }

private:
  Value f64(double value) {
    return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
  }
  /// x / L in f64. L counts all keys, not those in the tile.
  Value overKeys(double x) {
    auto [operand, position] = steps.op.getDimSource(steps.dims.k2);
    Value dividend = f64(x);
    Value keys = toFloat(tensor::getMixedSize(b, loc, operand, position),
                         b.getF64Type());
    return arith::DivFOp::create(b, loc, dividend, keys);
  }
  Value toF32(Value x) {
    return arith::TruncFOp::create(b, loc, b.getF32Type(), x);
  }
  Value toFloat(OpFoldResult size, Type type) {
    Value index = getValueOrCreateConstantIndexOp(b, loc, size);
    Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    return arith::SIToFPOp::create(b, loc, type, integer);
  }
  /// Whether each row agrees by `rule`; a row without a key so far agrees iff
  /// the tile gives it none either.
  template <typename Rule>
  Value allRows(Rule rule, Value extra = {}) {
    SmallVector<Value> inputs = {maxima, state.maxima, state.sums};
    if (extra)
      inputs.push_back(extra);
    Value agree = steps.mapRows(
        inputs, b.getI1Type(),
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Scalar at{b, loc};
          Value verdict;
          if constexpr (std::is_invocable_v<Rule, Scalar, Value, Value, Value,
                                            Value>)
            verdict = rule(at, args[0], args[1], args[2], args[3]);
          else
            verdict = rule(at, args[0], args[1], args[2]);
          return at.select(at.equals(args[2], 0.0), at.isMasked(args[0]),
                           verdict);
        });
    Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
    return steps.reduceAll(
        agree, yes, [](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return arith::AndIOp::create(b, loc, args[0], args[1]);
        });
  }

  /// Number of keys · exp(m̂ - m).
  Value massByMaxima() {
    Value keys = toFloat(
        tensor::getMixedSize(b, loc, scores, steps.slice.batch.size() + 1),
        b.getF32Type());
    return steps.mapRows(
        {maxima, state.maxima}, b.getF32Type(),
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Scalar at{b, loc};
          Value mass = at.mul(keys, at.exp(at.sub(args[0], args[1])));
          return at.zeroIf(at.isMasked(args[0]), mass);
        });
  }

  /// Σ over groups of columns: columns of a group · exp(group's maximum - m). A
  /// group counts its columns of the whole decision tile, so that the last
  /// tile's bound is no tighter than a kernel's.
  Value massByGroups(int64_t groups) {
    MLIRContext *context = b.getContext();
    SmallVector<OpFoldResult> sizes = steps.getRowSizes();
    sizes.push_back(b.getIndexAttr(groups));
    AffineExpr row = b.getAffineDimExpr(0), group = b.getAffineDimExpr(1),
               key = b.getAffineDimExpr(2);
    AffineMap read = AffineMap::get(3, 0, {row, key}, context);
    AffineMap write = AffineMap::get(3, 0, {row, group}, context);
    Value low = at.of(-std::numeric_limits<double>::infinity());
    Value lowest = steps.filled(sizes, low);
    using utils::IteratorType;
    Value tops =
        linalg::GenericOp::create(
            b, loc, lowest.getType(), scores, lowest,
            ArrayRef<AffineMap>{read, write},
            ArrayRef<IteratorType>{IteratorType::parallel,
                                   IteratorType::parallel,
                                   IteratorType::reduction},
            [&](OpBuilder &b, Location loc, ValueRange args) {
              Scalar at{b, loc};
              Value column = linalg::IndexOp::create(b, loc, 2);
              Value group = linalg::IndexOp::create(b, loc, 1);
              Value mine = isInGroup(b, loc, column, group, groups);
              Value top = arith::MaximumFOp::create(b, loc, args[1], args[0]);
              linalg::YieldOp::create(b, loc, at.select(mine, top, args[1]));
            })
            .getResult(0);
    double columns =
        static_cast<double>((*steps.op.getDecisionTile())[1]) / groups;
    Value mass = steps.filledRows(0.0);
    AffineMap all = AffineMap::getMultiDimIdentityMap(2, context);
    AffineMap rows = AffineMap::get(2, 0, {row}, context);
    return linalg::GenericOp::create(
               b, loc, mass.getType(), ValueRange{tops, state.maxima}, mass,
               ArrayRef<AffineMap>{all, rows, rows},
               ArrayRef<IteratorType>{IteratorType::parallel,
                                      IteratorType::reduction},
               [&](OpBuilder &b, Location loc, ValueRange args) {
                 Scalar at{b, loc};
                 Value peak = at.exp(at.sub(args[0], args[1]));
                 Value part = at.mul(peak, at.of(columns));
                 part = at.zeroIf(at.isMasked(args[0]), part);
                 linalg::YieldOp::create(b, loc, at.add(args[2], part));
               })
        .getResult(0);
  }

  /// (c mod 2g) / 2 == group
  static Value isInGroup(OpBuilder &b, Location loc, Value column, Value group,
                         int64_t groups) {
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    Value turn = arith::RemUIOp::create(b, loc, column, index(2 * groups));
    Value found = arith::DivUIOp::create(b, loc, turn, index(2));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, found,
                                 group);
  }

  LinalgAttention &steps;
  OpBuilder &b;
  Location loc;
  Scalar at;
  const TileState &state;
  Value scores, maxima;
};

} // namespace

TileDecision sparse_attn::emitDecision(LinalgAttention &steps,
                                       const TileState &state, Value scores,
                                       Value maxima) {
  Rules rules(steps, state, scores, maxima);
  return llvm::TypeSwitch<Attribute, TileDecision>(
             steps.op.getFilterOrDefault())
      .Case<ThresholdFilterAttr, EnergyFilterAttr, RecallFilterAttr>(
          [&](auto filter) { return rules.decide(filter); });
}

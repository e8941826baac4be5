//===- FlashLoop.cpp - The fused loop over key tiles ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlashLoop.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

namespace {

using FPredicate = arith::CmpFPredicate;
using IPredicate = arith::CmpIPredicate;

constexpr double log2e = 1.4426950408889634;

/// What a row carries from one key tile to the next.
struct State {
  Value accumulator, rowSum, rowMax, skippedMass, visited, skipped;

  SmallVector<Value> values() const {
    SmallVector<Value> all = {accumulator, rowSum, rowMax};
    for (Value value : {skippedMass, visited, skipped})
      if (value)
        all.push_back(value);
    return all;
  }
  /// The same fields with other values.
  State with(ValueRange values) const {
    State next = *this;
    next.accumulator = values[0];
    next.rowSum = values[1];
    next.rowMax = values[2];
    unsigned index = 3;
    for (Value *value : {&next.skippedMass, &next.visited, &next.skipped})
      if (*value)
        *value = values[index++];
    return next;
  }
};

/// A tile's scores and what the online softmax makes of them. Maxima are in
/// log2 units, so that their differences are exponents (but see `natural`).
struct Tile : KeyTile {
  explicit Tile(const KeyTile &key) : KeyTile(key) {}
  Value scores;
  Value tileMax, newMax;
  /// newMax, but 0 where a row has seen no finite score yet, so that no
  /// difference of infinities arises.
  Value safeMax;
  Value probabilities, tileSum; // once computed
};

class FlashLoop {
public:
  FlashLoop(TileBuilder &b, const FlashInputs &in);
  FlashResults build();

private:
  State runLoop(Value from, Value to, int64_t step,
                function_ref<KeyTile(Value)> tileAt, State state);
  State visit(const KeyTile &key, State state);
  Tile score(const KeyTile &key, const State &state);
  Value modify(const KeyTile &key, Value scores, bool hides);
  void exponentiate(Tile &tile);
  State keep(Tile &tile, const State &state);
  Value keepsAnyRow(Tile &tile, const State &state, Value &mass);
  Value recallVote(Tile &tile, const State &state, Value mass,
                   RecallFilterAttr filter);
  Value groupMass(const Tile &tile, const State &state, int64_t groups);
  Value maximumMass(const Tile &tile, const State &state);
  /// 0 where the row sees nothing of the tile.
  Value zeroWhereMasked(Value mass, const Tile &tile);
  /// 2 to the difference of two maxima, or of scores and a maximum.
  Value power(Value difference) { return b.exp2(toLog2(difference)); }
  Value toLog2(Value difference) {
    return natural ? b.mul(difference, b.f32(log2e)) : difference;
  }
  Value minusInfinity(Value rows) {
    return b.compare(FPredicate::OEQ, rows, b.f32(-TileBuilder::infinity));
  }

  TileBuilder &b;
  const FlashInputs &in;
  AttentionOp op;
  FilterAttrInterface filter;
  int64_t width; // columns of the accumulator: the value head_dim's tile
  Type operandType;
  PrecisionAttr precision;
  bool modified;        // scores are scaled before the maximum is taken
  bool natural;         // maxima are in the units of the scores, not of log2
  double exponentScale; // score · exponentScale is in the units of maxima
  Value rowIndex;
  Value validRows; // null when no query tile is ragged
};

/// Whether graphs may have put a finite number of more than f32's precision in
/// the place of -inf: as a constant of the region, or in a mask or a tensor
/// that the region reads.
static bool findLargeStandIn(AttentionOp op) {
  if (Value mask = op.getMask()) {
    Type element = getElementTypeOrSelf(mask.getType());
    if (element.isF32() || element.isBF16())
      return true;
  }
  constexpr double large = 1.0e8;
  if (!op.hasScore())
    return false;
  return llvm::any_of(op.getScore().front(), [&](Operation &inner) {
    if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
      auto number = dyn_cast<FloatAttr>(constant.getValue());
      return number && number.getValue().isFinite() &&
             std::abs(number.getValueAsDouble()) > large;
    }
    return llvm::any_of(inner.getOperandTypes(), [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && isa<FloatType>(tensor.getElementType());
    });
  });
}

FlashLoop::FlashLoop(TileBuilder &b, const FlashInputs &in)
    : b(b), in(in), op(in.op), filter(op.getFilterOrDefault()) {
  auto values = cast<RankedTensorType>(op.getValue().getType());
  operandType = values.getElementType();
  width = getTileColumns(op.getDimSize(op.getDims().n));
  if (operandType.isF32())
    precision = PrecisionAttr::get(op.getContext(), op.getPrecisionOrDefault());
  double scale = op.getScale().convertToDouble();
  // Folding the scale into the exponent needs max(scale · s) = scale · max(s)
  // and scores that nothing but a comparison of indices touches.
  modified = in.structure.modifies() || in.mask || scale <= 0.0;
  // A large stand-in for -inf has no exact product with log2(e), and one near
  // the largest float has none at all: scores and maxima are subtracted first.
  natural = modified && findLargeStandIn(op);
  exponentScale = natural ? 1.0 : modified ? log2e : scale * log2e;
  if (!filter.canSkip())
    filter = DenseFilterAttr::get(op.getContext());
}

/// The scores that the softmax sees, where something of the tile is hidden or
/// where nothing is.
Value FlashLoop::modify(const KeyTile &key, Value scores, bool hides) {
  Value keyIndex;
  if (hides || in.structure.modifies())
    keyIndex = ColumnIndexOp::create(
        b, b.tile({in.rows, in.keys}, b.getI32Type()), key.firstKey);
  // Where every row sees every key, only what the mask surrounds is left.
  if (op.hasScore() && (hides || in.structure.modifies()))
    scores =
        applyScoreRegion(b, op, hides ? Value() : in.structure.kept,
                         in.captured, scores, in.batch, rowIndex, keyIndex);
  if (!hides)
    return scores;
  if (in.mask) {
    auto matrix = cast<MatrixType>(in.mask.getType());
    Type element = matrix.getElementType();
    Value mask = LoadElementsOp::create(b, b.tile({in.rows, in.keys}, element),
                                        in.mask, in.firstQuery, key.firstKey,
                                        in.maskRows, in.maskColumns);
    Value masked;
    if (element.isInteger(1)) {
      masked = b.select(mask, scores, b.f32(-TileBuilder::infinity));
    } else {
      if (!element.isF32())
        mask = arith::ExtFOp::create(b, scores.getType(), mask);
      masked = b.add(scores, mask);
    }
    scores = key.masked ? b.select(key.masked, masked, scores) : masked;
  }
  APInt length;
  if (key.listed || !matchPattern(in.keyLength, m_ConstantInt(&length)) ||
      length.getSExtValue() % in.keys)
    scores = b.select(b.compare(IPredicate::slt, keyIndex, in.keyLength),
                      scores, b.f32(-TileBuilder::infinity));
  return scores;
}

Tile FlashLoop::score(const KeyTile &key, const State &state) {
  Tile tile(key);
  auto matrix = cast<MatrixType>(in.key.getType());
  Value keys = LoadOp::create(
      b, b.tile({in.keys, getTileColumns(matrix.getColumns())}, operandType),
      in.key, key.firstKey, /*in_bounds=*/!key.partial);
  auto type = b.f32Tile({in.rows, in.keys});
  Value scores = MmaOp::create(b, type, in.query, keys, b.full(type, 0.0),
                               /*transpose_b=*/true, precision);
  if (modified)
    scores = b.mul(scores, b.f32(op.getScale().convertToDouble()));
  if (key.full) {
    auto branch = scf::IfOp::create(b, TypeRange(type), key.full,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, modify(key, scores, /*hides=*/false));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, modify(key, scores, /*hides=*/true));
    scores = branch.getResult(0);
  } else {
    scores = modify(key, scores, key.partial);
  }
  tile.scores = scores;
  tile.tileMax = b.reduceRows(ReduceKind::max, scores);
  if (!natural)
    tile.tileMax = b.mul(tile.tileMax, b.f32(exponentScale));
  tile.newMax = b.max(state.rowMax, tile.tileMax);
  tile.safeMax = key.partial || modified ? b.select(minusInfinity(tile.newMax),
                                                    b.f32(0.0), tile.newMax)
                                         : tile.newMax;
  return tile;
}

void FlashLoop::exponentiate(Tile &tile) {
  if (natural) {
    tile.probabilities =
        power(b.sub(tile.scores, b.expandRows(tile.safeMax, in.keys)));
    return;
  }
  Value shift = arith::NegFOp::create(b, tile.safeMax);
  tile.probabilities = b.exp2(
      b.fma(tile.scores, b.f32(exponentScale), b.expandRows(shift, in.keys)));
}

State FlashLoop::keep(Tile &tile, const State &state) {
  State next = state;
  Value correction = power(b.sub(state.rowMax, tile.safeMax));
  if (!tile.probabilities)
    exponentiate(tile);
  if (isa<DenseFilterAttr>(filter)) {
    // Nobody reads the sum before the end: leave it spread over eight columns.
    next.rowSum = b.fma(state.rowSum, b.expandRows(correction, 8),
                        b.foldColumns(ReduceKind::add, tile.probabilities, 8));
  } else {
    if (!tile.tileSum)
      tile.tileSum = b.reduceRows(ReduceKind::add, tile.probabilities);
    next.rowSum = b.fma(state.rowSum, correction, tile.tileSum);
  }
  if (state.skippedMass)
    next.skippedMass = b.mul(state.skippedMass, correction);
  next.rowMax = tile.newMax;
  Value rescaled = b.mul(state.accumulator, b.expandRows(correction, width));
  Value values =
      LoadOp::create(b, b.tile({in.keys, width}, operandType), in.value,
                     tile.firstKey, /*in_bounds=*/!tile.partial);
  Value weights = tile.probabilities;
  if (!operandType.isF32())
    weights = arith::TruncFOp::create(
        b, b.tile({in.rows, in.keys}, operandType), weights);
  next.accumulator =
      MmaOp::create(b, rescaled.getType(), weights, values, rescaled,
                    /*transpose_b=*/false, precision);
  return next;
}

//===----------------------------------------------------------------------===//
// Filters: whether any row of the decision tile wants the key tile
//===----------------------------------------------------------------------===//

Value FlashLoop::zeroWhereMasked(Value mass, const Tile &tile) {
  return tile.partial || modified
             ? b.select(minusInfinity(tile.tileMax), b.f32(0.0), mass)
             : mass;
}

/// Upper bound of the tile's mass in the units of the running sum, from the
/// tile's maximum alone.
Value FlashLoop::maximumMass(const Tile &tile, const State &state) {
  Value each = power(b.sub(tile.tileMax, state.rowMax));
  Value keys = b.f32(in.keys);
  if (tile.partial) {
    Value left = b.mini(b.subi(in.keyLength, tile.firstKey), b.i32(in.keys));
    keys = arith::SIToFPOp::create(b, b.getF32Type(), left);
  }
  return zeroWhereMasked(b.mul(each, keys), tile);
}

/// The same from the maxima of groups of columns.
Value FlashLoop::groupMass(const Tile &tile, const State &state,
                           int64_t groups) {
  Value maxima = b.foldColumns(ReduceKind::max, tile.scores, 2 * groups);
  maxima = FoldPairsOp::create(b, maxima.getType(), ReduceKind::max, maxima);
  Value shift = arith::NegFOp::create(b, state.rowMax);
  Value masses = power(
      b.fma(maxima, b.f32(exponentScale), b.expandRows(shift, 2 * groups)));
  // Each group stands twice among the columns.
  return b.mul(b.reduceRows(ReduceKind::add, masses),
               b.f32(static_cast<double>(in.keys) / (2 * groups)));
}

Value FlashLoop::recallVote(Tile &tile, const State &state, Value mass,
                            RecallFilterAttr recall) {
  Value sum = b.add(state.skippedMass, mass);
  // Nothing kept yet, and something to see: whatever the arithmetic says.
  Value first = b.andi(
      b.compare(FPredicate::OEQ, state.rowSum, b.f32(0.0)),
      b.compare(FPredicate::OGT, tile.tileMax, b.f32(-TileBuilder::infinity)));
  if (!recall.getPerTile()) {
    Value limit = b.mul(state.rowSum, b.f32(recall.getAllowance()));
    Value wanted = b.ori(b.compare(FPredicate::OGT, sum, limit), first);
    if (validRows)
      wanted = b.andi(wanted, validRows);
    return AnyRowOp::create(b, wanted);
  }
  Value share = b.select(b.compare(FPredicate::OEQ, sum, b.f32(0.0)),
                         b.f32(0.0), b.div(sum, state.rowSum));
  share = b.select(first, b.f32(TileBuilder::infinity), share);
  Value rows = b.mini(b.subi(in.queryLength, in.firstQuery), b.i32(in.rows));
  if (validRows)
    share = b.select(validRows, share, b.f32(0.0));
  Value allowed = b.mul(arith::SIToFPOp::create(b, b.getF32Type(), rows),
                        b.f32(recall.getAllowance()));
  return b.compare(FPredicate::OGT, SumRowsOp::create(b, share), allowed);
}

/// The uniform decision; `mass` is what a skip adds to the skipped mass where
/// it is known by then.
Value FlashLoop::keepsAnyRow(Tile &tile, const State &state, Value &mass) {
  if (auto recall = dyn_cast<RecallFilterAttr>(filter)) {
    if (recall.isExact()) {
      exponentiate(tile);
      tile.tileSum = b.reduceRows(ReduceKind::add, tile.probabilities);
      mass = b.mul(tile.tileSum, power(b.sub(tile.safeMax, state.rowMax)));
    } else {
      mass = groupMass(tile, state, recall.getGroups());
    }
    mass = zeroWhereMasked(mass, tile);
    return recallVote(tile, state, mass, recall);
  }
  Value distance = toLog2(b.sub(tile.tileMax, state.rowMax));
  Value limit;
  if (auto threshold = dyn_cast<ThresholdFilterAttr>(filter)) {
    limit = b.f32(std::log2(threshold.getReal()));
  } else {
    auto energy = cast<EnergyFilterAttr>(filter);
    distance = b.sub(distance, b.log2(state.rowSum));
    limit = b.f32(energy.getIsBudget() ? std::log2(energy.getReal() * in.keys)
                                       : energy.getReal() * log2e);
  }
  auto threshold = dyn_cast<ThresholdFilterAttr>(filter);
  auto energy = dyn_cast<EnergyFilterAttr>(filter);
  if ((threshold && threshold.getPerKey()) ||
      (energy && energy.getIsBudget())) {
    Value keys = arith::SIToFPOp::create(b, b.getF32Type(), in.keyLength);
    limit = b.sub(limit, b.log2(keys));
  }
  // Ordered: rows that have seen nothing and see nothing agree to a skip.
  Value wanted = b.compare(FPredicate::OGE, distance, limit);
  if (validRows)
    wanted = b.andi(wanted, validRows);
  return AnyRowOp::create(b, wanted);
}

State FlashLoop::visit(const KeyTile &key, State state) {
  auto increment = [&](Value number) {
    Value one = b.i32(1);
    return b.addi(number,
                  key.listed ? b.select(key.listed, one, b.i32(0)) : one);
  };
  if (state.visited)
    state.visited = increment(state.visited);
  Tile tile = score(key, state);
  if (isa<DenseFilterAttr>(filter))
    return keep(tile, state);
  Value mass;
  Value kept = keepsAnyRow(tile, state, mass);
  auto branch =
      scf::IfOp::create(b, TypeRange(ValueRange(state.values())), kept,
                        /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, keep(tile, state).values());
  b.setInsertionPointToStart(branch.elseBlock());
  State skip = state;
  if (state.skippedMass) {
    if (!mass)
      mass = maximumMass(tile, state);
    skip.skippedMass = b.add(state.skippedMass, mass);
  }
  if (state.skipped)
    skip.skipped = increment(state.skipped);
  scf::YieldOp::create(b, skip.values());
  return state.with(branch.getResults());
}

State FlashLoop::runLoop(Value from, Value to, int64_t step,
                         function_ref<KeyTile(Value)> tileAt, State state) {
  if (isEmptyRange(from, to))
    return state;
  auto loop = scf::ForOp::create(b, from, to, b.i32(step), state.values());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  State next = visit(tileAt(loop.getInductionVar()),
                     state.with(loop.getRegionIterArgs()));
  scf::YieldOp::create(b, next.values());
  return state.with(loop.getResults());
}

FlashResults FlashLoop::build() {
  bool dense = isa<DenseFilterAttr>(filter);
  APInt queries;
  bool raggedRows = !matchPattern(in.queryLength, m_ConstantInt(&queries)) ||
                    queries.getSExtValue() % in.rows;
  if (op.hasScore() || (raggedRows && !dense))
    rowIndex =
        RowIndexOp::create(b, b.tile(in.rows, b.getI32Type()), in.firstQuery);
  if (raggedRows && !dense)
    validRows = b.compare(IPredicate::slt, rowIndex, in.queryLength);

  State state;
  state.accumulator = b.full(b.f32Tile({in.rows, width}), 0.0);
  state.rowSum = dense ? b.full(b.f32Tile({in.rows, 8}), 0.0)
                       : b.full(b.f32Tile(in.rows), 0.0);
  state.rowMax = b.full(b.f32Tile(in.rows), -TileBuilder::infinity);
  if (!dense && (op.getRecallBound() || isa<RecallFilterAttr>(filter)))
    state.skippedMass = b.full(b.f32Tile(in.rows), 0.0);
  if (!dense && op.getTileCounts())
    state.skipped = b.i32(0);

  KeyBounds bounds = findKeyBounds(b, in);
  if (op.getBlockCounts()) {
    if (op.getTileCounts())
      state.visited = b.i32(0);
    ListedTiles tiles(b, in, bounds);
    state = runLoop(
        b.i32(0), tiles.getCount(), 1,
        [&](Value number) { return tiles.at(number); }, state);
  } else {
    auto run = [&](Value from, Value to, bool partial) {
      auto tileAt = [&](Value key) {
        return KeyTile{key, partial, {}, {}, {}};
      };
      state = runLoop(from, to, in.keys, tileAt, state);
    };
    run(bounds.begin, bounds.fullBegin, /*partial=*/true);
    run(bounds.fullBegin, bounds.fullEnd, /*partial=*/false);
    run(bounds.fullEnd, bounds.end, /*partial=*/true);
  }

  FlashResults results;
  results.accumulator = state.accumulator;
  results.rowMax = state.rowMax;
  if (natural) // in log2 units all the same, but not -inf for being low
    results.rowMax = b.select(
        minusInfinity(state.rowMax), state.rowMax,
        b.max(toLog2(state.rowMax), b.f32(-std::numeric_limits<float>::max())));
  results.rowSum =
      dense ? b.reduceRows(ReduceKind::add, state.rowSum) : state.rowSum;
  results.skippedMass = state.skippedMass;
  if (op.getTileCounts()) {
    results.visited = state.visited;
    if (!results.visited) {
      Value keys = b.subi(bounds.end, bounds.begin);
      results.visited =
          b.divi(b.addi(keys, b.i32(in.keys - 1)), b.i32(in.keys));
    }
    results.skipped = state.skipped ? state.skipped : b.i32(0);
  }
  return results;
}

} // namespace

FlashResults attn_tile::buildFlashLoop(TileBuilder &b,
                                       const FlashInputs &inputs) {
  return FlashLoop(b, inputs).build();
}

//===- TiledAttention.cpp - Attention as a loop over key tiles ------------===//
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
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;

static constexpr double minusInfinity =
    -std::numeric_limits<double>::infinity();

SmallVector<Value> TileState::pack() const {
  SmallVector<Value> values;
  for (Value value : {maxima, sums, skippedMass, acc, visited, skipped})
    if (value)
      values.push_back(value);
  return values;
}

TileState TileState::unpack(ValueRange values) const {
  TileState result = *this;
  for (Value *value : {&result.maxima, &result.sums, &result.skippedMass,
                       &result.acc, &result.visited, &result.skipped})
    if (*value) {
      *value = values.front();
      values = values.drop_front();
    }
  return result;
}

namespace {

class TiledAttention {
public:
  TiledAttention(OpBuilder &b, AttentionOp op)
      : b(b), loc(op.getLoc()), op(op), dims(op.getDims()) {}

  SmallVector<Value> run();

private:
  using Sizes = SmallVector<OpFoldResult>;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value count(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value sizeOf(unsigned dim) {
    auto [operand, position] = op.getDimSource(dim);
    return getValueOrCreateConstantIndexOp(
        b, loc, tensor::getMixedSize(b, loc, operand, position));
  }

  /// Offset and size of the current tile in each dimension of the operand
  /// read through `map`; `kept` tells which of them a slice keeps.
  void place(AffineMap map, Sizes &offsets, Sizes &sizes,
             llvm::SmallBitVector &kept, Value operand);
  Value slice(Value operand, AffineMap map);
  Value insert(Value tile, Value into, AffineMap map);
  /// The size of a tile that starts at `first`: static where all are equal.
  OpFoldResult tileSize(unsigned dim, Value first, int64_t whole, Value end);

  LinalgAttention stepsAt();
  SmallVector<Value> queryTile(Value first, ValueRange results);
  TileState initialState();
  TileState keyTiles(TileState state);
  TileState keyLoop(TileState state, Value first, Value end);
  TileState keyTile(TileState state);
  /// `state` after one of two ways on from it.
  TileState branch(const TileState &state, Value condition,
                   function_ref<TileState()> then,
                   function_ref<TileState()> otherwise);
  TileState skip(LinalgAttention &steps, const TileState &state, Value mass);
  TileState keep(LinalgAttention &steps, const TileState &state, Value scores,
                 Value maxima);
  Value increment(Value x) {
    return x ? arith::AddIOp::create(b, loc, x, count(1)).getResult() : x;
  }
  SmallVector<Value> storeResults(const TileState &state, ValueRange results);

  OpBuilder &b;
  Location loc;
  AttentionOp op;
  AttentionOp::Dims dims;
  int64_t tileRows = 0, tileKeys = 0;
  Value queries, keys;
  // Where the loops are.
  SmallVector<Value> batchIndices;
  Value firstQuery, firstKey;
  OpFoldResult rowCount, keyCount;
  bool unmasked = false; // in blocks that the list says need no mask
};

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

OpFoldResult TiledAttention::tileSize(unsigned dim, Value first, int64_t whole,
                                      Value end) {
  int64_t size = op.getDimSize(dim);
  bool wholeBlocks = dim != dims.k2 || !op.getBlockCounts() ||
                     (*op.getBlockShape())[1] % whole == 0;
  if (!ShapedType::isDynamic(size) && size % whole == 0 && wholeBlocks)
    return b.getIndexAttr(whole);
  Value left = arith::SubIOp::create(b, loc, end, first);
  return arith::MinSIOp::create(b, loc, left, index(whole)).getResult();
}

void TiledAttention::place(AffineMap map, Sizes &offsets, Sizes &sizes,
                           llvm::SmallBitVector &kept, Value operand) {
  kept.resize(map.getNumResults());
  for (auto [position, expr] : llvm::enumerate(map.getResults())) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    const auto *batch = llvm::find(dims.batch, dim);
    kept[position] = batch == dims.batch.end();
    if (!kept[position]) {
      offsets.push_back(batchIndices[batch - dims.batch.begin()]);
      sizes.push_back(b.getIndexAttr(1));
    } else if (dim == dims.m) {
      offsets.push_back(firstQuery);
      sizes.push_back(rowCount);
    } else if (dim == dims.k2) {
      offsets.push_back(firstKey);
      sizes.push_back(keyCount);
    } else {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(tensor::getMixedSize(b, loc, operand, position));
    }
  }
}

Value TiledAttention::slice(Value operand, AffineMap map) {
  if (!operand)
    return {};
  Sizes offsets, sizes;
  llvm::SmallBitVector kept;
  place(map, offsets, sizes, kept, operand);
  Sizes strides(sizes.size(), b.getIndexAttr(1)), keptSizes;
  for (unsigned position : kept.set_bits())
    keptSizes.push_back(sizes[position]);
  SmallVector<int64_t> shape;
  std::tie(shape, std::ignore) = decomposeMixedValues(keptSizes);
  Type element = cast<RankedTensorType>(operand.getType()).getElementType();
  return tensor::ExtractSliceOp::create(b, loc,
                                        RankedTensorType::get(shape, element),
                                        operand, offsets, sizes, strides);
}

Value TiledAttention::insert(Value tile, Value into, AffineMap map) {
  Sizes offsets, sizes;
  llvm::SmallBitVector kept;
  place(map, offsets, sizes, kept, into);
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, loc, tile, into, offsets, sizes,
                                       strides);
}

LinalgAttention TiledAttention::stepsAt() {
  AttentionSlice at;
  at.query = slice(op.getQuery(), op.getQueryMap());
  at.batchIndices = batchIndices;
  at.firstQuery = firstQuery;
  if (firstKey) {
    at.key = slice(op.getKey(), op.getKeyMap());
    at.value = slice(op.getValue(), op.getValueMap());
    if (!unmasked)
      at.mask = slice(op.getMask(), op.getMaskMap());
    at.firstKey = firstKey;
  }
  return LinalgAttention(b, op, at);
}

//===----------------------------------------------------------------------===//
// One key tile
//===----------------------------------------------------------------------===//

TileState TiledAttention::skip(LinalgAttention &steps, const TileState &state,
                               Value mass) {
  TileState next = state;
  next.skippedMass =
      steps.mapRows({state.skippedMass, mass}, b.getF32Type(),
                    [](OpBuilder &b, Location loc, ValueRange args) -> Value {
                      return arith::AddFOp::create(b, loc, args[0], args[1]);
                    });
  next.skipped = increment(state.skipped);
  return next;
}

TileState TiledAttention::keep(LinalgAttention &steps, const TileState &state,
                               Value scores, Value maxima) {
  Type f32 = b.getF32Type();
  TileState next = state;
  next.maxima = steps.mapRows(
      {state.maxima, maxima}, f32,
      [](OpBuilder &b, Location loc, ValueRange args) -> Value {
        return arith::MaximumFOp::create(b, loc, args[0], args[1]);
      });
  // exp(m - m'), 0 for a row that has no key yet.
  Value factor = steps.mapRows(
      {state.maxima, next.maxima}, f32,
      [](OpBuilder &b, Location loc, ValueRange args) -> Value {
        auto constant = [&](double value) -> Value {
          return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
        };
        Value fresh = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            args[0], constant(minusInfinity));
        Value shifted = arith::SubFOp::create(b, loc, args[0], args[1]);
        Value exp = math::ExpOp::create(b, loc, shifted);
        return arith::SelectOp::create(b, loc, fresh, constant(0.0), exp);
      });
  Value weights = steps.exponentials(scores, next.maxima);
  next.sums =
      steps.mapRows({state.sums, factor, steps.rowSums(weights)}, f32,
                    [](OpBuilder &b, Location loc, ValueRange args) -> Value {
                      Value old =
                          arith::MulFOp::create(b, loc, args[0], args[1]);
                      return arith::AddFOp::create(b, loc, old, args[2]);
                    });
  if (state.skippedMass)
    next.skippedMass = steps.mapRows(
        {state.skippedMass, factor}, f32,
        [](OpBuilder &b, Location loc, ValueRange args) -> Value {
          // Once the bound has overflowed, no rescaling brings it back.
          Value top = arith::ConstantOp::create(
              b, loc, b.getF32FloatAttr(-minusInfinity));
          Value full = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                             args[0], top);
          Value scaled = arith::MulFOp::create(b, loc, args[0], args[1]);
          return arith::SelectOp::create(b, loc, full, top, scaled);
        });
  next.acc = steps.product(weights, steps.scaleRows(state.acc, factor));
  return next;
}

TileState TiledAttention::branch(const TileState &state, Value condition,
                                 function_ref<TileState()> then,
                                 function_ref<TileState()> otherwise) {
  auto body = [&](function_ref<TileState()> emit) {
    return [&, emit](OpBuilder &, Location) {
      scf::YieldOp::create(b, loc, emit().pack());
    };
  };
  auto ifOp = scf::IfOp::create(b, loc, condition, body(then), body(otherwise));
  return state.unpack(ifOp.getResults());
}

TileState TiledAttention::keyTile(TileState state) {
  LinalgAttention steps = stepsAt();
  Value scores = steps.scores();
  Value maxima = steps.rowMaxima(scores);
  Value lowest = steps.constant(minusInfinity);
  Value top = steps.reduceAll(
      maxima, lowest, [](OpBuilder &b, Location loc, ValueRange args) -> Value {
        return arith::MaximumFOp::create(b, loc, args[0], args[1]);
      });
  // A tile that shows no row a key is not visited. No number is visited.
  Value seen =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, top, lowest);
  auto visit = [&] {
    TileState now = state;
    now.visited = increment(state.visited);
    if (!state.skippedMass)
      return keep(steps, now, scores, maxima);
    TileDecision decision = emitDecision(steps, now, scores, maxima);
    return branch(
        state, decision.skip, [&] { return skip(steps, now, decision.mass); },
        [&] { return keep(steps, now, scores, maxima); });
  };
  return branch(state, seen, visit, [&] { return state; });
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

TileState TiledAttention::keyLoop(TileState state, Value first, Value end) {
  auto loop = scf::ForOp::create(
      b, loc, first, end, index(tileKeys), state.pack(),
      [&](OpBuilder &, Location, Value iv, ValueRange carried) {
        firstKey = iv;
        keyCount = tileSize(dims.k2, iv, tileKeys, end);
        TileState next = keyTile(state.unpack(carried));
        firstKey = {};
        scf::YieldOp::create(b, loc, next.pack());
      });
  return state.unpack(loop.getResults());
}

TileState TiledAttention::keyTiles(TileState state) {
  if (!op.getBlockCounts())
    return keyLoop(state, index(0), keys);

  // One loop over the entries of the list, and in each over its tiles.
  ArrayRef<int64_t> block = *op.getBlockShape();
  Value row = arith::DivUIOp::create(b, loc, firstQuery, index(block[0]));
  SmallVector<Value> at = batchIndices;
  at.push_back(row);
  auto read = [&](Value tensor, ValueRange last) -> Value {
    SmallVector<Value> indices = at;
    llvm::append_range(indices, last);
    Value number = tensor::ExtractOp::create(b, loc, tensor, indices);
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
  };
  Value listed = read(op.getBlockCounts(), {});
  Value room = getValueOrCreateConstantIndexOp(
      b, loc, tensor::getMixedSize(b, loc, op.getBlockIndices(), at.size()));
  Value end = arith::MinSIOp::create(b, loc, listed, room);
  auto visit = [&](Value entry, TileState state) {
    SmallVector<Value> last = {entry};
    if (op.hasBlockFlags())
      last.push_back(index(0));
    Value number = read(op.getBlockIndices(), last);
    // A block before the first key is as empty as one after the last.
    Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           number, index(0));
    Value first = arith::MulIOp::create(b, loc, number, index(block[1]));
    first = arith::SelectOp::create(b, loc, negative, keys, first);
    Value behind = arith::AddIOp::create(b, loc, first, index(block[1]));
    behind = arith::MinSIOp::create(b, loc, behind, keys);
    if (!op.hasBlockFlags())
      return keyLoop(state, first, behind);
    last.back() = index(1);
    Value masked =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                              read(op.getBlockIndices(), last), index(0));
    return branch(
        state, masked, [&] { return keyLoop(state, first, behind); },
        [&] {
          unmasked = true;
          TileState next = keyLoop(state, first, behind);
          unmasked = false;
          return next;
        });
  };
  auto loop = scf::ForOp::create(
      b, loc, index(0), end, index(1), state.pack(),
      [&](OpBuilder &, Location, Value iv, ValueRange carried) {
        TileState next = visit(iv, state.unpack(carried));
        scf::YieldOp::create(b, loc, next.pack());
      });
  return state.unpack(loop.getResults());
}

TileState TiledAttention::initialState() {
  firstKey = {};
  LinalgAttention steps = stepsAt();
  TileState state;
  state.maxima = steps.filledRows(minusInfinity);
  state.sums = steps.filledRows(0.0);
  // Without a decision tile, a filter is a permission that nobody used.
  if (op.getDecisionTile() && op.getFilterOrDefault().canSkip())
    state.skippedMass = steps.filledRows(0.0);
  Sizes sizes = steps.getRowSizes();
  auto [operand, position] = op.getDimSource(dims.n);
  sizes.push_back(tensor::getMixedSize(b, loc, operand, position));
  state.acc = steps.filled(sizes, steps.constant(0.0));
  if (op.getTileCounts())
    state.visited = state.skipped = count(0);
  return state;
}

SmallVector<Value> TiledAttention::storeResults(const TileState &state,
                                                ValueRange results) {
  firstKey = {};
  LinalgAttention steps = stepsAt();
  SmallVector<Value> stored;
  auto put = [&](AffineMap map, function_ref<Value(Value init)> value) {
    Value into = results[stored.size()];
    stored.push_back(insert(value(slice(into, map)), into, map));
  };
  put(op.getOutputMap(), [&](Value init) {
    return steps.normalized(state.acc, state.sums, init);
  });
  if (op.getLogSumExp())
    put(op.getRowMap(), [&](Value init) {
      return steps.logSumExp(state.maxima, state.sums, init);
    });
  if (op.getRecallBound())
    put(op.getRowMap(), [&](Value init) {
      Value skipped =
          state.skippedMass ? state.skippedMass : steps.filledRows(0.0);
      return steps.recallBound(state.sums, skipped, init);
    });
  if (op.getTileCounts()) {
    SmallVector<Value> at = batchIndices;
    at.push_back(arith::DivUIOp::create(b, loc, firstQuery, index(tileRows)));
    Value counts = results[stored.size()];
    Value numbers[] = {state.visited, state.skipped};
    for (auto [position, number] : llvm::enumerate(numbers)) {
      at.push_back(index(position));
      counts = tensor::InsertOp::create(b, loc, number, counts, at);
      at.pop_back();
    }
    stored.push_back(counts);
  }
  return stored;
}

SmallVector<Value> TiledAttention::queryTile(Value first, ValueRange results) {
  firstQuery = first;
  rowCount = tileSize(dims.m, first, tileRows, queries);
  return storeResults(keyTiles(initialState()), results);
}

SmallVector<Value> TiledAttention::run() {
  ArrayRef<int64_t> tile =
      op.getDecisionTile() ? *op.getDecisionTile() : *op.getBlockShape();
  tileRows = tile[0];
  tileKeys = tile[1];
  queries = sizeOf(dims.m);
  keys = sizeOf(dims.k2);
  SmallVector<Value> ends, firsts, steps;
  for (unsigned dim : dims.batch)
    ends.push_back(sizeOf(dim));
  ends.push_back(queries);
  firsts.assign(ends.size(), index(0));
  steps.assign(dims.batch.size(), index(1));
  steps.push_back(index(tileRows));
  OpBuilder::InsertionGuard guard(b);
  scf::LoopNest nest = scf::buildLoopNest(
      b, loc, firsts, ends, steps, op.getDpsInits(),
      [&](OpBuilder &, Location, ValueRange ivs, ValueRange carried) {
        batchIndices.assign(ivs.begin(), std::prev(ivs.end()));
        return queryTile(ivs.back(), carried);
      });
  return nest.results;
}

} // namespace

SmallVector<Value> sparse_attn::emitTiledAttention(OpBuilder &builder,
                                                   AttentionOp op) {
  return TiledAttention(builder, op).run();
}

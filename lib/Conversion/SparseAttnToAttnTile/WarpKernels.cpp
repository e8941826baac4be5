//===- WarpKernels.cpp - Kernels of one warp a row ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is small beside attention: pooling, the choice of blocks, what lists
// recall. A thread block is one warp, so no lane ever waits for another warp.
//
//===----------------------------------------------------------------------===//

#include "WarpKernel.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

using IPredicate = arith::CmpIPredicate;

namespace {

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

/// Block x is 32 columns of a token of the result; y what lies before it.
struct TokenColumn {
  TokenColumn(WarpKernel &w, const SplitShape &result) {
    TileBuilder &b = w.b;
    int64_t warps = llvm::divideCeil(result.inner, 32);
    token = b.divi(w.x, b.i32(warps));
    column = b.addi(b.muli(b.remi(w.x, b.i32(warps)), b.i32(32)), w.lane);
    inside = b.compare(IPredicate::slt, column, b.i32(result.inner));
  }
  Value token, column, inside;
};

void buildPool(WarpKernel w, PoolTokensOp op) {
  TileBuilder &b = w.b;
  SplitShape from = splitShape(w.shapeOf(op.getSource()), op.getDim());
  SplitShape to = splitShape(w.shapeOf(op.getInit()), op.getDim());
  Type element = getElementTypeOrSelf(op.getSource());
  Value source = w.part(op.getSource(), from.size * from.inner, w.y);
  Value target = w.part(op.getInit(), to.size * to.inner, w.y);
  TokenColumn at(w, to);
  w.when(at.inside, [&] {
    Value first = b.muli(at.token, b.i32(op.getTile()));
    Value end = b.mini(b.addi(first, b.i32(op.getTile())), b.i32(from.size));
    Value count = b.f32(op.getTile());
    if (!op.getZeroPadded())
      count = w.numberToF32(b.subi(end, first));
    auto mean = [&](function_ref<Value(Value)> term) {
      Value sum =
          w.fold(first, end, 1, b.f32(0.0), [&](Value token, Value sum) {
            Value index = b.addi(b.muli(token, b.i32(from.inner)), at.column);
            return b.add(sum, term(w.toF32(w.load(source, element, index))));
          });
      return b.div(sum, count);
    };
    Value result = mean([](Value x) { return x; });
    if (op.getVariance()) {
      Value center = result;
      result = mean([&](Value x) {
        Value distance = b.sub(x, center);
        return b.mul(distance, distance);
      });
    }
    w.store(result, target,
            b.addi(b.muli(at.token, b.i32(to.inner)), at.column));
  });
  w.finish();
}

void buildSample(WarpKernel w, SampleTokensOp op) {
  TileBuilder &b = w.b;
  SplitShape from = splitShape(w.shapeOf(op.getSource()), op.getDim());
  SplitShape to = splitShape(w.shapeOf(op.getInit()), op.getDim());
  Value source = w.part(op.getSource(), from.size * from.inner, w.y);
  Value target = w.part(op.getInit(), to.size * to.inner, w.y);
  TokenColumn at(w, to);
  w.when(at.inside, [&] {
    Value row =
        w.clamp(w.loadI32(w.pointer(op.getRows()), at.token), from.size);
    Value index = b.addi(b.muli(row, b.i32(from.inner)), at.column);
    w.store(w.load(source, getElementTypeOrSelf(op.getSource()), index), target,
            b.addi(b.muli(at.token, b.i32(to.inner)), at.column));
  });
  w.finish();
}

//===----------------------------------------------------------------------===//
// Estimated scores
//===----------------------------------------------------------------------===//

/// Block x is a block of queries, y an entry of the batch. The warp computes
/// one logarithm of a mass after the other, and lane v mod 32 keeps that of
/// block v: what it writes only it reads again.
void buildGaussian(WarpKernel w, GaussianScoresOp op) {
  TileBuilder &b = w.b;
  auto map = [&](unsigned index) {
    return cast<AffineMapAttr>(op.getIndexingMaps()[index]).getValue();
  };
  AffineMap result = map(2);
  ArrayRef<int64_t> shape = w.shapeOf(op.getInit());
  unsigned rank = shape.size();
  int64_t blocks = shape.back(), features = 0;
  SmallVector<unsigned> dims;
  for (unsigned i = 0; i + 2 < rank; ++i)
    dims.push_back(result.getDimPosition(i));
  SmallVector<Value> batch = w.splitBatch(
      dims, [&](unsigned dim) { return shape[*getPosition(result, dim)]; });
  unsigned queryDim = result.getDimPosition(rank - 2);
  unsigned keyDim = result.getDimPosition(rank - 1);

  // Where a row of an operand begins, and how far its features are apart.
  struct Rows {
    Value begin;
    int64_t rowPitch, featurePitch;
  };
  auto rowsOf = [&](Value operand, AffineMap map, unsigned rowDim) {
    auto type = cast<RankedTensorType>(operand.getType());
    Rows rows;
    rows.begin = w.moved(operand, w.batchOffset(operand, map, dims, batch));
    rows.rowPitch = *getPitch(type, *getPosition(map, rowDim));
    for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
      if (!result.isFunctionOfDim(dim)) {
        unsigned position = *getPosition(map, dim);
        rows.featurePitch = *getPitch(type, position);
        features = type.getDimSize(position);
      }
    return rows;
  };
  Rows queryMean = rowsOf(op.getQueryMean(), map(0), queryDim);
  Rows queryVariance = rowsOf(op.getQueryVariance(), map(0), queryDim);
  Rows keyMean = rowsOf(op.getKeyMean(), map(1), keyDim);
  Rows keyVariance = rowsOf(op.getKeyVariance(), map(1), keyDim);
  auto element = [&](const Rows &rows, Value row, Value feature) {
    Value index = b.addi(b.muli(row, b.i32(rows.rowPitch)),
                         b.muli(feature, b.i32(rows.featurePitch)));
    return w.loadF32(rows.begin, index);
  };

  double scale = op.getScale().convertToDouble();
  auto logMass = [&](Value block) {
    Value partial = w.fold(
        w.lane, b.i32(features), 32, b.f32(0.0), [&](Value d, Value sum) {
          Value qm = element(queryMean, w.x, d),
                km = element(keyMean, block, d);
          Value qv = element(queryVariance, w.x, d);
          Value kv = element(keyVariance, block, d);
          Value spread = b.mul(qv, b.mul(km, km));
          spread = b.fma(b.fma(qm, qm, qv), kv, spread);
          Value term = b.fma(b.f32(0.5 * scale * scale), spread,
                             b.mul(b.f32(scale), b.mul(qm, km)));
          return b.add(sum, term);
        });
    Value first = b.muli(block, b.i32(op.getBlockKeys()));
    Value keys =
        b.mini(b.subi(b.i32(op.getKeys()), first), b.i32(op.getBlockKeys()));
    return b.add(w.sum(partial), math::LogOp::create(b, w.numberToF32(keys)));
  };

  int64_t rowEntries = shape[rank - 2];
  Value number = b.addi(b.muli(w.y, b.i32(rowEntries)), w.x);
  Value target = w.part(op.getInit(), blocks, number);
  Value minusInfinity = b.f32(-TileBuilder::infinity);
  Value all = b.i32(blocks), none = b.i32(0);
  auto isMine = [&](Value first) {
    Value mine = b.addi(first, w.lane);
    return std::pair(mine, b.compare(IPredicate::slt, mine, all));
  };
  Value maximum =
      w.fold(none, all, 32, minusInfinity, [&](Value first, Value maximum) {
        Value end = b.mini(b.addi(first, b.i32(32)), all);
        Value own =
            w.fold(first, end, 1, minusInfinity, [&](Value block, Value own) {
              Value kept =
                  b.compare(IPredicate::eq, b.subi(block, first), w.lane);
              return b.select(kept, logMass(block), own);
            });
        auto [mine, there] = isMine(first);
        w.storeIf(there, own, target, mine);
        return b.max(maximum, own);
      });
  maximum = w.maximum(maximum);
  auto massOf = [&](Value mine) {
    Value distance = b.sub(w.loadF32(target, mine), maximum);
    return Value(math::ExpOp::create(b, distance));
  };
  Value total = w.fold(w.lane, all, 32, b.f32(0.0), [&](Value mine, Value sum) {
    return b.add(sum, massOf(mine));
  });
  total = w.sum(total);
  w.loop(w.lane, all, 32, {}, [&](Value mine, ValueRange) {
    w.store(b.div(massOf(mine), total), target, mine);
    return SmallVector<Value>();
  });
  w.finish();
}

//===----------------------------------------------------------------------===//
// What lists recall
//===----------------------------------------------------------------------===//

/// Block x is a sampled query; the lanes share the entries of its list.
void buildListRecall(WarpKernel w, ListRecallOp op) {
  TileBuilder &b = w.b;
  int64_t samples = w.shapeOf(op.getRows()).front();
  int64_t blocks = w.shapeOf(op.getMasses()).back();
  ArrayRef<int64_t> list = w.shapeOf(op.getIndices());
  int64_t rows = list[list.size() - 2], entries = list.back();
  Value number = b.addi(b.muli(w.y, b.i32(samples)), w.x);
  Value masses = w.part(op.getMasses(), blocks, number);
  Value row = w.loadI32(w.pointer(op.getRows()), w.x);
  Value block = w.clamp(b.divi(row, b.i32(op.getBlockRows())), rows);
  Value position = b.addi(b.muli(w.y, b.i32(rows)), block);
  Value count =
      b.mini(w.loadI32(w.pointer(op.getCounts()), position), b.i32(entries));
  Value indices = w.part(op.getIndices(), entries, position);
  Value sum =
      w.fold(w.lane, count, 32, b.f32(0.0), [&](Value entry, Value sum) {
        Value key = w.loadI32(indices, entry);
        Value inside = b.compare(IPredicate::ult, key, b.i32(blocks));
        Value mass = w.loadF32(masses, w.clamp(key, blocks));
        return b.add(sum, b.select(inside, mass, b.f32(0.0)));
      });
  sum = arith::MinNumFOp::create(b, w.sum(sum), b.f32(1.0));
  w.storeIf(w.isFirstLane(), sum, w.pointer(op.getInit()), number);
  w.finish();
}

/// Block y is an entry of the batch; the lanes share its queries.
void buildCertification(WarpKernel w, CertifyRecallOp op) {
  TileBuilder &b = w.b;
  int64_t samples = w.shapeOf(op.getRecalls()).back();
  double count = samples;
  Value recalls = w.part(op.getRecalls(), samples, w.y);
  auto sumOf = [&](function_ref<Value(Value)> term) {
    Value sum = w.fold(w.lane, b.i32(samples), 32, b.f32(0.0),
                       [&](Value sample, Value sum) {
                         return b.add(sum, term(w.loadF32(recalls, sample)));
                       });
    return w.sum(sum);
  };
  Value mean = b.mul(sumOf([](Value x) { return x; }), b.f32(1.0 / count));
  Value squares = sumOf([&](Value x) {
    Value distance = b.sub(x, mean);
    return b.mul(distance, distance);
  });
  double doubt = std::log(2.0 / (1.0 - op.getConfidence().convertToDouble()));
  Value spread = math::SqrtOp::create(
      b, b.mul(squares, b.f32(2.0 * doubt / (count * (count - 1.0)))));
  Value bound =
      b.sub(b.sub(mean, spread), b.f32(7.0 * doubt / (3.0 * (count - 1.0))));
  w.storeIf(w.isFirstLane(), b.max(bound, b.f32(0.0)), w.pointer(op.getInit()),
            w.y);
  w.finish();
}

} // namespace

void attn_tile::buildWarpKernel(func::FuncOp function, KernelOpInterface op) {
  WarpKernel w(function, op);
  TypeSwitch<Operation *>(op)
      .Case([&](PoolTokensOp pool) { buildPool(w, pool); })
      .Case([&](SampleTokensOp sample) { buildSample(w, sample); })
      .Case([&](GaussianScoresOp scores) { buildGaussian(w, scores); })
      .Case([&](SelectBlocksOp select) { buildSelection(w, select); })
      .Case([&](ListRecallOp recall) { buildListRecall(w, recall); })
      .Case([&](CertifyRecallOp certify) { buildCertification(w, certify); });
}

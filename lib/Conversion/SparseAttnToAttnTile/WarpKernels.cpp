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

#include "BlockKernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

using FPredicate = arith::CmpFPredicate;
using IPredicate = arith::CmpIPredicate;

namespace {

/// A kernel of one warp, seen from a lane. All numbers are f32 or i32.
struct WarpKernel : BlockKernel {
  WarpKernel(func::FuncOp function, Operation *op) : BlockKernel(function, op) {
    lane = arith::IndexCastOp::create(
        b, b.getI32Type(), gpu::ThreadIdOp::create(b, gpu::Dimension::x));
  }

  Value load(Value base, Type element, Value index) {
    Value place =
        LLVM::GEPOp::create(b, base.getType(), element, base,
                            ArrayRef<LLVM::GEPArg>{b.extend64(index)});
    return LLVM::LoadOp::create(b, element, place);
  }
  Value loadF32(Value base, Value index) {
    return load(base, b.getF32Type(), index);
  }
  Value loadI32(Value base, Value index) {
    return load(base, b.getI32Type(), index);
  }
  void store(Value value, Value base, Value index) {
    Value place =
        LLVM::GEPOp::create(b, base.getType(), value.getType(), base,
                            ArrayRef<LLVM::GEPArg>{b.extend64(index)});
    LLVM::StoreOp::create(b, value, place);
  }
  void storeIf(Value condition, Value value, Value base, Value index) {
    when(condition, [&] { store(value, base, index); });
  }

  /// for (number = from; number < to; number += step), carrying values.
  SmallVector<Value>
  loop(Value from, Value to, int64_t step, ValueRange init,
       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    auto made = scf::ForOp::create(b, from, to, b.i32(step), init);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(made.getBody());
    SmallVector<Value> next =
        body(made.getInductionVar(), made.getRegionIterArgs());
    // The builder ends a loop that carries nothing by itself.
    if (!init.empty())
      scf::YieldOp::create(b, next);
    return SmallVector<Value>(made.getResults());
  }
  /// The same for a single value.
  Value fold(Value from, Value to, int64_t step, Value init,
             function_ref<Value(Value, Value)> body) {
    return loop(from, to, step, init,
                [&](Value number, ValueRange carried) -> SmallVector<Value> {
                  return {body(number, carried.front())};
                })
        .front();
  }
  void when(Value condition, function_ref<void()> body) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  }

  /// The values of all lanes combined, for each of them.
  Value combine(Value value, function_ref<Value(Value, Value)> with) {
    for (int64_t mask : {16, 8, 4, 2, 1})
      value =
          with(value, gpu::ShuffleOp::create(b, value, b.i32(mask), b.i32(32),
                                             gpu::ShuffleMode::XOR)
                          .getShuffleResult());
    return value;
  }
  Value sum(Value value) {
    return combine(value, [&](Value x, Value y) { return b.add(x, y); });
  }
  Value maximum(Value value) {
    return combine(value, [&](Value x, Value y) { return b.max(x, y); });
  }

  Value toF32(Value x) {
    return x.getType().isF32()
               ? x
               : Value(arith::ExtFOp::create(b, b.getF32Type(), x));
  }
  Value numberToF32(Value x) {
    return arith::SIToFPOp::create(b, b.getF32Type(), x);
  }
  /// `x` inside 0 .. size - 1.
  Value clamp(Value x, int64_t size) {
    return b.maxi(b.mini(x, b.i32(size - 1)), b.i32(0));
  }
  Value isFirstLane() { return b.compare(IPredicate::eq, lane, b.i32(0)); }
  void finish() { gpu::ReturnOp::create(b, ValueRange()); }

  Value lane;
};

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
  sum = w.sum(sum);
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

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// Block x is a block of queries. Lanes share the blocks of keys, and each
/// compares its own with all others: no sort, no shared memory, and the same
/// list whatever the order in which lanes run.
class SelectionKernel {
public:
  SelectionKernel(WarpKernel w, SelectBlocksOp op)
      : w(w), b(this->w.b), op(op), shape(w.shapeOf(op.getScores())),
        blocks(shape.back()),
        forcedFrom(op.getForcedFrom()
                       ? std::min<int64_t>(*op.getForcedFrom(), blocks)
                       : blocks) {}
  void build();

private:
  /// A score to rank by: what is no number comes last.
  Value rankKey(Value block) {
    Value score = w.loadF32(scores, block);
    return b.select(b.compare(FPredicate::ORD, score, score), score,
                    b.f32(-TileBuilder::infinity));
  }
  /// Whether the block is always kept; null where none is.
  Value isForced(Value block) {
    return forcedFrom == blocks
               ? Value()
               : b.compare(IPredicate::sge, block, b.i32(forcedFrom));
  }
  Value massOf(Value block) {
    Value score = w.loadF32(scores, block);
    return b.select(b.compare(FPredicate::ORD, score, score), score,
                    b.f32(0.0));
  }
  /// How many blocks rank before `block`, and the mass of these if wanted.
  std::pair<Value, Value> findRank(Value block, bool withMass);
  /// How many ranks the row keeps.
  Value countKept();
  Value countTopP(Value share);

  WarpKernel w;
  TileBuilder &b;
  SelectBlocksOp op;
  ArrayRef<int64_t> shape;
  int64_t blocks, forcedFrom;
  Value scores;
};

std::pair<Value, Value> SelectionKernel::findRank(Value block, bool withMass) {
  Value own = rankKey(block), forced = isForced(block);
  SmallVector<Value> init = {b.i32(0)};
  if (withMass)
    init.push_back(b.f32(0.0));
  SmallVector<Value> found = w.loop(
      b.i32(0), b.i32(blocks), 1, init,
      [&](Value other, ValueRange carried) -> SmallVector<Value> {
        Value key = rankKey(other);
        Value greater = b.compare(FPredicate::OGT, key, own);
        Value equal = b.compare(FPredicate::OEQ, key, own);
        Value lower = b.compare(IPredicate::slt, other, block);
        Value before = b.ori(greater, b.andi(equal, lower));
        // What is forced ranks before all that is not.
        if (Value otherForced = isForced(other))
          before = b.select(b.compare(IPredicate::eq, otherForced, forced),
                            before, otherForced);
        SmallVector<Value> next = {
            b.addi(carried[0], b.select(before, b.i32(1), b.i32(0)))};
        if (withMass)
          next.push_back(
              b.select(before, b.add(carried[1], massOf(other)), carried[1]));
        return next;
      });
  return {found[0], withMass ? found[1] : Value()};
}

Value SelectionKernel::countTopP(Value share) {
  Value total =
      w.fold(b.i32(0), b.i32(blocks), 1, b.f32(0.0),
             [&](Value block, Value sum) { return b.add(sum, massOf(block)); });
  Value wanted = b.mul(share, total);
  Value kept =
      w.fold(w.lane, b.i32(blocks), 32, b.i32(0), [&](Value block, Value kept) {
        auto [rank, before] = findRank(block, /*withMass=*/true);
        Value isKept = b.compare(FPredicate::OLT, before, wanted);
        return b.maxi(kept, b.select(isKept, b.addi(rank, b.i32(1)), b.i32(0)));
      });
  return w.combine(kept, [&](Value x, Value y) { return b.maxi(x, y); });
}

Value SelectionKernel::countKept() {
  Value number;
  if (std::optional<double> constant = op.getSelection().getNumber())
    number = b.f32(*constant);
  else if (w.shapeOf(op.getValue()).empty())
    number = w.loadF32(w.pointer(op.getValue()), b.i32(0));
  else
    number = w.loadF32(w.pointer(op.getValue()), w.y);
  Value kept;
  if (isa<TopKSelectionAttr>(op.getSelection())) {
    Value share = b.add(b.mul(number, b.f32(blocks)), b.f32(1.0e-4));
    kept = arith::FPToSIOp::create(b, b.getI32Type(), share);
  } else if (isa<CutoffSelectionAttr>(op.getSelection())) {
    kept = w.fold(
        w.lane, b.i32(blocks), 32, b.i32(0), [&](Value block, Value kept) {
          Value enough = b.compare(FPredicate::OGE, rankKey(block), number);
          if (Value forced = isForced(block))
            enough = b.ori(enough, forced);
          return b.addi(kept, b.select(enough, b.i32(1), b.i32(0)));
        });
    kept = w.combine(kept, [&](Value x, Value y) { return b.addi(x, y); });
  } else {
    kept = countTopP(number);
  }
  int64_t least = std::max<int64_t>(blocks - forcedFrom, 1);
  kept = b.mini(b.maxi(kept, b.i32(least)), b.i32(blocks));
  if (op.getDenseFrom()) {
    // Compared as numbers: there may be more blocks than an i32 says.
    int64_t from = std::min<int64_t>(*op.getDenseFrom(), INT32_MAX);
    kept = b.select(b.compare(IPredicate::sge, w.x, b.i32(from)), b.i32(blocks),
                    kept);
  }
  return kept;
}

void SelectionKernel::build() {
  Value number = b.addi(b.muli(w.y, b.i32(shape[shape.size() - 2])), w.x);
  scores = w.part(op.getScores(), blocks, number);
  Value indices = w.part(op.getIndicesInit(), blocks, number);
  Value kept = countKept();
  w.storeIf(w.isFirstLane(), kept, w.pointer(op.getCountsInit()), number);
  Value all = b.i32(blocks), minusOne = b.i32(-1);
  if (op.getByScore()) {
    // Ranks are a permutation: every entry is written once.
    w.loop(w.lane, all, 32, {}, [&](Value block, ValueRange) {
      Value rank = findRank(block, /*withMass=*/false).first;
      Value isKept = b.compare(IPredicate::slt, rank, kept);
      w.store(b.select(isKept, block, minusOne), indices, rank);
      return SmallVector<Value>();
    });
    return w.finish();
  }
  // In ascending order: the place of a block is the number of those kept
  // before it, 32 blocks at a time.
  w.fold(b.i32(0), all, 32, b.i32(0), [&](Value first, Value before) {
    Value block = b.addi(first, w.lane);
    Value there = b.compare(IPredicate::slt, block, all);
    // Lanes behind the last block look at that and keep nothing.
    Value rank = findRank(w.clamp(block, blocks), /*withMass=*/false).first;
    Value isKept = b.andi(there, b.compare(IPredicate::slt, rank, kept));
    Value ballot = NVVM::VoteSyncOp::create(b, b.getI32Type(), b.i32(-1),
                                            isKept, NVVM::VoteSyncKind::ballot);
    Value lower = b.subi(arith::ShLIOp::create(b, b.i32(1), w.lane), b.i32(1));
    Value rankInWarp = LLVM::CtPopOp::create(b, b.andi(ballot, lower));
    w.storeIf(isKept, block, indices, b.addi(before, rankInWarp));
    return b.addi(before, Value(LLVM::CtPopOp::create(b, ballot)));
  });
  w.loop(b.addi(kept, w.lane), all, 32, {}, [&](Value entry, ValueRange) {
    w.store(minusOne, indices, entry);
    return SmallVector<Value>();
  });
  w.finish();
}

} // namespace

void attn_tile::buildWarpKernel(func::FuncOp function, KernelOpInterface op) {
  WarpKernel w(function, op);
  TypeSwitch<Operation *>(op)
      .Case([&](PoolTokensOp pool) { buildPool(w, pool); })
      .Case([&](SampleTokensOp sample) { buildSample(w, sample); })
      .Case([&](GaussianScoresOp scores) { buildGaussian(w, scores); })
      .Case([&](SelectBlocksOp select) { SelectionKernel(w, select).build(); })
      .Case([&](ListRecallOp recall) { buildListRecall(w, recall); })
      .Case([&](CertifyRecallOp certify) { buildCertification(w, certify); });
}

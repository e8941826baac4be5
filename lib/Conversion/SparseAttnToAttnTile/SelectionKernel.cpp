//===- SelectionKernel.cpp - Block lists, made by a warp a row ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WarpKernel.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

using FPredicate = arith::CmpFPredicate;
using IPredicate = arith::CmpIPredicate;

namespace {

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
    // A runtime value may be anything: what is no number keeps one block.
    Value ratio = b.max(number, b.f32(0.0));
    ratio = arith::MinNumFOp::create(b, ratio, b.f32(1.0));
    Value share = b.add(b.mul(ratio, b.f32(blocks)), b.f32(1.0e-4));
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
  // A row with a score that is not finite says nothing: it keeps everything.
  Value odd =
      w.fold(w.lane, b.i32(blocks), 32, b.i32(0), [&](Value block, Value odd) {
        Value score = w.loadF32(scores, block);
        Value rest = b.sub(score, score);
        Value finite = b.compare(FPredicate::OEQ, rest, b.f32(0.0));
        return b.select(finite, odd, b.i32(1));
      });
  odd = w.combine(odd, [&](Value x, Value y) { return b.maxi(x, y); });
  kept =
      b.select(b.compare(IPredicate::ne, odd, b.i32(0)), b.i32(blocks), kept);
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

void attn_tile::buildSelection(WarpKernel w, SelectBlocksOp op) {
  SelectionKernel(w, op).build();
}

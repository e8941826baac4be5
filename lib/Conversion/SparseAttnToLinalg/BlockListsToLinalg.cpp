//===- BlockListsToLinalg.cpp - Reference semantics of block lists --------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinalgSteps.h"
#include <cmath>

using namespace mlir;
using namespace mlir::sparse_attn;

using FPredicate = arith::CmpFPredicate;
using IPredicate = arith::CmpIPredicate;

namespace {

/// Ranks every block, finds how many ranks are kept, and writes those.
class Selection {
public:
  Selection(SelectBlocksOp op, PatternRewriter &rewriter)
      : b(op.getLoc(), rewriter), op(op),
        shape(LinalgSteps::shapeOf(op.getScores())), rank(shape.size()),
        blocks(shape.back()), row(b.leading(rank, 1)) {}

  SmallVector<Value> emit();

private:
  /// The space of a row's blocks i and, innermost, other blocks j.
  AffineMap pairs(unsigned dim) {
    SmallVector<AffineExpr> exprs;
    for (unsigned i = 0; i + 1 < rank; ++i)
      exprs.push_back(b.getAffineDimExpr(i));
    exprs.push_back(b.getAffineDimExpr(dim));
    return AffineMap::get(rank + 1, 0, exprs, b.getContext());
  }
  bool forces() {
    return op.getForcedFrom() &&
           static_cast<int64_t>(*op.getForcedFrom()) < blocks;
  }
  /// Whether a block is always kept, by its index; null where none is.
  Value isForced(LinalgSteps &b, Value block) {
    if (!forces())
      return {};
    return b.compare(IPredicate::sge, block, b.index(*op.getForcedFrom()));
  }
  /// Whether block j ranks before block i: what is forced ranks first.
  Value ranksBefore(LinalgSteps &b, Value j, Value i, Value keyJ, Value keyI) {
    Value greater = b.compare(FPredicate::OGT, keyJ, keyI);
    Value equal = b.compare(FPredicate::OEQ, keyJ, keyI);
    Value before = b.either(greater, b.both(equal, b.less(j, i)));
    Value forced = isForced(b, j);
    if (!forced)
      return before;
    Value alike = b.compare(IPredicate::eq, forced, isForced(b, i));
    return b.select(alike, before, forced);
  }
  Value rankKeys();
  Value numbers();
  Value keptRanks(Value keys, Value ranks, Value number);
  Value write(Value ranks, Value kept);

  LinalgSteps b;
  SelectBlocksOp op;
  ArrayRef<int64_t> shape;
  unsigned rank;
  int64_t blocks;
  AffineMap row;
};

/// Scores to rank by: what is no number comes last.
Value Selection::rankKeys() {
  return b.generic(
      {op.getScores()}, b.empty(shape, b.getF32Type()),
      {b.leading(rank), b.leading(rank)}, [](LinalgSteps &b, ValueRange args) {
        Value isNumber = b.compare(FPredicate::ORD, args[0], args[0]);
        return b.select(isNumber, args[0], b.f32(-LinalgSteps::infinity));
      });
}

/// The number of the selection for each row.
Value Selection::numbers() {
  Value init = b.empty(shape.drop_back(), b.getF32Type());
  AffineMap rows = b.leading(rank - 1);
  if (std::optional<double> number = op.getSelection().getNumber())
    return b.filled(shape.drop_back(), *number);
  Value value = op.getValue();
  AffineMap from = LinalgSteps::shapeOf(value).empty()
                       ? AffineMap::get(rank - 1, 0, b.getContext())
                       : b.leading(rank - 1, 1);
  return b.generic({value}, init, {from, rows},
                   [](LinalgSteps &, ValueRange args) { return args[0]; });
}

/// How many ranks each row keeps.
Value Selection::keptRanks(Value keys, Value ranks, Value number) {
  Value none = b.filled(shape.drop_back(), b.getI32IntegerAttr(0));
  AffineMap rows = b.leading(rank - 1), all = b.leading(rank);
  Value kept;
  if (isa<TopKSelectionAttr>(op.getSelection())) {
    kept = b.generic(
        {number}, none, {rows, rows}, [&](LinalgSteps &b, ValueRange args) {
          // A runtime value may be anything: no number keeps one block.
          Value ratio = b.maximum(args[0], b.f32(0.0));
          ratio = arith::MinNumFOp::create(b, ratio, b.f32(1.0));
          Value share = b.add(b.mul(ratio, b.f32(blocks)), b.f32(1.0e-4));
          return Value(arith::FPToSIOp::create(b, b.getI32Type(), share));
        });
  } else if (isa<CutoffSelectionAttr>(op.getSelection())) {
    kept = b.generic(
        {keys, number}, none, {all, row, row},
        [&](LinalgSteps &b, ValueRange args) {
          Value enough = b.compare(FPredicate::OGE, args[0], args[1]);
          if (Value forced = isForced(b, b.iteration(rank - 1)))
            enough = b.either(enough, forced);
          return b.addi(args[2], b.select(enough, b.i32(1), b.i32(0)));
        });
  } else {
    Value zero = b.filled(shape, 0.0);
    auto massOf = [](LinalgSteps &b, Value score) {
      return b.select(b.compare(FPredicate::ORD, score, score), score,
                      b.f32(0.0));
    };
    Value total = b.generic({op.getScores()}, b.filled(shape.drop_back(), 0.0),
                            {all, row}, [&](LinalgSteps &b, ValueRange args) {
                              return b.add(args[1], massOf(b, args[0]));
                            });
    // The sum of what ranks before a block, in the order of the blocks.
    Value before = b.generic(
        {ranks, ranks, op.getScores()}, zero,
        {pairs(rank - 1), pairs(rank), pairs(rank), pairs(rank - 1)},
        [&](LinalgSteps &b, ValueRange args) {
          Value counts = b.less(args[1], args[0]);
          return b.select(counts, b.add(args[3], massOf(b, args[2])), args[3]);
        });
    kept = b.generic(
        {before, ranks, total, number}, none, {all, all, row, row, row},
        [&](LinalgSteps &b, ValueRange args) {
          Value wanted =
              b.compare(FPredicate::OLT, args[0], b.mul(args[3], args[2]));
          return b.maxi(args[4],
                        b.select(wanted, b.addi(args[1], b.i32(1)), b.i32(0)));
        });
  }
  // A row with a score that is not finite says nothing: it keeps everything.
  Value odd = b.generic(
      {op.getScores()}, none, {all, row}, [&](LinalgSteps &b, ValueRange args) {
        Value finite =
            b.compare(FPredicate::OEQ, b.sub(args[0], args[0]), b.f32(0.0));
        return b.select(finite, args[1], b.i32(1));
      });
  int64_t forced = forces() ? blocks - *op.getForcedFrom() : 0;
  return b.generic({kept, odd}, none, {rows, rows, rows},
                   [&](LinalgSteps &b, ValueRange args) {
                     Value least = b.i32(std::max<int64_t>(forced, 1));
                     Value n = b.mini(b.maxi(args[0], least), b.i32(blocks));
                     n = b.select(b.compare(IPredicate::ne, args[1], b.i32(0)),
                                  b.i32(blocks), n);
                     if (!op.getDenseFrom())
                       return n;
                     Value dense =
                         b.compare(IPredicate::sge, b.iteration(rank - 2),
                                   b.index(*op.getDenseFrom()));
                     return b.select(dense, b.i32(blocks), n);
                   });
}

/// The blocks whose rank is kept, by rank or by index.
Value Selection::write(Value ranks, Value kept) {
  Value place = ranks;
  if (!op.getByScore())
    // The number of kept blocks before each.
    place = b.generic(
        {ranks, kept}, b.filled(shape, b.getI32IntegerAttr(0)),
        {pairs(rank), b.leading(rank + 1, 2), pairs(rank - 1)},
        [&](LinalgSteps &b, ValueRange args) {
          Value counts =
              b.both(b.less(args[0], args[1]),
                     b.less(b.iteration(rank), b.iteration(rank - 1)));
          return b.addi(args[2], b.select(counts, b.i32(1), b.i32(0)));
        });
  // Entry t is the block i whose place it is.
  return b.generic(
      {place, ranks, kept}, b.filled(shape, b.getI32IntegerAttr(-1)),
      {pairs(rank), pairs(rank), b.leading(rank + 1, 2), pairs(rank - 1)},
      [&](LinalgSteps &b, ValueRange args) {
        Value entry = b.indexToI32(b.iteration(rank - 1));
        Value mine = b.both(b.compare(IPredicate::eq, args[0], entry),
                            b.less(args[1], args[2]));
        return b.select(mine, b.indexToI32(b.iteration(rank)), args[3]);
      });
}

SmallVector<Value> Selection::emit() {
  Value keys = rankKeys();
  Value ranks =
      b.generic({keys, keys}, b.filled(shape, b.getI32IntegerAttr(0)),
                {pairs(rank - 1), pairs(rank), pairs(rank - 1)},
                [&](LinalgSteps &b, ValueRange args) {
                  Value before =
                      ranksBefore(b, b.iteration(rank), b.iteration(rank - 1),
                                  args[1], args[0]);
                  return b.addi(args[2], b.select(before, b.i32(1), b.i32(0)));
                });
  Value kept = keptRanks(keys, ranks, numbers());
  return {kept, write(ranks, kept)};
}

struct LowerSelection : OpRewritePattern<SelectBlocksOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SelectBlocksOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, Selection(op, rewriter).emit());
    return success();
  }
};

struct LowerSample : OpRewritePattern<SampleTokensOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SampleTokensOp op,
                                PatternRewriter &rewriter) const override {
    LinalgSteps b(op.getLoc(), rewriter);
    auto type = cast<RankedTensorType>(op.getResult().getType());
    int64_t tokens = b.shapeOf(op.getSource())[op.getDim()];
    Value result =
        b.generic({}, b.empty(type.getShape(), type.getElementType()),
                  {b.leading(type.getRank())}, [&](LinalgSteps &b, ValueRange) {
                    SmallVector<Value> at = b.indices(type.getRank());
                    Value row = b.extract(op.getRows(), at[op.getDim()]);
                    at[op.getDim()] = b.clamp(b.toIndex(row), tokens);
                    return b.extract(op.getSource(), at);
                  });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerListRecall : OpRewritePattern<ListRecallOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ListRecallOp op,
                                PatternRewriter &rewriter) const override {
    LinalgSteps b(op.getLoc(), rewriter);
    ArrayRef<int64_t> shape = b.shapeOf(op.getInit());
    ArrayRef<int64_t> indices = b.shapeOf(op.getIndices());
    int64_t blocks = b.shapeOf(op.getMasses()).back();
    unsigned rank = shape.size();
    Value sums =
        b.sumOver(shape, indices.back(), {}, [&](LinalgSteps &b, ValueRange) {
          SmallVector<Value> at = b.indices(rank);
          Value row = b.toIndex(b.extract(op.getRows(), at.back()));
          Value block = b.clamp(b.divi(row, b.index(op.getBlockRows())),
                                indices[indices.size() - 2]);
          auto list = llvm::to_vector(ArrayRef<Value>(at).drop_back());
          list.push_back(block);
          Value entry = b.iteration(rank);
          Value listed =
              b.less(b.indexToI32(entry), b.extract(op.getCounts(), list));
          list.push_back(entry);
          Value key = b.toIndex(b.extract(op.getIndices(), list));
          Value inside = b.compare(IPredicate::ult, key, b.index(blocks));
          at.push_back(b.clamp(key, blocks));
          Value mass = b.extract(op.getMasses(), at);
          return b.select(b.both(listed, inside), mass, b.f32(0.0));
        });
    AffineMap whole = b.leading(rank);
    rewriter.replaceOp(
        op, b.generic({sums}, b.empty(shape, b.getF32Type()), {whole, whole},
                      [](LinalgSteps &b, ValueRange args) -> Value {
                        return arith::MinNumFOp::create(b, args[0], b.f32(1.0));
                      }));
    return success();
  }
};

struct LowerCertification : OpRewritePattern<CertifyRecallOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CertifyRecallOp op,
                                PatternRewriter &rewriter) const override {
    LinalgSteps b(op.getLoc(), rewriter);
    ArrayRef<int64_t> shape = b.shapeOf(op.getRecalls());
    unsigned rank = shape.size();
    double count = shape.back();
    AffineMap all = b.leading(rank), batch = b.leading(rank, 1);
    AffineMap whole = b.leading(rank - 1);
    Value zero = b.filled(shape.drop_back(), 0.0);
    Value sums = b.generic({op.getRecalls()}, zero, {all, batch},
                           [](LinalgSteps &b, ValueRange args) {
                             return b.add(args[1], args[0]);
                           });
    Value squares =
        b.generic({op.getRecalls(), sums}, zero, {all, batch, batch},
                  [&](LinalgSteps &b, ValueRange args) {
                    Value distance =
                        b.sub(args[0], b.mul(args[1], b.f32(1.0 / count)));
                    return b.add(args[2], b.mul(distance, distance));
                  });
    double doubt = std::log(2.0 / (1.0 - op.getConfidence().convertToDouble()));
    Value bound = b.generic(
        {sums, squares}, zero, {whole, whole, whole},
        [&](LinalgSteps &b, ValueRange args) {
          Value mean = b.mul(args[0], b.f32(1.0 / count));
          Value spread = b.sqrt(
              b.mul(args[1], b.f32(2.0 * doubt / (count * (count - 1.0)))));
          Value low = b.sub(mean, spread);
          low = b.sub(low, b.f32(7.0 * doubt / (3.0 * (count - 1.0))));
          return b.maximum(low, b.f32(0.0));
        });
    rewriter.replaceOp(op, bound);
    return success();
  }
};

} // namespace

void sparse_attn::populateBlockListsToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns
      .add<LowerSelection, LowerSample, LowerListRecall, LowerCertification>(
          patterns.getContext());
}

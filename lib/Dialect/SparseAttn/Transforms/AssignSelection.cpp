//===- AssignSelection.cpp - Attentions visit the blocks that matter ------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include <random>

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_ASSIGNSELECTION
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// How lists are made, and what certifies them.
struct ListPlan {
  SelectionSpelling selection;
  int64_t block, tile;
  /// The first key of the blocks that are always kept (text), or -1; and the
  /// tokens of the attentions that have one, -1 for all.
  int64_t forcedFrom, forcedTokens = -1;
  int64_t samples, seed;
  double confidence;
  SmallVector<double> levels;
};

struct AssignSelection
    : sparse_attn::impl::AssignSelectionBase<AssignSelection> {
  using AssignSelectionBase::AssignSelectionBase;
  void runOnOperation() override;

private:
  FailureOr<ListPlan> readOptions();
  std::string findObstacle(AttentionOp op, int64_t block);
};

static SmallVector<int64_t> batchSizesOf(AttentionOp op) {
  return llvm::map_to_vector(op.getDims().batch,
                             [&](unsigned dim) { return op.getDimSize(dim); });
}

/// Emits the list of one attention in front of it.
class ListBuilder {
public:
  ListBuilder(AttentionOp op, const ListPlan &plan)
      : b(op.getLoc(), op), op(op), dims(op.getDims()), plan(plan) {}
  void build();

private:
  struct List {
    Value counts, indices;
  };
  AffineMap localMap(AffineMap map);
  Value empty(ArrayRef<int64_t> shape, Type element) {
    return tensor::EmptyOp::create(b, shape, element);
  }
  Value score(Value query, int64_t tile, int64_t blockRows, bool padded);
  List select(Value scores, SelectionAttrInterface selection, Value value,
              bool byScore);
  /// The positions of the queries that certify.
  Value drawRows();
  /// The share of the scores for each entry of the batch.
  Value chooseShare(Value scores);

  ImplicitLocOpBuilder b;
  AttentionOp op;
  AttentionOp::Dims dims;
  const ListPlan &plan;
};
} // namespace

/// In the space of batch, queries, keys and head_dim, in this order.
AffineMap ListBuilder::localMap(AffineMap map) {
  SmallVector<unsigned> space(dims.batch);
  llvm::append_range(space, ArrayRef<unsigned>{dims.m, dims.k2, dims.k1});
  SmallVector<AffineExpr> exprs;
  for (AffineExpr expr : map.getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    exprs.push_back(b.getAffineDimExpr(llvm::find(space, dim) - space.begin()));
  }
  return AffineMap::get(space.size(), 0, exprs, b.getContext());
}

Value ListBuilder::score(Value query, int64_t tile, int64_t blockRows,
                         bool padded) {
  int64_t queries = cast<RankedTensorType>(query.getType())
                        .getDimSize(*getPosition(op.getQueryMap(), dims.m));
  SmallVector<int64_t> shape = batchSizesOf(op);
  shape.push_back(llvm::divideCeil(queries, blockRows));
  shape.push_back(llvm::divideCeil(op.getDimSize(dims.k2), plan.block));
  unsigned rank = shape.size();
  AffineMap result = AffineMap::getMultiDimIdentityMap(rank + 1, b.getContext())
                         .getMajorSubMap(rank);
  Value init = empty(shape, b.getF32Type());
  ArrayAttr maps = b.getAffineMapArrayAttr(
      {localMap(op.getQueryMap()), localMap(op.getKeyMap()), result});
  return BlockScoresOp::create(
      b, init.getType(), query, op.getKey(), init, maps, op.getScaleAttr(),
      b.getI64IntegerAttr(tile),
      b.getDenseI64ArrayAttr({blockRows, plan.block}),
      padded ? b.getUnitAttr() : UnitAttr(), op.getPrecisionAttr());
}

ListBuilder::List ListBuilder::select(Value scores,
                                      SelectionAttrInterface selected,
                                      Value value, bool byScore) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(scores.getType()).getShape();
  Value counts = empty(shape.drop_back(), b.getI32Type());
  Value indices = empty(shape, b.getI32Type());
  // Where text begins, if keys or queries have it.
  auto findForced = [&](unsigned dim) {
    bool has =
        plan.forcedFrom >= 0 &&
        (plan.forcedTokens < 0 || plan.forcedTokens == op.getDimSize(dim));
    return has ? b.getI64IntegerAttr(plan.forcedFrom / plan.block)
               : IntegerAttr();
  };
  auto made = SelectBlocksOp::create(b, counts.getType(), indices.getType(),
                                     scores, value, counts, indices, selected,
                                     findForced(dims.k2), findForced(dims.m),
                                     byScore ? b.getUnitAttr() : UnitAttr());
  return {made.getCounts(), made.getIndices()};
}

Value ListBuilder::drawRows() {
  // Drawn with replacement, without looking at the data: what the bound needs.
  std::mt19937_64 random(plan.seed);
  uint64_t queries = op.getDimSize(dims.m);
  SmallVector<int32_t> rows;
  for (int64_t i = 0; i < plan.samples; ++i)
    rows.push_back(random() % queries);
  return arith::ConstantOp::create(
      b,
      DenseElementsAttr::get(RankedTensorType::get(rows.size(), b.getI32Type()),
                             ArrayRef<int32_t>(rows)));
}

Value ListBuilder::chooseShare(Value scores) {
  Value rows = drawRows();
  auto queryType = cast<RankedTensorType>(op.getQuery().getType());
  unsigned position = *getPosition(op.getQueryMap(), dims.m);
  SmallVector<int64_t> sampled(queryType.getShape());
  sampled[position] = plan.samples;
  Value query = SampleTokensOp::create(
      b, queryType.clone(sampled), op.getQuery(), rows,
      empty(sampled, queryType.getElementType()), position);
  Value masses = score(query, /*tile=*/1, /*blockRows=*/1, /*padded=*/false);

  SmallVector<int64_t> shape = batchSizesOf(op);
  SmallVector<int64_t> recallShape = shape;
  recallShape.push_back(plan.samples);
  SmallVector<Value> bounds;
  // A runtime value, so that one kernel serves all levels.
  auto topP = TopPSelectionAttr::get(b.getContext(), std::nullopt);
  for (double level : plan.levels) {
    Value share = arith::ConstantOp::create(
        b, DenseElementsAttr::get(RankedTensorType::get({}, b.getF32Type()),
                                  static_cast<float>(level)));
    List list = select(scores, topP, share, /*byScore=*/false);
    Value init = empty(recallShape, b.getF32Type());
    Value recalls =
        ListRecallOp::create(b, init.getType(), masses, rows, list.counts,
                             list.indices, init, plan.block);
    Value boundInit = empty(shape, b.getF32Type());
    bounds.push_back(
        CertifyRecallOp::create(b, boundInit.getType(), recalls, boundInit,
                                b.getF64FloatAttr(plan.confidence)));
  }
  // Down the levels while each is certified; a share of 2 keeps everything.
  AffineMap all = b.getMultiDimIdentityMap(shape.size());
  return emitGeneric(
      b, b.getLoc(), bounds, empty(shape, b.getF32Type()),
      SmallVector<AffineMap>(bounds.size() + 1, all),
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        ImplicitLocOpBuilder c(loc, inner);
        auto number = [&](double value) -> Value {
          return arith::ConstantOp::create(c, c.getF32FloatAttr(value));
        };
        Value share = number(2.0);
        Value passed = arith::ConstantOp::create(c, c.getBoolAttr(true));
        for (auto [bound, level] : llvm::zip(args.drop_back(), plan.levels)) {
          Value holds =
              arith::CmpFOp::create(c, arith::CmpFPredicate::OGE, bound,
                                    number(*plan.selection.recall));
          passed = arith::AndIOp::create(c, passed, holds);
          share = arith::SelectOp::create(c, passed, number(level), share);
        }
        return share;
      });
}

void ListBuilder::build() {
  Value scores = score(op.getQuery(), plan.tile, plan.block, /*padded=*/true);
  List list;
  if (plan.selection.recall)
    list = select(scores, TopPSelectionAttr::get(b.getContext(), std::nullopt),
                  chooseShare(scores), plan.selection.byScore);
  else
    list = select(scores, plan.selection.selection, {}, plan.selection.byScore);
  op.getBlockCountsMutable().assign(list.counts);
  op.getBlockIndicesMutable().assign(list.indices);
  op.setBlockShape(ArrayRef<int64_t>{plan.block, plan.block});
}

std::string AssignSelection::findObstacle(AttentionOp op, int64_t block) {
  if (op.getMask())
    return "its mask hides keys that block scores do not know of";
  if (op.hasScore())
    return "its score region changes scores that block scores do not know of";
  if (op.getDecisionTile() || op.getTileCounts())
    return "its tiles are settled";
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue()})
    if (!cast<RankedTensorType>(operand.getType()).hasStaticShape())
      return "expected static sizes";
  AttentionOp::Dims dims = op.getDims();
  if (llvm::any_of(dims.batch, [&](unsigned dim) { return isShare(op, dim); }))
    return "it is a share of an attention";
  int64_t keys = op.getDimSize(dims.k2);
  if (op.getDimSize(dims.m) == 0 || llvm::is_contained(batchSizesOf(op), 0))
    return "it has no queries";
  if (keys <= block)
    return "expected more than one block of " + std::to_string(block) +
           " keys, found " + std::to_string(keys) + " keys";
  return "";
}

FailureOr<ListPlan> AssignSelection::readOptions() {
  Operation *root = getOperation();
  FailureOr<SelectionSpelling> parsed = parseSelectionSpelling(
      &getContext(), selection, [&] { return root->emitError(); });
  if (failed(parsed))
    return failure();
  if (forcedFrom < -1)
    return root->emitError("expected the first forced key, or -1 for none, "
                           "found ")
           << forcedFrom.getValue();
  ListPlan plan;
  plan.selection = *parsed;
  plan.block = parsed->block.value_or(block);
  plan.tile = tile;
  plan.forcedFrom = forcedFrom;
  plan.samples = samples;
  plan.seed = seed;
  plan.confidence = confidence;
  plan.levels = llvm::to_vector(ArrayRef<double>(levels));
  if (plan.levels.empty())
    plan.levels = {0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4};
  if (tile < 1 || plan.block < 1 || plan.block % tile)
    return root->emitError("expected blocks of whole tiles, found blocks of ")
           << plan.block << " tokens and tiles of " << plan.tile;
  if (samples < 2 || samples > (1 << 20))
    return root->emitError("expected 2 to 1048576 samples, found ")
           << plan.samples;
  if (!(confidence > 0.0 && confidence < 1.0))
    return root->emitError("expected a confidence between 0 and 1, found ")
           << plan.confidence;
  if (!layout.empty()) {
    FailureOr<LayoutAttrInterface> order = parseLayoutSpelling(
        &getContext(), layout, [&] { return root->emitError(); });
    if (failed(order))
      return failure();
    TokenOrder tokens = (*order).getTokenOrder();
    if (tokens.tail) {
      plan.forcedFrom = tokens.grid.count();
      plan.forcedTokens = tokens.count();
    }
  }
  double last = 2.0;
  for (double level : plan.levels) {
    if (!(level > 0.0 && level <= 1.0 && level < last))
      return root->emitError("expected levels above 0 and at most 1, "
                             "descending, found ")
             << level;
    last = level;
  }
  return plan;
}

void AssignSelection::runOnOperation() {
  if (selection.empty())
    return;
  FailureOr<ListPlan> plan = readOptions();
  if (failed(plan))
    return signalPassFailure();
  if (!plan->selection.recall && !plan->selection.selection)
    return; // none
  getOperation()->walk([&](AttentionOp op) {
    auto function = op->getParentOfType<FunctionOpInterface>();
    // What the IR states is never overridden; a kernel's body is settled.
    if (op.getBlockCounts() || (function && function->hasAttr(kernelAttrName)))
      return;
    if (std::string obstacle = findObstacle(op, plan->block);
        !obstacle.empty()) {
      op.emitRemark("visits all blocks: ") << obstacle;
      return;
    }
    ListBuilder(op, *plan).build();
    ++listsAssigned;
  });
}

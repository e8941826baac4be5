//===- CacheLists.cpp - Block lists as state over denoising steps ---------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CachedList.h"
#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "StatefulFunction.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_CACHELISTS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

using Predicate = arith::CmpIPredicate;

static constexpr StringLiteral scheduleAttrName = "sparse_attn.cache";

namespace {

/// Turns the lists of one function into state.
class ListCache {
public:
  ListCache(StatefulFunction &function, CacheScheduleAttr schedule,
            ArrayRef<CachedList> lists)
      : function(function), schedule(schedule),
        b(function.getOperation()->getLoc(),
          function.getOperation()->getContext()),
        lists(lists) {}
  LogicalResult rewrite();

private:
  Value i32(int64_t value) {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  }
  Value f32(double value) {
    return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
  }
  Value compare(Predicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, predicate, x, y);
  }
  /// Whether function and lists can be rewritten.
  LogicalResult verify();
  /// What the function takes beside the step, and gives back.
  SmallVector<StateEntry> describeState() const;
  void addArguments(ArrayRef<StateEntry> state);
  /// How often the schedule has made lists by step `at`.
  Value generation(Value at);
  void readStep();
  SmallVector<Value> makeFull(const CachedList &list);
  SmallVector<Value> make(CachedList &list);
  /// Whether the recall of the lists in the state may be too low.
  Value isBelowTarget(const CachedList &list);
  /// Positions of queries, other ones in each step: i32 of that shape.
  Value drawRows(Type type, int64_t queries);
  /// scf.if with the lists of either branch.
  SmallVector<Value> branch(Value condition, TypeRange types,
                            function_ref<SmallVector<Value>()> yes,
                            function_ref<SmallVector<Value>()> no);
  void replace(CachedList &list);

  StatefulFunction &function;
  CacheScheduleAttr schedule;
  ImplicitLocOpBuilder b;
  SmallVector<CachedList> lists;
  int32_t tag = 0;
  Value stepTensor, tagTensor;          // arguments
  Value step, warm, stale, same, ratio; // computed at the function's start
  SmallVector<Value> results;
};

} // namespace

//===----------------------------------------------------------------------===//
// The state
//===----------------------------------------------------------------------===//

SmallVector<StateEntry> ListCache::describeState() const {
  MLIRContext *context = schedule.getContext();
  SmallVector<StateEntry> state = {
      {"tag", RankedTensorType::get({2}, IntegerType::get(context, 32))}};
  for (auto [index, list] : llvm::enumerate(lists)) {
    SelectBlocksOp select = list.select;
    std::string number = std::to_string(index);
    state.push_back({"counts" + number,
                     cast<RankedTensorType>(select.getCounts().getType())});
    state.push_back({"indices" + number,
                     cast<RankedTensorType>(select.getIndices().getType())});
  }
  return state;
}

void ListCache::addArguments(ArrayRef<StateEntry> state) {
  SmallVector<StateEntry> entries = {
      {"step", RankedTensorType::get({}, b.getI32Type())}};
  llvm::append_range(entries, state);
  SmallVector<Value> added = function.addArguments(entries);
  stepTensor = added[0];
  tagTensor = added[1];
  for (auto [index, list] : llvm::enumerate(lists)) {
    list.counts = added[2 + 2 * index];
    list.indices = added[3 + 2 * index];
  }
  b.setInsertionPointAfterValue(added.back());
}

Value ListCache::generation(Value at) {
  Value begun = arith::SubIOp::create(b, at, i32(schedule.getWarmup()));
  Value number = arith::DivSIOp::create(b, begun, i32(schedule.getInterval()));
  number = arith::AddIOp::create(b, number, i32(1));
  number = arith::MinSIOp::create(b, number, i32(schedule.getRatios().size()));
  return arith::SelectOp::create(b, compare(Predicate::slt, begun, i32(0)),
                                 i32(0), number);
}

void ListCache::readStep() {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  step = tensor::ExtractOp::create(b, stepTensor, ValueRange());
  Value found = tensor::ExtractOp::create(b, tagTensor, ValueRange{zero});
  Value madeFor = tensor::ExtractOp::create(b, tagTensor, ValueRange{one});
  Value mine = compare(Predicate::eq, found, i32(tag));
  Value isFirst = compare(Predicate::eq, step, i32(0));
  cf::AssertOp::create(b, arith::OrIOp::create(b, mine, isFirst),
                       "expected the state of this function's schedule and "
                       "shapes beside a step other than 0, found another one");

  Value begun = compare(Predicate::sge, step, i32(0));
  Value goesOn = compare(Predicate::slt, step, i32(schedule.getSteps()));
  cf::AssertOp::create(b, arith::AndIOp::create(b, begun, goesOn),
                       "expected a step from 0 to " +
                           std::to_string(schedule.getSteps() - 1) +
                           ", found another one");

  Value now = generation(step);
  warm = compare(Predicate::eq, now, i32(0));
  same = arith::AndIOp::create(b, mine, compare(Predicate::eq, step, madeFor));
  Value backwards = compare(Predicate::slt, step, madeFor);
  Value other = compare(Predicate::ne, now, generation(madeFor));
  Value foreign = compare(Predicate::ne, found, i32(tag));
  stale = arith::OrIOp::create(b, arith::OrIOp::create(b, backwards, other),
                               foreign);
  // The ratio of the generation; that of the last one stays.
  Value value = f32(schedule.getRatios().back());
  for (size_t number = schedule.getRatios().size() - 1; number > 0; --number)
    value =
        arith::SelectOp::create(b, compare(Predicate::sle, now, i32(number)),
                                f32(schedule.getRatios()[number - 1]), value);
  ratio = tensor::FromElementsOp::create(
      b, RankedTensorType::get({}, b.getF32Type()), value);
  results.push_back(tensor::FromElementsOp::create(b, tagTensor.getType(),
                                                   ValueRange{i32(tag), step}));
}

//===----------------------------------------------------------------------===//
// The lists of a step
//===----------------------------------------------------------------------===//

SmallVector<Value> ListCache::makeFull(const CachedList &list) {
  auto type = cast<RankedTensorType>(list.indices.getType());
  auto countType = cast<RankedTensorType>(list.counts.getType());
  Value none = tensor::EmptyOp::create(b, countType.getShape(), b.getI32Type());
  Value counts =
      linalg::FillOp::create(b, i32(type.getShape().back()), none).getResult(0);
  Value init = tensor::EmptyOp::create(b, type.getShape(), b.getI32Type());
  unsigned rank = type.getRank();
  Value indices =
      emitGeneric(b, b.getLoc(), {}, init, {b.getMultiDimIdentityMap(rank)},
                  [&](OpBuilder &inner, Location loc, ValueRange) -> Value {
                    Value block = linalg::IndexOp::create(inner, loc, rank - 1);
                    return arith::IndexCastOp::create(
                        inner, loc, inner.getI32Type(), block);
                  });
  return {counts, indices};
}

/// The same rule, whose number is a runtime value.
static SelectionAttrInterface
withRuntimeNumber(SelectionAttrInterface selection) {
  MLIRContext *context = selection.getContext();
  if (isa<TopKSelectionAttr>(selection))
    return TopKSelectionAttr::get(context, FloatAttr());
  return TopPSelectionAttr::get(context, FloatAttr());
}

SmallVector<Value> ListCache::make(CachedList &list) {
  IRMapping copies;
  for (Operation *op : list.slice)
    b.clone(*op, copies);
  auto select =
      copies.lookup(list.select.getCounts()).getDefiningOp<SelectBlocksOp>();
  // The schedule's ratio takes the place of a constant one.
  if (!select.getValue()) {
    select.setSelectionAttr(withRuntimeNumber(select.getSelection()));
    select.getValueMutable().assign(ratio);
  }
  return {select.getCounts(), select.getIndices()};
}

SmallVector<Value> ListCache::branch(Value condition, TypeRange types,
                                     function_ref<SmallVector<Value>()> yes,
                                     function_ref<SmallVector<Value>()> no) {
  auto made = scf::IfOp::create(b, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.thenBlock());
  scf::YieldOp::create(b, yes());
  b.setInsertionPointToStart(made.elseBlock());
  scf::YieldOp::create(b, no());
  return SmallVector<Value>(made.getResults());
}

Value ListCache::drawRows(Type type, int64_t queries) {
  auto tensor = cast<RankedTensorType>(type);
  Value init = tensor::EmptyOp::create(b, tensor.getShape(), b.getI32Type());
  return emitGeneric(
      b, b.getLoc(), {}, init, {b.getMultiDimIdentityMap(1)},
      [&](OpBuilder &inner, Location loc, ValueRange) -> Value {
        ImplicitLocOpBuilder c(loc, inner);
        auto number = [&](uint64_t value) -> Value {
          return arith::ConstantOp::create(
              c, c.getI64IntegerAttr(static_cast<int64_t>(value)));
        };
        auto mix = [&](Value x, int64_t shift, uint64_t factor) -> Value {
          Value high = arith::ShRUIOp::create(c, x, number(shift));
          x = arith::XOrIOp::create(c, x, high);
          return factor ? arith::MulIOp::create(c, x, number(factor)) : x;
        };
        // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of a counter over
        // steps and samples.
        Value sample = arith::IndexCastOp::create(
            c, c.getI64Type(), linalg::IndexOp::create(c, 0));
        Value wide = arith::ExtUIOp::create(c, c.getI64Type(), step);
        Value counter = arith::AddIOp::create(
            c, arith::MulIOp::create(c, wide, number(tensor.getDimSize(0))),
            sample);
        counter = arith::AddIOp::create(c, counter, number(1));
        Value x = arith::MulIOp::create(c, counter, number(0x9E3779B97F4A7C15));
        x = mix(x, 30, 0xBF58476D1CE4E5B9);
        x = mix(x, 27, 0x94D049BB133111EB);
        x = mix(x, 31, 0);
        x = arith::RemUIOp::create(c, x, number(queries));
        return arith::TruncIOp::create(c, c.getI32Type(), x);
      });
}

Value ListCache::isBelowTarget(const CachedList &list) {
  // The exact masses of new queries, against the lists in the state.
  ListRecallOp recall = list.recall;
  CertifyRecallOp certify = list.certify;
  AttentionOp attention = list.attention;
  Value oldRows = recall.getRows();
  Value rows =
      drawRows(oldRows.getType(), attention.getDimSize(attention.getDims().m));
  IRMapping copies;
  copies.map(recall.getCounts(), list.counts);
  copies.map(recall.getIndices(), list.indices);
  copies.map(oldRows, rows);
  // What of the slice the masses need; the rows are there already.
  SmallVector<Value> needed = {recall.getMasses(), recall.getInit(),
                               certify.getInit()};
  llvm::SmallDenseSet<Operation *> wanted;
  while (!needed.empty()) {
    Operation *op = needed.pop_back_val().getDefiningOp();
    if (!op || op == oldRows.getDefiningOp() ||
        !llvm::is_contained(list.slice, op) || !wanted.insert(op).second)
      continue;
    llvm::append_range(needed, op->getOperands());
  }
  for (Operation *op : list.slice)
    if (wanted.contains(op))
      b.clone(*op, copies);
  b.clone(*recall, copies);
  Value bounds = b.clone(*certify, copies)->getResult(0);
  // The worst entry of the batch decides for all of them.
  auto type = cast<RankedTensorType>(bounds.getType());
  Value init = tensor::FromElementsOp::create(
      b, RankedTensorType::get({}, b.getF32Type()), f32(1.0));
  Value least = emitGeneric(
      b, b.getLoc(), bounds, init,
      {b.getMultiDimIdentityMap(type.getRank()),
       AffineMap::get(type.getRank(), 0, b.getContext())},
      [](OpBuilder &inner, Location loc, ValueRange args) -> Value {
        return arith::MinNumFOp::create(inner, loc, args[0], args[1]);
      });
  Value value = tensor::ExtractOp::create(b, least, ValueRange());
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, value,
                               f32(*schedule.getTarget()));
}

void ListCache::replace(CachedList &list) {
  b.setInsertionPoint(list.attention);
  b.setLoc(list.attention.getLoc());
  TypeRange types = list.select.getResultTypes();
  auto kept = [&] { return SmallVector<Value>{list.counts, list.indices}; };
  auto fresh = [&] { return make(list); };
  auto reuse = [&]() -> SmallVector<Value> {
    if (!schedule.getTarget())
      return kept();
    return branch(same, types, kept, [&] {
      return branch(isBelowTarget(list), types, fresh, kept);
    });
  };
  SmallVector<Value> chosen = branch(
      warm, types, [&] { return makeFull(list); },
      [&] { return branch(stale, types, fresh, reuse); });
  list.attention.getBlockCountsMutable().assign(chosen[0]);
  list.attention.getBlockIndicesMutable().assign(chosen[1]);
  llvm::append_range(results, chosen);
  eraseUnused(list.slice);
}

LogicalResult ListCache::verify() {
  if (failed(function.verify()))
    return failure();
  for (CachedList &list : lists) {
    AttentionOp attention = list.attention;
    if (isa<CutoffSelectionAttr>(list.select.getSelection()))
      return attention.emitOpError(
                 "expected lists of a selection whose number is a share, which "
                 "the schedule's ratios replace, found ")
             << list.select.getSelection();
    if (schedule.getTarget() && !list.certify)
      return attention.emitOpError("expected lists of selection 'recall:' "
                                   "beside a target recall, found one that no "
                                   "sample certifies");
  }
  return success();
}

LogicalResult ListCache::rewrite() {
  if (failed(verify()))
    return failure();
  tag = computeTag(schedule, lists);
  SmallVector<StateEntry> state = describeState();
  addArguments(state);
  readStep();
  for (CachedList &list : lists)
    replace(list);
  function.addResults(state, results);
  function.createInitialState(state);
  function.getOperation()->removeAttr(scheduleAttrName);
  return success();
}

namespace {
struct CacheListsPass : sparse_attn::impl::CacheListsBase<CacheListsPass> {
  using CacheListsBase::CacheListsBase;

  void runOnOperation() override {
    CacheScheduleAttr given;
    auto dense = llvm::to_vector(ArrayRef<int64_t>(denseLayers));
    if (!schedule.empty()) {
      FailureOr<CacheSpelling> parsed = parseCacheSpelling(
          &getContext(), schedule, [&] { return getOperation()->emitError(); });
      if (failed(parsed))
        return signalPassFailure();
      given = parsed->schedule;
      llvm::append_range(dense, parsed->denseLayers);
    }
    SmallVector<std::unique_ptr<StatefulFunction>> functions;
    getOperation()->walk([&](Operation *op) {
      if (!op->hasAttr(kernelAttrName))
        if (std::unique_ptr<StatefulFunction> found =
                StatefulFunction::create(op))
          functions.push_back(std::move(found));
    });
    int64_t cached = 0;
    for (std::unique_ptr<StatefulFunction> &function : functions) {
      Operation *op = function->getOperation();
      Attribute own = op->getAttr(scheduleAttrName);
      if (own && !isa<CacheScheduleAttr>(own)) {
        op->emitError("expected #sparse_attn.cache as ")
            << scheduleAttrName << ", found " << own;
        return signalPassFailure();
      }
      auto chosen = own ? cast<CacheScheduleAttr>(own) : given;
      if (!chosen)
        continue;
      FailureOr<SmallVector<CachedList>> lists = collectCachedLists(op, dense);
      if (failed(lists))
        return signalPassFailure();
      if (lists->empty()) {
        if (own)
          op->emitRemark("keeps no lists: no attention visits a list");
        continue;
      }
      if (failed(ListCache(*function, chosen, *lists).rewrite()))
        return signalPassFailure();
      cached += lists->size();
    }
    listsCached += cached;
    // A flag that does nothing was meant for something else.
    if (given && !cached) {
      getOperation()->emitError("expected attentions that visit lists made "
                                "by a selection, to keep as state, found none");
      signalPassFailure();
    }
  }
};
} // namespace

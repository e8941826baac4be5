//===- CacheLists.cpp - Block lists as state over denoising steps ---------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/xxhash.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_CACHELISTS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

using Predicate = arith::CmpIPredicate;

namespace {

/// A list that an attention visits, and what computes it.
struct CachedList {
  AttentionOp attention;
  SelectBlocksOp select;
  /// Everything that only the list needs, in order.
  SmallVector<Operation *> slice;
  /// The state: arguments of the function.
  Value counts, indices;
};

/// Turns the lists of one function into state.
class ListCache {
public:
  ListCache(func::FuncOp function, CacheScheduleAttr schedule)
      : function(function), schedule(schedule),
        b(function.getLoc(), function.getContext()) {}

  /// The lists to cache. Fails where one cannot be.
  LogicalResult collect(ArrayRef<int64_t> denseLayers);
  LogicalResult rewrite();
  size_t size() const { return lists.size(); }

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
  int32_t computeTag();
  void addArguments();
  /// How often the schedule has made lists by step `at`.
  Value generation(Value at);
  void readStep();
  SmallVector<Value> makeFull(const CachedList &list);
  SmallVector<Value> make(CachedList &list);
  /// Whether the certified recall of the lists in the state is too low.
  Value isBelowTarget(const CachedList &list);
  /// scf.if with the lists of either branch.
  SmallVector<Value> branch(Value condition, TypeRange types,
                            function_ref<SmallVector<Value>()> yes,
                            function_ref<SmallVector<Value>()> no);
  void replace(CachedList &list);
  void createInitialState(TypeRange types);

  func::FuncOp function;
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
// Which lists
//===----------------------------------------------------------------------===//

/// The operations that compute `select` from query and key, in order, if
/// nothing else uses them.
static LogicalResult findSlice(CachedList &list) {
  AttentionOp attention = list.attention;
  Operation *query = attention.getQuery().getDefiningOp();
  Operation *key = attention.getKey().getDefiningOp();
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.filter = [&](Operation *op) {
    return op != query && op != key && op->getBlock() == attention->getBlock();
  };
  // Bodies of linalg.generic read nothing from outside here.
  options.omitUsesFromAbove = true;
  if (failed(getBackwardSlice(list.select.getOperation(), &slice, options)))
    return failure();
  list.slice = llvm::to_vector(slice);
  llvm::sort(list.slice,
             [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  return success();
}

static void eraseUnused(ArrayRef<Operation *> slice) {
  for (Operation *op : llvm::reverse(slice))
    if (op->use_empty())
      op->erase();
}

LogicalResult ListCache::collect(ArrayRef<int64_t> denseLayers) {
  int64_t number = 0;
  SmallVector<AttentionOp> found;
  function.walk([&](AttentionOp op) { found.push_back(op); });
  for (AttentionOp op : found) {
    bool dense = llvm::is_contained(denseLayers, number++);
    if (!op.getBlockCounts())
      continue;
    CachedList list;
    list.attention = op;
    list.select = op.getBlockCounts().getDefiningOp<SelectBlocksOp>();
    if (!list.select || op.getBlockIndices() != list.select.getIndices() ||
        op->getBlock() != &function.getBody().front() ||
        failed(findSlice(list)))
      return op.emitOpError("expected a block list made by one "
                            "sparse_attn.select_blocks, in the function's "
                            "body, to keep as state");
    if (!dense) {
      lists.push_back(std::move(list));
      continue;
    }
    op.getBlockCountsMutable().clear();
    op.getBlockIndicesMutable().clear();
    op.removeBlockShapeAttr();
    eraseUnused(list.slice);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The state
//===----------------------------------------------------------------------===//

int32_t ListCache::computeTag() {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << schedule;
  for (CachedList &list : lists)
    os << list.select << list.attention.getQuery().getType()
       << list.attention.getKey().getType();
  // Positive, and never the 0 of a state that was never written.
  return static_cast<int32_t>(llvm::xxh3_64bits(text) % INT32_MAX) + 1;
}

void ListCache::addArguments() {
  Block &entry = function.getBody().front();
  SmallVector<Type> types = {RankedTensorType::get({}, b.getI32Type()),
                             RankedTensorType::get({2}, b.getI32Type())};
  for (CachedList &list : lists)
    llvm::append_range(types, list.select.getResultTypes());
  unsigned first = entry.getNumArguments();
  for (Type type : types)
    entry.addArgument(type, function.getLoc());
  auto arguments = entry.getArguments().drop_front(first);
  stepTensor = arguments[0];
  tagTensor = arguments[1];
  for (auto [index, list] : llvm::enumerate(lists)) {
    list.counts = arguments[2 + 2 * index];
    list.indices = arguments[3 + 2 * index];
  }
  SmallVector<Type> resultTypes(function.getResultTypes());
  llvm::append_range(resultTypes, ArrayRef(types).drop_front());
  function.setType(b.getFunctionType(entry.getArgumentTypes(), resultTypes));
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
  return TypeSwitch<Attribute, SelectionAttrInterface>(selection)
      .Case<TopKSelectionAttr, TopPSelectionAttr, CutoffSelectionAttr>(
          [](auto attr) {
            return decltype(attr)::get(attr.getContext(), FloatAttr());
          });
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

Value ListCache::isBelowTarget(const CachedList &list) {
  // The pipeline of a certified selection says how to certify: the exact
  // masses of its sample, against the lists in the state.
  ListRecallOp model;
  CertifyRecallOp bound;
  for (Operation *op : list.slice) {
    if (auto recall = dyn_cast<ListRecallOp>(op); recall && !model)
      model = recall;
    if (auto certify = dyn_cast<CertifyRecallOp>(op); certify && !bound)
      bound = certify;
  }
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.omitUsesFromAbove = true;
  options.filter = [&](Operation *op) {
    return llvm::is_contained(list.slice, op);
  };
  for (Value needed :
       {model.getMasses(), model.getRows(), model.getInit(), bound.getInit()})
    if (Operation *op = needed.getDefiningOp()) {
      (void)getBackwardSlice(op, &slice, options);
      slice.insert(op);
    }
  auto ordered = llvm::to_vector(slice);
  llvm::sort(ordered,
             [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  IRMapping copies;
  for (Operation *op : ordered)
    b.clone(*op, copies);
  copies.map(model.getCounts(), list.counts);
  copies.map(model.getIndices(), list.indices);
  copies.map(bound.getRecalls(), b.clone(*model, copies)->getResult(0));
  Value bounds = b.clone(*bound, copies)->getResult(0);
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

void ListCache::createInitialState(TypeRange types) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(function);
  auto initial =
      func::FuncOp::create(b, (function.getSymName() + "_initial_state").str(),
                           b.getFunctionType({}, types));
  b.setInsertionPointToStart(initial.addEntryBlock());
  SmallVector<Value> zeros;
  for (Type type : types)
    zeros.push_back(arith::ConstantOp::create(
        b, DenseElementsAttr::get(cast<ShapedType>(type), APInt(32, 0))));
  func::ReturnOp::create(b, zeros);
}

LogicalResult ListCache::rewrite() {
  if (auto module = function->getParentOfType<ModuleOp>())
    if (auto uses = SymbolTable::getSymbolUses(function, module);
        uses && !uses->empty())
      return function.emitError("expected a function that nothing calls, whose "
                                "arguments may change, to keep its lists as "
                                "state");
  auto end =
      dyn_cast<func::ReturnOp>(function.getBody().back().getTerminator());
  if (!function.getBody().hasOneBlock() || !end)
    return function.emitError("expected a function of one block to keep its "
                              "lists as state");
  if (schedule.getTarget())
    for (CachedList &list : lists)
      if (llvm::none_of(list.slice, llvm::IsaPred<CertifyRecallOp>))
        return list.attention.emitOpError(
            "expected lists of selection 'recall:' beside a target recall, "
            "found one that no sample certifies");
  tag = computeTag();
  unsigned before = function.getNumResults();
  addArguments();
  b.setInsertionPointToStart(&function.getBody().front());
  readStep();
  for (CachedList &list : lists)
    replace(list);
  end.getOperandsMutable().append(results);
  createInitialState(function.getResultTypes().drop_front(before));
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
    SmallVector<func::FuncOp> functions;
    getOperation()->walk([&](func::FuncOp function) {
      if (!function.isExternal() && !function->hasAttr(kernelAttrName))
        functions.push_back(function);
    });
    for (func::FuncOp function : functions) {
      auto own =
          function->getAttrOfType<CacheScheduleAttr>("sparse_attn.cache");
      CacheScheduleAttr chosen = own ? own : given;
      if (!chosen)
        continue;
      ListCache cache(function, chosen);
      if (failed(cache.collect(dense)))
        return signalPassFailure();
      if (!cache.size()) {
        if (own)
          function.emitRemark("keeps no lists: no attention visits a list");
        continue;
      }
      if (failed(cache.rewrite()))
        return signalPassFailure();
      listsCached += cache.size();
    }
  }
};
} // namespace

//===- LinalgExtToSparseAttn.cpp - The pass convert-linalg-ext-to-sparse-attn
//-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/AttentionPlan.h"
#include "SparseAttn/Conversion/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_CONVERTLINALGEXTTOSPARSEATTN
#include "SparseAttn/Conversion/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

static constexpr StringLiteral attentionName = "iree_linalg_ext.attention";
static constexpr StringLiteral onlineAttentionName =
    "iree_linalg_ext.online_attention";

namespace {

/// The dialect is not linked: its ops are read by the documented structure of
/// the generic form, every part of which is checked.
class Reader {
public:
  Reader(Operation *op, Refusal &refusal)
      : tracer(space), op(op), refusal(refusal),
        online(op->getName().getStringRef() == onlineAttentionName), plan(op) {}

  FailureOr<AttentionOp> run(RewriterBase &rewriter);

private:
  LogicalResult readMaps();
  LogicalResult readRegion();
  /// The output of the op, or of the user that divides its accumulator.
  LogicalResult readOutput();
  LogicalResult checkStarts();
  LogicalResult checkUses(const Trace &division);

  /// Operand `index` as its map reads it.
  Element operandAt(unsigned index);
  /// The first of the operands that are written to: the output, and for online
  /// attention the row maxima and row sums.
  unsigned firstInit() { return op->getNumOperands() - op->getNumResults(); }
  bool hasMask() { return firstInit() == 5; }

  AxisSpace space;
  Tracer tracer;
  Operation *op;
  Refusal &refusal;
  /// Whether the op leaves the division by the row sums to its user.
  bool online;
  AttentionPlan plan;
  SmallVector<AffineMap> maps;
  AxisView loops;
};

} // namespace

Element Reader::operandAt(unsigned index) {
  AxisView axes;
  for (AffineExpr expr : maps[index].getResults())
    axes.push_back(loops[cast<AffineDimExpr>(expr).getPosition()]);
  return {op->getOperand(index), nullptr, std::move(axes)};
}

LogicalResult Reader::readMaps() {
  unsigned count = op->getNumOperands(), results = online ? 3 : 1;
  if (op->getNumResults() != results ||
      (count != 4 + results && count != 5 + results))
    return refusal(op, "expected query, key, value, scale, an optional mask "
                       "and " +
                           Twine(online ? "output, row maxima and row sums"
                                        : "one output") +
                           ", found " + Twine(count) + " operands and " +
                           Twine(op->getNumResults()) + " results");
  Attribute attribute = getForeignAttr(op, "indexing_maps");
  auto array = dyn_cast_or_null<ArrayAttr>(attribute);
  if (!array || array.size() != count)
    return refusal(op, "expected one indexing map for each of " + Twine(count) +
                           " operands, found " +
                           Twine(array ? array.size() : 0));
  for (auto [index, entry] : llvm::enumerate(array)) {
    auto map = dyn_cast<AffineMapAttr>(entry);
    if (!map || !map.getValue().isProjectedPermutation() ||
        map.getValue().getNumSymbols() != 0 ||
        (!maps.empty() && map.getValue().getNumDims() != maps[0].getNumDims()))
      return refusal(op, "expected projected permutations of one iteration "
                         "space as indexing maps");
    maps.push_back(map.getValue());
    Type type = op->getOperand(index).getType();
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (index == 3
            ? !isa<FloatType>(type)
            : !tensor || tensor.getRank() != map.getValue().getNumResults())
      return refusal(op, "expected tensors of the indexing maps' ranks and a "
                         "scalar scale");
  }
  for (unsigned i = 0; i < results; ++i)
    if (op->getResult(i).getType() != op->getOperand(firstInit() + i).getType())
      return refusal(op, "expected a result of the output's type");

  // The iteration space, with a static size wherever an operand has one.
  SmallVector<int64_t> sizes(maps[0].getNumDims(), ShapedType::kDynamic);
  for (auto [index, map] : llvm::enumerate(maps)) {
    if (index == 3)
      continue;
    auto type = cast<RankedTensorType>(op->getOperand(index).getType());
    for (auto [expr, size] : llvm::zip_equal(map.getResults(), type.getShape()))
      if (!ShapedType::isDynamic(size))
        sizes[cast<AffineDimExpr>(expr).getPosition()] = size;
  }
  for (int64_t size : sizes)
    loops.push_back({space.create(size)});
  FailureOr<AttentionOp::Dims> dims = AttentionOp::inferDims(
      maps[0], maps[1], maps[2], maps[firstInit()],
      [&](const Twine &text) { refusal(op, text).failed(); });
  if (failed(dims))
    return failure();
  plan.keys = loops[dims->k2];
  plan.headDim = loops[dims->k1];
  plan.valueDim = loops[dims->n];
  // One maximum and one sum for each row.
  for (unsigned i = 1; i < results; ++i) {
    AffineMap rows = maps[firstInit() + i];
    for (unsigned dim = 0; dim < loops.size(); ++dim)
      if (rows.isFunctionOfDim(dim) !=
          (dim != dims->n && maps[firstInit()].isFunctionOfDim(dim)))
        return refusal(op, "the row maxima or row sums are not over the "
                           "dimensions of a row");
  }
  return success();
}

LogicalResult Reader::readRegion() {
  if (op->getNumRegions() != 1 || !op->getRegion(0).hasOneBlock())
    return refusal(op, "expected one region of one block");
  Block &block = op->getRegion(0).front();
  if (block.getNumArguments() != 1 || !block.getArgument(0).getType().isF32() ||
      block.empty() || block.back().getNumOperands() != 1 ||
      block.back().getName().getStringRef() != "iree_linalg_ext.yield" ||
      !block.back().getOperand(0).getType().isF32())
    return refusal(op, "expected a score region from f32 to f32");
  for (Operation &inner : llvm::drop_end(block))
    if (inner.getName().getStringRef() != "iree_linalg_ext.index" &&
        !isMemoryEffectFree(&inner))
      return refusal(op, "the score region holds " +
                             Twine(inner.getName().getStringRef()) +
                             ", which may have effects");
  tracer.enterRegion(&block, loops);
  return addScoreRegion(tracer, block.back().getOperand(0),
                        block.getArgument(0), plan.scores, op, refusal);
}

LogicalResult Reader::checkStarts() {
  unsigned output = firstInit();
  if (!tracer.isZero(tracer.peel(operandAt(output))))
    return refusal(op, "the accumulator of the online attention does not start "
                       "at zero");
  if (!isMaximumStart(tracer, tracer.peel(operandAt(output + 1))))
    return refusal(op, "the row maxima of the online attention start at what "
                       "may be above a score");
  if (!tracer.isZero(tracer.peel(operandAt(output + 2))))
    return refusal(op, "the row sums of the online attention do not start at "
                       "zero");
  return success();
}

LogicalResult Reader::checkUses(const Trace &division) {
  auto check = [&](Value value, StringRef what) {
    for (Operation *user : value.getUsers())
      if (!division.contains(user)) {
        (void)refusal(op, Twine(what) +
                              " of the online attention have another "
                              "use, by " +
                              user->getName().getStringRef());
        return false;
      }
    return true;
  };
  if (!op->getResult(1).use_empty())
    return refusal(
        op,
        "the row maxima of the online attention are used, by " +
            Twine((*op->getResult(1).user_begin())->getName().getStringRef()));
  if (!check(op->getResult(0), "the accumulators") ||
      !check(op->getResult(2), "the row sums"))
    return failure();
  for (Operation *step : division)
    if (step != division.back())
      for (Value result : step->getResults())
        if (!check(result, "the row sums or accumulators"))
          return failure();
  return success();
}

LogicalResult Reader::readOutput() {
  AxisView axes = operandAt(firstInit()).axes;
  if (!online) {
    plan.output = findCopies(tracer, op->getResult(0), axes);
    return success();
  }
  if (failed(checkStarts()))
    return failure();
  // The division is in the first op that does more than copy the accumulator.
  SmallVector<Candidate> copies = findCopies(tracer, op->getResult(0), axes);
  const Candidate &last = copies.back();
  auto fail = [&] {
    return refusal(op, "the accumulator of the online attention is not divided "
                       "by its row sums");
  };
  if (!last.tensor.hasOneUse())
    return fail();
  OpOperand &use = *last.tensor.use_begin();
  auto division = dyn_cast<linalg::LinalgOp>(use.getOwner());
  if (!division || division->getNumResults() != 1 ||
      !division.hasPureTensorSemantics() ||
      division.getNumParallelLoops() != division.getNumLoops())
    return fail();
  std::optional<AxisView> divided = tracer.bindLoops(
      division, division.getMatchingIndexingMap(&use), last.axes);
  if (!divided)
    return fail();
  Value result = division->getResult(0);
  std::optional<AxisView> view = tracer.applyMap(
      division.getMatchingIndexingMap(division.getDpsInitOperand(0)), *divided,
      result.getType());
  if (!view)
    return fail();
  Trace trace;
  Element dividend;
  std::optional<Element> divisor =
      matchQuotient(tracer, tracer.stripCasts({result, nullptr, *view}, &trace),
                    dividend, trace);
  auto is = [&](const Element &element, unsigned number) {
    return element.value == op->getResult(number) &&
           space.sameAll(element.axes, operandAt(firstInit() + number).axes);
  };
  if (!divisor || !is(tracer.stripCasts(dividend, &trace), 0) ||
      !is(*divisor, 2))
    return fail();
  trace.remove(division);
  trace.insert(division);
  plan.output = findCopies(tracer, result, *view);
  return checkUses(trace);
}

FailureOr<AttentionOp> Reader::run(RewriterBase &rewriter) {
  if (failed(readMaps()))
    return failure();
  std::optional<double> scale =
      tracer.getDouble(tracer.peel(tracer.scalar(op->getOperand(3))));
  if (!scale)
    return refusal(op, "the scale is no constant");
  plan.scores.scale = *scale;
  // The region is applied before the mask, as in sparse_attn.attention.
  if (failed(readRegion()) ||
      (hasMask() &&
       failed(addMaskOperand(tracer, operandAt(4), plan.scores, op, refusal))))
    return failure();
  auto origins = [&](unsigned index, bool scaled) {
    Element element = operandAt(index);
    return findOrigins(tracer, element.value, element.axes, scaled);
  };
  plan.query = origins(0, true);
  plan.key = origins(1, true);
  plan.value = origins(2, false);
  if (failed(readOutput()))
    return failure();
  FailureOr<AttentionOp> attention =
      writeAttention(rewriter, tracer, plan, refusal);
  if (failed(attention))
    return failure();
  // Nothing is known about ops of an unregistered dialect in general, so this
  // one is not found to be dead by itself.
  llvm::SmallSetVector<Operation *, 6> producers;
  for (Value operand : op->getOperands())
    if (Operation *def = operand.getDefiningOp())
      producers.insert(def);
  rewriter.eraseOp(op);
  eraseDeadChains(rewriter, producers.getArrayRef());
  return attention;
}

namespace {
struct ConvertLinalgExtToSparseAttn
    : public sparse_attn::impl::ConvertLinalgExtToSparseAttnBase<
          ConvertLinalgExtToSparseAttn> {
  void runOnOperation() override {
    SmallVector<Operation *> found;
    getOperation()->walk([&](Operation *op) {
      StringRef name = op->getName().getStringRef();
      if (name == attentionName || name == onlineAttentionName)
        found.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : found) {
      Refusal refusal;
      if (succeeded(Reader(op, refusal).run(rewriter))) {
        ++numRaised;
        continue;
      }
      emitRemark(op->getLoc(), "not raised: ") << refusal.reason;
      ++numRefused;
    }
  }
};
} // namespace

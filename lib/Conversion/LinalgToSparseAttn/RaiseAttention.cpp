//===- RaiseAttention.cpp - Attention of linalg graphs --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/RaiseAttention.h"
#include "EmptyRows.h"
#include "ReshapeGroups.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

class Raiser {
public:
  Raiser(linalg::LinalgOp values, Refusal &refusal)
      : tracer(space), values(values), refusal(refusal) {}

  FailureOr<AttentionOp> run(RewriterBase &rewriter);

private:
  LogicalResult matchOperands(const SoftmaxMatch &softmax,
                              unsigned probabilities);
  /// Whether dimension `dim` of the result, seen as `list`, is proven to be as
  /// long as that of the query.
  bool isSizeOfQuery(unsigned dim, ArrayRef<unsigned> list);
  /// The element of an operand of a product at its loops.
  Element operandAt(linalg::LinalgOp op, unsigned index,
                    ArrayRef<AxisList> loops);
  /// Tells what is between a softmax and `values`, if there is one.
  LogicalResult explain(unsigned operand);
  LogicalResult checkUses();

  AxisSpace space;
  Tracer tracer;
  linalg::LinalgOp values;
  Refusal &refusal;
  AxisView loops;
  Trace trace;
  std::optional<AttentionPlan> plan;
};

} // namespace

Element Raiser::operandAt(linalg::LinalgOp op, unsigned index,
                          ArrayRef<AxisList> loops) {
  OpOperand &operand = op->getOpOperand(index);
  Value tensor = operand.get();
  // Operands of contractions are projected permutations of the loops.
  std::optional<AxisView> axes = tracer.applyMap(
      op.getMatchingIndexingMap(&operand), loops, tensor.getType());
  assert(axes && "expected a contraction");
  return {tensor, nullptr, std::move(*axes)};
}

bool Raiser::isSizeOfQuery(unsigned dim, ArrayRef<unsigned> list) {
  return llvm::any_of(plan->query, [&](const Candidate &candidate) {
    return llvm::any_of(llvm::enumerate(candidate.axes), [&](auto entry) {
      return space.same(entry.value(), list) &&
             haveSameSize(values->getResult(0), dim, candidate.tensor,
                          entry.index());
    });
  });
}

LogicalResult Raiser::matchOperands(const SoftmaxMatch &softmax,
                                    unsigned probabilities) {
  Operation *anchor = softmax.anchor;
  if (!isZeroBasedContraction(tracer, values))
    return refusal(anchor, "the product with the values does not start at zero "
                           "or is not of floats");
  FailureOr<ScoreMatch> scores =
      matchScores(tracer, softmax.scores, anchor, trace, refusal);
  if (failed(scores))
    return failure();
  plan->scores = std::move(*scores);
  if (softmax.hidesNaN)
    if (Operation *source = findSourceOfNaN(tracer, plan->scores))
      return refusal(anchor, Twine("the probabilities are replaced by zero "
                                   "where they are not numbers, which they may "
                                   "be by ") +
                                 source->getName().getStringRef());

  // The product of query and key, with head_dim as what it sums over.
  const Element &product = plan->scores.product;
  auto op = cast<linalg::LinalgOp>(product.value.getDefiningOp());
  SmallVector<std::optional<AxisList>> bound(op.getNumLoops());
  for (auto [loop, range, kind] : llvm::zip_equal(
           bound, op.getStaticLoopRanges(), op.getIteratorTypesArray())) {
    if (kind != utils::IteratorType::reduction)
      continue;
    loop = AxisList{space.create(range)};
    plan->headDim.push_back(loop->front());
  }
  std::optional<AxisView> productLoops =
      tracer.bindLoops(op, op.getMatchingIndexingMap(op.getDpsInitOperand(0)),
                       product.axes, bound);
  if (!productLoops)
    return refusal(anchor, "the product of query and key is seen in parts");
  Element query = operandAt(op, 0, *productLoops);
  Element key = operandAt(op, 1, *productLoops);

  Element value = operandAt(values, 1 - probabilities, loops);
  plan->query = findOrigins(tracer, query.value, query.axes, true);
  plan->key = findOrigins(tracer, key.value, key.axes, true);
  plan->value = findOrigins(tracer, value.value, value.axes, false);

  // The one that has the keys is the key. A single key leaves no axis: then
  // the query is the one that has the rows, what the values lack.
  AxisList keys = space.resolve(plan->keys);
  auto hasAny = [&](const AxisView &view, ArrayRef<unsigned> axes) {
    return llvm::any_of(space.resolveAll(view), [&](const AxisList &list) {
      return llvm::any_of(
          list, [&](unsigned axis) { return llvm::is_contained(axes, axis); });
    });
  };
  if (!keys.empty()) {
    bool first = hasAny(query.axes, keys.front());
    if (first == hasAny(key.axes, keys.front()))
      return refusal(anchor, "the softmax does not run over a dimension of "
                             "just one operand of the product");
    if (first)
      std::swap(plan->query, plan->key);
  } else {
    AxisList rows;
    for (const AxisList &list : space.resolveAll(product.axes))
      for (unsigned axis : list)
        if (!hasAny(plan->value.back().axes, axis))
          rows.push_back(axis);
    if (hasAny(plan->key.back().axes, rows) &&
        !hasAny(plan->query.back().axes, rows))
      std::swap(plan->query, plan->key);
  }
  AffineMap outputMap =
      values.getMatchingIndexingMap(values.getDpsInitOperand(0));
  AffineMap weights =
      values.getMatchingIndexingMap(&values->getOpOperand(probabilities));
  for (auto [loop, list] : llvm::enumerate(loops))
    if (outputMap.isFunctionOfDim(loop) && !weights.isFunctionOfDim(loop))
      llvm::append_range(plan->valueDim, list);
  std::optional<AxisView> output =
      tracer.applyMap(outputMap, loops, values->getResult(0).getType());
  assert(output && "expected a contraction");
  plan->output = findCopies(tracer, values->getResult(0), *output);
  // Without keys there is nothing to weigh, but still a row for each query.
  for (auto [dim, list] : llvm::enumerate(*output))
    if (tracer.isInferred(list) && !isSizeOfQuery(dim, list))
      return refusal(anchor, "a length of the result is that of the query only "
                             "if a tensor.reshape is of no empty tensor");
  return success();
}

/// Whether `op` serves nothing but the chain: it is part of it, or what it
/// gives is a shape or a by-product that dies with it.
static bool diesWith(Operation *op, const Trace &trace, unsigned depth) {
  if (trace.contains(op))
    return true;
  if (depth == 0 || !isMemoryEffectFree(op) ||
      op->hasTrait<OpTrait::IsTerminator>())
    return false;
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    return diesWith(user, trace, depth - 1);
  });
}

LogicalResult Raiser::checkUses() {
  trace.insert(values);
  auto product =
      cast<linalg::LinalgOp>(plan->scores.product.value.getDefiningOp());
  for (Operation *op : trace)
    for (Operation *user : op->getUsers()) {
      if (op == values || diesWith(user, trace, 4))
        continue;
      bool scores = op == product;
      return refusal(plan->anchor,
                     Twine(scores ? "the product of query and key"
                                  : "a step between scores and probabilities") +
                         " has another use, by " +
                         user->getName().getStringRef());
    }
  return success();
}

/// A softmax that only elementwise ops are between and `tensor`, if there is
/// one.
static Operation *findSoftmax(Value tensor, unsigned depth) {
  if (auto softmax = tensor.getDefiningOp<linalg::SoftmaxOp>())
    return softmax;
  auto op = tensor.getDefiningOp<linalg::LinalgOp>();
  if (!op || depth == 0)
    return nullptr;
  if (op.getNumReductionLoops() != 0)
    return nullptr;
  for (Operation &scalar : *op.getBlock())
    if (looksLikeSoftmax(&scalar))
      return &scalar;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (Operation *found = findSoftmax(operand->get(), depth - 1))
      return found;
  return nullptr;
}

LogicalResult Raiser::explain(unsigned operand) {
  struct Place {
    Element element;
    unsigned depth;
    Operation *outermost;
  };
  SmallVector<Place> places = {{operandAt(values, operand, loops), 0, nullptr}};
  while (!places.empty()) {
    Place place = places.pop_back_val();
    if (place.outermost) {
      Refusal found;
      Trace unused;
      FailureOr<SoftmaxMatch> softmax =
          matchSoftmax(tracer, place.element, plan->keys, unused, found);
      if (succeeded(softmax))
        return refusal(softmax->anchor,
                       Twine("the probabilities pass through ") +
                           place.outermost->getName().getStringRef() +
                           " before the product with the values");
      if (found.anchor) {
        refusal = found;
        return failure();
      }
    }
    Element element = tracer.stripCasts(place.element);
    if (auto reshape = element.value.getDefiningOp<tensor::ReshapeOp>())
      if (Operation *softmax = findSoftmax(reshape.getSource(), 6))
        return refusal(softmax, "the probabilities pass through a "
                                "tensor.reshape whose sizes are not proven to "
                                "be theirs");
    Operation *op = element.getScalarOp();
    if (!op || place.depth == 3 ||
        !isa_and_nonnull<arith::ArithDialect>(op->getDialect()))
      continue;
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      if (isa<FloatType>(op->getOperand(i).getType()))
        places.push_back({tracer.rawOperand(element, i), place.depth + 1,
                          place.outermost ? place.outermost : op});
  }
  return failure();
}

FailureOr<AttentionOp> Raiser::run(RewriterBase &rewriter) {
  if (!values.hasPureTensorSemantics() ||
      !linalg::isaContractionOpInterface(values) ||
      values.getNumDpsInputs() != 2)
    return failure();
  AxisList keys;
  for (auto [range, kind] : llvm::zip_equal(values.getStaticLoopRanges(),
                                            values.getIteratorTypesArray())) {
    loops.push_back({space.create(range)});
    if (kind == utils::IteratorType::reduction)
      keys.push_back(loops.back().front());
  }
  for (unsigned operand : {0, 1}) {
    trace.clear();
    FailureOr<SoftmaxMatch> softmax = matchSoftmax(
        tracer, operandAt(values, operand, loops), keys, trace, refusal);
    if (failed(softmax)) {
      if (refusal.anchor)
        return failure();
      continue;
    }
    plan.emplace(softmax->anchor);
    plan->keys = keys;
    if (failed(matchOperands(*softmax, operand)) || failed(checkUses()))
      return failure();
    return writeAttention(rewriter, tracer, *plan, refusal);
  }
  plan.emplace(values);
  plan->keys = keys;
  for (unsigned operand : {0, 1})
    if (failed(explain(operand)) && refusal.anchor)
      return failure();
  return failure();
}

FailureOr<AttentionOp>
mlir::sparse_attn::raiseAttention(RewriterBase &rewriter,
                                  linalg::LinalgOp values, Refusal &refusal) {
  return Raiser(values, refusal).run(rewriter);
}

namespace {
struct RaiseAttentionPattern
    : public OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    Refusal refusal;
    if (succeeded(raiseAttention(rewriter, op, refusal)))
      return success();
    if (!refusal.anchor)
      return rewriter.notifyMatchFailure(op, "no product of a softmax");
    return rewriter.notifyMatchFailure(refusal.anchor, refusal.reason);
  }
};
} // namespace

void mlir::sparse_attn::populateLinalgToSparseAttnPatterns(
    RewritePatternSet &patterns) {
  patterns.add<RaiseAttentionPattern>(patterns.getContext());
}

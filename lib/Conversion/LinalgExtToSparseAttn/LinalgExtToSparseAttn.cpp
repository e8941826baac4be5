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

namespace {

/// The dialect is not linked: its op is read by the documented structure of
/// the generic form, every part of which is checked.
class Reader {
public:
  Reader(Operation *op, Refusal &refusal)
      : tracer(space), op(op), refusal(refusal), plan(op) {}

  FailureOr<AttentionOp> run(RewriterBase &rewriter);

private:
  LogicalResult readMaps();
  LogicalResult readRegion();
  /// Operand `index` as its map reads it.
  Element operandAt(unsigned index);

  AxisSpace space;
  Tracer tracer;
  Operation *op;
  Refusal &refusal;
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
  unsigned count = op->getNumOperands();
  if ((count != 5 && count != 6) || op->getNumResults() != 1)
    return refusal(op,
                   "expected query, key, value, scale, an optional mask and "
                   "one output, found " +
                       Twine(count) + " operands and " +
                       Twine(op->getNumResults()) + " results");
  // Operands from the text are inherent attributes if written in <{...}>, and
  // discardable ones in older dumps.
  auto properties =
      dyn_cast_or_null<DictionaryAttr>(op->getPropertiesAsAttribute());
  Attribute attribute = properties ? properties.get("indexing_maps") : nullptr;
  if (!attribute)
    attribute = op->getDiscardableAttr("indexing_maps");
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
  if (op->getResult(0).getType() != op->getOperand(count - 1).getType())
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
      maps[0], maps[1], maps[2], maps.back(),
      [&](const Twine &text) { refusal(op, text).failed(); });
  if (failed(dims))
    return failure();
  plan.keys = loops[dims->k2];
  plan.headDim = loops[dims->k1];
  plan.valueDim = loops[dims->n];
  return success();
}

LogicalResult Reader::readRegion() {
  if (op->getNumRegions() != 1 || !op->getRegion(0).hasOneBlock())
    return refusal(op, "expected one region of one block");
  Block &block = op->getRegion(0).front();
  if (block.getNumArguments() != 1 || !block.getArgument(0).getType().isF32() ||
      block.empty() || block.back().getNumOperands() != 1 ||
      block.back().getOperand(0) != block.getArgument(0) ||
      !llvm::hasSingleElement(block))
    return refusal(op, "the score region is not the identity on f32");
  return success();
}

FailureOr<AttentionOp> Reader::run(RewriterBase &rewriter) {
  if (failed(readMaps()) || failed(readRegion()))
    return failure();
  std::optional<double> scale =
      tracer.getDouble(tracer.peel({op->getOperand(3), nullptr, {}}));
  if (!scale)
    return refusal(op, "the scale is no constant");
  plan.scores.scale = *scale;
  if (op->getNumOperands() == 6 &&
      failed(addMaskOperand(tracer, operandAt(4), plan.scores, op, refusal)))
    return failure();
  auto origins = [&](unsigned index, bool scaled) {
    Element element = operandAt(index);
    return findOrigins(tracer, element.value, element.axes, scaled);
  };
  plan.query = origins(0, true);
  plan.key = origins(1, true);
  plan.value = origins(2, false);
  plan.output = findCopies(tracer, op->getResult(0),
                           operandAt(op->getNumOperands() - 1).axes);
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
      if (name == "iree_linalg_ext.attention" ||
          name == "iree_linalg_ext.online_attention")
        found.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : found) {
      Refusal refusal;
      if (op->getName().getStringRef() == "iree_linalg_ext.online_attention")
        (void)refusal(op, "online attention leaves the division to its user");
      else if (succeeded(Reader(op, refusal).run(rewriter))) {
        ++numRaised;
        continue;
      }
      emitRemark(op->getLoc(), "not raised: ") << refusal.reason;
      ++numRefused;
    }
  }
};
} // namespace

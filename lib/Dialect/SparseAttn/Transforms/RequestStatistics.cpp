//===- RequestStatistics.cpp - Kernels tell what they left out ----------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_REQUESTSTATISTICS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

static RankedTensorType getRecallBoundType(AttentionOp op) {
  SmallVector<int64_t> shape;
  for (AffineExpr expr : op.getRowMap().getResults())
    shape.push_back(op.getDimSize(cast<AffineDimExpr>(expr).getPosition()));
  return RankedTensorType::get(shape, Float32Type::get(op.getContext()));
}

static RankedTensorType getTileCountsType(AttentionOp op) {
  AttentionOp::Dims dims = op.getDims();
  SmallVector<int64_t> shape;
  for (unsigned dim : dims.batch)
    shape.push_back(op.getDimSize(dim));
  int64_t queries = op.getDimSize(dims.m);
  shape.push_back(
      ShapedType::isDynamic(queries)
          ? queries
          : llvm::divideCeilSigned(queries, (*op.getDecisionTile())[0]));
  shape.push_back(2);
  return RankedTensorType::get(shape, IntegerType::get(op.getContext(), 32));
}

namespace {
class RequestStatisticsPass
    : public sparse_attn::impl::RequestStatisticsBase<RequestStatisticsPass> {
public:
  using RequestStatisticsBase::RequestStatisticsBase;

  void runOnOperation() override {
    llvm::StringSet<> called;
    getOperation().walk([&](Operation *op) {
      if (auto call = dyn_cast<func::CallOp>(op))
        called.insert(call.getCallee());
      else if (auto call = dyn_cast<CallKernelOp>(op))
        called.insert(call.getCallee());
    });
    for (auto kernel : getOperation().getOps<func::FuncOp>()) {
      if (!kernel->hasAttr(kernelAttrName))
        continue;
      if (called.contains(kernel.getSymName())) {
        kernel.emitOpError("expected a kernel that nothing calls, for its "
                           "arguments change");
        return signalPassFailure();
      }
      if (failed(request(kernel)))
        return signalPassFailure();
    }
  }

private:
  LogicalResult request(func::FuncOp kernel);
};
} // namespace

LogicalResult RequestStatisticsPass::request(func::FuncOp kernel) {
  if (isa_and_nonnull<KernelOpInterface>(getKernelOp(kernel)))
    return success();
  AttentionOp op = getKernelAttention(kernel);
  if (!op)
    return kernel.emitOpError("expected one sparse_attn.attention in a kernel");
  if (!op.getDecisionTile()) {
    op.emitRemark("kernel without statistics: no decision tile was assigned");
    return success();
  }
  bool wantsBound = !op.getRecallBound() && op.getFilterOrDefault().canSkip();
  bool wantsCounts = !op.getTileCounts();
  if (!wantsBound && !wantsCounts)
    return success();

  DictionaryAttr statistic = DictionaryAttr::get(
      &getContext(),
      NamedAttribute(StringAttr::get(&getContext(), statisticAttrName),
                     UnitAttr::get(&getContext())));
  // Arguments and results keep the order of the op: recall_bound goes before
  // tile_counts, which may be there already.
  auto add = [&](RankedTensorType type, bool atEnd) -> Value {
    unsigned behind = atEnd || !op.getTileCounts() ? 0 : 1;
    unsigned argument = kernel.getNumArguments() - behind;
    LogicalResult inserted =
        kernel.insertArgument(argument, type, statistic, op.getLoc());
    LogicalResult extended =
        kernel.insertResult(kernel.getNumResults() - behind, type, {});
    assert(succeeded(inserted) && succeeded(extended) && "types are plain");
    (void)inserted;
    (void)extended;
    ++statisticsAdded;
    return kernel.getArgument(argument);
  };
  Value bound = op.getRecallBound(), counts = op.getTileCounts();
  if (wantsBound)
    bound = add(getRecallBoundType(op), /*atEnd=*/false);
  if (wantsCounts)
    counts = add(getTileCountsType(op), /*atEnd=*/true);

  // Results cannot be added to an op in place.
  SmallVector<Type> results(kernel.getResultTypes());
  OpBuilder builder(op);
  auto extended = AttentionOp::create(
      builder, op.getLoc(), results, op.getQuery(), op.getKey(), op.getValue(),
      op.getMask(), op.getBlockCounts(), op.getBlockIndices(), op.getOutput(),
      op.getLogSumExp(), bound, counts, op.getIndexingMapsAttr(),
      op.getScaleAttr(), op.getFilterAttr(), op.getDecisionTileAttr(),
      op.getBlockShapeAttr(), op.getPrecisionAttr());
  extended->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  extended.getScore().takeBody(op.getScore());
  kernel.getBody().front().getTerminator()->setOperands(extended.getResults());
  op->erase();
  return success();
}

//===- AssignPolicies.cpp - States what the IR leaves open --------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Pipelines/PolicySpelling.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_ASSIGNPOLICIES
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
class AssignPoliciesPass
    : public sparse_attn::impl::AssignPoliciesBase<AssignPoliciesPass> {
public:
  using AssignPoliciesBase::AssignPoliciesBase;

  // Spellings are checked once, and before any IR is touched.
  LogicalResult initialize(MLIRContext *context) override {
    auto emit = [&] { return mlir::emitError(UnknownLoc::get(context)); };
    parsedFilter = {};
    parsedPrecision = {};
    if (!filter.empty()) {
      FailureOr<FilterAttrInterface> parsed =
          parseFilterSpelling(context, filter, emit);
      if (failed(parsed))
        return failure();
      parsedFilter = *parsed;
    }
    if (!precision.empty()) {
      FailureOr<Precision> parsed = parsePrecisionSpelling(precision, emit);
      if (failed(parsed))
        return failure();
      parsedPrecision = PrecisionAttr::get(context, *parsed);
    }
    return success();
  }

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([&](AttentionOp op) {
      return failed(assign(op)) ? WalkResult::interrupt()
                                : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult assign(AttentionOp op) {
    if (parsedFilter && !op.getFilter()) {
      // The verifier would refuse the pair; say which half came from where.
      auto recall = dyn_cast<RecallFilterAttr>(parsedFilter);
      if (recall && !recall.isExact() && op.getDecisionTile() &&
          (*op.getDecisionTile())[1] % (2 * recall.getGroups()))
        return op.emitOpError("cannot take the filter '")
               << filter << "': expected a decision tile of a multiple of "
               << 2 * recall.getGroups() << " keys, found "
               << (*op.getDecisionTile())[1];
      op.setFilterAttr(parsedFilter);
      ++filtersSet;
    }
    auto type = cast<RankedTensorType>(op.getQuery().getType());
    if (parsedPrecision && !op.getPrecision() &&
        type.getElementType().isF32()) {
      op.setPrecisionAttr(parsedPrecision);
      ++precisionsSet;
    }
    return success();
  }

  FilterAttrInterface parsedFilter;
  PrecisionAttr parsedPrecision;
};
} // namespace

//===- LinalgToSparseAttn.cpp - The pass convert-linalg-to-sparse-attn ----===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/RaiseAttention.h"
#include "SparseAttn/Conversion/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_CONVERTLINALGTOSPARSEATTN
#include "SparseAttn/Conversion/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
struct ConvertLinalgToSparseAttn
    : public sparse_attn::impl::ConvertLinalgToSparseAttnBase<
          ConvertLinalgToSparseAttn> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> products;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.getNumReductionLoops() != 0)
        products.push_back(op);
    });
    // An attention erases only what comes before its product with the values,
    // so the ops that are still to be visited stay.
    IRRewriter rewriter(&getContext());
    llvm::DenseMap<Operation *, std::string> reasons;
    for (linalg::LinalgOp op : products) {
      Refusal refusal;
      if (succeeded(raiseAttention(rewriter, op, refusal)))
        ++numRaised;
      else if (refusal.anchor)
        reasons.try_emplace(refusal.anchor, refusal.reason);
    }
    getOperation()->walk([&](Operation *op) {
      if (!isa<linalg::SoftmaxOp, math::ExpOp>(op))
        return;
      Location loc = locate(op);
      auto reason = reasons.find(op);
      if (reason != reasons.end()) {
        emitRemark(loc, "not raised: ") << reason->second;
        ++numRefused;
      } else if (looksLikeSoftmax(op)) {
        emitRemark(loc, "not raised: no product with values uses it as its "
                        "weights");
        ++numRefused;
      }
    });
  }
};
} // namespace

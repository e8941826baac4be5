//===- PrintLayouts.cpp - How compact blocks of tokens are ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/Format.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_PRINTLAYOUTS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
struct PrintLayouts : sparse_attn::impl::PrintLayoutsBase<PrintLayouts> {
  using PrintLayoutsBase::PrintLayoutsBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (block < 1) {
      getOperation()->emitError("expected blocks of at least 1 token, found ")
          << block.getValue();
      return signalPassFailure();
    }
    llvm::SetVector<Attribute> layouts;
    if (layout.empty()) {
      getOperation()->walk(
          [&](PermuteTokensOp op) { layouts.insert(op.getLayout()); });
    } else {
      FailureOr<LayoutAttrInterface> parsed = parseLayoutSpelling(
          &getContext(), layout, [&] { return getOperation()->emitError(); });
      if (failed(parsed))
        return signalPassFailure();
      layouts.insert(*parsed);
    }
    for (Attribute attr : layouts)
      print(cast<LayoutAttrInterface>(attr));
  }

private:
  void print(LayoutAttrInterface attr) {
    TokenOrder order = attr.getTokenOrder();
    Locality found = measureLocality(order, block);
    int64_t blocks = llvm::divideCeil(order.grid.count(), block.getValue());
    llvm::outs() << "// " << attr << ": " << blocks << " blocks of " << block
                 << " tokens, " << llvm::format("%.1f", found.cells)
                 << " cells in the bounding box of a block, " << found.breaks
                 << " breaks\n";
  }
};
} // namespace

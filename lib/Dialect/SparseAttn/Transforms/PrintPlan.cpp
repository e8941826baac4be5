//===- PrintPlan.cpp - Block art of what kernels visit --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/BlockPlan.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_PRINTPLAN
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Indices of the batch dimensions for which plans may differ, at most `limit`.
static std::vector<SmallVector<int64_t>>
batchIndices(AttentionOp op, ArrayRef<unsigned> positions, size_t limit) {
  AttentionOp::Dims dims = op.getDims();
  std::vector<SmallVector<int64_t>> all = {
      SmallVector<int64_t>(dims.batch.size(), 0)};
  for (unsigned position : positions) {
    int64_t size = op.getDimSize(dims.batch[position]);
    std::vector<SmallVector<int64_t>> next;
    for (const SmallVector<int64_t> &index : all)
      for (int64_t i = 0; i < size && next.size() < limit; ++i) {
        next.push_back(index);
        next.back()[position] = i;
      }
    all = std::move(next);
  }
  return all;
}

namespace {
struct PrintPlanPass : sparse_attn::impl::PrintPlanBase<PrintPlanPass> {
  using PrintPlanBase::PrintPlanBase;

  void runOnOperation() override {
    getOperation().walk([&](AttentionOp op) { print(op); });
    markAllAnalysesPreserved();
  }

private:
  void print(AttentionOp op);
};
} // namespace

void PrintPlanPass::print(AttentionOp op) {
  AttentionOp::Dims dims = op.getDims();
  int64_t queries = op.getDimSize(dims.m), keys = op.getDimSize(dims.k2);
  if (!op.getDecisionTile()) {
    op.emitRemark("no plan: no decision_tile; run sparse-attn-assign-schedule "
                  "first");
    return;
  }
  std::optional<ConstantMask> mask = ConstantMask::get(op);
  SmallVector<unsigned> positions = getUsedBatchDims(op);
  if (mask)
    llvm::append_range(positions, mask->getBatchDims());
  llvm::sort(positions);
  positions.erase(llvm::unique(positions), positions.end());
  if (ShapedType::isDynamic(queries) || ShapedType::isDynamic(keys) ||
      llvm::any_of(positions, [&](unsigned position) {
        return ShapedType::isDynamic(op.getDimSize(dims.batch[position]));
      })) {
    op.emitRemark("no plan: expected static lengths; kernels find theirs when "
                  "they run");
    return;
  }
  raw_ostream &os = llvm::outs();
  std::optional<BlockPlan> before;
  for (const SmallVector<int64_t> &batch :
       batchIndices(op, positions, /*limit=*/256)) {
    BlockPlan plan(op, *op.getDecisionTile(), batch, mask ? &*mask : nullptr);
    if (before && *before == plan)
      continue;
    os << "// plan of @" << op->getParentOfType<SymbolOpInterface>().getName();
    if (!positions.empty()) {
      os << ", batch (";
      llvm::interleaveComma(batch, os);
      os << ')';
    }
    os << ": " << queries << " queries, " << keys << " keys, tiles of "
       << (*op.getDecisionTile())[0] << 'x' << (*op.getDecisionTile())[1]
       << "; " << plan.count(TileKind::Full) << " full (#), "
       << plan.count(TileKind::Partial) << " partial (+), "
       << plan.count(TileKind::Empty) << " empty (.)\n";
    std::string art;
    llvm::raw_string_ostream text(art);
    plan.print(text, maxSide);
    SmallVector<StringRef> lines;
    StringRef(art).rtrim().split(lines, '\n');
    for (StringRef line : lines)
      os << "// " << line << '\n';
    before = std::move(plan);
  }
}

//===- AssignSchedule.cpp - Decision tiles by target and shape ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ModuleTarget.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_ASSIGNSCHEDULE
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Bytes of shared memory that the query, one key and one value tile take.
static int64_t sharedBytes(int64_t rows, int64_t keys, int64_t head,
                           int64_t valueHead, int64_t elementBytes) {
  return elementBytes * (rows * head + keys * (head + valueHead));
}

/// The largest tile of a short list that the target's shared memory holds.
static std::pair<int64_t, int64_t> chooseTile(AttentionOp op,
                                              const TargetInfo &target) {
  AttentionOp::Dims dims = op.getDims();
  auto known = [](int64_t size, int64_t otherwise) {
    return ShapedType::isDynamic(size) ? otherwise : size;
  };
  int64_t head = known(op.getDimSize(dims.k1), 128);
  int64_t valueHead = known(op.getDimSize(dims.n), 128);
  int64_t queries = op.getDimSize(dims.m);
  Type element = getElementTypeOrSelf(op.getQuery());
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  // f32 fragments are split or rounded on the way: half the rows leave the
  // registers for it. Few queries fill no more than half a tile either.
  bool small =
      element.isF32() || (!ShapedType::isDynamic(queries) && queries <= 64);
  std::pair<int64_t, int64_t> tile = {small ? 64 : 128, 64};
  // With f32 and a wide head the split fragments spill beside 64 keys.
  if (element.isF32() && std::max(head, valueHead) > 64)
    tile.second = 32;
  while (tile.second > 32 &&
         sharedBytes(tile.first, tile.second, head, valueHead, bytes) >
             target.maxSharedBytes)
    tile.second /= 2;
  // Each group of the filter takes two adjacent columns at a time.
  if (auto recall = dyn_cast<RecallFilterAttr>(op.getFilterOrDefault()))
    tile.second = std::max(tile.second, 2 * recall.getGroups());
  return tile;
}

namespace {

struct AssignSchedule : sparse_attn::impl::AssignScheduleBase<AssignSchedule> {
  using AssignScheduleBase::AssignScheduleBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const TargetInfo &target = getModuleTarget(module);
    if (rows < 0 || rows % 16 || keys < 0 || keys % 16) {
      module.emitError("expected multiples of 16 as tile sizes, found ")
          << rows.getValue() << " rows and " << keys.getValue() << " keys";
      return signalPassFailure();
    }
    module.walk([&](AttentionOp op) {
      if (op.getDecisionTile())
        return;
      auto [chosenRows, chosenKeys] = chooseTile(op, target);
      op.setDecisionTile(ArrayRef<int64_t>{rows ? rows : chosenRows,
                                           keys ? keys : chosenKeys});
      ++tilesAssigned;
    });
  }
};

} // namespace

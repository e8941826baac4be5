//===- AssignSchedule.cpp - Decision tiles by target and shape ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ModuleTarget.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include <numeric>

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_ASSIGNSCHEDULE
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// The largest tile, of those that spill nothing or little, that the target's
/// shared memory holds.
static std::pair<int64_t, int64_t> chooseTile(AttentionOp op,
                                              const TargetInfo &target) {
  AttentionOp::Dims dims = op.getDims();
  int64_t head = std::max(op.getDimSize(dims.k1), op.getDimSize(dims.n));
  int64_t queries = op.getDimSize(dims.m);
  bool isF32 = getElementTypeOrSelf(op.getQuery()).isF32();
  // f32 fragments are split or rounded on the way: half the rows leave the
  // registers for it. Few queries fill no more than half a tile either.
  bool small =
      isF32 || (!ShapedType::isDynamic(queries) && queries <= fewQueries);
  int64_t rows = small ? fewQueries : 128;
  // With f32 and a wide head the split fragments spill beside 64 keys.
  int64_t keys = isF32 && head > 96 ? 32 : 64;
  // Each group of the filter takes two adjacent columns at a time.
  int64_t fewestKeys = 16;
  if (auto recall = dyn_cast<RecallFilterAttr>(op.getFilterOrDefault()))
    fewestKeys = std::max(fewestKeys, 2 * recall.getGroups());
  keys = std::max(keys, fewestKeys);
  // 64 rows still give each of four warps its 16.
  while (getSharedBytes(op, rows, keys) > target.maxSharedBytes) {
    bool fewerKeys = keys > fewestKeys;
    if (rows > 64 || (rows > 16 && !fewerKeys))
      rows /= 2;
    else if (fewerKeys)
      keys /= 2;
    else
      break;
  }
  // Tiles are parts of the blocks that a list names, even where that makes them
  // too small for kernels, which then say so.
  if (std::optional<ArrayRef<int64_t>> block = op.getBlockShape()) {
    rows = std::gcd(rows, (*block)[0]);
    keys = std::gcd(keys, (*block)[1]);
  }
  return {rows, keys};
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

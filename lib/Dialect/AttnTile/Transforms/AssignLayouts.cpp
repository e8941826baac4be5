//===- AssignLayouts.cpp - Which thread owns which element ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h"
#include "mlir/IR/Builders.h"

namespace mlir::attn_tile {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h.inc"
} // namespace mlir::attn_tile

using namespace mlir;
using namespace mlir::attn_tile;

int64_t attn_tile::countAccumulators(gpu::GPUFuncOp kernel, int64_t warps) {
  // One accumulator for each product of an iteration: scores and output.
  int64_t scores = 0, output = 0;
  kernel.walk([&](MmaOp mma) {
    int64_t elements =
        cast<RankedTensorType>(mma.getResult().getType()).getNumElements();
    int64_t &kind = mma.getTransposeB() ? scores : output;
    kind = std::max(kind, elements);
  });
  return (scores + output) / (32 * warps);
}

int64_t attn_tile::chooseWarps(gpu::GPUFuncOp kernel, int64_t requested) {
  if (requested)
    return requested;
  int64_t rows = 16;
  kernel.walk([&](MmaOp mma) {
    rows = cast<RankedTensorType>(mma.getResult().getType()).getDimSize(0);
  });
  int64_t warps = std::clamp<int64_t>(rows / 16, 1, 4);
  while (32 * warps <= rows &&
         countAccumulators(kernel, warps) > RegisterBudget::maxAccumulators)
    warps *= 2;
  return warps;
}

namespace {

struct AssignLayouts : attn_tile::impl::AssignLayoutsBase<AssignLayouts> {
  using AssignLayoutsBase::AssignLayoutsBase;

  void runOnOperation() override {
    gpu::GPUFuncOp kernel = getOperation();
    if (warps < 0 || warps > 32) {
      kernel.emitError("expected 1 to 32 warps, or 0 to choose, found ")
          << warps.getValue();
      return signalPassFailure();
    }
    int64_t count = chooseWarps(kernel, warps);
    MLIRContext *context = &getContext();
    Attribute accumulator = AccumulatorAttr::get(context, count);
    Attribute rows = RowsAttr::get(context, count);
    Attribute operand = OperandAttr::get(context, count);

    // A first look, so that nothing changes where a tile has no layout.
    WalkResult fits = kernel.walk([&](Operation *op) {
      for (Type type : op->getResultTypes())
        if (auto tile = dyn_cast<RankedTensorType>(type))
          if (tile.getRank() == 0 || tile.getRank() > 2 ||
              !tile.hasStaticShape() || tile.getDimSize(0) % (16 * count)) {
            op->emitOpError("expected static tiles of a multiple of ")
                << 16 * count << " rows for " << count << " warps, found "
                << tile;
            return WalkResult::interrupt();
          }
      return WalkResult::advance();
    });
    if (fits.wasInterrupted())
      return signalPassFailure();

    auto layoutOf = [&](Value value) -> Attribute {
      if (value.getDefiningOp<LoadSharedOp>())
        return operand;
      return cast<RankedTensorType>(value.getType()).getRank() == 1
                 ? rows
                 : accumulator;
    };
    auto assign = [&](Value value) {
      if (auto tile = dyn_cast<RankedTensorType>(value.getType()))
        value.setType(RankedTensorType::get(
            tile.getShape(), tile.getElementType(), layoutOf(value)));
    };
    kernel.walk([&](Operation *op) {
      for (Value result : op->getResults())
        assign(result);
      for (Region &region : op->getRegions())
        for (BlockArgument argument : region.getArguments())
          assign(argument);
      if (auto constant = dyn_cast<arith::ConstantOp>(op))
        if (auto elements = dyn_cast<SplatElementsAttr>(constant.getValue()))
          constant.setValueAttr(
              DenseElementsAttr::get(cast<ShapedType>(constant.getType()),
                                     elements.getSplatValue<Attribute>()));
    });
    kernel.setKnownBlockSize(
        std::array<int32_t, 3>{static_cast<int32_t>(32 * count), 1, 1});
  }
};

} // namespace

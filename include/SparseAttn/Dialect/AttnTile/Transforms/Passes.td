//===- Passes.td - Scheduling tiles on a thread block -----*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_ATTNTILE_TRANSFORMS_PASSES
#define SPARSEATTN_DIALECT_ATTNTILE_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def StageCopies : Pass<"attn-tile-stage-copies", "::mlir::gpu::GPUFuncOp"> {
  let summary = "Bring operands of products to shared memory, ahead of their use";
  let description = [{
    Every `attn_tile.load` becomes an asynchronous copy to shared memory, and
    the products read it there. In a loop over key tiles the first tile that an
    iteration needs is copied one iteration ahead, while the softmax of the one
    before runs; the others are copied while the first product runs. Each matrix
    has one buffer, so two barriers an iteration keep copies and readers apart.

    A query tile that fits beside the accumulators is kept in registers, else
    it is read from shared memory in every iteration.
  }];
  let options = [
    Option<"warps", "warps", "int64_t", "0",
           "Warps of the thread block; 0 chooses by the accumulators' size">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::attn_tile::AttnTileDialect"];
}

def AssignLayouts : Pass<"attn-tile-assign-layouts", "::mlir::gpu::GPUFuncOp"> {
  let summary = "Say of every tile which thread owns which element";
  let description = [{
    Gives 2-D tiles the accumulator layout, 1-D tiles the layout of its rows and
    tiles taken from shared memory the operand layout, and sets
    `known_block_size`. The number of warps is the smallest from 4 on that keeps
    the accumulators of a thread within its registers.
  }];
  let options = [
    Option<"warps", "warps", "int64_t", "0",
           "Warps of the thread block; 0 chooses by the accumulators' size">
  ];
  let dependentDialects = ["::mlir::attn_tile::AttnTileDialect"];
}

#endif // SPARSEATTN_DIALECT_ATTNTILE_TRANSFORMS_PASSES

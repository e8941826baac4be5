//===- Passes.h - Scheduling tiles on a thread block -----------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_ATTNTILE_TRANSFORMS_PASSES_H
#define SPARSEATTN_DIALECT_ATTNTILE_TRANSFORMS_PASSES_H

#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"

namespace mlir::attn_tile {

#define GEN_PASS_DECL
#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h.inc"

/// What a thread holds of a kernel's tiles in f32 registers, by warps.
struct RegisterBudget {
  /// Accumulators of one thread that leave room for all else.
  static constexpr int64_t maxAccumulators = 192;
  /// Accumulators and query operand together.
  static constexpr int64_t maxWithQuery = 168;
};

/// The warps that a kernel should run on: `requested` unless 0.
int64_t chooseWarps(gpu::GPUFuncOp kernel, int64_t requested);

/// f32 registers that one thread needs for the accumulators of the products
/// that are live together.
int64_t countAccumulators(gpu::GPUFuncOp kernel, int64_t warps);

} // namespace mlir::attn_tile

#endif // SPARSEATTN_DIALECT_ATTNTILE_TRANSFORMS_PASSES_H

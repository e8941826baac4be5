//===- Passes.h - Pipelines from attention to PTX --------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PIPELINES_PASSES_H
#define SPARSEATTN_PIPELINES_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir {
class ModuleOp;
class OpPassManager;
namespace gpu {
class GPUDialect;
} // namespace gpu
namespace LLVM {
class LLVMDialect;
} // namespace LLVM
namespace NVVM {
class NVVMDialect;
} // namespace NVVM

namespace sparse_attn {

#define GEN_PASS_DECL
#include "SparseAttn/Pipelines/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "SparseAttn/Pipelines/Passes.h.inc"

struct SparseAttnToPtxOptions
    : public PassPipelineOptions<SparseAttnToPtxOptions> {
  PassOptions::Option<int64_t> warps{
      *this, "warps",
      llvm::cl::desc("Warps of a thread block; 0 chooses by the tiles"),
      llvm::cl::init(0)};
  PassOptions::Option<int> optLevel{
      *this, "opt-level",
      llvm::cl::desc("Optimisation level of LLVM's NVPTX back end"),
      llvm::cl::init(2)};
};

/// From kernel functions with decision tiles (see sparse-attn-assign-schedule)
/// to PTX: fuse, stage copies, assign layouts, lower to NVVM, translate.
void buildSparseAttnToPtxPipeline(OpPassManager &pm,
                                  const SparseAttnToPtxOptions &options);

/// Registers `sparse-attn-to-ptx`.
void registerSparseAttnPipelines();

} // namespace sparse_attn
} // namespace mlir

#endif // SPARSEATTN_PIPELINES_PASSES_H

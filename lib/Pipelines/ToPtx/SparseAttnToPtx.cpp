//===- SparseAttnToPtx.cpp - The pipeline from attention to PTX -----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/Passes.h"
#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h"
#include "SparseAttn/Pipelines/Passes.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void sparse_attn::buildSparseAttnToPtxPipeline(
    OpPassManager &pm, const SparseAttnToPtxOptions &options) {
  pm.addPass(createConvertSparseAttnToAttnTile());
  pm.addPass(createCSEPass());

  OpPassManager &module = pm.nest<gpu::GPUModuleOp>();
  OpPassManager &kernel = module.nest<gpu::GPUFuncOp>();
  kernel.addPass(attn_tile::createStageCopies({options.warps}));
  kernel.addPass(attn_tile::createAssignLayouts({options.warps}));
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());

  // From here on a tile is hundreds of values: canonicalising loops that carry
  // them is cubic, so only cse runs until control flow is flat.
  module.addPass(createConvertAttnTileToNVVM());
  module.addPass(createCSEPass());
  module.addPass(createSCFToControlFlowPass());
  module.addPass(createConvertGpuOpsToNVVMOps());
  module.addPass(createReconcileUnrealizedCastsPass());
  module.addPass(createCSEPass());
  pm.addPass(createSerializeKernels({options.optLevel}));
}

void sparse_attn::registerSparseAttnPipelines() {
  PassPipelineRegistration<SparseAttnToPtxOptions>(
      "sparse-attn-to-ptx",
      "Compile attention kernel functions with decision tiles to PTX",
      buildSparseAttnToPtxPipeline);
}

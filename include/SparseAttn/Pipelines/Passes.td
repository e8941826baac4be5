//===- Passes.td - Passes that pipelines end with ---------*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PIPELINES_PASSES
#define SPARSEATTN_PIPELINES_PASSES

include "mlir/Pass/PassBase.td"

def SerializeKernels : Pass<"sparse-attn-serialize-kernels", "::mlir::ModuleOp"> {
  let summary = "Translate GPU modules to PTX";
  let description = [{
    Every `gpu.module` becomes a `gpu.binary` of one object, the PTX for the
    architecture that the module's `sparse_attn.target` names (sm_80 unless
    stated). The binary says how its kernel is launched: `sparse_attn.threads`,
    threads of a block, and `sparse_attn.shared_memory`, bytes of dynamic shared
    memory. PTX that calls functions it does not hold (libdevice) is an error.
  }];
  let options = [
    Option<"optLevel", "opt-level", "int", "2", "Optimisation level of LLVM's NVPTX back end">
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

#endif // SPARSEATTN_PIPELINES_PASSES

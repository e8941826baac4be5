//===- CpuPipeline.h - From tensors to the LLVM dialect ---------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EXECUTION_CPUPIPELINE_H
#define SPARSEATTN_LIB_EXECUTION_CPUPIPELINE_H

namespace mlir {
class MLIRContext;
class OpPassManager;
} // namespace mlir

namespace mlir::sparse_attn {

/// Loads what the pipeline's passes need of upstream dialects.
void registerCpuPipelineDialects(MLIRContext &context);

/// Lowers functions on tensors to the LLVM dialect, without vectors and with
/// the accurate elementary functions of the C library.
void buildCpuPipeline(OpPassManager &passes);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_EXECUTION_CPUPIPELINE_H

//===- Backend.h - The passes behind each step ---------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PACKAGE_BACKEND_H
#define SPARSEATTN_LIB_PACKAGE_BACKEND_H

#include "mlir/IR/BuiltinOps.h"
#include <optional>
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mlir::sparse_attn::backend {

/// Model graphs to sparse_attn.
void addRaising(OpPassManager &pm);
/// What a target and a shape decide: tiles, and statistics if asked for.
void addScheduling(OpPassManager &pm, bool statistics);
/// sparse_attn to linalg.
void addReference(OpPassManager &pm);
/// Kernel functions to gpu.binary with PTX.
void addLowering(OpPassManager &pm);

/// A kernel after the lowering.
struct LoweredKernel {
  std::string ptx;
  int64_t threads = 0, sharedMemory = 0;
};

/// The kernel `name` of a lowered module, if it is one gpu.binary with PTX.
std::optional<LoweredKernel> findLowered(ModuleOp module, llvm::StringRef name);

} // namespace mlir::sparse_attn::backend

#endif // SPARSEATTN_LIB_PACKAGE_BACKEND_H

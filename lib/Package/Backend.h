//===- Backend.h - The passes behind each step ---------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PACKAGE_BACKEND_H
#define SPARSEATTN_LIB_PACKAGE_BACKEND_H

#include "llvm/ADT/StringRef.h"

namespace mlir {
class OpPassManager;
class DialectRegistry;
} // namespace mlir

namespace mlir::sparse_attn::backend {

/// Attributes of a gpu.binary that tell how to launch its kernel.
inline constexpr llvm::StringLiteral threadsAttr = "sparse_attn.threads";
inline constexpr llvm::StringLiteral sharedAttr = "sparse_attn.shared_memory";

/// Model graphs to sparse_attn.
void addRaising(OpPassManager &pm);
/// What a target and a shape decide: tiles and statistics.
void addScheduling(OpPassManager &pm);
/// Kernel functions to gpu.binary with PTX.
void addLowering(OpPassManager &pm);

} // namespace mlir::sparse_attn::backend

#endif // SPARSEATTN_LIB_PACKAGE_BACKEND_H

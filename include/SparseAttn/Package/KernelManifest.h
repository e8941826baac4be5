//===- KernelManifest.h - What the manifest says of a kernel -- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_KERNELMANIFEST_H
#define SPARSEATTN_PACKAGE_KERNELMANIFEST_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/JSON.h"

namespace mlir::sparse_attn {

/// A filter as the manifest and reports state it.
llvm::json::Object describeFilter(FilterAttrInterface filter);

/// What a manifest says of the compiled `kernel` beside `target`, `file` and
/// `calls`, which its caller adds: how it is launched with `threads` and
/// `sharedMemory`, and what it takes.
llvm::json::Object describeKernel(func::FuncOp kernel, int64_t threads,
                                  int64_t sharedMemory);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_KERNELMANIFEST_H

//===- ModuleTarget.h - What a module is compiled for ----------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_MODULETARGET_H
#define SPARSEATTN_ANALYSIS_MODULETARGET_H

#include "SparseAttn/Target/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn {

/// The architecture that `sparse_attn.target` of the module names, sm_80
/// unless stated.
const TargetInfo &getModuleTarget(ModuleOp module);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_MODULETARGET_H

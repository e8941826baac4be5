//===- Resources.h - Constants that lie behind a module -------- -*- C++
//-*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PACKAGE_RESOURCES_H
#define SPARSEATTN_LIB_PACKAGE_RESOURCES_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn {

/// Makes every `dense_resource` of `module` a `dense`. A module printed in its
/// local scope names its resources, but their data is printed behind modules
/// alone. Reports a resource that came without data.
LogicalResult inlineResources(ModuleOp module);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_PACKAGE_RESOURCES_H

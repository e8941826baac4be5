//===- ModuleTarget.cpp - What a module is compiled for -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ModuleTarget.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

using namespace mlir;
using namespace mlir::sparse_attn;

const TargetInfo &sparse_attn::getModuleTarget(ModuleOp module) {
  StringRef chip = "sm_80";
  if (auto target = module->getAttrOfType<TargetAttr>("sparse_attn.target"))
    chip = target.getChip();
  return *TargetInfo::lookup(chip);
}

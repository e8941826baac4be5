//===- Backend.cpp - The passes behind each step ------------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Backend.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/InitAll.h"
#include "SparseAttn/Package/Compiler.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

using namespace mlir;
using namespace mlir::sparse_attn;

void sparse_attn::registerCompilerDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  sparse_attn::registerAllDialects(registry);
}

/// Adds a registered pass or pipeline by its name.
static void addByName(OpPassManager &pm, StringRef name) {
  if (PassInfo::lookup(name) || PassPipelineInfo::lookup(name))
    (void)parsePassPipeline(name, pm);
}

void backend::addRaising(OpPassManager &pm) {
  addByName(pm, "convert-linalg-to-sparse-attn");
  addByName(pm, "convert-linalg-ext-to-sparse-attn");
}

void backend::addScheduling(OpPassManager &pm) {
  pm.addPass(createAssignSchedule());
  pm.addPass(createRequestStatistics());
}

void backend::addLowering(OpPassManager &pm) {
  buildSparseAttnToPtxPipeline(pm, SparseAttnToPtxOptions());
}

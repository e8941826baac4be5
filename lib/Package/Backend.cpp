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
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

using namespace mlir;
using namespace mlir::sparse_attn;

void sparse_attn::registerCompilerDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  sparse_attn::registerAllDialects(registry);
}

void backend::addRaising(OpPassManager &pm) {
  pm.addPass(createConvertLinalgToSparseAttn());
  pm.addPass(createConvertLinalgExtToSparseAttn());
}

void backend::addScheduling(OpPassManager &pm, bool statistics) {
  pm.addPass(createPackQueryHeads());
  pm.addPass(createAssignSchedule());
  if (statistics)
    pm.addPass(createRequestStatistics());
}

void backend::addReference(OpPassManager &pm) {
  pm.addPass(createConvertSparseAttnToLinalg());
}

void backend::addLowering(OpPassManager &pm) {
  buildSparseAttnToPtxPipeline(pm, SparseAttnToPtxOptions());
}

std::optional<backend::LoweredKernel> backend::findLowered(ModuleOp module,
                                                           StringRef name) {
  auto binary = dyn_cast_or_null<gpu::BinaryOp>(
      SymbolTable::lookupSymbolIn(module, name));
  if (!binary || binary.getObjects().size() != 1)
    return std::nullopt;
  auto object = dyn_cast<gpu::ObjectAttr>(binary.getObjects()[0]);
  auto threads = binary->getAttrOfType<IntegerAttr>("sparse_attn.threads");
  auto shared = binary->getAttrOfType<IntegerAttr>("sparse_attn.shared_memory");
  if (!object || object.getFormat() != gpu::CompilationTarget::Assembly ||
      !threads || !shared)
    return std::nullopt;
  // The serialiser ends the text with a zero byte.
  return LoweredKernel{object.getObject().getValue().rtrim('\0').str(),
                       threads.getInt(), shared.getInt()};
}

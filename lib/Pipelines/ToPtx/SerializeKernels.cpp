//===- SerializeKernels.cpp - GPU modules become PTX ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/ModuleTarget.h"
#include "SparseAttn/Pipelines/Passes.h"
#include "mlir/Dialect/GPU/IR/CompilationInterfaces.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SERIALIZEKERNELS
#include "SparseAttn/Pipelines/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// The objects without what differs from run to run: the time they took.
static ArrayAttr withoutTimes(ArrayAttr objects) {
  SmallVector<Attribute> result;
  for (auto object : objects.getAsRange<gpu::ObjectAttr>()) {
    NamedAttrList properties;
    if (DictionaryAttr all = object.getProperties())
      for (NamedAttribute property : all)
        if (!property.getName().strref().ends_with("TimeInMs"))
          properties.push_back(property);
    result.push_back(gpu::ObjectAttr::get(
        objects.getContext(), object.getTarget(), object.getFormat(),
        object.getObject(), properties.getDictionary(objects.getContext()),
        object.getKernels()));
  }
  return ArrayAttr::get(objects.getContext(), result);
}

namespace {

struct SerializeKernels
    : sparse_attn::impl::SerializeKernelsBase<SerializeKernels> {
  using SerializeKernelsBase::SerializeKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const TargetInfo &info = getModuleTarget(module);
    Builder b(&getContext());

    // What a launch needs is known to the kernel, which will be text.
    struct LaunchShape {
      Attribute threads, sharedMemory;
    };
    llvm::StringMap<LaunchShape> launches;
    for (auto gpuModule : module.getOps<gpu::GPUModuleOp>()) {
      gpuModule.setTargetsAttr(b.getArrayAttr(NVVM::NVVMTargetAttr::get(
          &getContext(), optLevel, "nvptx64-nvidia-cuda", info.chip,
          info.features)));
      for (auto kernel : gpuModule.getOps<LLVM::LLVMFuncOp>()) {
        auto block = kernel->getAttrOfType<DenseI32ArrayAttr>(
            NVVM::NVVMDialect::getMaxntidAttrName());
        if (!block)
          continue;
        int64_t threads = 1;
        for (int32_t size : block.asArrayRef())
          threads *= size;
        launches[gpuModule.getName()] = {
            b.getI64IntegerAttr(threads),
            kernel->getAttr("sparse_attn.shared_memory")};
      }
    }

    gpu::TargetOptions options({}, {}, {}, {},
                               gpu::CompilationTarget::Assembly);
    if (failed(gpu::transformGpuModulesToBinaries(module, nullptr, options)))
      return signalPassFailure();
    for (auto binary : module.getOps<gpu::BinaryOp>()) {
      binary.setObjectsAttr(withoutTimes(binary.getObjects()));
      auto launch = launches.find(binary.getName());
      if (launch == launches.end())
        continue;
      binary->setAttr("sparse_attn.threads", launch->second.threads);
      if (launch->second.sharedMemory)
        binary->setAttr("sparse_attn.shared_memory",
                        launch->second.sharedMemory);
      for (Attribute object : binary.getObjects())
        if (cast<gpu::ObjectAttr>(object).getObject().getValue().contains(
                ".extern .func")) {
          binary.emitError("expected PTX that is complete in itself, found a "
                           "call of an external function");
          return signalPassFailure();
        }
    }
  }
};

} // namespace

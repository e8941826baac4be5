//===- TileKernel.cpp - Kernels from text, for tests ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"
#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

MLIRContext &sparse_attn_test::getContext() {
  static auto *context = [] {
    DialectRegistry registry;
    registry.insert<arith::ArithDialect, attn_tile::AttnTileDialect,
                    cf::ControlFlowDialect, func::FuncDialect, gpu::GPUDialect,
                    LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect,
                    sparse_attn::SparseAttnDialect, tensor::TensorDialect>();
    auto *context = new MLIRContext(registry);
    context->loadAllAvailableDialects();
    return context;
  }();
  return *context;
}

Type sparse_attn_test::getType(StringRef spelling) {
  return parseType(spelling, &getContext());
}

sparse_attn_test::TileKernel::TileKernel(StringRef text)
    : module(parseSourceString<ModuleOp>(text, ParserConfig(&getContext()),
                                         "kernel.mlir")) {}

std::string
sparse_attn_test::TileKernel::run(ArrayRef<attn_tile::KernelBuffer> arguments,
                                  std::array<uint32_t, 3> grid,
                                  const attn_tile::TileKernelOptions &options) {
  if (!module)
    return "the text does not parse";
  gpu::GPUFuncOp kernel;
  module->walk([&](gpu::GPUFuncOp function) {
    kernel = function;
    return WalkResult::interrupt();
  });
  return llvm::toString(
      attn_tile::runTileKernel(kernel, grid, arguments, options));
}

std::string sparse_attn_test::kernelText(StringRef parameters, StringRef body) {
  return ("gpu.module @module {\ngpu.func @kernel(" + parameters +
          ") kernel {\n" + body + "\ngpu.return\n}\n}\n")
      .str();
}

//===- TileKernel.h - Kernels from text, for tests --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_EXECUTION_TILEKERNEL_H
#define SPARSEATTN_TEST_UNIT_EXECUTION_TILEKERNEL_H

#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "SparseAttn/Execution/TileInterpreter.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include <cstring>

namespace sparse_attn_test {

/// The context of all tests: dialects are loaded once.
inline mlir::MLIRContext &getContext() {
  static auto *context = [] {
    mlir::DialectRegistry registry;
    registry.insert<mlir::arith::ArithDialect, mlir::attn_tile::AttnTileDialect,
                    mlir::func::FuncDialect, mlir::gpu::GPUDialect,
                    mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                    mlir::scf::SCFDialect, mlir::sparse_attn::SparseAttnDialect,
                    mlir::tensor::TensorDialect>();
    auto *context = new mlir::MLIRContext(registry);
    context->loadAllAvailableDialects();
    return context;
  }();
  return *context;
}

/// A buffer of numbers of type `T` in memory.
template <typename T>
struct Buffer {
  std::vector<T> data;
  mlir::attn_tile::KernelBuffer argument(mlir::Type type) {
    return mlir::attn_tile::KernelBuffer::memory(
        type,
        {reinterpret_cast<uint8_t *>(data.data()), data.size() * sizeof(T)});
  }
};

/// A float buffer of f16, bf16 or f32, by way of APFloat.
struct FloatBuffer {
  mlir::FloatType type;
  std::vector<uint8_t> bytes;

  FloatBuffer(mlir::FloatType type, llvm::ArrayRef<float> values) : type(type) {
    unsigned width = type.getWidth() / 8;
    bytes.resize(values.size() * width);
    for (size_t i = 0; i < values.size(); ++i) {
      llvm::APFloat number(values[i]);
      bool losesInfo;
      number.convert(type.getFloatSemantics(),
                     llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      uint64_t bits = number.bitcastToAPInt().getZExtValue();
      std::memcpy(&bytes[i * width], &bits, width);
    }
  }
  std::vector<float> values() {
    unsigned width = type.getWidth() / 8;
    std::vector<float> result;
    for (size_t i = 0; i < bytes.size(); i += width) {
      uint64_t bits = 0;
      std::memcpy(&bits, &bytes[i], width);
      llvm::APFloat number(type.getFloatSemantics(),
                           llvm::APInt(type.getWidth(), bits));
      bool losesInfo;
      number.convert(llvm::APFloat::IEEEsingle(),
                     llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      result.push_back(number.convertToFloat());
    }
    return result;
  }
  mlir::attn_tile::KernelBuffer argument() {
    return mlir::attn_tile::KernelBuffer::memory(type, bytes);
  }
};

/// The first kernel of a module.
class TileKernel {
public:
  explicit TileKernel(llvm::StringRef text)
      : module(mlir::parseSourceString<mlir::ModuleOp>(
            text, mlir::ParserConfig(&getContext()), "kernel.mlir")) {}

  bool isValid() const { return static_cast<bool>(module); }
  mlir::ModuleOp getModule() { return *module; }

  /// The fault, or nothing.
  std::string run(llvm::ArrayRef<mlir::attn_tile::KernelBuffer> arguments = {},
                  std::array<uint32_t, 3> grid = {1, 1, 1},
                  const mlir::attn_tile::TileKernelOptions &options = {}) {
    if (!module)
      return "the text does not parse";
    mlir::gpu::GPUFuncOp kernel;
    module->walk([&](mlir::gpu::GPUFuncOp function) {
      kernel = function;
      return mlir::WalkResult::interrupt();
    });
    return llvm::toString(
        mlir::attn_tile::runTileKernel(kernel, grid, arguments, options));
  }

private:
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The text of a module whose kernel has these parameters and this body.
inline std::string kernelText(llvm::StringRef parameters,
                              llvm::StringRef body) {
  return ("gpu.module @module {\ngpu.func @kernel(" + parameters +
          ") kernel {\n" + body + "\ngpu.return\n}\n}\n")
      .str();
}

} // namespace sparse_attn_test

#endif // SPARSEATTN_TEST_UNIT_EXECUTION_TILEKERNEL_H

//===- TileKernel.h - Kernels from text, for tests --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_EXECUTION_TILEKERNEL_H
#define SPARSEATTN_TEST_UNIT_EXECUTION_TILEKERNEL_H

#include "SparseAttn/Execution/TileInterpreter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <cstring>

namespace sparse_attn_test {

/// The context of all tests: dialects are loaded once.
mlir::MLIRContext &getContext();
/// The type that MLIR spells so.
mlir::Type getType(llvm::StringRef spelling);
inline mlir::FloatType getFloatType(llvm::StringRef spelling) {
  return mlir::cast<mlir::FloatType>(getType(spelling));
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
  explicit TileKernel(llvm::StringRef text);

  bool isValid() const { return static_cast<bool>(module); }
  mlir::ModuleOp getModule() { return *module; }

  /// The fault, or nothing.
  std::string run(llvm::ArrayRef<mlir::attn_tile::KernelBuffer> arguments = {},
                  std::array<uint32_t, 3> grid = {1, 1, 1},
                  const mlir::attn_tile::TileKernelOptions &options = {});

private:
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The text of a module whose kernel has these parameters and this body.
std::string kernelText(llvm::StringRef parameters, llvm::StringRef body);

/// The elements of `%r`, a tile of `count` x `type` that `body` computes, or
/// none when there is a fault, which `fault` then says.
template <typename T>
std::vector<T> evaluate(llvm::StringRef body, const std::string &type,
                        size_t count, std::string *fault = nullptr) {
  std::string size = std::to_string(count);
  std::string matrix =
      "!attn_tile.matrix<" + size + "x" + type + ", rows = " + size + ">";
  std::string store =
      "\n%result_zero64 = arith.constant 0 : i64"
      "\n%result_zero = arith.constant 0 : i32"
      "\n%result_one = arith.constant 1 : i32"
      "\n%view = attn_tile.view %out[%result_zero64], %result_one"
      " : !llvm.ptr<1> -> " +
      matrix + "\nattn_tile.store %r, %view[%result_zero] : tensor<1x" + size +
      "x" + type + ">, " + matrix;
  Buffer<T> out{std::vector<T>(count)};
  TileKernel kernel(kernelText("%out: !llvm.ptr<1>", body.str() + store));
  std::string found = kernel.run({out.argument(getType(type))});
  if (fault)
    *fault = found;
  else if (!found.empty())
    llvm::errs() << found << "\n";
  if (!found.empty())
    out.data.clear();
  return out.data;
}

} // namespace sparse_attn_test

#endif // SPARSEATTN_TEST_UNIT_EXECUTION_TILEKERNEL_H

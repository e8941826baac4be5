//===- TileInterpreter.h - Executes attn_tile kernels -----------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Executes a kernel of attn_tile, arith, math, scf and gpu operations on the
// CPU, one thread block after the other, on any of the dialect's three floors.
// It shows what a kernel means before any register is assigned, so a wrong pass
// can be told from a wrong kernel.
//
// It is strict where hardware is silent: an access out of bounds, a read of a
// shared tile before its copy has arrived, a copy into a tile that may still
// be read, an operation it does not know are errors that name the operation.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EXECUTION_TILEINTERPRETER_H
#define SPARSEATTN_EXECUTION_TILEINTERPRETER_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Error.h"
#include <array>
#include <cstdint>
#include <vector>

namespace mlir::gpu {
class GPUFuncOp;
} // namespace mlir::gpu

namespace mlir::attn_tile {

/// An argument of a kernel launch: a buffer in global memory for a pointer, or
/// a number for an i32.
class KernelBuffer {
public:
  /// `bytes` holds whole elements of `elementType` (f16, bf16, f32, i8, i16,
  /// i32, i64, or i1 as one byte each) and stays the caller's.
  static KernelBuffer memory(Type elementType, MutableArrayRef<uint8_t> bytes);
  static KernelBuffer number(int32_t value);

  bool isMemory() const { return static_cast<bool>(elementType); }
  Type getElementType() const { return elementType; }
  MutableArrayRef<uint8_t> getBytes() const { return bytes; }
  int32_t getNumber() const { return value; }

private:
  Type elementType;
  MutableArrayRef<uint8_t> bytes;
  int32_t value = 0;
};

/// How to run a kernel.
struct TileKernelOptions {
  /// Run only the thread blocks with these linear indices (x fastest); all
  /// when empty.
  std::vector<uint64_t> onlyBlocks;
};

/// Executes `kernel` for every thread block of `grid`. The first fault ends the
/// run and comes back as "<location>: <operation>: <what is wrong>"; buffers
/// then hold what was written until there.
llvm::Error runTileKernel(gpu::GPUFuncOp kernel, std::array<uint32_t, 3> grid,
                          ArrayRef<KernelBuffer> arguments,
                          const TileKernelOptions &options = {});

} // namespace mlir::attn_tile

#endif // SPARSEATTN_EXECUTION_TILEINTERPRETER_H

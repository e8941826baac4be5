//===- CpuExecution.h - Runs a function on tensors on the CPU ---*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lowers a function on tensors, attention by its reference semantics, to
// machine code and calls it in this process. What checks of a lowering compare
// with.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EXECUTION_CPUEXECUTION_H
#define SPARSEATTN_EXECUTION_CPUEXECUTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace mlir::sparse_attn {

/// A tensor in the host's memory, row-major and contiguous. An element takes
/// the bytes of its type; i1 takes one, 0 or 1.
struct HostTensor {
  SmallVector<int64_t> shape;
  Type elementType;
  std::vector<uint8_t> bytes;

  /// A tensor of zeros.
  static HostTensor zeros(ArrayRef<int64_t> shape, Type elementType);

  int64_t getNumElements() const;

  /// The elements as doubles: f16, bf16, f32, f64, i1 and integers up to 64
  /// bits (signed).
  std::vector<double> toDoubles() const;
  /// Rounds `values` to the element type, to nearest even; integers truncate.
  static HostTensor fromDoubles(ArrayRef<int64_t> shape, Type elementType,
                                ArrayRef<double> values);
};

/// Bytes of one element in a HostTensor, or 0 for types without a host form.
unsigned getHostElementSize(Type elementType);

/// Executes function `name` of `module` on `inputs`, one for each argument, and
/// returns its results. Arguments and results are ranked tensors of types with
/// a host form. The module is left as it is. Fails, and says what was expected,
/// if an input does not fit its argument or if some op has no lowering. Small
/// inputs are computed sooner than the machine code for them is optimized.
llvm::Expected<std::vector<HostTensor>> runOnCpu(ModuleOp module,
                                                 StringRef name,
                                                 ArrayRef<HostTensor> inputs,
                                                 bool optimize = true);

/// The same for one function that calls no other.
llvm::Expected<std::vector<HostTensor>> runOnCpu(func::FuncOp function,
                                                 ArrayRef<HostTensor> inputs);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_EXECUTION_CPUEXECUTION_H

//===- SmallKernel.h - A kernel cut down for a check ---------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PACKAGE_SMALLKERNEL_H
#define SPARSEATTN_LIB_PACKAGE_SMALLKERNEL_H

#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Execution/CpuExecution.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::sparse_attn {

/// A kernel function like another, for few batches, queries and keys. Lengths
/// keep their remainder by the decision tile, and stay dynamic where they are,
/// so that the same code is made for them.
class SmallKernel {
public:
  /// `kernel` must have a decision tile.
  explicit SmallKernel(func::FuncOp kernel);

  ModuleOp getModule() const { return *module; }
  func::FuncOp getFunction() const { return function; }
  StringRef getName() const { return func::FuncOp(function).getSymName(); }
  KernelSignature getSignature() const { return getKernelSignature(function); }

  /// One tensor for each argument: inputs from `seed`, inits of zeros. Some key
  /// tiles matter far more than others, so that filters have clear decisions to
  /// take; some rows are masked out.
  std::vector<HostTensor> makeInputs(uint64_t seed) const;

  /// The size of the dimension of an argument.
  int64_t getSize(DimRef ref) const { return shapes[ref.argument][ref.dim]; }
  int64_t evaluate(const Extent &extent) const;

private:
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  /// Sizes of the arguments, those of dynamic dimensions chosen.
  SmallVector<SmallVector<int64_t>> shapes;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_PACKAGE_SMALLKERNEL_H

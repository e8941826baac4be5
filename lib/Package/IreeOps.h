//===- IreeOps.h - Operations of IREE in the generic form ----- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one place that knows how IREE 3.13 spells its operations.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PACKAGE_IREEOPS_H
#define SPARSEATTN_LIB_PACKAGE_IREEOPS_H

#include "mlir/IR/Builders.h"
#include <array>

namespace mlir::sparse_attn::iree {

/// What IREE's CUDA driver passes at most.
inline constexpr unsigned maxBindings = 16, maxConstants = 64;

/// How the CUDA driver of IREE launches a kernel.
struct Export {
  StringRef name;
  /// Number of i32 parameters behind the pointers.
  unsigned constants;
  /// For each pointer, whether the kernel only reads there.
  ArrayRef<bool> readOnly;
  /// Threads in a block, along x; dynamic shared memory in bytes.
  int64_t threads, sharedMemory;
};

/// A launch. Sizes are those of dynamic dimensions, tensor by tensor.
struct Dispatch {
  /// Of the executable and its export.
  StringRef name;
  /// In the order in which they are tried.
  SmallVector<StringRef> variants;
  SmallVector<Value> workload, operands, operandSizes, resultSizes;
  SmallVector<Type> results;
  /// For each result the number of the operand whose memory it takes, or -1.
  SmallVector<int64_t> tied;
};

/// Builds operations that the context has no dialect for.
class Builder : public OpBuilder {
public:
  using OpBuilder::OpBuilder;

  /// `hal.executable`; goes on inside.
  void startExecutable(Location loc, StringRef name);
  /// `hal.executable.variant` with `ptx`, which is called `file` but lies
  /// inside; goes on inside.
  void startVariant(Location loc, StringRef name, StringRef file,
                    StringRef ptx);
  /// `hal.executable.condition`: whether a device of compute capability
  /// `capability` / 10 or newer asks, or of exactly that if `exactly`.
  void buildCondition(Location loc, unsigned capability, bool exactly);
  /// `hal.executable.export`; `count` computes the grid from the workload.
  void
  buildExport(Location loc, const Export &exported, unsigned workload,
              function_ref<std::array<Value, 3>(ValueRange workload)> count);
  /// `flow.dispatch`.
  Operation *buildDispatch(Location loc, const Dispatch &dispatch);

protected:
  Operation *build(Location loc, StringRef name,
                   ArrayRef<NamedAttribute> properties, unsigned regions = 0,
                   ValueRange operands = {}, TypeRange results = {});
  /// Goes to the beginning of the one block of region `number`.
  Block *enter(Operation *op, unsigned number, TypeRange arguments = {});
  ArrayAttr getIndices(ArrayRef<int64_t> values);
  NamedAttribute name(StringRef name) {
    return getNamedAttr("sym_name", getStringAttr(name));
  }
};

} // namespace mlir::sparse_attn::iree

#endif // SPARSEATTN_LIB_PACKAGE_IREEOPS_H

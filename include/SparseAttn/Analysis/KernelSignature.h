//===- KernelSignature.h - How a kernel is called --------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_KERNELSIGNATURE_H
#define SPARSEATTN_ANALYSIS_KERNELSIGNATURE_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparse_attn {

/// Dimension `dim` of the kernel's argument number `argument`.
struct DimRef {
  unsigned argument = 0;
  unsigned dim = 0;
};

/// A size of the launch grid.
struct Extent {
  enum class Form { Constant, CeilDiv, Product };
  Form form = Form::Constant;
  /// CeilDiv: one dimension, divided by `value`. Product: any number.
  SmallVector<DimRef> of;
  int64_t value = 1;
};

/// One argument of the compiled kernel, in launch order.
struct KernelArgument {
  enum class Role { Input, Output, Statistic, Length };
  std::string name;
  Role role;
  /// The tensor whose address is passed; null for a length.
  RankedTensorType type;
  /// The dimension whose size is passed (i32), for a length.
  DimRef of;
};

/// What a caller must know of a compiled kernel. Both the lowering
/// and the package writer ask here, so that they cannot disagree.
struct KernelSignature {
  SmallVector<KernelArgument> arguments;
  /// x: query tiles; y: all batch dimensions together but shares, which are z.
  Extent gridX, gridY, gridZ;
};

/// Name of the argument for the dynamic length of a block list.
constexpr StringLiteral blockListLengthName = "block_list_length";

/// The one attention op of a kernel function (see
/// sparse-attn-outline-kernels), or null.
AttentionOp getKernelAttention(func::FuncOp kernel);

/// The one operation of a kernel function that becomes the kernel, attention or
/// one around it (KernelOpInterface), or null.
Operation *getKernelOp(func::FuncOp kernel);

/// Whether dimension `dim` is of the output alone.
bool isShare(AttentionOp op, unsigned dim);

/// Where the size of dimension `dim` of the iteration space is read: the first
/// input of the kernel that has it.
DimRef getInputDim(AttentionOp op, unsigned dim);

/// The signature of the GPU kernel for `kernel`: the function's tensor
/// arguments in order (inputs, inits, what the score region reads), then one
/// i32 for each distinct dynamic size that the kernel reads: queries, keys,
/// batch sizes, sizes of what the region reads. The attention must have a
/// decision tile. Kernels of other operations have static sizes.
KernelSignature getKernelSignature(func::FuncOp kernel);

/// The position of dimension `dim` of the iteration space in an operand.
std::optional<unsigned> getPosition(AffineMap map, unsigned dim);

/// Elements between neighbours along dimension `position` of a tensor in
/// memory, none if sizes behind it are dynamic.
std::optional<int64_t> getPitch(RankedTensorType type, unsigned position);

/// Name of the argument for a dynamic size of a captured tensor.
std::string getCapturedSizeName(unsigned tensor, unsigned dim);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_KERNELSIGNATURE_H

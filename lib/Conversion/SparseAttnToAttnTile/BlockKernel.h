//===- BlockKernel.h - Kernels around attention ----------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_BLOCKKERNEL_H
#define SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_BLOCKKERNEL_H

#include "SparseAttn/Analysis/BlockKernels.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "TileBuilder.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/TypeUtilities.h"

namespace mlir::attn_tile {

/// Creates the empty kernel of `function` in a module of its own, and sets the
/// insertion point of `b` into it.
gpu::GPUFuncOp createKernelFunction(TileBuilder &b, func::FuncOp function,
                                    const sparse_attn::KernelSignature &made);

/// The index of the thread block along `dimension`, i32.
Value createBlockIndex(TileBuilder &b, gpu::Dimension dimension);

/// The indices that `number` stands for, in an order in which the last one
/// varies fastest: each below its count, the first takes what is left.
SmallVector<Value> splitIndex(TileBuilder &b, Value number, ValueRange counts);

/// What all kernels of block lists begin with. Sizes are static.
struct BlockKernel {
  BlockKernel(func::FuncOp function, Operation *op);

  ArrayRef<int64_t> shapeOf(Value operand) {
    return cast<RankedTensorType>(operand.getType()).getShape();
  }
  Value pointer(Value operand) {
    return kernel.getArgument(cast<BlockArgument>(operand).getArgNumber());
  }
  /// `pointer` moved by `offset` elements, an i64.
  Value moved(Value operand, Value offset);
  /// Where part number `number` of `operand` begins, each of so many elements.
  Value part(Value operand, int64_t elements, Value number) {
    return moved(operand, b.muli(b.extend64(number), b.i64(elements)));
  }
  /// The batch indices of entry `y`, by the dimensions `dims` of `result`'s
  /// map, and with them the offset of the entry in an operand, i64.
  SmallVector<Value> splitBatch(ArrayRef<unsigned> dims,
                                function_ref<int64_t(unsigned)> sizeOf);
  Value batchOffset(Value operand, AffineMap map, ArrayRef<unsigned> dims,
                    ValueRange indices);

  TileBuilder b;
  gpu::GPUFuncOp kernel;
  Value x, y; // indices of the thread block, i32
};

/// Emits the kernel of `op`, the one operation of `function`.
void buildBlockScoresKernel(func::FuncOp function, sparse_attn::BlockScoresOp);
void buildWarpKernel(func::FuncOp function, sparse_attn::KernelOpInterface op);

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_BLOCKKERNEL_H

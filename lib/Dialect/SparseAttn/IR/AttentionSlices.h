//===- AttentionSlices.h - What a tile of attention reads -------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_DIALECT_SPARSEATTN_IR_ATTENTIONSLICES_H
#define SPARSEATTN_LIB_DIALECT_SPARSEATTN_IR_ATTENTIONSLICES_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// A part of an operand, with unit strides.
struct OperandSlice {
  SmallVector<OpFoldResult> offsets, sizes;
};

/// The part of `operand` that belongs to a tile of the iteration space.
OperandSlice getOperandSlice(OpBuilder &b, AttentionOp op, OpOperand &operand,
                             ArrayRef<OpFoldResult> offsets,
                             ArrayRef<OpFoldResult> sizes);

/// Makes the score region of an op that works on a tile see the indices of
/// the whole iteration space.
void shiftScore(OpBuilder &b, AttentionOp op, ArrayRef<OpFoldResult> offsets);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_DIALECT_SPARSEATTN_IR_ATTENTIONSLICES_H

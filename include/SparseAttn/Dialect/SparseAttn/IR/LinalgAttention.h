//===- LinalgAttention.h - The steps of attention in linalg ----*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The steps that attention is made of, each as one linalg.generic in f32. The
// dense decomposition of the op uses them on whole operands, the lowering of
// filters and block lists on tiles.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_LINALGATTENTION_H
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_LINALGATTENTION_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparse_attn {

/// Emits the scalar computation of a linalg.generic: its result from the
/// elements of inputs and init.
using LinalgBody = function_ref<Value(OpBuilder &, Location, ValueRange)>;

/// Emits a linalg.generic with one result. `maps` are those of the inputs and
/// of the init; dimensions that the init's map lacks are reduced.
Value emitGeneric(OpBuilder &builder, Location loc, ValueRange inputs,
                  Value init, ArrayRef<AffineMap> maps, LinalgBody body);

/// The operands that the steps read: the whole of them, or slices of them.
struct AttentionSlice {
  Value query, key, value;
  /// Null without a mask.
  Value mask;
  /// The dimensions of the iteration space that the operands still have
  /// besides `m`, `n`, `k1` and `k2`, in the output's order.
  SmallVector<unsigned> batch;
  /// Where each batch dimension of the op is read at, if it was sliced away;
  /// empty for whole operands.
  SmallVector<Value> batchIndices;
  /// The query row and the key where the slice begins; null for 0.
  Value firstQuery, firstKey;

  static AttentionSlice whole(AttentionOp op);
};

/// Emits linalg on f32 tensors whose dimensions are, in this order, the batch
/// dimensions of the slice, `m`, and, where there is one more, `k2` or `n`.
class LinalgAttention {
public:
  using Body = LinalgBody;

  LinalgAttention(OpBuilder &builder, AttentionOp op, AttentionSlice slice);

  /// Sizes of the batch dimensions and `m`.
  SmallVector<OpFoldResult> getRowSizes();

  /// score(scale · Q Kᵀ) + mask.
  Value scores();
  /// The maximum of each row, -inf if it has no key.
  Value rowMaxima(Value scores);
  /// exp(s - m), and 0 where s is -inf whatever m is.
  Value exponentials(Value scores, Value maxima);
  Value rowSums(Value weights);
  /// acc + P V; null `acc` for 0.
  Value product(Value weights, Value acc = {});
  /// x · factor, row by row.
  Value scaleRows(Value x, Value factor);

  /// One result element from each row of `rows`, which are of rank
  /// batch + 1 all.
  Value mapRows(ValueRange rows, Type element, Body body);
  /// Reduces a tensor to one scalar.
  Value reduceAll(Value x, Value identity, Body body);

  /// The results of the op for its final state, in the layout of `inits`.
  Value normalized(Value acc, Value sums, Value init);
  Value logSumExp(Value maxima, Value sums, Value init);
  Value recallBound(Value sums, Value skipped, Value init);

  /// A constant of the rows' shape.
  Value filledRows(double value);
  Value filled(ArrayRef<OpFoldResult> sizes, Value scalar);
  Value constant(double value);

  OpBuilder &builder;
  Location loc;
  AttentionOp op;
  AttentionSlice slice;
  AttentionOp::Dims dims;

private:
  /// `map` in a local space whose dimensions are `local`, in order; results
  /// over other dimensions fall away.
  AffineMap localize(AffineMap map, ArrayRef<unsigned> local);
  /// Batch dimensions, then `tail`.
  SmallVector<unsigned> local(ArrayRef<unsigned> tail);
  /// Identity over `rank` dimensions without the last `dropped`.
  AffineMap leading(unsigned rank, unsigned dropped = 0);
  Value generic(ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
                Body body);
  Value toF32(OpBuilder &b, Location at, Value x);
  Value inlineScore(OpBuilder &b, Location at, Value score);
  /// Writes rows or row vectors in the layout of the op's result.
  Value store(ValueRange inputs, ArrayRef<AffineMap> maps, AffineMap result,
              ArrayRef<unsigned> space, Value init, Body body);
};

/// Attention without tiles: what the op computes if nothing is left out.
/// Expects that the op has neither a block list nor tile_counts.
SmallVector<Value> emitDenseAttention(OpBuilder &builder, AttentionOp op);

/// Whether the op's meaning depends on tiles: a block list, a filter that can
/// skip and has its decision tile, or tile counts.
bool dependsOnTiles(AttentionOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_LINALGATTENTION_H

//===- WarpKernel.h - A kernel of one warp a row ---------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_WARPKERNEL_H
#define SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_WARPKERNEL_H

#include "BlockKernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::attn_tile {

/// A kernel of one warp, seen from a lane. All numbers are f32 or i32.
struct WarpKernel : BlockKernel {
  WarpKernel(func::FuncOp function, Operation *op) : BlockKernel(function, op) {
    lane = arith::IndexCastOp::create(
        b, b.getI32Type(), gpu::ThreadIdOp::create(b, gpu::Dimension::x));
  }

  Value load(Value base, Type element, Value index) {
    Value place =
        LLVM::GEPOp::create(b, base.getType(), element, base,
                            ArrayRef<LLVM::GEPArg>{b.extend64(index)});
    return LLVM::LoadOp::create(b, element, place);
  }
  Value loadF32(Value base, Value index) {
    return load(base, b.getF32Type(), index);
  }
  Value loadI32(Value base, Value index) {
    return load(base, b.getI32Type(), index);
  }
  void store(Value value, Value base, Value index) {
    Value place =
        LLVM::GEPOp::create(b, base.getType(), value.getType(), base,
                            ArrayRef<LLVM::GEPArg>{b.extend64(index)});
    LLVM::StoreOp::create(b, value, place);
  }
  void storeIf(Value condition, Value value, Value base, Value index) {
    when(condition, [&] { store(value, base, index); });
  }

  /// for (number = from; number < to; number += step), carrying values.
  SmallVector<Value>
  loop(Value from, Value to, int64_t step, ValueRange init,
       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    auto made = scf::ForOp::create(b, from, to, b.i32(step), init);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(made.getBody());
    SmallVector<Value> next =
        body(made.getInductionVar(), made.getRegionIterArgs());
    // The builder ends a loop that carries nothing by itself.
    if (!init.empty())
      scf::YieldOp::create(b, next);
    return SmallVector<Value>(made.getResults());
  }
  /// The same for a single value.
  Value fold(Value from, Value to, int64_t step, Value init,
             function_ref<Value(Value, Value)> body) {
    return loop(from, to, step, init,
                [&](Value number, ValueRange carried) -> SmallVector<Value> {
                  return {body(number, carried.front())};
                })
        .front();
  }
  void when(Value condition, function_ref<void()> body) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  }

  /// The values of all lanes combined, for each of them.
  Value combine(Value value, function_ref<Value(Value, Value)> with) {
    for (int64_t mask : {16, 8, 4, 2, 1})
      value =
          with(value, gpu::ShuffleOp::create(b, value, b.i32(mask), b.i32(32),
                                             gpu::ShuffleMode::XOR)
                          .getShuffleResult());
    return value;
  }
  Value sum(Value value) {
    return combine(value, [&](Value x, Value y) { return b.add(x, y); });
  }
  Value maximum(Value value) {
    return combine(value, [&](Value x, Value y) { return b.max(x, y); });
  }

  Value toF32(Value x) {
    return x.getType().isF32()
               ? x
               : Value(arith::ExtFOp::create(b, b.getF32Type(), x));
  }
  Value numberToF32(Value x) {
    return arith::SIToFPOp::create(b, b.getF32Type(), x);
  }
  /// `x` inside 0 .. size - 1.
  Value clamp(Value x, int64_t size) {
    return b.maxi(b.mini(x, b.i32(size - 1)), b.i32(0));
  }
  Value isFirstLane() {
    return b.compare(arith::CmpIPredicate::eq, lane, b.i32(0));
  }
  void finish() { gpu::ReturnOp::create(b, ValueRange()); }

  Value lane;
};

/// Emits the kernel of a selection.
void buildSelection(WarpKernel w, sparse_attn::SelectBlocksOp op);

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_WARPKERNEL_H

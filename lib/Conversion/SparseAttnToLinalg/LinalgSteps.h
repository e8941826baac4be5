//===- LinalgSteps.h - References in linalg, tersely -----------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOLINALG_LINALGSTEPS_H
#define SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOLINALG_LINALGSTEPS_H

#include "SparseAttn/Dialect/SparseAttn/IR/LinalgAttention.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include <limits>

namespace mlir::sparse_attn {

/// A builder of linalg on tensors of static sizes, and of the arithmetic in it.
class LinalgSteps : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  /// The result of a scalar computation from the elements of inputs and init.
  using Body = function_ref<Value(LinalgSteps &, ValueRange)>;
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  //===--- Tensors ---===//

  static ArrayRef<int64_t> shapeOf(Value x) {
    return cast<RankedTensorType>(x.getType()).getShape();
  }
  /// The first dimensions of a space of `rank`, all but the last `dropped`.
  AffineMap leading(unsigned rank, unsigned dropped = 0) {
    return AffineMap::getMultiDimIdentityMap(rank, getContext())
        .getMajorSubMap(rank - dropped);
  }
  Value empty(ArrayRef<int64_t> shape, Type element) {
    return tensor::EmptyOp::create(*this, shape, element);
  }
  Value filled(ArrayRef<int64_t> shape, TypedAttr value) {
    return linalg::FillOp::create(
               *this, arith::ConstantOp::create(*this, value).getResult(),
               empty(shape, value.getType()))
        .getResult(0);
  }
  Value filled(ArrayRef<int64_t> shape, double value) {
    return filled(shape, getF32FloatAttr(value));
  }
  /// `x` with zeros behind it up to `shape`.
  Value pad(Value x, ArrayRef<int64_t> shape) {
    if (shapeOf(x) == shape)
      return x;
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<OpFoldResult> low(shape.size(), getIndexAttr(0)), high;
    for (auto [from, to] : llvm::zip_equal(type.getShape(), shape))
      high.push_back(getIndexAttr(to - from));
    Value zero =
        arith::ConstantOp::create(*this, getZeroAttr(type.getElementType()));
    return tensor::PadOp::create(*this, type.clone(shape), x, low, high, zero);
  }
  /// `maps` are those of the inputs and of the init; dimensions that the
  /// init's map lacks are reduced, in ascending order.
  Value generic(ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
                Body body) {
    return emitGeneric(*this, getLoc(), inputs, init, maps,
                       [&](OpBuilder &b, Location loc, ValueRange args) {
                         LinalgSteps inner(loc, b);
                         return body(inner, args);
                       });
  }

  /// The sum of `term` over `count` iterations for each element of f32[shape]:
  /// iteration(rank) numbers them, and `inputs` are read by the element.
  Value sumOver(ArrayRef<int64_t> shape, int64_t count, ValueRange inputs,
                Body term) {
    unsigned rank = shape.size();
    // The dimension needs an operand that has it.
    SmallVector<Value> all = {empty(count, getF32Type())};
    llvm::append_range(all, inputs);
    SmallVector<AffineMap> maps = {
        AffineMap::get(rank + 1, 0, {getAffineDimExpr(rank)}, getContext())};
    maps.append(inputs.size() + 1, leading(rank + 1, 1));
    return generic(all, filled(shape, 0.0), maps,
                   [&](LinalgSteps &b, ValueRange args) {
                     ValueRange read = args.drop_front().drop_back();
                     return b.add(args.back(), term(b, read));
                   });
  }

  //===--- Inside a body ---===//

  /// The iteration's index of dimension `dim`.
  Value iteration(unsigned dim) { return linalg::IndexOp::create(*this, dim); }
  SmallVector<Value> indices(unsigned rank) {
    SmallVector<Value> all;
    for (unsigned dim = 0; dim < rank; ++dim)
      all.push_back(iteration(dim));
    return all;
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value f32(double value) {
    return arith::ConstantOp::create(*this, getF32FloatAttr(value));
  }
  Value i32(int64_t value) {
    return arith::ConstantOp::create(*this, getI32IntegerAttr(value));
  }
  Value extract(Value tensor, ValueRange at) {
    return tensor::ExtractOp::create(*this, tensor, at);
  }
  /// `x` inside 0 .. size - 1.
  Value clamp(Value x, int64_t size) {
    Value high = arith::MinSIOp::create(*this, x, index(size - 1));
    return arith::MaxSIOp::create(*this, high, index(0));
  }
  Value toF32(Value x) {
    if (x.getType().isF32())
      return x;
    return arith::ExtFOp::create(*this, getF32Type(), x);
  }
  Value toIndex(Value x) {
    return arith::IndexCastOp::create(*this, getIndexType(), x);
  }
  Value indexToI32(Value x) {
    return arith::IndexCastOp::create(*this, getI32Type(), x);
  }
  Value indexToF32(Value x) {
    return arith::SIToFPOp::create(*this, getF32Type(), indexToI32(x));
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(*this, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(*this, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(*this, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(*this, x, y); }
  Value maximum(Value x, Value y) {
    return arith::MaxNumFOp::create(*this, x, y);
  }
  Value exp(Value x) { return math::ExpOp::create(*this, x); }
  Value log(Value x) { return math::LogOp::create(*this, x); }
  Value sqrt(Value x) { return math::SqrtOp::create(*this, x); }
  Value addi(Value x, Value y) { return arith::AddIOp::create(*this, x, y); }
  Value subi(Value x, Value y) { return arith::SubIOp::create(*this, x, y); }
  Value muli(Value x, Value y) { return arith::MulIOp::create(*this, x, y); }
  Value divi(Value x, Value y) { return arith::DivSIOp::create(*this, x, y); }
  Value mini(Value x, Value y) { return arith::MinSIOp::create(*this, x, y); }
  Value maxi(Value x, Value y) { return arith::MaxSIOp::create(*this, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(*this, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(*this, x, y); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(*this, predicate, x, y);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(*this, predicate, x, y);
  }
  Value less(Value x, Value y) {
    return compare(arith::CmpIPredicate::slt, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(*this, condition, x, y);
  }
};

void populateBlockScoresToLinalgPatterns(RewritePatternSet &patterns);
void populateBlockListsToLinalgPatterns(RewritePatternSet &patterns);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOLINALG_LINALGSTEPS_H

//===- TileBuilder.h - Arithmetic on tiles, tersely ------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Everything here works alike on scalars and on tiles: a scalar operand beside
// a tile is spread over it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_TILEBUILDER_H
#define SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_TILEBUILDER_H

#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <limits>

namespace mlir::attn_tile {

class TileBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  static constexpr double infinity = std::numeric_limits<double>::infinity();

  RankedTensorType tile(ArrayRef<int64_t> shape, Type element) {
    return RankedTensorType::get(shape, element);
  }
  RankedTensorType f32Tile(ArrayRef<int64_t> shape) {
    return tile(shape, getF32Type());
  }

  Value i32(int64_t value) {
    return arith::ConstantOp::create(*this, getI32IntegerAttr(value));
  }
  Value i1(bool value) {
    return arith::ConstantOp::create(*this, getBoolAttr(value));
  }
  Value i64(int64_t value) {
    return arith::ConstantOp::create(*this, getI64IntegerAttr(value));
  }
  Value f32(double value) {
    return arith::ConstantOp::create(*this, getF32FloatAttr(value));
  }
  /// A tile whose elements are all `value`.
  Value full(RankedTensorType type, double value) {
    TypedAttr element = getFloatAttr(type.getElementType(), value);
    return arith::ConstantOp::create(
        *this, cast<TypedAttr>(DenseElementsAttr::get(type, element)));
  }

  /// `value` over the shape of `type` unless it has that shape already; one
  /// element a row is repeated over the columns.
  Value spread(Value value, Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    auto own = dyn_cast<RankedTensorType>(value.getType());
    if (own && tensor && own.getRank() < tensor.getRank())
      return expandRows(value, tensor.getDimSize(1));
    if (!tensor || own)
      return value;
    return tensor::SplatOp::create(*this, value, tensor.clone(value.getType()));
  }

  Value add(Value a, Value b) { return binary<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return binary<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return binary<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return binary<arith::DivFOp>(a, b); }
  Value max(Value a, Value b) { return binary<arith::MaxNumFOp>(a, b); }
  Value addi(Value a, Value b) { return binary<arith::AddIOp>(a, b); }
  Value subi(Value a, Value b) { return binary<arith::SubIOp>(a, b); }
  Value muli(Value a, Value b) { return binary<arith::MulIOp>(a, b); }
  Value divi(Value a, Value b) { return binary<arith::DivSIOp>(a, b); }
  Value remi(Value a, Value b) { return binary<arith::RemSIOp>(a, b); }
  Value mini(Value a, Value b) { return binary<arith::MinSIOp>(a, b); }
  Value maxi(Value a, Value b) { return binary<arith::MaxSIOp>(a, b); }
  Value andi(Value a, Value b) { return binary<arith::AndIOp>(a, b); }
  Value ori(Value a, Value b) { return binary<arith::OrIOp>(a, b); }
  Value fma(Value a, Value b, Value c) {
    Type type = wider(a, wider(b, c.getType()));
    return math::FmaOp::create(*this, spread(a, type), spread(b, type),
                               spread(c, type));
  }
  Value exp2(Value a) { return math::Exp2Op::create(*this, a); }
  Value log2(Value a) { return math::Log2Op::create(*this, a); }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    Type type = wider(a, b.getType());
    return arith::CmpFOp::create(*this, predicate, spread(a, type),
                                 spread(b, type));
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    Type type = wider(a, b.getType());
    return arith::CmpIOp::create(*this, predicate, spread(a, type),
                                 spread(b, type));
  }
  Value select(Value condition, Value a, Value b) {
    Type type = wider(a, b.getType());
    return arith::SelectOp::create(*this, condition, spread(a, type),
                                   spread(b, type));
  }
  Value extend64(Value a) {
    return arith::ExtSIOp::create(*this, getI64Type(), a);
  }

  Value reduceRows(ReduceKind kind, Value tile) {
    auto type = cast<RankedTensorType>(tile.getType());
    return ReduceRowsOp::create(*this, f32Tile(type.getDimSize(0)), kind, tile);
  }
  Value foldColumns(ReduceKind kind, Value tile, int64_t width) {
    auto type = cast<RankedTensorType>(tile.getType());
    return FoldColumnsOp::create(*this, f32Tile({type.getDimSize(0), width}),
                                 kind, tile);
  }
  Value expandRows(Value rows, int64_t columns) {
    auto type = cast<RankedTensorType>(rows.getType());
    return ExpandRowsOp::create(
        *this, tile({type.getDimSize(0), columns}, type.getElementType()),
        rows);
  }

private:
  /// The type of more dimensions: a tile before rows, rows before a number.
  static Type wider(Value a, Type other) {
    auto rank = [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor ? tensor.getRank() : 0;
    };
    return rank(a.getType()) >= rank(other) ? a.getType() : other;
  }
  static Type wider(Value a, Value b) { return wider(a, b.getType()); }
  template <typename Op>
  Value binary(Value a, Value b) {
    Type type = wider(a, b);
    return Op::create(*this, spread(a, type), spread(b, type));
  }
};

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_CONVERSION_SPARSEATTNTOATTNTILE_TILEBUILDER_H

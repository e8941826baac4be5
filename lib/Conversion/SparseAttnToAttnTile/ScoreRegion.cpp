//===- ScoreRegion.cpp - Score regions on tiles ---------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlashLoop.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

/// Index arithmetic runs in i32: positions are below 2^31.
static Type tileElement(Type type) {
  return type.isIndex() ? IntegerType::get(type.getContext(), 32) : type;
}

/// The base of a power of a positive constant, as slopes of alibi are.
static std::optional<double> getConstantBase(Operation &op) {
  APFloat base(0.0f);
  if (!isa<math::PowFOp>(op) || !op.getResult(0).getType().isF32() ||
      !matchPattern(op.getOperand(0), m_ConstantFloat(&base)) ||
      !base.isFiniteNonZero() || base.isNegative())
    return std::nullopt;
  return base.convertToFloat();
}

static bool isSupported(Operation &op) {
  if (isa<YieldOp>(op))
    return true;
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return isa<BlockArgument>(extract.getTensor());
  if (op.getNumResults() != 1 || op.getNumRegions() ||
      !op.getResult(0).getType().isIntOrIndexOrFloat())
    return false;
  if (isa<arith::ConstantOp>(op))
    return true;
  // The math operations that have an instruction or a short expansion.
  if (getConstantBase(op))
    return true;
  if (isa_and_nonnull<math::MathDialect>(op.getDialect()))
    return isa<math::ExpOp, math::Exp2Op, math::LogOp, math::Log2Op,
               math::TanhOp, math::AbsFOp, math::SqrtOp, math::FmaOp>(op);
  return isa_and_nonnull<arith::ArithDialect>(op.getDialect()) &&
         OpTrait::hasElementwiseMappableTraits(&op);
}

Operation *attn_tile::findUnsupportedScoreOp(AttentionOp op) {
  if (!op.hasScore())
    return nullptr;
  for (Operation &inner : op.getScore().front())
    if (!isSupported(inner))
      return &inner;
  return nullptr;
}

/// Casts between index and integers of another width, on i32.
static Value castInteger(TileBuilder &b, Value value, Type element) {
  Type from = getElementTypeOrSelf(value);
  if (from == element)
    return value;
  Type type = element;
  if (auto tensor = dyn_cast<RankedTensorType>(value.getType()))
    type = tensor.clone(element);
  if (element.getIntOrFloatBitWidth() > from.getIntOrFloatBitWidth())
    return arith::ExtSIOp::create(b, type, value);
  return arith::TruncIOp::create(b, type, value);
}

Value attn_tile::readElements(TileBuilder &b, const CapturedTensors &captured,
                              Value tensor, ArrayRef<Value> indices) {
  const CapturedTensors::Memory &memory = captured.tensors.find(tensor)->second;
  // Row by row, each index inside the tensor.
  Value offset = b.i32(0);
  for (auto [index, size] : llvm::zip_equal(indices, memory.sizes)) {
    Value last = b.subi(size, b.i32(1));
    Value inside = b.maxi(b.mini(index, last), b.i32(0));
    offset = b.addi(b.muli(offset, size), inside);
  }
  Type type = cast<RankedTensorType>(tensor.getType()).getElementType();
  if (auto tile = dyn_cast<RankedTensorType>(offset.getType()))
    type = tile.clone(type);
  return GatherOp::create(b, type, memory.pointer, offset);
}

Value attn_tile::applyScoreRegion(TileBuilder &b, AttentionOp op, Value result,
                                  const CapturedTensors &captured, Value scores,
                                  ValueRange batch, Value queryIndex,
                                  Value keyIndex) {
  Block &region = op.getScore().front();
  if (!result)
    result = cast<YieldOp>(region.getTerminator()).getScore();
  SetVector<Operation *> needed;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.filter = [&](Operation *inner) {
    return inner->getBlock() == &region;
  };
  (void)getBackwardSlice(result, &needed, options);
  auto shape = cast<RankedTensorType>(scores.getType());
  IRMapping map;
  map.map(region.getArgument(0), scores);
  for (auto [index, value] : llvm::enumerate(batch))
    map.map(region.getArgument(1 + index), value);
  map.map(region.getArgument(region.getNumArguments() - 2), queryIndex);
  map.map(region.getArgument(region.getNumArguments() - 1), keyIndex);

  for (Operation &inner : region.without_terminator()) {
    if (!needed.contains(&inner))
      continue;
    Type element = tileElement(inner.getResult(0).getType());
    if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
      TypedAttr value = constant.getValue();
      if (auto index = dyn_cast<IntegerAttr>(value);
          index && index.getType().isIndex())
        value = b.getI32IntegerAttr(index.getInt());
      map.map(constant.getResult(), arith::ConstantOp::create(b, value));
      continue;
    }
    if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(inner)) {
      map.map(inner.getResult(0),
              castInteger(b, map.lookup(inner.getOperand(0)), element));
      continue;
    }
    if (auto extract = dyn_cast<tensor::ExtractOp>(inner)) {
      SmallVector<Value> indices;
      for (Value index : extract.getIndices())
        indices.push_back(map.lookup(index));
      map.map(extract.getResult(),
              readElements(b, captured, extract.getTensor(), indices));
      continue;
    }
    if (std::optional<double> base = getConstantBase(inner)) {
      Value exponent = map.lookup(inner.getOperand(1));
      map.map(inner.getResult(0),
              b.exp2(b.mul(exponent, b.f32(std::log2(*base)))));
      continue;
    }
    // A result has one element a row, or is a tile, as soon as one operand is.
    SmallVector<Value> operands;
    RankedTensorType tile;
    for (Value operand : inner.getOperands()) {
      operands.push_back(map.lookup(operand));
      auto type = dyn_cast<RankedTensorType>(operands.back().getType());
      if (type && (!tile || type.getRank() > tile.getRank()))
        tile = type;
    }
    Type type = element;
    if (tile) {
      type = tile.clone(element);
      for (Value &operand : operands)
        operand = b.spread(operand, tile);
    }
    OperationState state(b.getLoc(), inner.getName(), operands, type,
                         inner.getAttrs());
    map.map(inner.getResult(0), b.create(state)->getResult(0));
  }
  return b.spread(map.lookup(result), shape);
}

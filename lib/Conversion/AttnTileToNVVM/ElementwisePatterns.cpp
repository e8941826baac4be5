//===- ElementwisePatterns.cpp - Arithmetic register by register ----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Registers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::attn_tile;

RegisterConverter::RegisterConverter() {
  addConversion([](Type type) { return type; });
  addConversion(
      [](RankedTensorType type,
         SmallVectorImpl<Type> &registers) -> std::optional<LogicalResult> {
        if (!isTile(type))
          return std::nullopt;
        llvm::append_range(registers, registerTypes(type));
        return success();
      });
  addConversion(
      [](MatrixType type,
         SmallVectorImpl<Type> &registers) -> std::optional<LogicalResult> {
        registers.push_back(LLVM::LLVMPointerType::get(type.getContext(), 1));
        registers.push_back(IntegerType::get(type.getContext(), 32));
        return success();
      });
  addConversion([](SharedType type) -> Type {
    return IntegerType::get(type.getContext(), 32);
  });
}

SmallVector<Type> RegisterConverter::registerTypes(RankedTensorType tile) {
  auto layout = cast<TileLayoutInterface>(tile.getEncoding());
  int64_t count = layout.getElementsPerThread(tile.getShape());
  Type element = tile.getElementType();
  MLIRContext *context = tile.getContext();
  // Operand registers are what ldmatrix gives: 32 bits each.
  if (isa<OperandAttr>(layout))
    return SmallVector<Type>(count * element.getIntOrFloatBitWidth() / 32,
                             IntegerType::get(context, 32));
  if (isPaired(element) && isa<AccumulatorAttr>(layout))
    return SmallVector<Type>(count / 2, VectorType::get(2, element));
  return SmallVector<Type>(count, element);
}

namespace {

/// Any elementwise operation of arith or math.
struct ElementwisePattern : ConversionPattern {
  ElementwisePattern(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<ValueRange> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (!OpTrait::hasElementwiseMappableTraits(op) ||
        op->getNumResults() != 1 || !isTile(op->getResult(0).getType()))
      return rewriter.notifyMatchFailure(op, "no elementwise op on tiles");
    auto result = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<Type> types = RegisterConverter::registerTypes(result);
    for (Type type : op->getOperandTypes()) {
      auto tile = dyn_cast<RankedTensorType>(type);
      if (!tile)
        continue;
      if (tile.getEncoding() != result.getEncoding())
        return rewriter.notifyMatchFailure(op, "layouts differ");
      if (isPaired(tile.getElementType()) != isPaired(result.getElementType()))
        return rewriter.notifyMatchFailure(op,
                                           "a cast between register widths");
    }
    SmallVector<Value> results;
    for (auto [index, type] : llvm::enumerate(types)) {
      OperationState state(op->getLoc(), op->getName());
      for (auto [original, values] :
           llvm::zip_equal(op->getOperandTypes(), operands))
        state.operands.push_back(isTile(original) ? values[index]
                                                  : values.front());
      state.addTypes(type);
      state.addAttributes(op->getAttrs());
      results.push_back(rewriter.create(state)->getResult(0));
    }
    rewriter.replaceOpWithMultiple(op, ArrayRef<SmallVector<Value>>{results});
    return success();
  }
};

/// f32 to 16 bit: two registers become one (cvt.rn.f16x2.f32).
struct TruncPattern : TilePattern<arith::TruncFOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(arith::TruncFOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto result = dyn_cast<RankedTensorType>(op.getType());
    if (!result || !isTile(result) || !isPaired(result.getElementType()) ||
        !isa<AccumulatorAttr>(result.getEncoding()))
      return rewriter.notifyMatchFailure(op, "no tile of pairs");
    SmallVector<Value> registers;
    ValueRange in = adaptor.getIn();
    auto wide = VectorType::get(2, rewriter.getF32Type());
    auto narrow = VectorType::get(2, result.getElementType());
    for (size_t i = 0; i < in.size(); i += 2) {
      Value pair = vector::FromElementsOp::create(rewriter, op.getLoc(), wide,
                                                  ValueRange{in[i], in[i + 1]});
      registers.push_back(
          arith::TruncFOp::create(rewriter, op.getLoc(), narrow, pair));
    }
    replace(rewriter, op, registers);
    return success();
  }
};

struct ExtPattern : TilePattern<arith::ExtFOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(arith::ExtFOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto from = dyn_cast<RankedTensorType>(op.getIn().getType());
    if (!from || !isTile(from) || !isPaired(from.getElementType()) ||
        !isa<AccumulatorAttr>(from.getEncoding()))
      return rewriter.notifyMatchFailure(op, "no tile of pairs");
    SmallVector<Value> registers;
    for (Value pair : adaptor.getIn())
      for (int64_t i : {0, 1})
        registers.push_back(arith::ExtFOp::create(
            rewriter, op.getLoc(), rewriter.getF32Type(),
            vector::ExtractOp::create(rewriter, op.getLoc(), pair, i)
                .getResult()));
    replace(rewriter, op, registers);
    return success();
  }
};

struct ConstantPattern : TilePattern<arith::ConstantOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(arith::ConstantOp op, Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!isTile(op.getType()) || !splat)
      return rewriter.notifyMatchFailure(
          op, "only splat constants have a per-thread value");
    SmallVector<Type> types =
        RegisterConverter::registerTypes(cast<RankedTensorType>(op.getType()));
    TypedAttr value = splat.getSplatValue<TypedAttr>();
    if (auto vector = dyn_cast<VectorType>(types.front()))
      value = DenseElementsAttr::get(vector, value);
    Value constant = arith::ConstantOp::create(rewriter, op.getLoc(), value);
    replace(rewriter, op, SmallVector<Value>(types.size(), constant));
    return success();
  }
};

struct SplatPattern : TilePattern<tensor::SplatOp> {
  using TilePattern::TilePattern;
  LogicalResult
  matchAndRewrite(tensor::SplatOp op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types =
        RegisterConverter::registerTypes(op.getResult().getType());
    Value value = adaptor.getInput().front();
    if (isa<VectorType>(types.front()))
      value = vector::BroadcastOp::create(rewriter, op.getLoc(), types.front(),
                                          value);
    replace(rewriter, op, SmallVector<Value>(types.size(), value));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Scalar math: what would otherwise become calls of libdevice
//===----------------------------------------------------------------------===//

constexpr double log2e = 1.4426950408889634, ln2 = 0.6931471805599453;

Value intrinsic(OpBuilder &b, Location loc, StringRef name, Value argument) {
  return LLVM::CallIntrinsicOp::create(b, loc, argument.getType(),
                                       b.getStringAttr(name), argument)
      .getResults();
}
Value constant(OpBuilder &b, Location loc, double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

template <typename Op>
struct ScalarPattern : OpRewritePattern<Op> {
  using Expand = Value (*)(OpBuilder &, Location, Op);
  ScalarPattern(MLIRContext *context, Expand expand)
      : OpRewritePattern<Op>(context), expand(expand) {}
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "no f32 scalar");
    rewriter.replaceOp(op, expand(rewriter, op.getLoc(), op));
    return success();
  }
  Expand expand;
};

constexpr StringLiteral ex2 = "llvm.nvvm.ex2.approx.ftz.f32";
constexpr StringLiteral lg2 = "llvm.nvvm.lg2.approx.ftz.f";

Value expandExp2(OpBuilder &b, Location loc, math::Exp2Op op) {
  return intrinsic(b, loc, ex2, op.getOperand());
}
Value expandExp(OpBuilder &b, Location loc, math::ExpOp op) {
  return intrinsic(
      b, loc, ex2,
      arith::MulFOp::create(b, loc, op.getOperand(), constant(b, loc, log2e)));
}
Value expandLog2(OpBuilder &b, Location loc, math::Log2Op op) {
  return intrinsic(b, loc, lg2, op.getOperand());
}
Value expandLog(OpBuilder &b, Location loc, math::LogOp op) {
  return arith::MulFOp::create(b, loc, intrinsic(b, loc, lg2, op.getOperand()),
                               constant(b, loc, ln2));
}
Value expandSqrt(OpBuilder &b, Location loc, math::SqrtOp op) {
  return intrinsic(b, loc, "llvm.nvvm.sqrt.rn.f", op.getOperand());
}
/// tanh x = 1 - 2 / (exp 2x + 1): right at both ends, no approximation of its
/// own (tanh.approx has 11 bits).
Value expandTanh(OpBuilder &b, Location loc, math::TanhOp op) {
  Value e = intrinsic(b, loc, ex2,
                      arith::MulFOp::create(b, loc, op.getOperand(),
                                            constant(b, loc, 2 * log2e)));
  Value denominator = arith::AddFOp::create(b, loc, e, constant(b, loc, 1.0));
  Value quotient =
      arith::DivFOp::create(b, loc, constant(b, loc, 2.0), denominator);
  return arith::SubFOp::create(b, loc, constant(b, loc, 1.0), quotient);
}
template <typename Op, typename Intrinsic>
Value toIntrinsic(OpBuilder &b, Location loc, Op op) {
  return Intrinsic::create(b, loc, op.getType(), op->getOperands());
}

} // namespace

void attn_tile::populateElementwisePatterns(RewritePatternSet &patterns,
                                            const RegisterConverter &converter,
                                            const ThreadIndices &indices) {
  patterns.add<ElementwisePattern>(converter, patterns.getContext());
  patterns.add<TruncPattern, ExtPattern, ConstantPattern, SplatPattern>(
      converter, patterns.getContext(), indices);
}

void attn_tile::populateScalarMathPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ScalarPattern<math::Exp2Op>>(context, expandExp2);
  patterns.add<ScalarPattern<math::ExpOp>>(context, expandExp);
  patterns.add<ScalarPattern<math::Log2Op>>(context, expandLog2);
  patterns.add<ScalarPattern<math::LogOp>>(context, expandLog);
  patterns.add<ScalarPattern<math::TanhOp>>(context, expandTanh);
  patterns.add<ScalarPattern<math::FmaOp>>(
      context, toIntrinsic<math::FmaOp, LLVM::FMAOp>);
  patterns.add<ScalarPattern<math::AbsFOp>>(
      context, toIntrinsic<math::AbsFOp, LLVM::FAbsOp>);
  patterns.add<ScalarPattern<math::SqrtOp>>(context, expandSqrt);
  patterns.add<ScalarPattern<arith::MaxNumFOp>>(
      context, toIntrinsic<arith::MaxNumFOp, LLVM::MaxNumOp>);
  patterns.add<ScalarPattern<arith::MinNumFOp>>(
      context, toIntrinsic<arith::MinNumFOp, LLVM::MinNumOp>);
}

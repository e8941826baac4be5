//===- WriteAttention.cpp - Writes sparse_attn.attention from a plan ------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layout.h"
#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreRegionBuilder.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

/// Groups dimensions without axes with a neighbour, so that collapsing the
/// groups leaves one dimension for each list that is not empty.
static SmallVector<ReassociationIndices>
groupWithUnits(ArrayRef<AxisList> axes) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  for (auto [dim, list] : llvm::enumerate(axes)) {
    if (!list.empty()) {
      groups.push_back(leading);
      leading.clear();
      groups.back().push_back(dim);
    } else if (groups.empty()) {
      leading.push_back(dim);
    } else {
      groups.back().push_back(dim);
    }
  }
  return groups;
}

/// The dimensions that each nonempty list takes once its axes have dimensions
/// of their own.
static SmallVector<ReassociationIndices>
groupWithParts(ArrayRef<AxisList> axes) {
  SmallVector<ReassociationIndices> groups;
  int64_t dim = 0;
  for (const AxisList &list : axes) {
    if (list.empty())
      continue;
    ReassociationIndices &group = groups.emplace_back();
    for (size_t i = 0; i < list.size(); ++i)
      group.push_back(dim++);
  }
  return groups;
}

static bool hasUnits(ArrayRef<AxisList> axes) {
  return llvm::any_of(axes, [](const AxisList &list) { return list.empty(); });
}
static bool hasParts(ArrayRef<AxisList> axes) {
  return llvm::any_of(axes,
                      [](const AxisList &list) { return list.size() > 1; });
}

/// The type of `tensor` without its dimensions of no axes.
static RankedTensorType withoutUnits(Type tensor, ArrayRef<AxisList> axes) {
  auto type = cast<RankedTensorType>(tensor);
  SmallVector<int64_t> shape;
  for (auto [list, size] : llvm::zip_equal(axes, type.getShape()))
    if (!list.empty())
      shape.push_back(size);
  return RankedTensorType::get(shape, type.getElementType());
}

static RankedTensorType typeOf(const Layout &layout, const Chosen &chosen) {
  SmallVector<int64_t> shape;
  for (unsigned axis : chosen.flat())
    shape.push_back(layout.getSize(axis));
  return RankedTensorType::get(shape, chosen.candidate->getElementType());
}

/// Gives each axis of `tensor`, seen as `chosen`, a dimension.
static Value reshapeIn(OpBuilder &builder, Location loc, const Layout &layout,
                       const Chosen &chosen, Value tensor) {
  if (!hasUnits(chosen.axes) && !hasParts(chosen.axes))
    return tensor;
  // Sizes that other tensors tell make the reshape's types agree.
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(type.getShape());
  for (auto [size, list] : llvm::zip_equal(shape, chosen.axes)) {
    int64_t product = 1;
    for (unsigned axis : list)
      product = ShapedType::isDynamic(layout.getSize(axis)) ||
                        ShapedType::isDynamic(product)
                    ? ShapedType::kDynamic
                    : product * layout.getSize(axis);
    if (ShapedType::isDynamic(size))
      size = product;
  }
  if (type.clone(shape) != type)
    tensor = tensor::CastOp::create(builder, loc, type.clone(shape), tensor);
  if (hasUnits(chosen.axes))
    tensor = tensor::CollapseShapeOp::create(
        builder, loc, withoutUnits(tensor.getType(), chosen.axes), tensor,
        groupWithUnits(chosen.axes));
  if (!hasParts(chosen.axes))
    return tensor;
  Type element = getElementTypeOrSelf(tensor.getType());
  return tensor::ExpandShapeOp::create(builder, loc,
                                       typeOf(layout, chosen).clone(element),
                                       tensor, groupWithParts(chosen.axes));
}

/// Undoes `reshapeIn`: from a dimension an axis to the chosen tensor's shape.
static Value reshapeOut(OpBuilder &builder, Location loc, const Chosen &chosen,
                        Value result) {
  Type target = chosen.candidate->tensor.getType();
  if (hasParts(chosen.axes))
    result = tensor::CollapseShapeOp::create(builder, loc, result,
                                             groupWithParts(chosen.axes));
  if (hasUnits(chosen.axes)) {
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<int64_t> shape;
    unsigned next = 0;
    for (const AxisList &list : chosen.axes)
      shape.push_back(list.empty() ? 1 : type.getDimSize(next++));
    result = tensor::ExpandShapeOp::create(
        builder, loc, RankedTensorType::get(shape, type.getElementType()),
        result, groupWithUnits(chosen.axes));
  }
  if (result.getType() != target)
    result = tensor::CastOp::create(builder, loc, target, result);
  return result;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// An elementwise function of the i1 `tensor`.
static Value mapMask(OpBuilder &builder, Location loc, Value tensor, Type type,
                     function_ref<Value(OpBuilder &, Value)> body) {
  auto shaped = cast<RankedTensorType>(tensor.getType());
  unsigned rank = shaped.getRank();
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, tensor), type);
  AffineMap map = builder.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), tensor, empty,
             ArrayRef<AffineMap>{map, map}, loops,
             [&](OpBuilder &nested, Location at, ValueRange arguments) {
               linalg::YieldOp::create(nested, at, body(nested, arguments[0]));
             })
      .getResult(0);
}

static Value makeMask(OpBuilder &builder, Location loc, const MaskPlan &plan) {
  Value tensor = plan.tensor.value;
  switch (plan.kind) {
  case MaskPlan::Kind::additive:
  case MaskPlan::Kind::keep:
    return tensor;
  case MaskPlan::Kind::drop:
    return mapMask(builder, loc, tensor, builder.getI1Type(),
                   [&](OpBuilder &nested, Value in) -> Value {
                     Value one =
                         arith::ConstantIntOp::create(nested, loc, 1, 1);
                     return arith::XOrIOp::create(nested, loc, in, one);
                   });
  case MaskPlan::Kind::fill:
    break;
  }
  Type f32 = builder.getF32Type();
  return mapMask(
      builder, loc, tensor, f32, [&](OpBuilder &nested, Value in) -> Value {
        Value zero =
            arith::ConstantOp::create(nested, loc, nested.getF32FloatAttr(0.0));
        Value fill = arith::ConstantOp::create(
            nested, loc, nested.getF32FloatAttr(plan.fill));
        return arith::SelectOp::create(nested, loc, in,
                                       plan.keepWhen ? zero : fill,
                                       plan.keepWhen ? fill : zero);
      });
}

//===----------------------------------------------------------------------===//
// The attention
//===----------------------------------------------------------------------===//

static void writeRegion(OpBuilder &builder, Tracer &tracer,
                        const AttentionPlan &plan, const Layout &layout,
                        AttentionOp attention) {
  OpBuilder::InsertionGuard guard(builder);
  Location loc = attention.getLoc();
  Block *block = builder.createBlock(&attention.getScore());
  Value score = block->addArgument(builder.getF32Type(), loc);
  llvm::DenseMap<unsigned, Value> indexOf;
  auto addIndex = [&](unsigned dim) {
    indexOf[layout.dims[dim]] = block->addArgument(builder.getIndexType(), loc);
  };
  llvm::for_each(layout.roles.batch, addIndex);
  addIndex(layout.roles.m);
  addIndex(layout.roles.k2);
  auto regroup = [&](ArrayRef<unsigned> list) { return layout.regroup(list); };
  ScoreRegionBuilder region(tracer, builder, loc, std::move(indexOf), regroup,
                            layout.dims[layout.roles.k2]);
  for (const ScoreStep &step : plan.scores.steps)
    score = region.apply(step, score);
  YieldOp::create(builder, loc, score);
  // Folding leaves constants behind.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

FailureOr<AttentionOp> mlir::sparse_attn::writeAttention(RewriterBase &rewriter,
                                                         Tracer &tracer,
                                                         AttentionPlan &plan,
                                                         Refusal &refusal) {
  Layout layout(tracer, plan, refusal);
  if (failed(layout.compute()))
    return failure();

  Value replaced = layout.output.candidate->tensor;
  Operation *place = replaced.getDefiningOp();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(place);
  Location loc = plan.anchor->getLoc();
  MLIRContext *context = rewriter.getContext();

  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  const Chosen *inputs[] = {&layout.query, &layout.key, &layout.value};
  for (const Chosen *chosen : inputs) {
    operands.push_back(
        reshapeIn(rewriter, loc, layout, *chosen, chosen->candidate->tensor));
    maps.push_back(layout.getMap(*chosen, context));
  }
  Value mask;
  if (layout.mask) {
    mask = reshapeIn(rewriter, loc, layout, *layout.mask,
                     makeMask(rewriter, loc, *plan.scores.mask));
    maps.push_back(layout.getMap(*layout.mask, context));
  }
  maps.push_back(layout.getMap(layout.output, context));

  RankedTensorType type = typeOf(layout, layout.output);
  SmallVector<Value> sizes;
  AxisList outputAxes = layout.output.flat();
  for (unsigned axis : outputAxes) {
    if (!ShapedType::isDynamic(layout.getSize(axis)))
      continue;
    for (auto [operand, chosen] : llvm::zip_equal(operands, inputs)) {
      AxisList axes = chosen->flat();
      auto found = llvm::find(axes, axis);
      if (found == axes.end())
        continue;
      sizes.push_back(
          tensor::DimOp::create(rewriter, loc, operand, found - axes.begin()));
      break;
    }
  }
  Value init = tensor::EmptyOp::create(rewriter, loc, type, sizes);
  auto attention = AttentionOp::create(
      rewriter, loc, TypeRange{type}, operands[0], operands[1], operands[2],
      mask, /*block_counts=*/Value(), /*block_indices=*/Value(), init,
      /*log_sum_exp=*/Value(), /*recall_bound=*/Value(),
      /*tile_counts=*/Value(), rewriter.getAffineMapArrayAttr(maps),
      rewriter.getF64FloatAttr(layout.scale), /*filter=*/nullptr,
      /*decision_tile=*/nullptr, /*block_shape=*/nullptr,
      /*precision=*/nullptr);
  if (!plan.scores.steps.empty())
    writeRegion(rewriter, tracer, plan, layout, attention);
  Value result =
      reshapeOut(rewriter, loc, layout.output, attention.getResult(0));
  rewriter.replaceAllUsesWith(replaced, result);
  eraseDeadChains(rewriter, place);
  return attention;
}

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

/// Whether an i1 mask does as one operand of the attention what `plans` do.
static bool isBoolean(ArrayRef<MaskPlan> plans) {
  return llvm::all_of(plans, [](const MaskPlan &plan) {
    return plan.kind == MaskPlan::Kind::keep ||
           plan.kind == MaskPlan::Kind::drop;
  });
}

/// What `plans` do at one point, given the elements of their tensors.
static Value emitMask(OpBuilder &b, Location loc, ArrayRef<MaskPlan> plans,
                      ValueRange elements) {
  Type f32 = b.getF32Type();
  auto constant = [&](double value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  };
  auto emitKeep = [&](const MaskPlan &plan, Value element) -> Value {
    if (plan.kind != MaskPlan::Kind::drop && plan.keepWhen)
      return element;
    Value one = arith::ConstantIntOp::create(b, loc, 1, 1);
    return arith::XOrIOp::create(b, loc, element, one);
  };
  if (isBoolean(plans)) {
    Value keep;
    for (auto [plan, element] : llvm::zip_equal(plans, elements)) {
      Value one = emitKeep(plan, element);
      keep = keep ? arith::AndIOp::create(b, loc, keep, one) : one;
    }
    return keep;
  }
  // What is added to the score so far.
  Value sum;
  for (auto [plan, element] : llvm::zip_equal(plans, elements)) {
    if (plan.kind == MaskPlan::Kind::fill) {
      // Whatever was there before is replaced.
      if (!sum)
        sum = constant(0.0);
      Value fill = constant(plan.fill);
      sum = arith::SelectOp::create(b, loc, emitKeep(plan, element), sum, fill);
      continue;
    }
    Value term = element;
    if (plan.kind == MaskPlan::Kind::additive) {
      if (!element.getType().isF32())
        term = arith::ExtFOp::create(b, loc, f32, element);
      if (plan.factor != 1)
        term = arith::MulFOp::create(b, loc, term, constant(plan.factor));
    } else {
      Value keep = emitKeep(plan, element);
      Value zero = constant(0.0);
      double low = -std::numeric_limits<double>::infinity();
      term = arith::SelectOp::create(b, loc, keep, zero, constant(low));
    }
    sum = sum ? arith::AddFOp::create(b, loc, sum, term) : term;
  }
  return sum;
}

/// The mask operand, over the layout's mask axes.
static Value makeMask(OpBuilder &builder, Location loc, const Layout &layout,
                      ArrayRef<MaskPlan> plans) {
  SmallVector<Value> tensors;
  for (auto [plan, chosen] : llvm::zip_equal(plans, layout.masks))
    tensors.push_back(
        reshapeIn(builder, loc, layout, chosen, plan.tensor.value));
  const MaskPlan &first = plans.front();
  if (plans.size() == 1 &&
      (first.kind == MaskPlan::Kind::keep ||
       (first.kind == MaskPlan::Kind::additive && first.factor == 1)))
    return tensors.front();

  SmallVector<AffineMap> maps;
  SmallVector<OpFoldResult> sizes(layout.maskAxes.size());
  for (auto [chosen, tensor] : llvm::zip_equal(layout.masks, tensors)) {
    SmallVector<AffineExpr> exprs;
    for (auto [dim, axis] : llvm::enumerate(chosen.flat())) {
      size_t at = llvm::find(layout.maskAxes, axis) - layout.maskAxes.begin();
      exprs.push_back(builder.getAffineDimExpr(at));
      if (!sizes[at])
        sizes[at] = tensor::getMixedSize(builder, loc, tensor, dim);
    }
    maps.push_back(
        AffineMap::get(sizes.size(), 0, exprs, builder.getContext()));
  }
  maps.push_back(builder.getMultiDimIdentityMap(sizes.size()));
  Type type = builder.getF32Type();
  if (isBoolean(plans))
    type = builder.getI1Type();
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, type);
  SmallVector<utils::IteratorType> loops(sizes.size(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), tensors, empty, maps, loops,
             [&](OpBuilder &nested, Location at, ValueRange arguments) {
               linalg::YieldOp::create(
                   nested, at,
                   emitMask(nested, at, plans, arguments.drop_back()));
             })
      .getResult(0);
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
  for (ArrayRef<ScoreStep> steps = plan.scores.steps; !steps.empty();) {
    ArrayRef<ScoreStep> masks = steps.take_while([](const ScoreStep &step) {
      return step.kind == ScoreStep::Kind::maskOut;
    });
    score = masks.empty() ? region.apply(steps.front(), score)
                          : region.maskOut(masks, score);
    steps = steps.drop_front(std::max<size_t>(masks.size(), 1));
  }
  YieldOp::create(builder, loc, score);
  sharpenFills(attention);
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
  Location loc = locate(plan.anchor);
  MLIRContext *context = rewriter.getContext();

  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  const Chosen *inputs[] = {&layout.query, &layout.key, &layout.value};
  for (const Chosen *chosen : inputs) {
    operands.push_back(
        reshapeIn(rewriter, loc, layout, *chosen, chosen->candidate->tensor));
    maps.push_back(layout.getMap(chosen->flat(), context));
  }
  Value mask;
  if (!layout.masks.empty()) {
    mask = makeMask(rewriter, loc, layout, plan.scores.masks);
    maps.push_back(layout.getMap(layout.maskAxes, context));
  }
  maps.push_back(layout.getMap(layout.output.flat(), context));

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

//===- Element.cpp - One element of a tensor, traced to its scalars -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Conversion/LinalgToSparseAttn/Element.h"
#include "ReshapeGroups.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Attribute mlir::sparse_attn::getForeignAttr(Operation *op, StringRef name) {
  auto properties =
      dyn_cast_or_null<DictionaryAttr>(op->getPropertiesAsAttribute());
  if (Attribute attribute = properties ? properties.get(name) : nullptr)
    return attribute;
  return op->getDiscardableAttr(name);
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

std::optional<AxisView>
Tracer::bindLoops(linalg::LinalgOp op, AffineMap map, ArrayRef<AxisList> axes,
                  ArrayRef<std::optional<AxisList>> loops) {
  unsigned count = op.getNumLoops();
  SmallVector<std::optional<AxisList>> bound(count);
  if (!loops.empty())
    bound.assign(loops.begin(), loops.end());
  for (auto [expr, list] : llvm::zip_equal(map.getResults(), axes)) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      std::optional<AxisList> &loop = bound[dim.getPosition()];
      if (loop)
        return std::nullopt;
      loop = list;
      continue;
    }
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (!constant || constant.getValue() != 0 || !space.resolve(list).empty())
      return std::nullopt;
  }
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  AxisView result;
  for (auto [loop, range] : llvm::zip_equal(bound, ranges)) {
    if (!loop && range != 1)
      return std::nullopt;
    result.push_back(loop ? *loop : AxisList());
  }
  return result;
}

std::optional<AxisView>
Tracer::applyMap(AffineMap map, ArrayRef<AxisList> loops, Type tensor) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(tensor).getShape();
  AxisView result;
  for (auto [expr, size] : llvm::zip_equal(map.getResults(), shape)) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      result.push_back(loops[dim.getPosition()]);
      continue;
    }
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (!constant || constant.getValue() != 0 || size != 1)
      return std::nullopt;
    result.emplace_back();
  }
  return result;
}

std::optional<AxisView> Tracer::throughReshape(tensor::ReshapeOp reshape,
                                               ArrayRef<AxisList> axes,
                                               bool up) {
  std::optional<ReshapeGroups> found = findReshapeGroups(reshape);
  if (!found)
    return std::nullopt;
  Value target = up ? reshape.getSource() : reshape.getResult();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(target.getType()).getShape();
  AxisView view;
  for (auto [at, group] : llvm::enumerate(found->groups)) {
    unsigned first = up ? group.resultFirst : group.sourceFirst;
    unsigned last = up ? group.resultLast : group.sourceLast;
    unsigned to = up ? group.sourceFirst : group.resultFirst;
    unsigned toEnd = up ? group.sourceLast : group.resultLast;
    AxisList whole;
    for (const AxisList &list : axes.slice(first, last - first))
      llvm::append_range(whole, list);
    if (at == found->inferred)
      inferred.insert(whole);
    ArrayRef<int64_t> sizes = shape.slice(to, toEnd - to);
    if (llvm::count_if(sizes, [](int64_t size) { return size != 1; }) == 1) {
      for (int64_t size : sizes)
        view.push_back(size == 1 ? AxisList() : whole);
      continue;
    }
    std::optional<AxisView> parts = space.distribute(whole, sizes);
    if (!parts)
      return std::nullopt;
    llvm::append_range(view, *parts);
  }
  return view;
}

bool Tracer::isInferred(ArrayRef<unsigned> list) const {
  AxisList resolved = space.resolve(list);
  return llvm::any_of(inferred, [&](const AxisList &other) {
    return llvm::any_of(space.resolve(other), [&](unsigned axis) {
      return llvm::is_contained(resolved, axis);
    });
  });
}

std::optional<Element> Tracer::stepReshape(const Element &element) {
  Operation *def = element.value.getDefiningOp();
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(def)) {
    AxisView axes;
    ArrayRef<int64_t> shape = collapse.getSrcType().getShape();
    for (auto [list, group] :
         llvm::zip_equal(element.axes, collapse.getReassociationIndices())) {
      std::optional<AxisView> parts =
          space.distribute(list, shape.slice(group.front(), group.size()));
      if (!parts)
        return std::nullopt;
      llvm::append_range(axes, *parts);
    }
    return Element{collapse.getSrc(), nullptr, std::move(axes)};
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(def)) {
    AxisView axes;
    for (const ReassociationIndices &group : expand.getReassociationIndices()) {
      AxisList &list = axes.emplace_back();
      for (int64_t dim : group)
        llvm::append_range(list, element.axes[dim]);
    }
    return Element{expand.getSrc(), nullptr, std::move(axes)};
  }
  if (auto reshape = dyn_cast<tensor::ReshapeOp>(def)) {
    std::optional<AxisView> axes =
        throughReshape(reshape, element.axes, /*up=*/true);
    if (!axes)
      return std::nullopt;
    return Element{reshape.getSource(), nullptr, std::move(*axes)};
  }
  if (auto cast = dyn_cast<tensor::CastOp>(def))
    if (isa<RankedTensorType>(cast.getSource().getType()))
      return Element{cast.getSource(), nullptr, element.axes};
  return std::nullopt;
}

/// Whether `op` is in the body of a linalg op, where values differ from point
/// to point of its loops.
static bool isInBody(Operation *op) {
  return isa_and_nonnull<linalg::LinalgOp>(op->getParentOp());
}

std::optional<Element> Tracer::stepFromElements(const Element &element) {
  auto made = element.value.getDefiningOp<tensor::FromElementsOp>();
  if (!made || made.getElements().size() != 1 || isInBody(made))
    return std::nullopt;
  return scalar(made.getElements().front());
}

std::optional<Element> Tracer::stepExtract(const Element &element) {
  auto extract =
      dyn_cast_or_null<tensor::ExtractOp>(element.value.getDefiningOp());
  if (!extract || !extract.getIndices().empty())
    return std::nullopt;
  Operation *def = extract.getTensor().getDefiningOp();
  if (def && isInBody(def))
    return std::nullopt;
  return Element{extract.getTensor(), nullptr, {}};
}

std::optional<Element> Tracer::step(const Element &element, Peel how) {
  if (element.isTensor()) {
    Operation *def = element.value.getDefiningOp();
    if (!def)
      return std::nullopt;
    auto op = dyn_cast<linalg::LinalgOp>(def);
    if (!op && how == Peel::compute)
      if (std::optional<Element> made = stepFromElements(element))
        return made;
    if (!op)
      return stepReshape(element);
    if (op.hasPureTensorSemantics() &&
        op.getNumParallelLoops() == op.getNumLoops()) {
      unsigned result = cast<OpResult>(element.value).getResultNumber();
      Value yielded = op.getBlock()->getTerminator()->getOperand(result);
      if (how == Peel::copies && !isa<BlockArgument>(yielded))
        return std::nullopt;
      AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(result));
      if (std::optional<AxisView> loops = bindLoops(op, map, element.axes))
        return Element{yielded, op, std::move(*loops)};
    }
    return std::nullopt;
  }
  auto argument = dyn_cast<BlockArgument>(element.value);
  linalg::LinalgOp op = element.op;
  if (!argument)
    return stepExtract(element);
  if (!op || argument.getOwner() != op.getBlock())
    return std::nullopt;
  OpOperand *operand = op.getMatchingOpOperand(argument);
  if (!isa<RankedTensorType>(operand->get().getType()))
    return scalar(operand->get());
  std::optional<AxisView> axes =
      applyMap(op.getMatchingIndexingMap(operand), element.axes,
               operand->get().getType());
  if (!axes)
    return std::nullopt;
  return Element{operand->get(), nullptr, std::move(*axes)};
}

Element Tracer::peel(Element element, Trace *trace, Peel how) {
  // A copy that reads its own dimensions in an inexpressible way leaves a
  // block argument; the tensor before it is the origin then.
  Element origin = element;
  while (std::optional<Element> next = step(element, how)) {
    if (trace && element.isTensor())
      trace->insert(element.value.getDefiningOp());
    element = std::move(*next);
    if (element.isTensor() || !isa<BlockArgument>(element.value) || !element.op)
      origin = element;
  }
  return origin;
}

Element Tracer::rawOperand(const Element &element, unsigned index) {
  Value value = element.getScalarOp()->getOperand(index);
  linalg::LinalgOp op = element.op;
  // What comes from outside of the body is the same at every point of it.
  if (!op || value.getParentBlock() != op.getBlock())
    return scalar(value);
  return Element{value, op, element.axes};
}

Element Tracer::operand(const Element &element, unsigned index, Trace *trace) {
  return peel(rawOperand(element, index), trace);
}

Element Tracer::stripCasts(Element element, Trace *trace) {
  element = peel(std::move(element), trace);
  while (isa_and_nonnull<arith::ExtFOp, arith::TruncFOp>(element.getScalarOp()))
    element = operand(element, 0, trace);
  return element;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// The constant that a scalar or every element of a tensor is.
static Attribute getUniform(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return nullptr;
  if (auto splat = dyn_cast<SplatElementsAttr>(attribute))
    return splat.getSplatValue<Attribute>();
  // A tensor of rank 0 or one element is a splat however it was written.
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    return dense.getNumElements() == 1 ? *dense.value_begin<Attribute>()
                                       : Attribute();
  return attribute;
}

std::optional<APFloat> Tracer::getFloat(const Element &element,
                                        unsigned depth) {
  auto type = dyn_cast<FloatType>(element.getElementType());
  if (!type || depth == 0)
    return std::nullopt;
  if (auto attribute = dyn_cast_or_null<FloatAttr>(getUniform(element.value)))
    return attribute.getValue();
  Operation *op = element.getScalarOp();
  if (!op || op->getNumOperands() == 0 || op->getNumOperands() > 2 ||
      !isa<arith::ExtFOp, arith::TruncFOp, arith::MulFOp, arith::DivFOp,
           arith::NegFOp, math::SqrtOp>(op))
    return std::nullopt;
  SmallVector<APFloat, 2> values;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    std::optional<APFloat> value = getFloat(operand(element, i), depth - 1);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  APFloat result = values[0];
  bool exact;
  auto rounding = APFloat::rmNearestTiesToEven;
  if (isa<arith::MulFOp>(op))
    result.multiply(values[1], rounding);
  else if (isa<arith::DivFOp>(op))
    result.divide(values[1], rounding);
  else if (isa<arith::NegFOp>(op))
    result.changeSign();
  else if (isa<math::SqrtOp>(op)) {
    bool lost;
    result.convert(APFloat::IEEEdouble(), rounding, &lost);
    result = APFloat(std::sqrt(result.convertToDouble()));
  }
  result.convert(type.getFloatSemantics(), rounding, &exact);
  return result;
}

std::optional<double> Tracer::getDouble(const Element &element) {
  std::optional<APFloat> value = getFloat(element);
  if (!value)
    return std::nullopt;
  bool exact;
  value->convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &exact);
  return value->convertToDouble();
}

std::optional<APInt> Tracer::getInteger(const Element &element) {
  if (auto attribute = dyn_cast_or_null<IntegerAttr>(getUniform(element.value)))
    return attribute.getValue();
  return std::nullopt;
}

/// The dimension that `iree_linalg_ext.index` names in a score region.
static std::optional<unsigned> getRegionIndex(const Element &element) {
  Operation *op = element.getScalarOp();
  if (!op || op->getName().getStringRef() != "iree_linalg_ext.index" ||
      op->getNumOperands() != 0 || !element.value.getType().isIndex())
    return std::nullopt;
  auto dim = dyn_cast_or_null<IntegerAttr>(getForeignAttr(op, "dim"));
  if (!dim || dim.getValue().getActiveBits() > 32 ||
      dim.getValue().getZExtValue() >= element.axes.size())
    return std::nullopt;
  return dim.getValue().getZExtValue();
}

std::optional<Ramp> Tracer::getRamp(const Element &element) {
  if (auto index = dyn_cast_or_null<linalg::IndexOp>(element.getScalarOp())) {
    if (!element.op)
      return std::nullopt;
    return Ramp{0, 1, element.axes[index.getDim()]};
  }
  if (std::optional<unsigned> dim = getRegionIndex(element))
    return Ramp{0, 1, element.axes[*dim]};
  DenseIntElementsAttr values;
  if (!element.isTensor() || !matchPattern(element.value, m_Constant(&values)))
    return std::nullopt;
  ArrayRef<int64_t> shape = values.getType().getShape();
  if (llvm::count_if(shape, [](int64_t size) { return size != 1; }) != 1 ||
      element.getElementType().isInteger(1) || values.getNumElements() < 2)
    return std::nullopt;
  auto it = values.value_begin<APInt>();
  constexpr unsigned width = 32;
  if ((*it).getSignificantBits() > width ||
      (*std::next(it)).getSignificantBits() > width)
    return std::nullopt;
  int64_t start = (*it).getSExtValue();
  int64_t step = (*std::next(it)).getSExtValue() - start;
  int64_t next = start;
  for (const APInt &value : values.getValues<APInt>()) {
    if (value.getSignificantBits() > width || value.getSExtValue() != next)
      return std::nullopt;
    next += step;
  }
  size_t dim = llvm::find_if(shape, [](int64_t size) { return size != 1; }) -
               shape.begin();
  return Ramp{start, step, element.axes[dim]};
}

bool Tracer::isNegativeInfinity(const Element &element) {
  std::optional<APFloat> value = getFloat(element);
  return value && value->isInfinity() && value->isNegative();
}

bool Tracer::isZero(const Element &element) {
  std::optional<APFloat> value = getFloat(element);
  return value && value->isZero();
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

bool Tracer::same(Element a, Element b, Trace *trace, unsigned depth) {
  a = peel(std::move(a), trace);
  b = peel(std::move(b), trace);
  if (a.value == b.value && a.op == b.op && space.sameAll(a.axes, b.axes))
    return true;
  if (std::optional<APFloat> first = getFloat(a)) {
    std::optional<APFloat> second = getFloat(b);
    return second && a.getElementType() == b.getElementType() &&
           first->bitwiseIsEqual(*second);
  }
  Operation *first = a.getScalarOp(), *second = b.getScalarOp();
  if (!first || !second || depth == 0 ||
      first->getName() != second->getName() ||
      first->getNumOperands() != second->getNumOperands() ||
      first->getNumOperands() == 0 || first->getNumRegions() != 0 ||
      first->getNumResults() != 1 ||
      first->getResultTypes() != second->getResultTypes() ||
      first->getAttrDictionary() != second->getAttrDictionary() ||
      !isMemoryEffectFree(first))
    return false;
  for (unsigned i = 0; i < first->getNumOperands(); ++i)
    // The tensor that a scalar is read from has no view.
    if (isa<TensorType>(first->getOperand(i).getType())
            ? first->getOperand(i) != second->getOperand(i)
            : !same(rawOperand(a, i), rawOperand(b, i), trace, depth - 1))
      return false;
  return true;
}

//===- Layout.cpp - Chooses tensors and indexing maps for attention -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layout.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static bool isPlain(ArrayRef<AxisList> axes) {
  return llvm::all_of(axes,
                      [](const AxisList &list) { return list.size() == 1; });
}

/// The candidate before or at `last`, only reshapes away from it, that needs
/// no reshape itself; `last` if there is none.
static Chosen choosePlain(const AxisSpace &space,
                          ArrayRef<Candidate> candidates, size_t last) {
  for (size_t at = last;; --at) {
    AxisView axes = space.resolveAll(candidates[at].axes);
    if (isPlain(axes))
      return {&candidates[at], axes};
    if (at == 0 || !candidates[at].reshape)
      break;
  }
  return {&candidates[last], space.resolveAll(candidates[last].axes)};
}

SmallVector<Chosen *> Layout::all() {
  SmallVector<Chosen *> result = {&query, &key, &value, &output};
  for (Chosen &mask : masks)
    result.push_back(&mask);
  return result;
}

LogicalResult Layout::chooseInputs() {
  MLIRContext *context = plan.anchor->getContext();
  // The narrowest type that all three have: products are computed in f32
  // whatever the operands are.
  Type types[] = {Float16Type::get(context), BFloat16Type::get(context),
                  Float32Type::get(context)};
  for (Type type : types) {
    auto last = [&](ArrayRef<Candidate> candidates) -> std::optional<size_t> {
      for (size_t at = candidates.size(); at-- > 0;)
        if (candidates[at].getElementType() == type)
          return at;
      return std::nullopt;
    };
    std::optional<size_t> q = last(plan.query), k = last(plan.key),
                          v = last(plan.value);
    if (!q || !k || !v)
      continue;
    query = choosePlain(space, plan.query, *q);
    key = choosePlain(space, plan.key, *k);
    value = choosePlain(space, plan.value, *v);
    scale = plan.scores.scale * query.candidate->scale * key.candidate->scale;
    return success();
  }
  return refusal(plan.anchor, "query, key and value do not come in one type of "
                              "f16, bf16 and f32");
}

LogicalResult Layout::chooseOutput() {
  Type type = query.candidate->getElementType();
  AxisList valueDim = space.resolve(plan.valueDim);
  auto order = [&](ArrayRef<AxisList> axes, ArrayRef<unsigned> without) {
    AxisList result;
    for (const AxisList &list : space.resolveAll(axes))
      for (unsigned axis : list)
        if (!llvm::is_contained(without, axis))
          result.push_back(axis);
    return result;
  };
  AxisList queryOrder =
      order(query.candidate->axes, space.resolve(plan.headDim));
  auto endsInValues = [&](const Candidate &candidate) {
    AxisList all = order(candidate.axes, {});
    return valueDim.empty() || (!all.empty() && all.back() == valueDim.back());
  };
  // A transpose of the result is done by the kernel if the result then lies
  // as the query does, or if it makes the values' head_dim innermost.
  std::optional<size_t> chosen;
  for (auto [at, candidate] : llvm::enumerate(plan.output)) {
    Type element = candidate.getElementType();
    if (element != type && !element.isF32())
      break;
    const Candidate &first = plan.output.front();
    bool reordered = order(candidate.axes, {}) != order(first.axes, {});
    if (!reordered || order(candidate.axes, valueDim) == queryOrder ||
        (endsInValues(candidate) && !endsInValues(first)))
      chosen = at;
  }
  if (!chosen)
    return refusal(plan.anchor, "the product with the values is neither f32 "
                                "nor of the operands' type");
  output = choosePlain(space, plan.output, *chosen);
  return success();
}

//===----------------------------------------------------------------------===//
// The iteration space
//===----------------------------------------------------------------------===//

/// Whether everything that names one of the two axes has them side by side.
static bool alwaysAdjacent(ArrayRef<AxisList> lists, unsigned outer,
                           unsigned inner) {
  for (const AxisList &list : lists)
    for (auto [at, axis] : llvm::enumerate(list)) {
      if (axis == outer && (at + 1 == list.size() || list[at + 1] != inner))
        return false;
      if (axis == inner && (at == 0 || list[at - 1] != outer))
        return false;
    }
  return true;
}

static void replacePair(AxisList &list, unsigned outer, unsigned inner,
                        unsigned whole) {
  for (size_t at = 0; at + 1 < list.size(); ++at)
    if (list[at] == outer && list[at + 1] == inner) {
      list[at] = whole;
      list.erase(list.begin() + at + 1);
    }
}

AxisList Layout::regroup(ArrayRef<unsigned> list) const {
  AxisList result = space.resolve(list);
  for (const Merge &merge : merges)
    replacePair(result, merge.outer, merge.inner, merge.whole);
  return result;
}

void Layout::mergeAxes() {
  while (true) {
    SmallVector<AxisList> lists = indexLists;
    for (Chosen *chosen : all())
      llvm::append_range(lists, chosen->axes);
    std::optional<Merge> merge;
    for (const AxisList &list : lists)
      for (size_t at = 0; at + 1 < list.size() && !merge; ++at)
        if (alwaysAdjacent(lists, list[at], list[at + 1]))
          merge = Merge{list[at], list[at + 1], 0};
    if (!merge)
      return;
    merge->whole = space.create(space.extent({merge->outer, merge->inner}));
    merges.push_back(*merge);
    for (Chosen *chosen : all())
      for (AxisList &list : chosen->axes)
        replacePair(list, merge->outer, merge->inner, merge->whole);
    for (AxisList &list : indexLists)
      replacePair(list, merge->outer, merge->inner, merge->whole);
  }
}

unsigned Layout::addUnit(ArrayRef<Chosen *> operands) {
  unsigned axis = space.create(1);
  for (Chosen *chosen : operands) {
    auto lists = llvm::reverse(chosen->axes);
    auto free =
        llvm::find_if(lists, [](const AxisList &list) { return list.empty(); });
    if (free != lists.end())
      free->push_back(axis);
    else if (!chosen->axes.empty())
      chosen->axes.back().insert(chosen->axes.back().begin(), axis);
  }
  return axis;
}

void Layout::addUnits() {
  auto has = [](const Chosen &chosen, unsigned axis) {
    return llvm::is_contained(chosen.flat(), axis);
  };
  if (space.resolve(plan.headDim).empty())
    addUnit({&query, &key});
  if (space.resolve(plan.keys).empty())
    addUnit({&key, &value});
  if (space.resolve(plan.valueDim).empty())
    addUnit({&value, &output});
  if (llvm::none_of(output.flat(), [&](unsigned axis) {
        return has(query, axis) && !has(key, axis) && !has(value, axis);
      }))
    addUnit({&query, &output});
  // A batch of one that all have keeps its dimension.
  auto free = [](Chosen *chosen) {
    return llvm::find_if(chosen->axes,
                         [](const AxisList &list) { return list.empty(); });
  };
  SmallVector<Chosen *> operands = {&query, &key, &value, &output};
  while (llvm::all_of(operands, [&](Chosen *chosen) {
    return free(chosen) != chosen->axes.end();
  })) {
    unsigned axis = space.create(1);
    for (Chosen *chosen : operands)
      free(chosen)->push_back(axis);
  }
}

/// Collects the axes of every index that `element` is computed from or read at.
static void collectIndices(Tracer &tracer, const Element &element,
                           SmallVectorImpl<AxisList> &lists) {
  if (std::optional<Ramp> ramp = tracer.getRamp(element)) {
    lists.push_back(tracer.getSpace().resolve(ramp->index));
    return;
  }
  if (element.isTensor())
    for (const AxisList &list : element.axes)
      lists.push_back(tracer.getSpace().resolve(list));
  Operation *op = element.getScalarOp();
  if (!op)
    return;
  for (unsigned i = isa<tensor::ExtractOp>(op) ? 1 : 0;
       i < op->getNumOperands(); ++i)
    collectIndices(tracer, tracer.operand(element, i), lists);
}

LogicalResult Layout::checkRegion() {
  for (const AxisList &list : indexLists)
    for (auto [at, axis] : llvm::enumerate(list)) {
      auto found = llvm::find(dims, axis);
      unsigned dim = found - dims.begin();
      if (found == dims.end() || dim == roles.k1 || dim == roles.n)
        return refusal(plan.anchor, "a mask depends on an index that is no "
                                    "batch, query or key");
      if (at != 0 && ShapedType::isDynamic(space.getSize(axis)))
        return refusal(plan.anchor, "a mask depends on an index over several "
                                    "dimensions of unknown size");
    }
  return success();
}

AffineMap Layout::getMap(ArrayRef<unsigned> axes, MLIRContext *context) const {
  SmallVector<AffineExpr> exprs;
  for (unsigned axis : axes)
    exprs.push_back(
        getAffineDimExpr(llvm::find(dims, axis) - dims.begin(), context));
  return AffineMap::get(dims.size(), 0, exprs, context);
}

int64_t Layout::getSize(unsigned axis) const {
  if (!ShapedType::isDynamic(space.getSize(axis)))
    return space.getSize(axis);
  for (const Chosen *chosen : {&query, &key, &value, &output}) {
    auto type = cast<RankedTensorType>(chosen->candidate->tensor.getType());
    for (auto [list, size] : llvm::zip_equal(chosen->axes, type.getShape()))
      if (list.size() == 1 && list[0] == axis && !ShapedType::isDynamic(size))
        return size;
  }
  return ShapedType::kDynamic;
}

/// Of the dimensions that only query and output have, the last one counts the
/// queries: the one that lies in the query as the keys lie in the key, so that
/// the heads that share a key are none in whatever layout.
void Layout::putQueriesLast() {
  auto following = [](ArrayRef<unsigned> list, unsigned axis) {
    auto at = llvm::find(list, axis);
    return at == list.end() || at + 1 == list.end() ? std::optional<unsigned>()
                                                    : at[1];
  };
  AxisList queryAxes = query.flat(), keyAxes = key.flat();
  AxisList keys = regroup(plan.keys);
  std::optional<unsigned> wanted;
  if (!keys.empty())
    wanted = following(keyAxes, keys.back());
  auto chosen = dims.end(), last = dims.end();
  for (auto it = dims.begin(); it != dims.end(); ++it) {
    if (!llvm::is_contained(queryAxes, *it) ||
        llvm::is_contained(keyAxes, *it) ||
        llvm::is_contained(value.flat(), *it))
      continue;
    last = it;
    if (wanted && following(queryAxes, *it) == wanted)
      chosen = it;
  }
  if (chosen != dims.end())
    std::rotate(chosen, chosen + 1, last + 1);
}

LogicalResult Layout::checkScale() {
  // Kernels multiply in f32.
  if (std::isfinite(float(scale)) && (scale == 0 || float(scale) != 0))
    return success();
  return refusal(plan.anchor, "the scale " +
                                  llvm::formatv("{0:e}", scale).str() +
                                  " is no f32");
}

LogicalResult Layout::checkTypes() {
  for (const Chosen *chosen : all()) {
    auto type = cast<RankedTensorType>(chosen->candidate->tensor.getType());
    if (type.getEncoding())
      return refusal(plan.anchor, "a tensor has an encoding");
  }
  return success();
}

LogicalResult Layout::checkMasks() {
  MLIRContext *context = plan.anchor->getContext();
  for (const Chosen &mask : masks) {
    for (unsigned axis : mask.flat())
      if (!llvm::is_contained(dims, axis))
        return refusal(plan.anchor, "the mask has a dimension that query, key "
                                    "and value lack");
    AffineMap map = getMap(mask.flat(), context);
    if (!map.isProjectedPermutation() || map.isFunctionOfDim(roles.k1) ||
        map.isFunctionOfDim(roles.n))
      return refusal(plan.anchor, "the mask is not over distinct batch, query "
                                  "and key dimensions");
  }
  for (unsigned axis : dims)
    if (llvm::any_of(masks, [&](const Chosen &mask) {
          return llvm::is_contained(mask.flat(), axis);
        }))
      maskAxes.push_back(axis);
  if (masks.size() == 1)
    maskAxes = masks.front().flat();
  return success();
}

LogicalResult Layout::compute() {
  if (failed(chooseInputs()) || failed(chooseOutput()))
    return failure();
  maskCandidates.reserve(plan.scores.masks.size());
  for (const MaskPlan &mask : plan.scores.masks) {
    maskCandidates.push_back({mask.tensor.value, mask.tensor.axes});
    masks.push_back(
        {&maskCandidates.back(), space.resolveAll(mask.tensor.axes)});
  }
  if (failed(checkScale()) || failed(checkTypes()))
    return failure();
  for (const ScoreStep &step : plan.scores.steps) {
    Operation *op = step.node.getScalarOp();
    if (step.kind != ScoreStep::Kind::apply) {
      collectIndices(tracer, step.node, indexLists);
      continue;
    }
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      if (i != step.spine)
        collectIndices(tracer, tracer.operand(step.node, i), indexLists);
  }
  mergeAxes();
  addUnits();

  // The output's dimensions first, then what is summed over.
  dims = output.flat();
  putQueriesLast();
  for (const Chosen *chosen : {&query, &key, &value})
    for (unsigned axis : chosen->flat())
      if (!llvm::is_contained(dims, axis))
        dims.push_back(axis);
  MLIRContext *context = plan.anchor->getContext();
  std::string reason;
  FailureOr<AttentionOp::Dims> found = AttentionOp::inferDims(
      getMap(query.flat(), context), getMap(key.flat(), context),
      getMap(value.flat(), context), getMap(output.flat(), context),
      [&](const Twine &text) { reason = text.str(); });
  if (failed(found))
    return refusal(plan.anchor,
                   "the products do not fit together as attention: " + reason);
  roles = *found;
  if (failed(checkMasks()))
    return failure();
  for (const Chosen *chosen : all())
    for (auto [list, size] : llvm::zip_equal(
             chosen->axes,
             cast<RankedTensorType>(chosen->candidate->tensor.getType())
                 .getShape()))
      if (list.size() > 1 && !ShapedType::isDynamic(size) &&
          llvm::any_of(list, [&](unsigned axis) {
            return ShapedType::isDynamic(getSize(axis));
          }))
        return refusal(plan.anchor, "a dimension of known size is split into "
                                    "unknown ones");
  return checkRegion();
}

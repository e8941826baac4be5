//===- Reduction.cpp - Reductions over the keys ---------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reduction.h"
#include "SparseAttn/Conversion/LinalgToSparseAttn/SoftmaxMatcher.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;

std::optional<Reduction>
mlir::sparse_attn::matchReduction(Tracer &tracer, const Element &element,
                                  ArrayRef<unsigned> keys, Trace &trace) {
  if (!element.isTensor())
    return std::nullopt;
  auto op = element.value.getDefiningOp<linalg::LinalgOp>();
  if (!op || !op.hasPureTensorSemantics())
    return std::nullopt;
  unsigned result = cast<OpResult>(element.value).getResultNumber();
  OpOperand *init = op.getDpsInitOperand(result);

  // The loop that is reduced; loops of size 1 do not matter.
  SmallVector<std::optional<AxisList>> loops(op.getNumLoops());
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  bool bound = false;
  for (auto [loop, range, kind] : llvm::zip_equal(loops, ranges, kinds)) {
    if (kind != utils::IteratorType::reduction)
      continue;
    int64_t extent = tracer.getSpace().extent(keys);
    if (range == 1 && extent != 1)
      continue;
    if (bound || (!ShapedType::isDynamic(range) &&
                  !ShapedType::isDynamic(extent) && range != extent))
      return std::nullopt;
    loop = AxisList(keys);
    bound = true;
  }
  if (!bound)
    return std::nullopt;
  AffineMap map = op.getMatchingIndexingMap(init);
  std::optional<AxisView> view = tracer.bindLoops(op, map, element.axes, loops);
  if (!view)
    return std::nullopt;

  // The body combines the running value, an argument used only so, with the
  // new one.
  BlockArgument running = op.getMatchingBlockArgument(init);
  Value yielded = op.getBlock()->getTerminator()->getOperand(result);
  Operation *combiner = yielded.getDefiningOp();
  if (!combiner || combiner->getBlock() != op.getBlock() ||
      combiner->getNumOperands() != 2)
    return std::nullopt;
  unsigned position = combiner->getOperand(0) == running ? 1 : 0;
  if (combiner->getOperand(1 - position) != running)
    return std::nullopt;
  trace.insert(op);
  Reduction reduction;
  reduction.combiner = combiner;
  reduction.reduced = tracer.operand({yielded, op, *view}, position, &trace);
  std::optional<AxisView> initView =
      tracer.applyMap(map, *view, init->get().getType());
  if (!initView)
    return std::nullopt;
  reduction.init = tracer.peel({init->get(), nullptr, *initView});
  return reduction;
}

std::optional<Reduction>
mlir::sparse_attn::matchRowMaximum(Tracer &tracer, const Element &element,
                                   const Element &scores,
                                   ArrayRef<unsigned> keys, Trace &trace) {
  Element maximum = tracer.stripCasts(element, &trace);
  // Some exporters clamp the maximum from below by -inf: nothing.
  if (isa_and_nonnull<arith::MaximumFOp, arith::MaxNumFOp>(
          maximum.getScalarOp()))
    for (unsigned i : {0, 1})
      if (tracer.isNegativeInfinity(tracer.operand(maximum, i))) {
        maximum =
            tracer.stripCasts(tracer.operand(maximum, 1 - i, &trace), &trace);
        break;
      }
  std::optional<Reduction> reduction =
      matchReduction(tracer, maximum, keys, trace);
  if (!reduction ||
      !isa<arith::MaximumFOp, arith::MaxNumFOp>(reduction->combiner))
    return std::nullopt;
  if (!isMaximumStart(tracer, reduction->init))
    return std::nullopt;
  if (!tracer.same(tracer.stripCasts(reduction->reduced, &trace),
                   tracer.stripCasts(scores), &trace))
    return std::nullopt;
  return reduction;
}

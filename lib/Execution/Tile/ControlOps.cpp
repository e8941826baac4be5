//===- ControlOps.cpp - Loops, branches, constants, the grid --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::attn_tile;

static llvm::Error runFor(Interpreter &state, Operation *op) {
  auto loop = cast<scf::ForOp>(op);
  Value induction = loop.getInductionVar();
  Element element = *Element::of(induction.getType());
  int64_t lower = state.getNumber(loop.getLowerBound());
  int64_t upper = state.getNumber(loop.getUpperBound());
  int64_t step = state.getNumber(loop.getStep());
  bool isUnsigned = loop.getUnsignedCmp();
  uint64_t distance = element.zeroExtend(static_cast<uint64_t>(upper) - lower);
  bool empty = isUnsigned
                   ? element.zeroExtend(lower) >= element.zeroExtend(upper)
                   : lower >= upper;
  uint64_t stride = isUnsigned ? element.zeroExtend(step) : step;
  if (isUnsigned ? stride == 0 : step <= 0)
    return fault(op, "expected a step above 0, found " + Twine(step));

  state.assign(loop.getRegionIterArgs(), loop.getInitArgs());
  uint64_t trips = empty ? 0 : (distance - 1) / stride + 1;
  for (uint64_t trip = 0; trip < trips; ++trip) {
    state.setTile(induction,
                  Tile::number(lower + trip * stride, element.width));
    if (llvm::Error error = state.runRegion(loop.getRegion()))
      return error;
    state.assign(loop.getRegionIterArgs(),
                 loop.getBody()->getTerminator()->getOperands());
  }
  state.assign(op->getResults(), loop.getRegionIterArgs());
  return llvm::Error::success();
}

static llvm::Error runIf(Interpreter &state, Operation *op) {
  auto branch = cast<scf::IfOp>(op);
  Region &region = state.getNumber(branch.getCondition())
                       ? branch.getThenRegion()
                       : branch.getElseRegion();
  if (region.empty())
    return llvm::Error::success();
  if (llvm::Error error = state.runRegion(region))
    return error;
  state.assign(op->getResults(), region.front().getTerminator()->getOperands());
  return llvm::Error::success();
}

static llvm::Error runWhile(Interpreter &state, Operation *op) {
  auto loop = cast<scf::WhileOp>(op);
  state.assign(loop.getBeforeArguments(), loop.getInits());
  while (true) {
    if (llvm::Error error = state.runRegion(loop.getBefore()))
      return error;
    scf::ConditionOp condition = loop.getConditionOp();
    if (!state.getNumber(condition.getCondition())) {
      state.assign(op->getResults(), condition.getArgs());
      return llvm::Error::success();
    }
    state.assign(loop.getAfterArguments(), condition.getArgs());
    if (llvm::Error error = state.runRegion(loop.getAfter()))
      return error;
    state.assign(loop.getBeforeArguments(),
                 loop.getAfterBody()->getTerminator()->getOperands());
  }
}

static llvm::Error runConstant(Interpreter &state, Operation *op) {
  llvm::Expected<Tile> tile = state.makeTile(op, op->getResult(0));
  if (!tile)
    return tile.takeError();
  // Float elements are f16, bf16 or f32 here, all of which a float holds.
  auto toFloat = [](APFloat value) {
    bool losesInfo;
    value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    return value.convertToFloat();
  };
  auto toInteger = [&](const APInt &value) {
    return tile->element.wrap(value.getSExtValue());
  };
  Attribute value = cast<arith::ConstantOp>(op).getValue();
  if (auto number = dyn_cast<FloatAttr>(value))
    tile->floats[0] = toFloat(number.getValue());
  else if (auto number = dyn_cast<IntegerAttr>(value))
    tile->integers[0] = toInteger(number.getValue());
  else if (auto elements = dyn_cast<DenseElementsAttr>(value);
           elements && tile->element.isFloat())
    llvm::transform(elements.getValues<APFloat>(), tile->floats.begin(),
                    toFloat);
  else if (elements)
    llvm::transform(elements.getValues<APInt>(), tile->integers.begin(),
                    toInteger);
  else
    return fault(op, "expected a number or dense elements");
  state.setTile(op->getResult(0), std::move(*tile));
  return llvm::Error::success();
}

template <typename Op>
static llvm::Error runGridOp(Interpreter &state, Operation *op,
                             std::array<uint32_t, 3> sizes) {
  state.setTile(
      op->getResult(0),
      Tile::number(sizes[static_cast<unsigned>(cast<Op>(op).getDimension())],
                   64));
  return llvm::Error::success();
}

void attn_tile::addControlOps(OpTable &table) {
  table.ops["scf.for"] = runFor;
  table.ops["scf.if"] = runIf;
  table.ops["scf.while"] = runWhile;
  table.ops["arith.constant"] = runConstant;
  table.ops["gpu.block_id"] = [](Interpreter &state, Operation *op) {
    return runGridOp<gpu::BlockIdOp>(state, op, state.getBlock());
  };
  table.ops["gpu.grid_dim"] = [](Interpreter &state, Operation *op) {
    return runGridOp<gpu::GridDimOp>(state, op, state.getGrid());
  };
}

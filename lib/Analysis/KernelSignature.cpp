//===- KernelSignature.cpp - How a kernel is called -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Analysis/BlockKernels.h"
#include <map>

using namespace mlir;
using namespace mlir::sparse_attn;

AttentionOp sparse_attn::getKernelAttention(func::FuncOp kernel) {
  if (kernel.isExternal())
    return {};
  auto ops = kernel.getOps<AttentionOp>();
  return llvm::hasSingleElement(ops) ? *ops.begin() : AttentionOp();
}

Operation *sparse_attn::getKernelOp(func::FuncOp kernel) {
  if (kernel.isExternal())
    return nullptr;
  Operation *found = nullptr;
  for (Operation &op : kernel.getOps())
    if (isa<AttentionOp, KernelOpInterface>(op)) {
      if (found)
        return nullptr;
      found = &op;
    }
  return found;
}

bool sparse_attn::isShare(AttentionOp op, unsigned dim) {
  return op.getOutputMap().isFunctionOfDim(dim) &&
         !op.getQueryMap().isFunctionOfDim(dim) &&
         !op.getKeyMap().isFunctionOfDim(dim);
}

std::optional<unsigned> sparse_attn::getPosition(AffineMap map, unsigned dim) {
  return map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
}

std::optional<int64_t> sparse_attn::getPitch(RankedTensorType type,
                                             unsigned position) {
  ArrayRef<int64_t> behind = type.getShape().drop_front(position + 1);
  if (ShapedType::isDynamicShape(behind))
    return std::nullopt;
  return ShapedType::getNumElements(behind);
}

DimRef sparse_attn::getInputDim(AttentionOp op, unsigned dim) {
  for (auto [operand, map] : {std::pair(op.getQuery(), op.getQueryMap()),
                              std::pair(op.getKey(), op.getKeyMap()),
                              std::pair(op.getValue(), op.getValueMap())})
    if (auto position = getPosition(map, dim))
      return {cast<BlockArgument>(operand).getArgNumber(), *position};
  llvm_unreachable("every dimension is one of an input");
}

std::string sparse_attn::getCapturedSizeName(unsigned tensor, unsigned dim) {
  return "captured_" + std::to_string(tensor) + "_size_" + std::to_string(dim);
}

/// Tensors alone, in the order of the operands.
static KernelSignature getStaticSignature(KernelOpInterface op) {
  using Role = KernelArgument::Role;
  KernelSignature signature;
  auto style = cast<DestinationStyleOpInterface>(op.getOperation());
  for (auto [name, operand] :
       llvm::zip_equal(op.getArgumentNames(), op->getOpOperands()))
    signature.arguments.push_back(
        {name.str(),
         style.isDpsInit(&operand) ? Role::Output : Role::Input,
         cast<RankedTensorType>(operand.get().getType()),
         {}});
  BlockGrid grid = getBlockGrid(op);
  signature.gridX.value = grid.x;
  signature.gridY.value = grid.y;
  return signature;
}

KernelSignature sparse_attn::getKernelSignature(func::FuncOp kernel) {
  if (auto op = dyn_cast<KernelOpInterface>(getKernelOp(kernel)))
    return getStaticSignature(op);
  AttentionOp op = getKernelAttention(kernel);
  KernelSignature signature;
  using Role = KernelArgument::Role;
  // By number, as statistics were added behind what the region reads.
  std::map<unsigned, KernelArgument> tensors;
  auto add = [&](StringRef name, Role role, Value operand) {
    if (operand)
      tensors.try_emplace(
          cast<BlockArgument>(operand).getArgNumber(),
          KernelArgument{
              name.str(), role, cast<RankedTensorType>(operand.getType()), {}});
  };
  // Statistics are what the graph did not ask for: results that the function
  // marks as such.
  auto optional = [&](StringRef name, Value operand) {
    if (!operand)
      return;
    unsigned number = cast<BlockArgument>(operand).getArgNumber();
    bool statistic =
        kernel.getArgAttr(number, "sparse_attn.statistic") != nullptr;
    add(name, statistic ? Role::Statistic : Role::Output, operand);
  };
  add("query", Role::Input, op.getQuery());
  add("key", Role::Input, op.getKey());
  add("value", Role::Input, op.getValue());
  add("mask", Role::Input, op.getMask());
  add("block_counts", Role::Input, op.getBlockCounts());
  add("block_indices", Role::Input, op.getBlockIndices());
  add("output", Role::Output, op.getOutput());
  optional("log_sum_exp", op.getLogSumExp());
  optional("recall_bound", op.getRecallBound());
  optional("tile_counts", op.getTileCounts());
  SmallVector<Value> captured = op.getCapturedTensors();
  for (auto [index, tensor] : llvm::enumerate(captured))
    add("captured_" + std::to_string(index), Role::Input, tensor);
  for (auto &[number, argument] : tensors)
    signature.arguments.push_back(std::move(argument));

  AttentionOp::Dims dims = op.getDims();
  auto length = [&](StringRef name, unsigned dim) {
    if (ShapedType::isDynamic(op.getDimSize(dim)))
      signature.arguments.push_back(
          {name.str(), Role::Length, RankedTensorType(), getInputDim(op, dim)});
  };
  length("query_length", dims.m);
  length("key_length", dims.k2);
  for (auto [index, dim] : llvm::enumerate(dims.batch))
    length("batch_" + std::to_string(index), dim);
  if (Value indices = op.getBlockIndices()) {
    auto type = cast<RankedTensorType>(indices.getType());
    unsigned last = type.getRank() - (op.hasBlockFlags() ? 2 : 1);
    if (type.isDynamicDim(last))
      signature.arguments.push_back(
          {blockListLengthName.str(),
           Role::Length,
           RankedTensorType(),
           {cast<BlockArgument>(indices).getArgNumber(), last}});
  }
  for (auto [index, tensor] : llvm::enumerate(captured)) {
    auto type = cast<RankedTensorType>(tensor.getType());
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        signature.arguments.push_back(
            {getCapturedSizeName(index, dim),
             Role::Length,
             RankedTensorType(),
             {cast<BlockArgument>(tensor).getArgNumber(),
              static_cast<unsigned>(dim)}});
  }

  signature.gridX = {Extent::Form::CeilDiv,
                     {getInputDim(op, dims.m)},
                     (*op.getDecisionTile())[0]};
  signature.gridY.form = Extent::Form::Product;
  for (unsigned dim : dims.batch)
    if (isShare(op, dim))
      signature.gridZ.value *= op.getDimSize(dim);
    else
      signature.gridY.of.push_back(getInputDim(op, dim));
  return signature;
}

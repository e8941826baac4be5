//===- BlockKernel.cpp - Kernels around attention -------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockKernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

gpu::GPUFuncOp
attn_tile::createKernelFunction(TileBuilder &b, func::FuncOp function,
                                const KernelSignature &signature) {
  b.setInsertionPoint(function);
  auto module = gpu::GPUModuleOp::create(b, function.getName());
  b.setInsertionPointToStart(module.getBody());
  SmallVector<Type> types;
  for (const KernelArgument &argument : signature.arguments)
    types.push_back(argument.type
                        ? Type(LLVM::LLVMPointerType::get(b.getContext(), 1))
                        : Type(b.getI32Type()));
  auto kernel = gpu::GPUFuncOp::create(b, function.getName(),
                                       b.getFunctionType(types, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  for (auto [index, argument] : llvm::enumerate(signature.arguments)) {
    kernel.setArgAttr(index, "sparse_attn.name",
                      b.getStringAttr(argument.name));
    if (argument.type) {
      kernel.setArgAttr(index, LLVM::LLVMDialect::getAlignAttrName(),
                        b.getI64IntegerAttr(16));
      kernel.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(),
                        b.getUnitAttr());
    }
  }
  b.setInsertionPointToStart(&kernel.getBody().front());
  return kernel;
}

Value attn_tile::createBlockIndex(TileBuilder &b, gpu::Dimension dimension) {
  return arith::IndexCastOp::create(b, b.getI32Type(),
                                    gpu::BlockIdOp::create(b, dimension));
}

BlockKernel::BlockKernel(func::FuncOp function, Operation *op)
    : b(op->getLoc(), op->getContext()),
      kernel(createKernelFunction(b, function, getKernelSignature(function))) {
  x = createBlockIndex(b, gpu::Dimension::x);
  y = createBlockIndex(b, gpu::Dimension::y);
}

Value BlockKernel::moved(Value operand, Value offset) {
  Value base = pointer(operand);
  return LLVM::GEPOp::create(b, base.getType(), getElementTypeOrSelf(operand),
                             base, ArrayRef<LLVM::GEPArg>{offset});
}

SmallVector<Value> attn_tile::splitIndex(TileBuilder &b, Value number,
                                         ValueRange counts) {
  SmallVector<Value> indices(counts.size());
  for (size_t i = counts.size(); i-- > 1;) {
    indices[i] = b.remi(number, counts[i]);
    number = b.divi(number, counts[i]);
  }
  if (!indices.empty())
    indices[0] = number;
  return indices;
}

SmallVector<Value>
BlockKernel::splitBatch(ArrayRef<unsigned> dims,
                        function_ref<int64_t(unsigned)> sizeOf) {
  SmallVector<Value> counts;
  for (unsigned dim : dims)
    counts.push_back(b.i32(sizeOf(dim)));
  return splitIndex(b, y, counts);
}

Value BlockKernel::batchOffset(Value operand, AffineMap map,
                               ArrayRef<unsigned> dims, ValueRange indices) {
  auto type = cast<RankedTensorType>(operand.getType());
  Value offset = b.i64(0);
  for (auto [index, dim] : llvm::zip_equal(indices, dims))
    if (std::optional<unsigned> position = getPosition(map, dim))
      offset = b.addi(
          offset, b.muli(b.extend64(index), b.i64(*getPitch(type, *position))));
  return offset;
}

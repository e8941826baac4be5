//===- CallKernelOp.cpp - Calls of kernel functions ---------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;

LogicalResult
CallKernelOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto module = (*this)->getParentOfType<ModuleOp>();
  if (!module)
    return emitOpError("expected a builtin.module around a call of '@")
           << getCallee() << "'";
  auto kernel =
      symbolTable.lookupSymbolIn<FunctionOpInterface>(module, getCalleeAttr());
  if (!kernel)
    return emitOpError("expected a function '@")
           << getCallee() << "' in the enclosing module, found none";
  if (!llvm::equal(kernel.getArgumentTypes(), getOperandTypes()))
    return emitOpError("expected operands of the kernel's types, (")
           << kernel.getArgumentTypes() << "), found (" << getOperandTypes()
           << ")";
  if (!llvm::equal(kernel.getResultTypes(), getResultTypes()))
    return emitOpError("expected results of the kernel's types, (")
           << kernel.getResultTypes() << "), found (" << getResultTypes()
           << ")";
  return success();
}

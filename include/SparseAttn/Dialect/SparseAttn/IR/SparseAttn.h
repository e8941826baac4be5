//===- SparseAttn.h - The sparse_attn dialect ------------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTN_H
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTN_H

#include "SparseAttn/Layout/TokenOrder.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/IndexingMapOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"
#include <optional>

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrInterfaces.h.inc"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnDialect.h.inc"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrs.h.inc"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnOpInterfaces.h.inc"
#define GET_OP_CLASSES
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnOps.h.inc"

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTN_H

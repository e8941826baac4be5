//===- AttnTile.h - The attn_tile dialect ----------------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILE_H
#define SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILE_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "SparseAttn/Dialect/AttnTile/IR/AttnTileDialect.h.inc"
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileEnums.h.inc"

#include "SparseAttn/Dialect/AttnTile/IR/AttnTileAttrInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileTypes.h.inc"
#define GET_OP_CLASSES
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileOps.h.inc"

#endif // SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILE_H

//===- SparseAttnDialect.cpp - Dialect registration -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnDialect.cpp.inc"

Operation *SparseAttnDialect::materializeConstant(OpBuilder &builder,
                                                  Attribute value, Type type,
                                                  Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

void SparseAttnDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnOps.cpp.inc"
      >();
}

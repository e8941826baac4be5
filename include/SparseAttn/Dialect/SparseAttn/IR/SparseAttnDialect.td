//===- SparseAttnDialect.td - The sparse_attn dialect -----*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNDIALECT
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNDIALECT

include "mlir/IR/OpBase.td"

def SparseAttn_Dialect : Dialect {
  let name = "sparse_attn";
  let summary = "What a model computes by attention, and how much of it may be left out";
  let description = [{
    Attention on tensors, with the decisions that make it sparse written as
    typed attributes and SSA values: which filter skips key tiles inside the
    kernel, which block list restricts it, how a score is modified. The dialect
    says *what* is computed; the `attn_tile` dialect says how one thread block
    computes it.

    Every operation has reference semantics by `convert-sparse-attn-to-linalg`.
  }];
  let cppNamespace = "::mlir::sparse_attn";
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"];
  let extraClassDeclaration = [{
    /// Registers the attributes; they are defined beside their parsers.
    void registerAttributes();
  }];
}

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNDIALECT

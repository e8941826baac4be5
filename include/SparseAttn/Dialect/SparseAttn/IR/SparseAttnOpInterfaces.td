//===- SparseAttnOpInterfaces.td - What becomes a kernel ------*- tablegen -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNOPINTERFACES
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNOPINTERFACES

include "mlir/IR/OpBase.td"

def SparseAttn_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::mlir::sparse_attn";
  let description = [{
    An operation in destination-passing style that becomes one kernel: tensors
    in, tensors out, beside attention itself.
  }];
  let methods = [
    InterfaceMethod<[{
        The names of the kernel's arguments, one for each operand.
      }], "::llvm::SmallVector<::llvm::StringRef>", "getArgumentNames">
  ];
}

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNOPINTERFACES

//===- SparseAttnAttrInterfaces.td - What filters answer -*- tablegen -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNATTRINTERFACES
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNATTRINTERFACES

include "mlir/IR/Interfaces.td"

def SparseAttn_FilterAttrInterface : AttrInterface<"FilterAttrInterface"> {
  let cppNamespace = "::mlir::sparse_attn";
  let description = [{
    A rule, evaluated inside the flash loop, for which key tiles of a query
    tile are left out. For row `i` and tile `j` in visit order let `m̂` be the
    tile's row maximum of the scaled score, `m` and `l` the running maximum and
    the running sum of `exp(s - m)` over the tiles kept before `j`. A tile is
    skipped only if every row of the decision tile agrees. Rows past the end
    agree; a row with `l = 0` agrees if `m̂ = -inf` and disagrees otherwise, so
    the first tile that a row can see is never skipped. On a skip `m`, `l` and
    the accumulator stay untouched.
  }];
  let methods = [
    InterfaceMethod<"Name of the policy as it is spelled in text.",
                    "::llvm::StringRef", "getPolicy">,
    InterfaceMethod<"Whether the filter can skip any tile at all.",
                    "bool", "canSkip">
  ];
}

def SparseAttn_SelectionAttrInterface : AttrInterface<"SelectionAttrInterface"> {
  let cppNamespace = "::mlir::sparse_attn";
  let description = [{
    A rule for which blocks of keys a block of queries keeps, by their scores.
  }];
  let methods = [
    InterfaceMethod<"Name of the policy as it is spelled in text.",
                    "::llvm::StringRef", "getPolicy">,
    InterfaceMethod<"The number of the rule; none where it is a runtime value.",
                    "::std::optional<double>", "getNumber">
  ];
}

def SparseAttn_LayoutAttrInterface : AttrInterface<"LayoutAttrInterface"> {
  let cppNamespace = "::mlir::sparse_attn";
  let description = [{
    An order of the tokens of a video: those of a grid of frames, rows and
    columns along some curve, then a tail of tokens (text) that stay where they
    are. The index of a token before any reordering is its raster index.
  }];
  let methods = [
    InterfaceMethod<"What the layout is, without MLIR.",
                    "::mlir::sparse_attn::TokenOrder", "getTokenOrder">
  ];
}

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNATTRINTERFACES

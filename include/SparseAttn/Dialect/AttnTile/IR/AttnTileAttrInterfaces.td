//===- AttnTileAttrInterfaces.td - What tile layouts answer --*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEATTRINTERFACES
#define SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEATTRINTERFACES

include "mlir/IR/Interfaces.td"

def AttnTile_LayoutInterface : AttrInterface<"TileLayoutInterface"> {
  let cppNamespace = "::mlir::attn_tile";
  let description = [{
    Says which thread of a block owns which elements of a tile. A tile whose
    type carries such an encoding lives in registers, so stock arith and math
    operations work on it element by element.
  }];
  let methods = [
    InterfaceMethod<"Elements of a tile of this shape that one thread owns.",
      "int64_t", "getElementsPerThread", (ins "::llvm::ArrayRef<int64_t>":$shape)>,
    InterfaceMethod<"Warps that share the tile.", "int64_t", "getNumWarps">
  ];
}

#endif // SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEATTRINTERFACES

//===- AttnTileDialect.td - The attn_tile dialect ---------*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEDIALECT
#define SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEDIALECT

include "SparseAttn/Dialect/AttnTile/IR/AttnTileAttrInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"

def AttnTile_Dialect : Dialect {
  let name = "attn_tile";
  let summary = "How one thread block computes attention";
  let description = [{
    The body of an attention kernel, tile by tile. A tile is a `tensor` value;
    arith, math and scf work on it directly, so this dialect has only what they
    lack: moving tiles between global memory, shared memory and registers, the
    matrix product, reductions along rows, votes.

    The same operations are used on three floors, each of which prints, parses,
    verifies and can be executed:
    1. *fused*: tiles are plain tensors, loads and stores name global memory;
    2. *staged* (`attn-tile-stage-copies`): operands of products lie in shared
       memory, filled by asynchronous copies;
    3. *laid out* (`attn-tile-assign-layouts`): every tile's type says which
       thread owns which element.
    `convert-attn-tile-to-nvvm` takes the last floor to registers.

    All threads of a block execute an operation together; conditions on tiles
    reach control flow only through `any_row` and `sum_rows`, which are uniform.
  }];
  let cppNamespace = "::mlir::attn_tile";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect"];
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

class AttnTile_Layout<string cppName, string mnemonicName>
    : AttrDef<AttnTile_Dialect, cppName,
        [DeclareAttrInterfaceMethods<AttnTile_LayoutInterface>,
         DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = mnemonicName;
  let genMnemonicAlias = 1;
  let parameters = (ins "int64_t":$warps);
  let assemblyFormat = "`<` `warps` `=` $warps `>`";
  let genVerifyDecl = 1;
}

def AttnTile_AccumulatorAttr : AttnTile_Layout<"Accumulator", "accumulator"> {
  let summary = "A 2-D tile laid out as the accumulator of mma.m16n8";
  let description = [{
    Warp `w` owns the rows `16·(w + warps·i) + 0..15`. In each 16 x 8 piece the
    lane `l` owns row `l/4` and row `l/4 + 8`, columns `2·(l mod 4)` and the
    next (PTX ISA, "Matrix Fragments for mma.m16n8k16").

    Example: `tensor<128x64xf32, #attn_tile.accumulator<warps = 4>>`.
  }];
}

def AttnTile_RowsAttr : AttnTile_Layout<"Rows", "rows"> {
  let summary = "One element for each row of an accumulator tile";
  let description = [{
    Each lane owns the elements of the rows that it owns in the accumulator
    layout with as many warps; the four lanes of a row hold equal values.

    Example: `tensor<128xf32, #attn_tile.rows<warps = 4>>`.
  }];
}

def AttnTile_OperandAttr : AttnTile_Layout<"Operand", "operand"> {
  let summary = "A 2-D tile laid out as the A operand of mma.m16n8";
  let description = [{
    Rows are spread over warps and lanes as in the accumulator layout, columns
    as the A fragment of mma.sync has them.

    Example: `tensor<128x64xf16, #attn_tile.operand<warps = 8>>`.
  }];
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class AttnTile_Type<string cppName, string mnemonicName>
    : TypeDef<AttnTile_Dialect, cppName> {
  let mnemonic = mnemonicName;
}

def AttnTile_MatrixType : AttnTile_Type<"Matrix", "matrix"> {
  let summary = "A matrix in global memory";
  let description = [{
    A matrix of a number of rows known at run time, `columns` of `elementType`,
    whose element (r, c) lies `r · rowPitch + c · columnPitch` elements from its
    base. A pitch of 0 repeats a row or a column. Rows of a dynamic pitch follow
    each other, each of as many elements as `load_elements` says.

    Examples: `!attn_tile.matrix<64xf16, rows = 64>`,
    `!attn_tile.matrix<128xf32, rows = 0, columns = 1>`,
    `!attn_tile.matrix<?xi1, rows = ?>`.
  }];
  let parameters = (ins "int64_t":$columns, "::mlir::Type":$elementType,
                        "int64_t":$rowPitch, DefaultValuedParameter<"int64_t", "1">:$columnPitch);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def AttnTile_SharedType : AttnTile_Type<"Shared", "shared"> {
  let summary = "A tile in the shared memory of the thread block";
  let description = [{
    Rows lie one after the other in chunks of 16 bytes, 2^a · u to a row with u
    odd. The position of chunk c of row r is c XOR ((r · s / 8) mod s), where s
    is 2^a but at most 8, so that eight rows of one column of chunks fall into
    different banks (conflict-free ldmatrix).

    Example: `!attn_tile.shared<64x128xf16>`.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRowBytes() const;
    int64_t getBytes() const { return getRows() * getRowBytes(); }
  }];
}

#endif // SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEDIALECT

//===- AttnTileOps.td - Operations of the attn_tile dialect --*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEOPS
#define SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEOPS

include "SparseAttn/Dialect/AttnTile/IR/AttnTileDialect.td"
include "mlir/Dialect/LLVMIR/LLVMTypes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class AttnTile_Op<string mnemonic, list<Trait> traits = []>
    : Op<AttnTile_Dialect, mnemonic, traits>;

def AttnTile_GlobalPointer : Type<
    CPred<"::llvm::isa<::mlir::LLVM::LLVMPointerType>($_self) && "
          "::llvm::cast<::mlir::LLVM::LLVMPointerType>($_self).getAddressSpace() == 1">,
    "pointer to global memory", "::mlir::LLVM::LLVMPointerType">;
def AttnTile_Tile : StaticShapeTensorOf<[AnyType]>;
def AttnTile_Tile2D : TensorRankOf<[AnyType], [2]>;
def AttnTile_Rows : TensorRankOf<[AnyType], [1]>;
def AttnTile_Operand : AnyTypeOf<[AttnTile_Tile2D, AttnTile_SharedType]>;

// Named here instead of included: enums are generated once for each file that
// includes them.
def AttnTile_PrecisionAttr : Attr<
    CPred<"::llvm::isa<::mlir::sparse_attn::PrecisionAttr>($_self)">,
    "#sparse_attn.precision"> {
  let storageType = "::mlir::sparse_attn::PrecisionAttr";
  let returnType = "::mlir::sparse_attn::Precision";
  let convertFromStorage = "$_self.getValue()";
}

def AttnTile_ReduceKind : I32EnumAttr<"ReduceKind", "How elements combine", [
    I32EnumAttrCase<"max", 0>, I32EnumAttrCase<"add", 1>]> {
  let cppNamespace = "::mlir::attn_tile";
  let genSpecializedAttr = 0;
}
def AttnTile_ReduceKindAttr : EnumAttr<AttnTile_Dialect, AttnTile_ReduceKind, "reduce"> {
  let summary = "How elements combine";
  let description = [{
    Example: `#attn_tile.reduce<max>`.
  }];
  let assemblyFormat = "`<` $value `>`";
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

def AttnTile_ViewOp : AttnTile_Op<"view", [Pure]> {
  let summary = "A matrix in global memory";
  let description = [{
    The matrix that begins `offset` elements after `pointer` and has `rows`
    rows.

    Example:

    ```mlir
    %k = attn_tile.view %pointer[%offset], %rows
        : !llvm.ptr<1> -> !attn_tile.matrix<64xf16, rows = 64>
    ```
  }];
  let arguments = (ins AttnTile_GlobalPointer:$pointer, I64:$offset, I32:$rows);
  let results = (outs AttnTile_MatrixType:$result);
  let assemblyFormat = "$pointer `[` $offset `]` `,` $rows attr-dict `:` type($pointer) `->` type($result)";
}

def AttnTile_LoadOp : AttnTile_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "Read whole rows of a matrix";
  let description = [{
    The tile of rows `row`, `row + 1`, ... of the matrix, all columns. Rows past
    the end are 0; `in_bounds` promises that there are none. A tile may be wider
    than the matrix: the columns past the matrix's are 0.

    Example:

    ```mlir
    %tile = attn_tile.load %k[%row] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<128x64xf16>
    ```
  }];
  let arguments = (ins AttnTile_MatrixType:$matrix, I32:$row, UnitAttr:$in_bounds);
  let results = (outs AttnTile_Tile2D:$result);
  let assemblyFormat = [{
    $matrix `[` $row `]` (`in_bounds` $in_bounds^)? attr-dict `:` type($matrix) `->` type($result)
  }];
  let hasVerifier = 1;
}

def AttnTile_LoadElementsOp : AttnTile_Op<"load_elements", [MemoryEffects<[MemRead]>]> {
  let summary = "Read a tile element by element";
  let description = [{
    The elements (row + i, column + j) of the matrix for i, j over the tile,
    where both indices are below `rows` and `columns`; 0 elsewhere. For masks,
    whose pitches may be 0 or, of rows, dynamic: `columns`.

    Example:

    ```mlir
    %mask = attn_tile.load_elements %m[%row, %column] bounds(%rows, %columns)
        : !attn_tile.matrix<512xf32, rows = 0> -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins AttnTile_MatrixType:$matrix, I32:$row, I32:$column, I32:$rows, I32:$columns);
  let results = (outs AttnTile_Tile2D:$result);
  let assemblyFormat = [{
    $matrix `[` $row `,` $column `]` `bounds` `(` $rows `,` $columns `)` attr-dict
    `:` type($matrix) `->` type($result)
  }];
  let hasVerifier = 1;
}

def AttnTile_GatherOp : AttnTile_Op<"gather", [MemoryEffects<[MemRead]>]> {
  let summary = "Read the elements at given places";
  let description = [{
    The element `offset` after `pointer`: one number where `offset` is a number,
    a tile of them where it is a tile. Offsets must lie inside the memory that
    the pointer leads to.

    Example:

    ```mlir
    %documents = attn_tile.gather %pointer[%offsets]
        : !llvm.ptr<1>, tensor<128x64xi32> -> tensor<128x64xi32>
    ```
  }];
  let arguments = (ins AttnTile_GlobalPointer:$pointer,
                       AnyTypeOf<[I32, StaticShapeTensorOf<[I32]>]>:$offset);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$pointer `[` $offset `]` attr-dict `:` type($pointer) `,` type($offset) `->` type($result)";
  let hasVerifier = 1;
}

def AttnTile_StoreOp : AttnTile_Op<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "Write whole rows of a matrix";
  let description = [{
    Writes the tile to the rows `row`, `row + 1`, ...; rows past the end are
    left out, and so are columns of a tile wider than the matrix. A 1-D tile is
    a matrix of one column.

    Example:

    ```mlir
    attn_tile.store %tile, %o[%row] : tensor<128x64xf16>, !attn_tile.matrix<64xf16, rows = 64>
    ```
  }];
  let arguments = (ins AttnTile_Tile:$tile, AttnTile_MatrixType:$matrix, I32:$row);
  let assemblyFormat = "$tile `,` $matrix `[` $row `]` attr-dict `:` type($tile) `,` type($matrix)";
  let hasVerifier = 1;
}

def AttnTile_StoreScalarOp : AttnTile_Op<"store_scalar", [MemoryEffects<[MemWrite]>]> {
  let summary = "Write one number, once a thread block";
  let description = [{
    Writes `value` to element `index` after `pointer`.

    Example:

    ```mlir
    attn_tile.store_scalar %count, %pointer[%index] : i32, !llvm.ptr<1>
    ```
  }];
  let arguments = (ins AnyTypeOf<[I32, F32]>:$value, AttnTile_GlobalPointer:$pointer, I64:$index);
  let assemblyFormat = "$value `,` $pointer `[` $index `]` attr-dict `:` type($value) `,` type($pointer)";
}

def AttnTile_StoreBlockSumsOp : AttnTile_Op<"store_block_sums", [MemoryEffects<[MemWrite]>]> {
  let summary = "Write the sums of the blocks that a tile is divided into";
  let description = [{
    Divides the tile into blocks of `block` (1, 2, 4 or 8 rows, a power
    of 2 of columns from 2), and writes the sum of block (i, j) to element (row + i,
    column + j) of the matrix, where that is below its rows and columns.

    Example:

    ```mlir
    attn_tile.store_block_sums %p, %scores[%row, %column] block = [8, 8]
        : tensor<64x128xf32>, !attn_tile.matrix<19xf32, rows = 19>
    ```
  }];
  let arguments = (ins AttnTile_Tile2D:$tile, AttnTile_MatrixType:$matrix, I32:$row, I32:$column,
                       DenseI64ArrayAttr:$block);
  let assemblyFormat = [{
    $tile `,` $matrix `[` $row `,` $column `]` `block` `=` $block attr-dict
    `:` type($tile) `,` type($matrix)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

def AttnTile_AllocSharedOp : AttnTile_Op<"alloc_shared", [
    MemoryEffects<[MemAlloc]>]> {
  let summary = "Room for a tile in shared memory";
  let description = [{
    Lives as long as the kernel.

    Example:

    ```mlir
    %k = attn_tile.alloc_shared : !attn_tile.shared<64x128xf16>
    ```
  }];
  let results = (outs AttnTile_SharedType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def AttnTile_CopyAsyncOp : AttnTile_Op<"copy_async", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Begin to copy rows of a matrix to shared memory";
  let description = [{
    Copies the rows `row`, `row + 1`, ... of the matrix; rows past the end
    become 0, and `in_bounds` promises that there are none. Columns of a tile
    wider than the matrix become 0. The tile may be read after the next
    `wait_copies`, and must not be in use by any thread when the copy begins.

    Example:

    ```mlir
    attn_tile.copy_async %k[%row], %tile : !attn_tile.matrix<128xf16, rows = 128> to !attn_tile.shared<64x128xf16>
    ```
  }];
  let arguments = (ins AttnTile_MatrixType:$matrix, I32:$row, AttnTile_SharedType:$tile,
                       UnitAttr:$in_bounds);
  let assemblyFormat = [{
    $matrix `[` $row `]` `,` $tile (`in_bounds` $in_bounds^)? attr-dict
    `:` type($matrix) `to` type($tile)
  }];
  let hasVerifier = 1;
}

def AttnTile_WaitCopiesOp : AttnTile_Op<"wait_copies", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Wait until all copies have arrived and all threads are here";
  let description = [{
    After it every thread sees what all earlier `copy_async` operations of all
    threads wrote, and no thread still reads what it read before.

    Example:

    ```mlir
    attn_tile.wait_copies
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def AttnTile_LoadSharedOp : AttnTile_Op<"load_shared", [MemoryEffects<[MemRead]>]> {
  let summary = "Take a tile from shared memory to registers";
  let description = [{
    Example:

    ```mlir
    %q = attn_tile.load_shared %tile : !attn_tile.shared<128x64xf16> -> tensor<128x64xf16>
    ```
  }];
  let arguments = (ins AttnTile_SharedType:$tile);
  let results = (outs AttnTile_Tile2D:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Computation
//===----------------------------------------------------------------------===//

def AttnTile_MmaOp : AttnTile_Op<"mma", [
    MemoryEffects<[MemRead]>, AllTypesMatch<["accumulator", "result"]>]> {
  let summary = "Matrix product of two tiles on tensor cores, added to a third";
  let description = [{
    `accumulator + a · b`, with `a` of M x K and `b` of K x N, or N x K with
    `transpose_b`; either operand may lie in shared memory. The accumulator is
    f32. Operands are f16, bf16 or f32 alike; `precision` says how f32 operands
    are multiplied (see `#sparse_attn.precision`).

    Example:

    ```mlir
    %s = attn_tile.mma %q, %k, %zero transpose_b
        : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins AttnTile_Operand:$a, AttnTile_Operand:$b, AttnTile_Tile2D:$accumulator,
                       UnitAttr:$transpose_b, OptionalAttr<AttnTile_PrecisionAttr>:$precision);
  let results = (outs AttnTile_Tile2D:$result);
  let assemblyFormat = [{
    $a `,` $b `,` $accumulator (`transpose_b` $transpose_b^)? attr-dict
    `:` type($a) `,` type($b) `->` type($result)
  }];
  let hasVerifier = 1;
}

def AttnTile_ReduceRowsOp : AttnTile_Op<"reduce_rows", [Pure]> {
  let summary = "Combine the columns of each row";
  let description = [{
    Example:

    ```mlir
    %max = attn_tile.reduce_rows <max> %s : tensor<128x64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins AttnTile_ReduceKindAttr:$kind, AttnTile_Tile2D:$tile);
  let results = (outs AttnTile_Rows:$result);
  let assemblyFormat = "$kind $tile attr-dict `:` type($tile) `->` type($result)";
  let hasVerifier = 1;
}

def AttnTile_FoldColumnsOp : AttnTile_Op<"fold_columns", [Pure]> {
  let summary = "Combine columns that are a multiple of the result's width apart";
  let description = [{
    Column `c` of the result combines the columns `c`, `c + w`, `c + 2w`, ... of
    the tile, w being the result's width: a reduction that crosses no lane where
    w is a multiple of 8. A later `reduce_rows` finishes it.

    Example:

    ```mlir
    %partial = attn_tile.fold_columns <add> %p : tensor<128x64xf32> -> tensor<128x8xf32>
    ```
  }];
  let arguments = (ins AttnTile_ReduceKindAttr:$kind, AttnTile_Tile2D:$tile);
  let results = (outs AttnTile_Tile2D:$result);
  let assemblyFormat = "$kind $tile attr-dict `:` type($tile) `->` type($result)";
  let hasVerifier = 1;
}

def AttnTile_FoldPairsOp : AttnTile_Op<"fold_pairs", [Pure, SameOperandsAndResultType]> {
  let summary = "Combine columns 2i and 2i + 1, and give both the result";
  let description = [{
    Example:

    ```mlir
    %max = attn_tile.fold_pairs <max> %s : tensor<128x8xf32>
    ```
  }];
  let arguments = (ins AttnTile_ReduceKindAttr:$kind, AttnTile_Tile2D:$tile);
  let results = (outs AttnTile_Tile2D:$result);
  let assemblyFormat = "$kind $tile attr-dict `:` type($tile)";
}

def AttnTile_ExpandRowsOp : AttnTile_Op<"expand_rows", [Pure]> {
  let summary = "Repeat one element a row over all columns";
  let description = [{
    Example:

    ```mlir
    %tile = attn_tile.expand_rows %max : tensor<128xf32> -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins AttnTile_Rows:$rows);
  let results = (outs AttnTile_Tile2D:$result);
  let assemblyFormat = "$rows attr-dict `:` type($rows) `->` type($result)";
  let hasVerifier = 1;
}

def AttnTile_RowIndexOp : AttnTile_Op<"row_index", [Pure]> {
  let summary = "Number of each row, plus a base";
  let description = [{
    Example:

    ```mlir
    %query = attn_tile.row_index %first : tensor<128xi32>
    ```
  }];
  let arguments = (ins I32:$base);
  let results = (outs TensorRankOf<[I32], [1]>:$result);
  let assemblyFormat = "$base attr-dict `:` type($result)";
}

def AttnTile_ColumnIndexOp : AttnTile_Op<"column_index", [Pure]> {
  let summary = "Number of each element's column, plus a base";
  let description = [{
    Example:

    ```mlir
    %key = attn_tile.column_index %first : tensor<128x64xi32>
    ```
  }];
  let arguments = (ins I32:$base);
  let results = (outs TensorRankOf<[I32], [2]>:$result);
  let assemblyFormat = "$base attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// What all threads of the block agree on
//===----------------------------------------------------------------------===//

// Not Pure: these synchronise the block, so nothing may sink them into a branch.
def AttnTile_AnyRowOp : AttnTile_Op<"any_row", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Whether any row of the tile says yes";
  let description = [{
    The vote of a filter; the same for all threads. A barrier of the block.

    Example:

    ```mlir
    %keep = attn_tile.any_row %wanted : tensor<128xi1>
    ```
  }];
  let arguments = (ins TensorRankOf<[I1], [1]>:$rows);
  let results = (outs I1:$result);
  let assemblyFormat = "$rows attr-dict `:` type($rows)";
}

def AttnTile_SumRowsOp : AttnTile_Op<"sum_rows", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Sum over the rows of the tile";
  let description = [{
    The same for all threads, in an order that does not depend on timing. Two
    barriers of the block.

    Example:

    ```mlir
    %mass = attn_tile.sum_rows %rows : tensor<128xf32>
    ```
  }];
  let arguments = (ins TensorRankOf<[F32], [1]>:$rows);
  let results = (outs F32:$result);
  let assemblyFormat = "$rows attr-dict `:` type($rows)";
}

#endif // SPARSEATTN_DIALECT_ATTNTILE_IR_ATTNTILEOPS

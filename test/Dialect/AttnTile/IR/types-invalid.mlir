// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{expected 1 to 32 warps, found 0}}
func.func private @few() attributes {a = #attn_tile.accumulator<warps = 0>}

// -----

// expected-error@+1 {{expected 1 to 32 warps, found 33}}
func.func private @many() attributes {a = #attn_tile.rows<warps = 33>}

// -----

// expected-error@+1 {{expected 1 to 32 warps, found -1}}
func.func private @negative() attributes {a = #attn_tile.operand<warps = -1>}

// -----

// expected-error@+1 {{expected a static 2-D tile with a multiple of 64 rows and of 8 columns for #attn_tile.accumulator}}
func.func private @rows(tensor<32x64xf32, #attn_tile.accumulator<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 2-D tile with a multiple of 64 rows and of 8 columns for #attn_tile.accumulator}}
func.func private @columns(tensor<64x12xf32, #attn_tile.accumulator<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 2-D tile with a multiple of 64 rows and of 8 columns for #attn_tile.accumulator}}
func.func private @rank_1(tensor<64xf32, #attn_tile.accumulator<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 2-D tile with a multiple of 64 rows and of 8 columns for #attn_tile.accumulator}}
func.func private @rank_0(tensor<f32, #attn_tile.accumulator<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 2-D tile with a multiple of 64 rows and of 8 columns for #attn_tile.accumulator}}
func.func private @dynamic(tensor<?x64xf32, #attn_tile.accumulator<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 1-D tile with a multiple of 64 rows for #attn_tile.rows}}
func.func private @rows_2d(tensor<64x8xf32, #attn_tile.rows<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 1-D tile with a multiple of 64 rows for #attn_tile.rows}}
func.func private @rows_odd(tensor<65xf32, #attn_tile.rows<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 1-D tile with a multiple of 64 rows for #attn_tile.rows}}
func.func private @rows_rank_0(tensor<f32, #attn_tile.rows<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 1-D tile with a multiple of 64 rows for #attn_tile.rows}}
func.func private @rows_dynamic(tensor<?xf32, #attn_tile.rows<warps = 4>>)

// -----

// expected-error@+1 {{expected f16, bf16 or f32 elements for #attn_tile.operand, found 'i32'}}
func.func private @operand_type(tensor<64x32xi32, #attn_tile.operand<warps = 4>>)

// -----

// expected-error@+1 {{expected a static 2-D tile with a multiple of 64 rows and of 16 columns for #attn_tile.operand}}
func.func private @operand_columns(tensor<64x24xf16, #attn_tile.operand<warps = 4>>)

// -----

// expected-error@+1 {{expected one size (columns) of a matrix, found 2}}
func.func private @matrix_2d(!attn_tile.matrix<8x64xf16, rows = 64>)

// -----

// expected-error@+1 {{expected one size (columns) of a matrix, found 0}}
func.func private @matrix_0d(!attn_tile.matrix<f16, rows = 64>)

// -----

// expected-error@+1 {{expected non-function type}}
func.func private @matrix_negative(!attn_tile.matrix<-4xf16, rows = 64>)

// -----

// expected-error@+1 {{expected a matrix of numbers, found 'index'}}
func.func private @matrix_element(!attn_tile.matrix<64xindex, rows = 64>)

// -----

// expected-error@+1 {{expected pitches of at least 0, found -1 and 1}}
func.func private @row_pitch(!attn_tile.matrix<64xf16, rows = -1>)

// -----

// expected-error@+1 {{expected pitches of at least 0, found 64 and -2}}
func.func private @column_pitch(!attn_tile.matrix<64xf16, rows = 64, columns = -2>)

// -----

// expected-error@+1 {{expected two sizes (rows, columns) of a shared tile, found 1}}
func.func private @shared_1d(!attn_tile.shared<64xf16>)

// -----

// expected-error@+1 {{expected two sizes (rows, columns) of a shared tile, found 3}}
func.func private @shared_3d(!attn_tile.shared<2x64x64xf16>)

// -----

// expected-error@+1 {{expected static shape}}
func.func private @shared_dynamic(!attn_tile.shared<?x64xf16>)

// -----

// expected-error@+1 {{expected f16, bf16 or f32 elements of a shared tile, found 'i8'}}
func.func private @shared_element(!attn_tile.shared<64x64xi8>)

// -----

// expected-error@+1 {{expected a multiple of 8 rows and of 32 bytes a row of a shared tile, found 12 rows of 128 bytes}}
func.func private @shared_rows(!attn_tile.shared<12x64xf16>)

// -----

// expected-error@+1 {{expected a multiple of 8 rows and of 32 bytes a row of a shared tile, found 0 rows of 128 bytes}}
func.func private @shared_no_rows(!attn_tile.shared<0x64xf16>)

// -----

// expected-error@+1 {{expected a multiple of 8 rows and of 32 bytes a row of a shared tile, found 16 rows of 16 bytes}}
func.func private @shared_narrow(!attn_tile.shared<16x8xf16>)

// -----

// expected-error@+1 {{expected a multiple of 8 rows and of 32 bytes a row of a shared tile, found 16 rows of 112 bytes}}
func.func private @shared_odd(!attn_tile.shared<16x56xf16>)

// -----

// expected-error@+1 {{expected a multiple of 8 rows and of 32 bytes a row of a shared tile, found 16 rows of 0 bytes}}
func.func private @shared_no_columns(!attn_tile.shared<16x0xf16>)

// -----

// Sixteen times this many columns are 512 in 64 bits.
// expected-error@+1 {{expected at most 1048576 rows and columns of a shared tile, found 8 and 1152921504606847008}}
func.func private @shared_overflow(!attn_tile.shared<8x1152921504606847008xf16>)

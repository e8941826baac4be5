// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

func.func @view_pointer(%p: !llvm.ptr, %o: i64, %n: i32) {
  // expected-error@+1 {{operand #0 must be pointer to global memory, but got '!llvm.ptr'}}
  %m = attn_tile.view %p[%o], %n : !llvm.ptr -> !attn_tile.matrix<64xf16, rows = 64>
  return
}

// -----

func.func @load_pitch(%m: !attn_tile.matrix<64xf16, rows = 64, columns = 2>, %i: i32) {
  // expected-error@+1 {{expected a matrix of adjacent columns, found a column pitch of 2}}
  %t = attn_tile.load %m[%i] : !attn_tile.matrix<64xf16, rows = 64, columns = 2> -> tensor<32x64xf16>
  return
}

// -----

func.func @load_dynamic_pitch(%m: !attn_tile.matrix<64xf16, rows = ?>, %i: i32) {
  // expected-error@+1 {{expected a matrix of a static row pitch, found '!attn_tile.matrix<64xf16, rows = ?>'}}
  %t = attn_tile.load %m[%i] : !attn_tile.matrix<64xf16, rows = ?> -> tensor<32x64xf16>
  return
}

// -----

func.func @load_columns(%m: !attn_tile.matrix<64xf16, rows = 64>, %i: i32) {
  // expected-error@+1 {{expected a matrix of at most 32 columns of 'f16', found '!attn_tile.matrix<64xf16, rows = 64>'}}
  %t = attn_tile.load %m[%i] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<32x32xf16>
  return
}

// -----

func.func @load_element(%m: !attn_tile.matrix<64xf16, rows = 64>, %i: i32) {
  // expected-error@+1 {{expected a matrix of at most 64 columns of 'f32', found '!attn_tile.matrix<64xf16, rows = 64>'}}
  %t = attn_tile.load %m[%i] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<32x64xf32>
  return
}

// -----

func.func @load_dynamic(%m: !attn_tile.matrix<?xf16, rows = 64>, %i: i32) {
  // expected-error@+1 {{expected a tile of static size, found 'tensor<32x?xf16>'}}
  %t = attn_tile.load %m[%i] : !attn_tile.matrix<?xf16, rows = 64> -> tensor<32x?xf16>
  return
}

// -----

func.func @load_rank(%m: !attn_tile.matrix<64xf16, rows = 64>, %i: i32) {
  // expected-error@+1 {{result #0 must be 2D tensor of any type values, but got 'tensor<64xf16>'}}
  %t = attn_tile.load %m[%i] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64xf16>
  return
}

// -----

func.func @elements_type(%m: !attn_tile.matrix<64xi1, rows = 0>, %i: i32) {
  // expected-error@+1 {{expected a matrix of 'f32', found '!attn_tile.matrix<64xi1, rows = 0>'}}
  %t = attn_tile.load_elements %m[%i, %i] bounds(%i, %i) : !attn_tile.matrix<64xi1, rows = 0> -> tensor<32x64xf32>
  return
}

// -----

func.func @elements_dynamic(%m: !attn_tile.matrix<64xf32, rows = 0>, %i: i32) {
  // expected-error@+1 {{expected a tile of static size, found 'tensor<?x64xf32>'}}
  %t = attn_tile.load_elements %m[%i, %i] bounds(%i, %i) : !attn_tile.matrix<64xf32, rows = 0> -> tensor<?x64xf32>
  return
}

// -----

func.func @store_rank_0(%t: tensor<f32>, %m: !attn_tile.matrix<1xf32, rows = 1>, %i: i32) {
  // expected-error@+1 {{expected a tile of rank 1 or 2, found 0}}
  attn_tile.store %t, %m[%i] : tensor<f32>, !attn_tile.matrix<1xf32, rows = 1>
  return
}

// -----

func.func @store_rank_3(%t: tensor<2x2x2xf32>, %m: !attn_tile.matrix<2xf32, rows = 2>, %i: i32) {
  // expected-error@+1 {{expected a tile of rank 1 or 2, found 3}}
  attn_tile.store %t, %m[%i] : tensor<2x2x2xf32>, !attn_tile.matrix<2xf32, rows = 2>
  return
}

// -----

func.func @store_rows(%t: tensor<64xf32>, %m: !attn_tile.matrix<2xf32, rows = 2>, %i: i32) {
  // expected-error@+1 {{expected a matrix of at most 1 columns of 'f32', found '!attn_tile.matrix<2xf32, rows = 2>'}}
  attn_tile.store %t, %m[%i] : tensor<64xf32>, !attn_tile.matrix<2xf32, rows = 2>
  return
}

// -----

func.func @store_dynamic(%t: tensor<?x2xf32>, %m: !attn_tile.matrix<2xf32, rows = 2>, %i: i32) {
  // expected-error@+1 {{operand #0 must be statically shaped tensor of any type values, but got 'tensor<?x2xf32>'}}
  attn_tile.store %t, %m[%i] : tensor<?x2xf32>, !attn_tile.matrix<2xf32, rows = 2>
  return
}

// -----

func.func @store_scalar(%v: i64, %p: !llvm.ptr<1>) {
  // expected-error@+1 {{operand #0 must be 32-bit signless integer or 32-bit float, but got 'i64'}}
  attn_tile.store_scalar %v, %p[%v] : i64, !llvm.ptr<1>
  return
}

// -----

func.func @copy(%m: !attn_tile.matrix<64xf16, rows = 64>, %s: !attn_tile.shared<8x32xf16>, %i: i32) {
  // expected-error@+1 {{expected a matrix of at most 32 columns of 'f16', found '!attn_tile.matrix<64xf16, rows = 64>'}}
  attn_tile.copy_async %m[%i], %s : !attn_tile.matrix<64xf16, rows = 64> to !attn_tile.shared<8x32xf16>
  return
}

// -----

func.func @load_shared_shape(%s: !attn_tile.shared<8x32xf16>) {
  // expected-error@+1 {{expected a result of 8x32x'f16', found 'tensor<32x8xf16>'}}
  %t = attn_tile.load_shared %s : !attn_tile.shared<8x32xf16> -> tensor<32x8xf16>
  return
}

// -----

func.func @load_shared_element(%s: !attn_tile.shared<8x32xf16>) {
  // expected-error@+1 {{expected a result of 8x32x'f16', found 'tensor<8x32xbf16>'}}
  %t = attn_tile.load_shared %s : !attn_tile.shared<8x32xf16> -> tensor<8x32xbf16>
  return
}

// -----

func.func @mma_types(%a: tensor<16x32xf16>, %b: tensor<8x32xbf16>, %c: tensor<16x8xf32>) {
  // expected-error@+1 {{expected operands of one element type, found 'f16' and 'bf16'}}
  %p = attn_tile.mma %a, %b, %c transpose_b : tensor<16x32xf16>, tensor<8x32xbf16> -> tensor<16x8xf32>
  return
}

// -----

func.func @mma_integers(%a: tensor<16x32xi8>, %b: tensor<8x32xi8>, %c: tensor<16x8xf32>) {
  // expected-error@+1 {{expected operands of f16, bf16 or f32, found 'i8'}}
  %p = attn_tile.mma %a, %b, %c transpose_b : tensor<16x32xi8>, tensor<8x32xi8> -> tensor<16x8xf32>
  return
}

// -----

func.func @mma_precision(%a: tensor<16x32xf32>, %b: tensor<8x32xf32>, %c: tensor<16x8xf32>) {
  // expected-error@+1 {{expected a precision for f32 operands}}
  %p = attn_tile.mma %a, %b, %c transpose_b : tensor<16x32xf32>, tensor<8x32xf32> -> tensor<16x8xf32>
  return
}

// -----

func.func @mma_no_precision(%a: tensor<16x32xf16>, %b: tensor<8x32xf16>, %c: tensor<16x8xf32>) {
  // expected-error@+1 {{expected no precision for operands other than f32}}
  %p = attn_tile.mma %a, %b, %c transpose_b {precision = #sparse_attn.precision<tf32>} : tensor<16x32xf16>, tensor<8x32xf16> -> tensor<16x8xf32>
  return
}

// -----

func.func @mma_contracted(%a: tensor<16x32xf16>, %b: tensor<8x32xf16>, %c: tensor<16x32xf32>) {
  // expected-error@+1 {{expected operands that agree in the contracted size, found 32 and 8}}
  %p = attn_tile.mma %a, %b, %c : tensor<16x32xf16>, tensor<8x32xf16> -> tensor<16x32xf32>
  return
}

// -----

func.func @mma_accumulator(%a: tensor<16x32xf16>, %b: !attn_tile.shared<8x32xf16>, %c: tensor<16x16xf32>) {
  // expected-error@+1 {{expected an accumulator of 16x8xf32, found 'tensor<16x16xf32>'}}
  %p = attn_tile.mma %a, %b, %c transpose_b : tensor<16x32xf16>, !attn_tile.shared<8x32xf16> -> tensor<16x16xf32>
  return
}

// -----

func.func @mma_accumulator_type(%a: tensor<16x32xf16>, %b: tensor<8x32xf16>, %c: tensor<16x8xf16>) {
  // expected-error@+1 {{expected an accumulator of 16x8xf32, found 'tensor<16x8xf16>'}}
  %p = attn_tile.mma %a, %b, %c transpose_b : tensor<16x32xf16>, tensor<8x32xf16> -> tensor<16x8xf16>
  return
}

// -----

func.func @mma_dynamic(%a: tensor<16x?xf16>, %b: tensor<8x?xf16>, %c: tensor<16x8xf32>) {
  // expected-error@+1 {{expected a tile of static size, found 'tensor<16x?xf16>'}}
  %p = attn_tile.mma %a, %b, %c transpose_b : tensor<16x?xf16>, tensor<8x?xf16> -> tensor<16x8xf32>
  return
}

// -----

func.func @reduce_rows(%t: tensor<32x64xf32>) {
  // expected-error@+1 {{expected 32 rows, found 64}}
  %r = attn_tile.reduce_rows <max> %t : tensor<32x64xf32> -> tensor<64xf32>
  return
}

// -----

func.func @reduce_type(%t: tensor<32x64xf32>) {
  // expected-error@+1 {{expected rows of 'f32', found 'tensor<32xi32>'}}
  %r = attn_tile.reduce_rows <max> %t : tensor<32x64xf32> -> tensor<32xi32>
  return
}

// -----

func.func @reduce_dynamic(%t: tensor<?x64xf32>) {
  // expected-error@+1 {{expected a tile of static size, found 'tensor<?xf32>'}}
  %r = attn_tile.reduce_rows <max> %t : tensor<?x64xf32> -> tensor<?xf32>
  return
}

// -----

func.func @reduce_layout(%t: tensor<64x64xf32, #attn_tile.accumulator<warps = 4>>) {
  // expected-error@+1 {{expected rows in the layout of the tile, found 'tensor<64xf32>' and 'tensor<64x64xf32, #attn_tile.accumulator<warps = 4>>'}}
  %r = attn_tile.reduce_rows <max> %t : tensor<64x64xf32, #attn_tile.accumulator<warps = 4>> -> tensor<64xf32>
  return
}

// -----

func.func @expand_layout(%r: tensor<64xf32, #attn_tile.rows<warps = 2>>) {
  // expected-error@+1 {{expected rows in the layout of the tile, found 'tensor<64xf32, #attn_tile.rows<warps = 2>>' and 'tensor<64x64xf32, #attn_tile.accumulator<warps = 4>>'}}
  %t = attn_tile.expand_rows %r : tensor<64xf32, #attn_tile.rows<warps = 2>> -> tensor<64x64xf32, #attn_tile.accumulator<warps = 4>>
  return
}

// -----

func.func @expand_rows(%r: tensor<64xf32>) {
  // expected-error@+1 {{expected 32 rows, found 64}}
  %t = attn_tile.expand_rows %r : tensor<64xf32> -> tensor<32x64xf32>
  return
}

// -----

func.func @fold_rows(%t: tensor<32x64xf32>) {
  // expected-error@+1 {{expected a result of the tile's rows, element type and layout, found 'tensor<64x8xf32>' and 'tensor<32x64xf32>'}}
  %r = attn_tile.fold_columns <add> %t : tensor<32x64xf32> -> tensor<64x8xf32>
  return
}

// -----

func.func @fold_width(%t: tensor<32x64xf32>) {
  // expected-error@+1 {{expected a width that divides 64, found 24}}
  %r = attn_tile.fold_columns <add> %t : tensor<32x64xf32> -> tensor<32x24xf32>
  return
}

// -----

func.func @fold_nothing(%t: tensor<32x64xf32>) {
  // expected-error@+1 {{expected a width that divides 64, found 0}}
  %r = attn_tile.fold_columns <add> %t : tensor<32x64xf32> -> tensor<32x0xf32>
  return
}

// -----

func.func @fold_dynamic(%t: tensor<32x?xf32>) {
  // expected-error@+1 {{expected a tile of static size, found 'tensor<32x?xf32>'}}
  %r = attn_tile.fold_columns <add> %t : tensor<32x?xf32> -> tensor<32x8xf32>
  return
}

// -----

func.func @row_index(%base: i32) {
  // expected-error@+1 {{result #0 must be 1D tensor of 32-bit signless integer values, but got 'tensor<64xi64>'}}
  %r = attn_tile.row_index %base : tensor<64xi64>
  return
}

// -----

func.func @votes(%t: tensor<64xi32>) {
  // expected-error@+1 {{operand #0 must be 1D tensor of 1-bit signless integer values, but got 'tensor<64xi32>'}}
  %r = attn_tile.any_row %t : tensor<64xi32>
  return
}

// -----

func.func @gather_one(%p: !llvm.ptr<1>, %i: i32) {
  // expected-error@+1 {{expected one number for one offset, found 'tensor<4xf32>'}}
  %a = attn_tile.gather %p[%i] : !llvm.ptr<1>, i32 -> tensor<4xf32>
  return
}

// -----

func.func @gather_shape(%p: !llvm.ptr<1>, %i: tensor<16x8xi32>) {
  // expected-error@+1 {{expected a tile like that of the offsets, 'tensor<16x8xi32>', found 'tensor<8x16xf32>'}}
  %a = attn_tile.gather %p[%i] : !llvm.ptr<1>, tensor<16x8xi32> -> tensor<8x16xf32>
  return
}

// -----

func.func @gather_element(%p: !llvm.ptr<1>, %i: i32) {
  // expected-error@+1 {{expected numbers as elements, found '!llvm.ptr'}}
  %a = attn_tile.gather %p[%i] : !llvm.ptr<1>, i32 -> !llvm.ptr
  return
}

// -----

func.func @gather_offset(%p: !llvm.ptr<1>, %i: i64) {
  // expected-error@+1 {{operand #1 must be 32-bit signless integer or statically shaped tensor of 32-bit signless integer values, but got 'i64'}}
  %a = attn_tile.gather %p[%i] : !llvm.ptr<1>, i64 -> f32
  return
}

// -----

func.func @block_sums(%tile: tensor<32x64xf32>, %m: !attn_tile.matrix<9xf32, rows = 9>, %row: i32) {
  // expected-error @below {{expected blocks of 1, 2, 4 or 8 rows by a power of 2 of at least 2 columns that divide 'tensor<32x64xf32>', found [4, 24]}}
  attn_tile.store_block_sums %tile, %m[%row, %row] block = [4, 24] : tensor<32x64xf32>, !attn_tile.matrix<9xf32, rows = 9>
  return
}

// -----

func.func @block_sums_type(%tile: tensor<32x64xf32>, %m: !attn_tile.matrix<9xf16, rows = 9>, %row: i32) {
  // expected-error @below {{expected f32, found 'tensor<32x64xf32>' and '!attn_tile.matrix<9xf16, rows = 9>'}}
  attn_tile.store_block_sums %tile, %m[%row, %row] block = [8, 8] : tensor<32x64xf32>, !attn_tile.matrix<9xf16, rows = 9>
  return
}

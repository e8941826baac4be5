// Every operation, type and layout prints what it was read from.
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s
// RUN: sparse-attn-opt %s -mlir-print-op-generic | sparse-attn-opt | FileCheck %s

// CHECK-LABEL: func.func @global
func.func @global(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %f: f32) {
  // CHECK: attn_tile.view %{{.*}}[%{{.*}}], %{{.*}} : <1> -> <64xf16, rows = 64>
  %m = attn_tile.view %pointer[%offset], %row : !llvm.ptr<1> -> !attn_tile.matrix<64xf16, rows = 64>
  // CHECK: attn_tile.load %{{.*}}[%{{.*}}] : <64xf16, rows = 64> -> tensor<32x64xf16>
  %t = attn_tile.load %m[%row] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<32x64xf16>
  // CHECK: attn_tile.load %{{.*}}[%{{.*}}] in_bounds : <64xf16, rows = 64> -> tensor<32x64xf16>
  %u = attn_tile.load %m[%row] in_bounds : !attn_tile.matrix<64xf16, rows = 64> -> tensor<32x64xf16>
  // CHECK: attn_tile.store %{{.*}}, %{{.*}}[%{{.*}}] : tensor<32x64xf16>, <64xf16, rows = 64>
  attn_tile.store %t, %m[%row] : tensor<32x64xf16>, !attn_tile.matrix<64xf16, rows = 64>
  // CHECK: attn_tile.store_block_sums %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] block = [8, 16] : tensor<32x64xf32>, <9xf32, rows = 9>
  %sums = attn_tile.view %pointer[%offset], %row : !llvm.ptr<1> -> !attn_tile.matrix<9xf32, rows = 9>
  %masses = tensor.splat %f : tensor<32x64xf32>
  attn_tile.store_block_sums %masses, %sums[%row, %row] block = [8, 16] : tensor<32x64xf32>, !attn_tile.matrix<9xf32, rows = 9>
  // CHECK: attn_tile.store_scalar %{{.*}}, %{{.*}}[%{{.*}}] : i32, <1>
  attn_tile.store_scalar %row, %pointer[%offset] : i32, !llvm.ptr<1>
  // CHECK: attn_tile.store_scalar %{{.*}}, %{{.*}}[%{{.*}}] : f32, <1>
  attn_tile.store_scalar %f, %pointer[%offset] : f32, !llvm.ptr<1>
  return
}

// CHECK-LABEL: func.func @elements
func.func @elements(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32) -> tensor<32x64xi1> {
  // A pitch of 0 repeats, a pitch of 1 is not printed for columns.
  // CHECK: <?xi1, rows = 0, columns = 0>
  %a = attn_tile.view %pointer[%offset], %row : !llvm.ptr<1> -> !attn_tile.matrix<?xi1, rows = 0, columns = 0>
  // CHECK: <512xf32, rows = 512>{{$}}
  %b = attn_tile.view %pointer[%offset], %row : !llvm.ptr<1> -> !attn_tile.matrix<512xf32, rows = 512, columns = 1>
  // CHECK: attn_tile.load_elements %{{.*}}[%{{.*}}, %{{.*}}] bounds(%{{.*}}, %{{.*}}) : <?xi1, rows = 0, columns = 0> -> tensor<32x64xi1>
  %t = attn_tile.load_elements %a[%row, %row] bounds(%row, %row) : !attn_tile.matrix<?xi1, rows = 0, columns = 0> -> tensor<32x64xi1>
  return %t : tensor<32x64xi1>
}

// CHECK-LABEL: func.func @shared
func.func @shared(%m: !attn_tile.matrix<64xf16, rows = 128>, %row: i32) -> tensor<32x64xf16> {
  // CHECK: attn_tile.alloc_shared : <32x64xf16>
  %s = attn_tile.alloc_shared : !attn_tile.shared<32x64xf16>
  // CHECK: attn_tile.copy_async %{{.*}}[%{{.*}}], %{{.*}} : <64xf16, rows = 128> to <32x64xf16>
  attn_tile.copy_async %m[%row], %s : !attn_tile.matrix<64xf16, rows = 128> to !attn_tile.shared<32x64xf16>
  // CHECK: attn_tile.wait_copies
  attn_tile.wait_copies
  // CHECK: attn_tile.copy_async %{{.*}}[%{{.*}}], %{{.*}} in_bounds : <64xf16, rows = 128> to <32x64xf16>
  attn_tile.copy_async %m[%row], %s in_bounds : !attn_tile.matrix<64xf16, rows = 128> to !attn_tile.shared<32x64xf16>
  attn_tile.wait_copies
  // CHECK: attn_tile.load_shared %{{.*}} : <32x64xf16> -> tensor<32x64xf16>
  %t = attn_tile.load_shared %s : !attn_tile.shared<32x64xf16> -> tensor<32x64xf16>
  return %t : tensor<32x64xf16>
}

// CHECK-LABEL: func.func @products
func.func @products(%q: tensor<32x64xf16>, %k: tensor<16x64xf16>, %v: !attn_tile.shared<16x64xf32>,
                    %p: tensor<32x16xf32>, %s: tensor<32x16xf32>, %o: tensor<32x64xf32>) {
  // CHECK: attn_tile.mma %{{.*}}, %{{.*}}, %{{.*}} transpose_b : tensor<32x64xf16>, tensor<16x64xf16> -> tensor<32x16xf32>
  %0 = attn_tile.mma %q, %k, %s transpose_b : tensor<32x64xf16>, tensor<16x64xf16> -> tensor<32x16xf32>
  // CHECK: attn_tile.mma %{{.*}}, %{{.*}}, %{{.*}} {precision = #sparse_attn.precision<tf32x3>} : tensor<32x16xf32>, !attn_tile.shared<16x64xf32> -> tensor<32x64xf32>
  %1 = attn_tile.mma %p, %v, %o {precision = #sparse_attn.precision<tf32x3>} : tensor<32x16xf32>, !attn_tile.shared<16x64xf32> -> tensor<32x64xf32>
  return
}

// CHECK-LABEL: func.func @rows
func.func @rows(%t: tensor<32x64xf32>, %base: i32, %votes: tensor<32xi1>) {
  // CHECK: attn_tile.reduce_rows <max> %{{.*}} : tensor<32x64xf32> -> tensor<32xf32>
  %max = attn_tile.reduce_rows <max> %t : tensor<32x64xf32> -> tensor<32xf32>
  // CHECK: attn_tile.fold_columns <add> %{{.*}} : tensor<32x64xf32> -> tensor<32x8xf32>
  %fold = attn_tile.fold_columns <add> %t : tensor<32x64xf32> -> tensor<32x8xf32>
  // CHECK: attn_tile.fold_pairs <max> %{{.*}} : tensor<32x8xf32>
  %pairs = attn_tile.fold_pairs <max> %fold : tensor<32x8xf32>
  // CHECK: attn_tile.expand_rows %{{.*}} : tensor<32xf32> -> tensor<32x64xf32>
  %tile = attn_tile.expand_rows %max : tensor<32xf32> -> tensor<32x64xf32>
  // CHECK: attn_tile.row_index %{{.*}} : tensor<32xi32>
  %i = attn_tile.row_index %base : tensor<32xi32>
  // CHECK: attn_tile.column_index %{{.*}} : tensor<32x64xi32>
  %j = attn_tile.column_index %base : tensor<32x64xi32>
  // CHECK: attn_tile.any_row %{{.*}} : tensor<32xi1>
  %any = attn_tile.any_row %votes : tensor<32xi1>
  // CHECK: attn_tile.sum_rows %{{.*}} : tensor<32xf32>
  %sum = attn_tile.sum_rows %max : tensor<32xf32>
  return
}

// CHECK-LABEL: func.func @layouts
func.func @layouts(%t: tensor<64x16xf32, #attn_tile.accumulator<warps = 4>>,
                   %a: tensor<64x32xbf16, #attn_tile.operand<warps = 4>>,
                   %b: !attn_tile.shared<16x32xbf16>) {
  // CHECK: attn_tile.reduce_rows <add> %{{.*}} : tensor<64x16xf32, #{{.*}}> -> tensor<64xf32, #{{.*}}>
  %rows = attn_tile.reduce_rows <add> %t : tensor<64x16xf32, #attn_tile.accumulator<warps = 4>> -> tensor<64xf32, #attn_tile.rows<warps = 4>>
  // CHECK: attn_tile.expand_rows %{{.*}} : tensor<64xf32, #{{.*}}> -> tensor<64x16xf32, #{{.*}}>
  %tile = attn_tile.expand_rows %rows : tensor<64xf32, #attn_tile.rows<warps = 4>> -> tensor<64x16xf32, #attn_tile.accumulator<warps = 4>>
  // CHECK: attn_tile.mma %{{.*}}, %{{.*}}, %{{.*}} transpose_b : tensor<64x32xbf16, #{{.*}}>, !attn_tile.shared<16x32xbf16> -> tensor<64x16xf32, #{{.*}}>
  %s = attn_tile.mma %a, %b, %t transpose_b : tensor<64x32xbf16, #attn_tile.operand<warps = 4>>, !attn_tile.shared<16x32xbf16> -> tensor<64x16xf32, #attn_tile.accumulator<warps = 4>>
  return
}

// Layouts as they are spelled, outside of types.
// CHECK-LABEL: func.func private @spelled
// CHECK-SAME: #attn_tile.reduce<add>
func.func private @spelled() attributes {
  accumulator = #attn_tile.accumulator<warps = 32>, operand = #attn_tile.operand<warps = 1>,
  reduce = #attn_tile.reduce<add>, rows = #attn_tile.rows<warps = 8>}

// CHECK-LABEL: func.func @gathers
func.func @gathers(%p: !llvm.ptr<1>, %i: i32, %r: tensor<32xi32>, %t: tensor<32x64xi32>) {
  // CHECK: attn_tile.gather %{{.*}}[%{{.*}}] : <1>, i32 -> f32
  %a = attn_tile.gather %p[%i] : !llvm.ptr<1>, i32 -> f32
  // CHECK: attn_tile.gather %{{.*}}[%{{.*}}] : <1>, tensor<32xi32> -> tensor<32xi1>
  %b = attn_tile.gather %p[%r] : !llvm.ptr<1>, tensor<32xi32> -> tensor<32xi1>
  // CHECK: attn_tile.gather %{{.*}}[%{{.*}}] : <1>, tensor<32x64xi32> -> tensor<32x64xi64>
  %c = attn_tile.gather %p[%t] : !llvm.ptr<1>, tensor<32x64xi32> -> tensor<32x64xi64>
  return
}

// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm))' -split-input-file -verify-diagnostics

gpu.module @kernels {
// expected-error@+1 {{expected known_block_size of whole warps; run attn-tile-assign-layouts first}}
gpu.func @no_size(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  attn_tile.store_scalar %count, %pointer[%offset] : i32, !llvm.ptr<1>
  gpu.return
}
}

// -----

gpu.module @kernels {
// expected-error@+1 {{expected known_block_size of whole warps; run attn-tile-assign-layouts first}}
gpu.func @half_warp(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 48, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  attn_tile.store_scalar %count, %pointer[%offset] : i32, !llvm.ptr<1>
  gpu.return
}
}

// -----

gpu.module @kernels {
// expected-error@+1 {{expected known_block_size of whole warps; run attn-tile-assign-layouts first}}
gpu.func @empty(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 0, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  attn_tile.store_scalar %count, %pointer[%offset] : i32, !llvm.ptr<1>
  gpu.return
}
}

// -----

// Layouts for another number of warps.
gpu.module @kernels {
gpu.func @other_warps(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  // expected-error@+1 {{'arith.constant' op expected tiles laid out for the 4 warps of known_block_size, found 'tensor<16xf32, #attn_tile.rows<warps = 1>>'}}
  %t = arith.constant dense<1.0> : tensor<16xf32, #attn_tile.rows<warps = 1>>
  gpu.return
}
}

// -----

// None at all.
gpu.module @kernels {
gpu.func @no_layout(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  // expected-error@+1 {{'attn_tile.row_index' op expected tiles laid out for the 1 warps of known_block_size, found 'tensor<16xi32>'}}
  %t = attn_tile.row_index %row : tensor<16xi32>
  gpu.return
}
}

// -----

// Operations that this pass does not know.
gpu.module @kernels {
gpu.func @unknown(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = arith.constant dense<1.0> : tensor<16xf32, #attn_tile.rows<warps = 1>>
  // expected-error@+1 {{failed to legalize operation 'keep'}}
  "keep"(%t) : (tensor<16xf32, #attn_tile.rows<warps = 1>>) -> ()
  gpu.return
}
}

// -----

// A load that was not staged.
gpu.module @kernels {
gpu.func @not_staged(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  // expected-error@+1 {{failed to legalize operation 'attn_tile.load'}}
  %t = attn_tile.load %o[%row] : !attn_tile.matrix<16xf32, rows = 16> -> tensor<16x16xf32, #attn_tile.accumulator<warps = 1>>
  attn_tile.store %t, %o[%row] : tensor<16x16xf32, #attn_tile.accumulator<warps = 1>>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}
}

// -----

// Eight columns are half of what ldmatrix gives.
gpu.module @kernels {
gpu.func @half_fragment(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<8xf32, rows = 8>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x32xf16>
  %b = attn_tile.alloc_shared : !attn_tile.shared<8x32xf16>
  %zero = arith.constant dense<0.0> : tensor<16x8xf32, #attn_tile.accumulator<warps = 1>>
  // expected-error@+1 {{failed to legalize operation 'attn_tile.mma'}}
  %s = attn_tile.mma %a, %b, %zero transpose_b : !attn_tile.shared<16x32xf16>, !attn_tile.shared<8x32xf16> -> tensor<16x8xf32, #attn_tile.accumulator<warps = 1>>
  attn_tile.store %s, %o[%row] : tensor<16x8xf32, #attn_tile.accumulator<warps = 1>>, !attn_tile.matrix<8xf32, rows = 8>
  gpu.return
}
}

// -----

// Threads copy 16 bytes at once.
gpu.module @kernels {
gpu.func @half_chunk(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<20xf16, rows = 20>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<16x32xf16>
  // expected-error@+1 {{failed to legalize operation 'attn_tile.copy_async'}}
  attn_tile.copy_async %o[%row], %tile : !attn_tile.matrix<20xf16, rows = 20> to !attn_tile.shared<16x32xf16>
  gpu.return
}
}

// -----

// Lanes write two columns at once.
gpu.module @kernels {
gpu.func @half_pair(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<15xf32, rows = 15>
  %t = arith.constant dense<1.0> : tensor<16x16xf32, #attn_tile.accumulator<warps = 1>>
  // expected-error@+1 {{failed to legalize operation 'attn_tile.store'}}
  attn_tile.store %t, %o[%row] : tensor<16x16xf32, #attn_tile.accumulator<warps = 1>>, !attn_tile.matrix<15xf32, rows = 15>
  gpu.return
}
}

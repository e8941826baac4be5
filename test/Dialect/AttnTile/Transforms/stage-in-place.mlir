// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-stage-copies)))' | FileCheck %s

// Loads that no loop can have ahead are copied where they stand, between two
// waits: nobody may read the buffer any more, then all may.

gpu.module @kernels {

// No loop.
// CHECK-LABEL: gpu.func @straight(
// CHECK-DAG: %[[K:.*]] = attn_tile.alloc_shared : <64x32xf16>
// CHECK-DAG: %[[Q:.*]] = attn_tile.alloc_shared : <64x32xbf16>
// CHECK: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async %arg0[%arg2], %[[K]] : <32xf16, rows = 32> to <64x32xf16>
// CHECK-NEXT: attn_tile.wait_copies
// A tile that is no operand of a product comes to registers.
// CHECK-NEXT: %[[TILE:.*]] = attn_tile.load_shared %[[K]] : <64x32xf16> -> tensor<64x32xf16>
// CHECK-NEXT: "keep"(%[[TILE]])
// The same rows of the same matrix share a buffer.
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async %arg0[%arg3], %[[K]] in_bounds
// CHECK-NEXT: attn_tile.wait_copies
// CHECK: attn_tile.copy_async %arg1[%arg2], %[[Q]] :
// CHECK-NOT: attn_tile.load %
gpu.func @straight(%a: !attn_tile.matrix<32xf16, rows = 32>, %b: !attn_tile.matrix<32xbf16, rows = 96>, %row: i32, %other: i32) kernel {
  %0 = attn_tile.load %a[%row] : !attn_tile.matrix<32xf16, rows = 32> -> tensor<64x32xf16>
  "keep"(%0) : (tensor<64x32xf16>) -> ()
  %1 = attn_tile.load %a[%other] in_bounds : !attn_tile.matrix<32xf16, rows = 32> -> tensor<64x32xf16>
  "keep"(%1) : (tensor<64x32xf16>) -> ()
  %2 = attn_tile.load %b[%row] : !attn_tile.matrix<32xbf16, rows = 96> -> tensor<64x32xbf16>
  "keep"(%2) : (tensor<64x32xbf16>) -> ()
  gpu.return
}

// The first load of the loop is not read on every path: nothing is ahead.
// CHECK-LABEL: gpu.func @branch(
// CHECK: %[[BUFFER:.*]] = attn_tile.alloc_shared
// CHECK-NEXT: arith.constant
// CHECK-NOT: attn_tile.copy_async
// CHECK: scf.for
// CHECK-NEXT: scf.if
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.mma %{{.*}}, %[[BUFFER]]
gpu.func @branch(%k: !attn_tile.matrix<32xf16, rows = 32>, %q: tensor<64x32xf16>, %end: i32, %want: i1) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  scf.for %key = %c0 to %end step %c64 : i32 {
    scf.if %want {
      %tile = attn_tile.load %k[%key] : !attn_tile.matrix<32xf16, rows = 32> -> tensor<64x32xf16>
      %s = attn_tile.mma %q, %tile, %zero transpose_b : tensor<64x32xf16>, tensor<64x32xf16> -> tensor<64x64xf32>
      "keep"(%s) : (tensor<64x64xf32>) -> ()
    }
  }
  gpu.return
}

// Behind a vote: the values are on their way before it is known whether they
// are wanted.
// CHECK-LABEL: gpu.func @filtered(
// CHECK: attn_tile.copy_async %arg0
// CHECK: scf.for %[[KEY:.*]] = %
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async %arg1[%[[KEY]]], %[[V:.*]] :
// CHECK-NEXT: attn_tile.mma
// CHECK-NEXT: attn_tile.wait_copies
// CHECK: attn_tile.copy_async %arg0
// CHECK: scf.if
// CHECK-NEXT: attn_tile.mma %{{.*}}, %[[V]],
gpu.func @filtered(%k: !attn_tile.matrix<32xf16, rows = 32>, %v: !attn_tile.matrix<32xf16, rows = 32>, %q: tensor<64x32xf16>, %end: i32, %want: i1) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %none = arith.constant dense<0.0> : tensor<64x32xf32>
  scf.for %key = %c0 to %end step %c64 : i32 {
    %tile = attn_tile.load %k[%key] : !attn_tile.matrix<32xf16, rows = 32> -> tensor<64x32xf16>
    %s = attn_tile.mma %q, %tile, %zero transpose_b : tensor<64x32xf16>, tensor<64x32xf16> -> tensor<64x64xf32>
    %p = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xf16>
    scf.if %want {
      %values = attn_tile.load %v[%key] : !attn_tile.matrix<32xf16, rows = 32> -> tensor<64x32xf16>
      %o = attn_tile.mma %p, %values, %none : tensor<64x64xf16>, tensor<64x32xf16> -> tensor<64x32xf32>
      "keep"(%o) : (tensor<64x32xf32>) -> ()
    }
  }
  gpu.return
}
}

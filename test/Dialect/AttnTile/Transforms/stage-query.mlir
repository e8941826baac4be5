// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-stage-copies)))' | FileCheck %s
// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-stage-copies{warps=8})))' | FileCheck %s --check-prefix=WARPS

// Where the query stays: in registers beside accumulators that leave room for
// it, else in shared memory.

gpu.module @kernels {

// 64 x 32 accumulators and 16 registers of query a thread.
// CHECK-LABEL: gpu.func @registers(
// CHECK: %[[QUERY:.*]] = attn_tile.load_shared
// CHECK: attn_tile.mma %[[QUERY]],
gpu.func @registers(%q: !attn_tile.matrix<64xf16, rows = 64>, %k: !attn_tile.matrix<64xf16, rows = 64>, %v: !attn_tile.matrix<32xf16, rows = 32>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %none = arith.constant dense<0.0> : tensor<64x32xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
  %r0 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %none) -> (tensor<64x32xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
    %p = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xf16>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<32xf16, rows = 32> -> tensor<64x32xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<64x64xf16>, tensor<64x32xf16> -> tensor<64x32xf32>
    scf.yield %next : tensor<64x32xf32>
  }
  "keep"(%r0) : (tensor<64x32xf32>) -> ()
  gpu.return
}

// 128 x 64 scores and 128 x 128 of output are 192 registers already; on twice
// the warps they are half of it.
// CHECK-LABEL: gpu.func @shared(
// CHECK: attn_tile.copy_async %arg0[%{{.*}}], %[[BUFFER:.*]] : <128xf16, rows = 128> to <128x128xf16>
// CHECK-NOT: attn_tile.load_shared
// The first wait of the loop serves the query too.
// CHECK-NOT: attn_tile.wait_copies
// CHECK: attn_tile.copy_async %arg1
// CHECK: scf.for
// CHECK-NEXT: attn_tile.wait_copies
// CHECK: attn_tile.mma %[[BUFFER]], %{{.*}} : !attn_tile.shared<128x128xf16>, !attn_tile.shared<64x128xf16>
// WARPS-LABEL: gpu.func @shared(
// WARPS: attn_tile.load_shared
gpu.func @shared(%q: !attn_tile.matrix<128xf16, rows = 128>, %k: !attn_tile.matrix<128xf16, rows = 128>, %v: !attn_tile.matrix<128xf16, rows = 128>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %none = arith.constant dense<0.0> : tensor<128x128xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<128xf16, rows = 128> -> tensor<128x128xf16>
  %r0 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %none) -> (tensor<128x128xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<128xf16, rows = 128> -> tensor<64x128xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<128x128xf16>, tensor<64x128xf16> -> tensor<128x64xf32>
    %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<128xf16, rows = 128> -> tensor<64x128xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<128x64xf16>, tensor<64x128xf16> -> tensor<128x128xf32>
    scf.yield %next : tensor<128x128xf32>
  }
  "keep"(%r0) : (tensor<128x128xf32>) -> ()
  gpu.return
}

// Fragments that are rounded to bf16 are cut from shared memory.
// CHECK-LABEL: gpu.func @narrowed(
// CHECK-NOT: attn_tile.load_shared
// CHECK: attn_tile.mma %{{.*}} {precision = #sparse_attn.precision<bf16>} : !attn_tile.shared<64x32xf32>, !attn_tile.shared<64x32xf32>
gpu.func @narrowed(%q: !attn_tile.matrix<32xf32, rows = 32>, %k: !attn_tile.matrix<32xf32, rows = 32>, %v: !attn_tile.matrix<32xf32, rows = 32>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %none = arith.constant dense<0.0> : tensor<64x32xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<32xf32, rows = 32> -> tensor<64x32xf32>
  %r0 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %none) -> (tensor<64x32xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<32xf32, rows = 32> -> tensor<64x32xf32>
    %s = attn_tile.mma %query, %kt, %zero transpose_b {precision = #sparse_attn.precision<bf16>} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<32xf32, rows = 32> -> tensor<64x32xf32>
    %next = attn_tile.mma %s, %vt, %acc {precision = #sparse_attn.precision<bf16>} : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    scf.yield %next : tensor<64x32xf32>
  }
  "keep"(%r0) : (tensor<64x32xf32>) -> ()
  gpu.return
}

// CHECK-LABEL: gpu.func @tf32(
// CHECK: attn_tile.load_shared
gpu.func @tf32(%q: !attn_tile.matrix<32xf32, rows = 32>, %k: !attn_tile.matrix<32xf32, rows = 32>, %v: !attn_tile.matrix<32xf32, rows = 32>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %none = arith.constant dense<0.0> : tensor<64x32xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<32xf32, rows = 32> -> tensor<64x32xf32>
  %r0 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %none) -> (tensor<64x32xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<32xf32, rows = 32> -> tensor<64x32xf32>
    %s = attn_tile.mma %query, %kt, %zero transpose_b {precision = #sparse_attn.precision<tf32>} : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<32xf32, rows = 32> -> tensor<64x32xf32>
    %next = attn_tile.mma %s, %vt, %acc {precision = #sparse_attn.precision<tf32>} : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    scf.yield %next : tensor<64x32xf32>
  }
  "keep"(%r0) : (tensor<64x32xf32>) -> ()
  gpu.return
}
}

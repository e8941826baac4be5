// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-assign-layouts)))' | FileCheck %s
// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-assign-layouts{warps=2})))' | FileCheck %s --check-prefix=TWO

// CHECK-DAG: #[[ACC:.*]] = #attn_tile.accumulator<warps = 4>
// CHECK-DAG: #[[ROWS:.*]] = #attn_tile.rows<warps = 4>
// CHECK-DAG: #[[OPERAND:.*]] = #attn_tile.operand<warps = 4>
// CHECK-DAG: #[[ACC8:.*]] = #attn_tile.accumulator<warps = 8>
// TWO-DAG: #[[ACC2:.*]] = #attn_tile.accumulator<warps = 2>
// TWO-DAG: #[[ROWS2:.*]] = #attn_tile.rows<warps = 2>
// TWO-NOT: warps =

gpu.module @kernels {

// Every tile, also those that loops and branches carry.
// CHECK-LABEL: gpu.func @every(
// CHECK-SAME: known_block_size = array<i32: 128, 1, 1>
// CHECK: arith.constant dense<0.000000e+00> : tensor<64x64xf32, #[[ACC]]>
// CHECK: arith.constant dense<true> : tensor<64xi1, #[[ROWS]]>
// CHECK: attn_tile.load_shared %{{.*}} -> tensor<64x64xf16, #[[OPERAND]]>
// CHECK: scf.for {{.*}} -> (tensor<64x64xf32, #[[ACC]]>, tensor<64xf32, #[[ROWS]]>)
// CHECK: attn_tile.mma %{{.*}} : tensor<64x64xf16, #[[OPERAND]]>, !attn_tile.shared<64x64xf16> -> tensor<64x64xf32, #[[ACC]]>
// CHECK: attn_tile.reduce_rows <max> %{{.*}} : tensor<64x64xf32, #[[ACC]]> -> tensor<64xf32, #[[ROWS]]>
// CHECK: scf.if %{{.*}} -> (tensor<64xf32, #[[ROWS]]>)
// CHECK: scf.yield %{{.*}} : tensor<64xf32, #[[ROWS]]>
// TWO-LABEL: gpu.func @every(
// TWO-SAME: known_block_size = array<i32: 64, 1, 1>
// TWO: arith.constant dense<0.000000e+00> : tensor<64x64xf32, #[[ACC2]]>
// TWO: arith.constant dense<true> : tensor<64xi1, #[[ROWS2]]>
gpu.func @every(%k: !attn_tile.shared<64x64xf16>, %q: !attn_tile.shared<64x64xf16>, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %none = arith.constant dense<0.0> : tensor<64xf32>
  %true = arith.constant dense<true> : tensor<64xi1>
  %query = attn_tile.load_shared %q : !attn_tile.shared<64x64xf16> -> tensor<64x64xf16>
  %r:2 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %zero, %rows = %none) -> (tensor<64x64xf32>, tensor<64xf32>) : i32 {
    %s = attn_tile.mma %query, %k, %acc transpose_b : tensor<64x64xf16>, !attn_tile.shared<64x64xf16> -> tensor<64x64xf32>
    %max = attn_tile.reduce_rows <max> %s : tensor<64x64xf32> -> tensor<64xf32>
    %any = attn_tile.any_row %true : tensor<64xi1>
    %kept = scf.if %any -> (tensor<64xf32>) {
      scf.yield %max : tensor<64xf32>
    } else {
      scf.yield %rows : tensor<64xf32>
    }
    scf.yield %s, %kept : tensor<64x64xf32>, tensor<64xf32>
  }
  "keep"(%r#0, %r#1) : (tensor<64x64xf32>, tensor<64xf32>) -> ()
  gpu.return
}

// 192 accumulators a thread are the most that four warps bear.
// CHECK-LABEL: gpu.func @most(
// CHECK-SAME: known_block_size = array<i32: 128, 1, 1>
gpu.func @most(%k: !attn_tile.shared<64x64xf16>, %v: !attn_tile.shared<64x128xf16>, %q: !attn_tile.shared<128x64xf16>) kernel {
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %none = arith.constant dense<0.0> : tensor<128x128xf32>
  %query = attn_tile.load_shared %q : !attn_tile.shared<128x64xf16> -> tensor<128x64xf16>
  %s = attn_tile.mma %query, %k, %zero transpose_b : tensor<128x64xf16>, !attn_tile.shared<64x64xf16> -> tensor<128x64xf32>
  %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
  %o = attn_tile.mma %p, %v, %none : tensor<128x64xf16>, !attn_tile.shared<64x128xf16> -> tensor<128x128xf32>
  "keep"(%o) : (tensor<128x128xf32>) -> ()
  gpu.return
}

// CHECK-LABEL: gpu.func @wide(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>
// CHECK: tensor<128x128xf32, #[[ACC8]]>
gpu.func @wide(%k: !attn_tile.shared<128x64xf16>, %v: !attn_tile.shared<128x128xf16>, %q: !attn_tile.shared<128x64xf16>) kernel {
  %zero = arith.constant dense<0.0> : tensor<128x128xf32>
  %none = arith.constant dense<0.0> : tensor<128x128xf32>
  %query = attn_tile.load_shared %q : !attn_tile.shared<128x64xf16> -> tensor<128x64xf16>
  %s = attn_tile.mma %query, %k, %zero transpose_b : tensor<128x64xf16>, !attn_tile.shared<128x64xf16> -> tensor<128x128xf32>
  %p = arith.truncf %s : tensor<128x128xf32> to tensor<128x128xf16>
  %o = attn_tile.mma %p, %v, %none : tensor<128x128xf16>, !attn_tile.shared<128x128xf16> -> tensor<128x128xf32>
  "keep"(%o) : (tensor<128x128xf32>) -> ()
  gpu.return
}
}

// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-assign-layouts{warps=2})))' -split-input-file -verify-diagnostics
// RUN: not sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-assign-layouts{warps=-1})))' -split-input-file 2>&1 | FileCheck %s --check-prefix=RANGE -DFOUND=-1
// RUN: not sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-assign-layouts{warps=33})))' -split-input-file 2>&1 | FileCheck %s --check-prefix=RANGE -DFOUND=33
// RUN: not sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-assign-layouts)))' -split-input-file 2>&1 | FileCheck %s --check-prefix=CHOSEN

// RANGE: error: expected 1 to 32 warps, or 0 to choose, found [[FOUND]]

// One warp owns sixteen rows; two have too few.
// CHOSEN-LABEL: gpu.func @sixteen(
// CHOSEN-SAME: known_block_size = array<i32: 32, 1, 1>
gpu.module @kernels {
gpu.func @sixteen(%k: !attn_tile.shared<64x64xf16>, %v: !attn_tile.shared<64x64xf16>, %q: !attn_tile.shared<16x64xf16>) kernel {
  // expected-error@+1 {{'arith.constant' op expected static tiles of a multiple of 32 rows for 2 warps, found 'tensor<16x64xf32>'}}
  %zero = arith.constant dense<0.0> : tensor<16x64xf32>
  %none = arith.constant dense<0.0> : tensor<16x64xf32>
  %query = attn_tile.load_shared %q : !attn_tile.shared<16x64xf16> -> tensor<16x64xf16>
  %s = attn_tile.mma %query, %k, %zero transpose_b : tensor<16x64xf16>, !attn_tile.shared<64x64xf16> -> tensor<16x64xf32>
  %p = arith.truncf %s : tensor<16x64xf32> to tensor<16x64xf16>
  %o = attn_tile.mma %p, %v, %none : tensor<16x64xf16>, !attn_tile.shared<64x64xf16> -> tensor<16x64xf32>
  "keep"(%o) : (tensor<16x64xf32>) -> ()
  gpu.return
}
}

// -----

gpu.module @kernels {
gpu.func @scalar() kernel {
  // expected-error@+1 {{expected static tiles of a multiple of 32 rows for 2 warps, found 'tensor<f32>'}}
  %0 = "make"() : () -> tensor<f32>
  gpu.return
}
}

// -----

gpu.module @kernels {
gpu.func @deep() kernel {
  // expected-error@+1 {{expected static tiles of a multiple of 32 rows for 2 warps, found 'tensor<32x8x8xf32>'}}
  %0 = "make"() : () -> tensor<32x8x8xf32>
  gpu.return
}
}

// -----

gpu.module @kernels {
gpu.func @dynamic() kernel {
  // expected-error@+1 {{expected static tiles of a multiple of 32 rows for 2 warps, found 'tensor<?x8xf32>'}}
  %0 = "make"() : () -> tensor<?x8xf32>
  gpu.return
}
}

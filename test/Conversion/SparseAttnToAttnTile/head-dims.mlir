// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

// Tiles have whole fragments of 16 columns; the matrices keep their own.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: gpu.func @unequal(
// CHECK: attn_tile.load %{{.*}} : <72xf16, rows = 72> -> tensor<64x80xf16>
// CHECK: attn_tile.load %{{.*}} in_bounds : <72xf16, rows = 72> -> tensor<64x80xf16>
// CHECK: attn_tile.mma {{.*}} transpose_b : tensor<64x80xf16>, tensor<64x80xf16> -> tensor<64x64xf32>
// CHECK: attn_tile.load %{{.*}} in_bounds : <40xf16, rows = 40> -> tensor<64x48xf16>
// CHECK: attn_tile.mma {{.*}} : tensor<64x64xf16>, tensor<64x48xf16> -> tensor<64x48xf32>
// CHECK: attn_tile.store %{{.*}} : tensor<64x48xf16>, <40xf16, rows = 40>
func.func private @unequal(%q: tensor<4x64x72xf16>, %k: tensor<4x64x72xf16>, %v: tensor<4x64x40xf16>, %init: tensor<4x64x40xf16>) -> tensor<4x64x40xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x72xf16>, tensor<4x64x72xf16>, tensor<4x64x40xf16>) outs(%init : tensor<4x64x40xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x40xf16>
  return %o : tensor<4x64x40xf16>
}

// CHECK-LABEL: gpu.func @smallest(
// CHECK: attn_tile.load %{{.*}} : <4xf32, rows = 4> -> tensor<64x16xf32>
// CHECK: attn_tile.store %{{.*}} : tensor<64x16xf32>, <4xf32, rows = 4>
func.func private @smallest(%q: tensor<4x64x4xf32>, %k: tensor<4x64x4xf32>, %v: tensor<4x64x4xf32>, %init: tensor<4x64x4xf32>) -> tensor<4x64x4xf32> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x4xf32>, tensor<4x64x4xf32>, tensor<4x64x4xf32>) outs(%init : tensor<4x64x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x4xf32>
  return %o : tensor<4x64x4xf32>
}

// CHECK-LABEL: gpu.func @largest(
// CHECK: attn_tile.store %{{.*}} : tensor<64x256xf16>, <256xf16, rows = 256>
func.func private @largest(%q: tensor<4x64x256xf16>, %k: tensor<4x64x256xf16>, %v: tensor<4x64x256xf16>, %init: tensor<4x64x256xf16>) -> tensor<4x64x256xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x256xf16>, tensor<4x64x256xf16>, tensor<4x64x256xf16>) outs(%init : tensor<4x64x256xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x256xf16>
  return %o : tensor<4x64x256xf16>
}

// RUN: sparse-attn-opt %s -sparse-attn-assign-schedule | FileCheck %s

// Tiles are parts of the blocks that a list names.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: @whole
// CHECK: block_shape = array<i64: 256, 128>, decision_tile = array<i64: 128, 64>
func.func @whole(%q: tensor<2x512x64xf16>, %c: tensor<2x2xi32>, %i: tensor<2x2x4xi32>) -> tensor<2x512x64xf16> {
  %o = sparse_attn.attention ins(%q, %q, %q : tensor<2x512x64xf16>, tensor<2x512x64xf16>, tensor<2x512x64xf16>)
      blocks(%c, %i : tensor<2x2xi32>, tensor<2x2x4xi32>) outs(%q : tensor<2x512x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, block_shape = array<i64: 256, 128>} -> tensor<2x512x64xf16>
  return %o : tensor<2x512x64xf16>
}

// CHECK-LABEL: @divided
// CHECK: block_shape = array<i64: 192, 80>, decision_tile = array<i64: 64, 16>
func.func @divided(%q: tensor<2x384x64xf16>, %c: tensor<2x2xi32>, %i: tensor<2x2x4xi32>) -> tensor<2x384x64xf16> {
  %o = sparse_attn.attention ins(%q, %q, %q : tensor<2x384x64xf16>, tensor<2x384x64xf16>, tensor<2x384x64xf16>)
      blocks(%c, %i : tensor<2x2xi32>, tensor<2x2x4xi32>) outs(%q : tensor<2x384x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, block_shape = array<i64: 192, 80>} -> tensor<2x384x64xf16>
  return %o : tensor<2x384x64xf16>
}

// Too small for a kernel, which says so.
// CHECK-LABEL: @small
// CHECK: block_shape = array<i64: 8, 8>, decision_tile = array<i64: 8, 8>
func.func @small(%q: tensor<2x16x64xf16>, %c: tensor<2x2xi32>, %i: tensor<2x2x2xi32>) -> tensor<2x16x64xf16> {
  %o = sparse_attn.attention ins(%q, %q, %q : tensor<2x16x64xf16>, tensor<2x16x64xf16>, tensor<2x16x64xf16>)
      blocks(%c, %i : tensor<2x2xi32>, tensor<2x2x2xi32>) outs(%q : tensor<2x16x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, block_shape = array<i64: 8, 8>} -> tensor<2x16x64xf16>
  return %o : tensor<2x16x64xf16>
}

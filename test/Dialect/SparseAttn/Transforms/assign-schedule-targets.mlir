// RUN: sparse-attn-opt %s -sparse-attn-assign-schedule -split-input-file | FileCheck %s

// Query, key and value tile share the shared memory of the target: 163 KiB on
// sm_80, 99 KiB on sm_86 and sm_89. Rows are halved before keys, down to 64.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

module attributes {sparse_attn.target = #sparse_attn.target<"sm_80">} {
// 128 x 256, 64 x 256 and 64 x 256 halves: 128 KiB.
// CHECK-LABEL: @ampere(
// CHECK: decision_tile = array<i64: 128, 64>
func.func private @ampere(%q: tensor<4x256x256xf16>, %k: tensor<4x256x256xf16>, %v: tensor<4x256x256xf16>, %init: tensor<4x256x256xf16>) -> tensor<4x256x256xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x256xf16>, tensor<4x256x256xf16>, tensor<4x256x256xf16>) outs(%init : tensor<4x256x256xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x256xf16>
  return %o : tensor<4x256x256xf16>
}
// 64 x 256, 32 x 256 and 32 x 256 floats: 128 KiB.
// CHECK-LABEL: @ampere_f32(
// CHECK: decision_tile = array<i64: 64, 32>
func.func private @ampere_f32(%q: tensor<4x256x256xf32>, %k: tensor<4x256x256xf32>, %v: tensor<4x256x256xf32>, %init: tensor<4x256x256xf32>) -> tensor<4x256x256xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x256xf32>, tensor<4x256x256xf32>, tensor<4x256x256xf32>) outs(%init : tensor<4x256x256xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x256xf32>
  return %o : tensor<4x256x256xf32>
}
}

// -----

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

module attributes {sparse_attn.target = #sparse_attn.target<"sm_86">} {
// CHECK-LABEL: @consumer(
// CHECK: decision_tile = array<i64: 64, 64>
func.func private @consumer(%q: tensor<4x256x256xf16>, %k: tensor<4x256x256xf16>, %v: tensor<4x256x256xf16>, %init: tensor<4x256x256xf16>) -> tensor<4x256x256xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x256xf16>, tensor<4x256x256xf16>, tensor<4x256x256xf16>) outs(%init : tensor<4x256x256xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x256xf16>
  return %o : tensor<4x256x256xf16>
}
// CHECK-LABEL: @consumer_f32(
// CHECK: decision_tile = array<i64: 64, 16>
func.func private @consumer_f32(%q: tensor<4x256x256xf32>, %k: tensor<4x256x256xf32>, %v: tensor<4x256x256xf32>, %init: tensor<4x256x256xf32>) -> tensor<4x256x256xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x256xf32>, tensor<4x256x256xf32>, tensor<4x256x256xf32>) outs(%init : tensor<4x256x256xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x256xf32>
  return %o : tensor<4x256x256xf32>
}
// CHECK-LABEL: @consumer_fits(
// CHECK: decision_tile = array<i64: 128, 64>
func.func private @consumer_fits(%q: tensor<4x256x192xf16>, %k: tensor<4x256x192xf16>, %v: tensor<4x256x128xf16>, %init: tensor<4x256x128xf16>) -> tensor<4x256x128xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x192xf16>, tensor<4x256x192xf16>, tensor<4x256x128xf16>) outs(%init : tensor<4x256x128xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x128xf16>
  return %o : tensor<4x256x128xf16>
}
// Sixteen groups need 32 keys: the rows give way.
// CHECK-LABEL: @consumer_groups(
// CHECK: decision_tile = array<i64: 32, 32>
func.func private @consumer_groups(%q: tensor<4x256x256xf32>, %k: tensor<4x256x256xf32>, %v: tensor<4x256x256xf32>, %init: tensor<4x256x256xf32>) -> tensor<4x256x256xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x256xf32>, tensor<4x256x256xf32>, tensor<4x256x256xf32>) outs(%init : tensor<4x256x256xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9, row, groups = 16>} -> tensor<4x256x256xf32>
  return %o : tensor<4x256x256xf32>
}
}

// -----

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

module attributes {sparse_attn.target = #sparse_attn.target<"sm_89">} {
// CHECK-LABEL: @ada(
// CHECK: decision_tile = array<i64: 64, 64>
func.func private @ada(%q: tensor<4x256x256xf16>, %k: tensor<4x256x256xf16>, %v: tensor<4x256x256xf16>, %init: tensor<4x256x256xf16>) -> tensor<4x256x256xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x256xf16>, tensor<4x256x256xf16>, tensor<4x256x256xf16>) outs(%init : tensor<4x256x256xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x256xf16>
  return %o : tensor<4x256x256xf16>
}
}

// -----

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// A filter of 32 groups looks at 64 keys at least.
// CHECK-LABEL: @groups(
// CHECK: decision_tile = array<i64: 64, 64>
func.func private @groups(%q: tensor<4x256x128xf32>, %k: tensor<4x256x128xf32>, %v: tensor<4x256x128xf32>, %init: tensor<4x256x128xf32>) -> tensor<4x256x128xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x128xf32>, tensor<4x256x128xf32>, tensor<4x256x128xf32>) outs(%init : tensor<4x256x128xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9, row, groups = 32>} -> tensor<4x256x128xf32>
  return %o : tensor<4x256x128xf32>
}
// CHECK-LABEL: @fewer_groups(
// CHECK: decision_tile = array<i64: 64, 32>
func.func private @fewer_groups(%q: tensor<4x256x128xf32>, %k: tensor<4x256x128xf32>, %v: tensor<4x256x128xf32>, %init: tensor<4x256x128xf32>) -> tensor<4x256x128xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x128xf32>, tensor<4x256x128xf32>, tensor<4x256x128xf32>) outs(%init : tensor<4x256x128xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9, row, groups = 16>} -> tensor<4x256x128xf32>
  return %o : tensor<4x256x128xf32>
}

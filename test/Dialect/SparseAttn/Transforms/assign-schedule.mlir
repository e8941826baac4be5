// RUN: sparse-attn-opt %s -sparse-attn-assign-schedule | FileCheck %s
// RUN: sparse-attn-opt %s -sparse-attn-assign-schedule='rows=32 keys=128' | FileCheck %s --check-prefix=BOTH
// RUN: sparse-attn-opt %s -sparse-attn-assign-schedule=keys=128 | FileCheck %s --check-prefix=KEYS

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// BOTH-COUNT-8: decision_tile = array<i64: 32, 128>
// KEYS: decision_tile = array<i64: 128, 128>
// CHECK-LABEL: @half(
// CHECK: decision_tile = array<i64: 128, 64>
func.func private @half(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: @bf16(
// CHECK: decision_tile = array<i64: 128, 64>
func.func private @bf16(%q: tensor<4x256x128xbf16>, %k: tensor<4x256x128xbf16>, %v: tensor<4x256x128xbf16>, %init: tensor<4x256x128xbf16>) -> tensor<4x256x128xbf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x128xbf16>, tensor<4x256x128xbf16>, tensor<4x256x128xbf16>) outs(%init : tensor<4x256x128xbf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x128xbf16>
  return %o : tensor<4x256x128xbf16>
}

// 64 queries fill half a tile; how many there will be may be unknown.
// CHECK-LABEL: @few(
// CHECK: decision_tile = array<i64: 64, 64>
func.func private @few(%q: tensor<4x64x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}
// CHECK-LABEL: @more(
// CHECK: decision_tile = array<i64: 128, 64>
func.func private @more(%q: tensor<4x65x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x65x64xf16>) -> tensor<4x65x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x65x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x65x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x65x64xf16>
  return %o : tensor<4x65x64xf16>
}
// CHECK-LABEL: @unknown(
// CHECK: decision_tile = array<i64: 128, 64>
func.func private @unknown(%q: tensor<4x?x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x?x64xf16>) -> tensor<4x?x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x?x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x?x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x?x64xf16>
  return %o : tensor<4x?x64xf16>
}

// f32 fragments take twice the registers, and more where they are split.
// CHECK-LABEL: @single(
// CHECK: decision_tile = array<i64: 64, 64>
func.func private @single(%q: tensor<4x256x64xf32>, %k: tensor<4x256x64xf32>, %v: tensor<4x256x64xf32>, %init: tensor<4x256x64xf32>) -> tensor<4x256x64xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf32>, tensor<4x256x64xf32>, tensor<4x256x64xf32>) outs(%init : tensor<4x256x64xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x64xf32>
  return %o : tensor<4x256x64xf32>
}
// CHECK-LABEL: @wide(
// CHECK: decision_tile = array<i64: 64, 32>
func.func private @wide(%q: tensor<4x256x128xf32>, %k: tensor<4x256x128xf32>, %v: tensor<4x256x128xf32>, %init: tensor<4x256x128xf32>) -> tensor<4x256x128xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x128xf32>, tensor<4x256x128xf32>, tensor<4x256x128xf32>) outs(%init : tensor<4x256x128xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x128xf32>
  return %o : tensor<4x256x128xf32>
}
// CHECK-LABEL: @wide_value(
// CHECK: decision_tile = array<i64: 64, 32>
func.func private @wide_value(%q: tensor<4x256x32xf32>, %k: tensor<4x256x32xf32>, %v: tensor<4x256x128xf32>, %init: tensor<4x256x128xf32>) -> tensor<4x256x128xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x32xf32>, tensor<4x256x32xf32>, tensor<4x256x128xf32>) outs(%init : tensor<4x256x128xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x256x128xf32>
  return %o : tensor<4x256x128xf32>
}

// A tile that is stated stays, whatever the options say.
// BOTH-LABEL: @stated(
// BOTH: decision_tile = array<i64: 48, 80>
// CHECK-LABEL: @stated(
// CHECK: decision_tile = array<i64: 48, 80>
func.func private @stated(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 48, 80>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

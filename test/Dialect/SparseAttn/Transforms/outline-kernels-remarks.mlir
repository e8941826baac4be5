// RUN: sparse-attn-opt %s -sparse-attn-outline-kernels -split-input-file -verify-diagnostics | FileCheck %s

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// A score that reads a run-time value cannot leave the graph.
// CHECK-LABEL: @run_time
// CHECK: sparse_attn.attention
// CHECK-NOT: @attention_0
// expected-note@+1 {{the value is defined here}}
func.func @run_time(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>, %ninf: f32) -> tensor<1x2x64x32xf16> {
  // expected-remark@+1 {{not compiled: its score region reads a value of type 'f32' from outside that is no computation on constants}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %query: index, %key: index):
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// -----

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// Kernels lie in the module that holds the attention.
// CHECK-LABEL: module @inner
// CHECK: call @attention_0
// CHECK: func.func private @attention_0
module @inner {
func.func @layer(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}
}
// CHECK: @outer
// CHECK: call @attention_1
// CHECK: func.func private @attention_1
func.func @outer(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// -----

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// An operation with symbols of its own, which is no module, keeps it.
// CHECK-LABEL: gpu.module @symbols
// CHECK: sparse_attn.attention
gpu.module @symbols {
func.func @layer(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  // expected-remark@+1 {{not compiled: an operation around it keeps symbols of its own}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}
}

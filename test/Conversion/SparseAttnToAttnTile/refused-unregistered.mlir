// RUN: sparse-attn-opt %s -allow-unregistered-dialect -convert-sparse-attn-to-attn-tile -verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// An operation of a dialect that nobody has loaded.
// CHECK: func.func private @unregistered(
// CHECK: sparse_attn.attention
func.func private @unregistered(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected elementwise arithmetic in the score region, found other.op}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %r = "other.op"(%s) : (f32) -> f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

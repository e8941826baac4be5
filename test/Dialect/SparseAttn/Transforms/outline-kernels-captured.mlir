// RUN: sparse-attn-opt %s -sparse-attn-outline-kernels | FileCheck %s

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// Tensors that a region reads are arguments behind the attention's own.
// CHECK-LABEL: func.func @documents(
// CHECK-SAME: %[[Q:.*]]: tensor<2x64x32xf16>, %[[K:.*]]: tensor<2x64x32xf16>, %[[V:.*]]: tensor<2x64x32xf16>, %[[INIT:.*]]: tensor<2x64x32xf16>, %[[T:.*]]: tensor<64xi32>)
// CHECK: call @attention_0(%[[Q]], %[[K]], %[[V]], %[[INIT]], %[[T]])
// CHECK-LABEL: func.func private @attention_0(
// CHECK-SAME: %[[OWN:arg4]]: tensor<64xi32>)
// CHECK: tensor.extract %[[OWN]][%{{.*}}]
// CHECK: tensor.extract %[[OWN]][%{{.*}}]
func.func @documents(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>, %t: tensor<64xi32>) -> tensor<2x64x32xf16> {
  %ninf = arith.constant 0xFF800000 : f32
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%init : tensor<2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %x = tensor.extract %t[%query] : tensor<64xi32>
        %y = tensor.extract %t[%key] : tensor<64xi32>
        %seen = arith.cmpi eq, %x, %y : i32
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

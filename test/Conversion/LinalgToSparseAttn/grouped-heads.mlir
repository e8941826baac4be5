// Heads that share a key, with the rows before them: the rows are the queries
// all the same, so that the mask is causal.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --verify-diagnostics --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func.func @rows_first
// CHECK-SAME:    (%[[Q:.*]]: tensor<2x8x4x16xf32>, %[[K:.*]]: tensor<2x12x2x16xf32>, %[[V:.*]]: tensor<2x12x2x5xf32>)
// CHECK-NEXT:    %[[X:.*]] = tensor.expand_shape %[[Q]] {{\[\[}}0], [1], [2, 3], [4]]
// CHECK-NEXT:    tensor.empty
// CHECK-NEXT:    %[[O:.*]] = sparse_attn.attention ins(%[[X]], %[[K]], %[[V]] :
// CHECK-NEXT:    ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK-NEXT:      arith.cmpi sle, %[[KEY]], %[[QUERY]] : index
// CHECK:         affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d1, d2, d5)>
// CHECK-SAME:    affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d6, d1, d5)>
// CHECK-SAME:    affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d6, d1, d4)>
// CHECK-SAME:    affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d1, d2, d4)>
// CHECK-NEXT:    tensor.collapse_shape %[[O]]
func.func @rows_first(%q: tensor<2x8x4x16xf32>, %k: tensor<2x12x2x16xf32>, %v: tensor<2x12x2x5xf32>) -> tensor<2x8x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %q5 = tensor.expand_shape %q [[0], [1], [2, 3], [4]] output_shape [2, 8, 2, 2, 16] : tensor<2x8x4x16xf32> into tensor<2x8x2x2x16xf32>
  %e1 = tensor.empty() : tensor<2x2x2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x2x2x8x12xf32>) -> tensor<2x2x2x8x12xf32>
  %s = linalg.contract indexing_maps = [affine_map<(b, h, g, m, n, d) -> (b, m, h, g, d)>, affine_map<(b, h, g, m, n, d) -> (b, n, h, d)>, affine_map<(b, h, g, m, n, d) -> (b, h, g, m, n)>]
      ins(%q5, %k : tensor<2x8x2x2x16xf32>, tensor<2x12x2x16xf32>) outs(%z1 : tensor<2x2x2x8x12xf32>) -> tensor<2x2x2x8x12xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(b, h, g, m, n) -> (b, h, g, m, n)>, affine_map<(b, h, g, m, n) -> (b, h, g, m, n)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x2x2x8x12xf32>) outs(%e1 : tensor<2x2x2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %query = linalg.index 3 : index
    %key = linalg.index 4 : index
    %seen = arith.cmpi sle, %key, %query : index
    %r = arith.select %seen, %x, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x2x2x8x12xf32>
  %p = linalg.softmax dimension(4) ins(%t : tensor<2x2x2x8x12xf32>) outs(%e1 : tensor<2x2x2x8x12xf32>) -> tensor<2x2x2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x2x2x5xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x2x2x5xf32>) -> tensor<2x8x2x2x5xf32>
  %o = linalg.contract indexing_maps = [affine_map<(b, m, h, g, d, n) -> (b, h, g, m, n)>, affine_map<(b, m, h, g, d, n) -> (b, n, h, d)>, affine_map<(b, m, h, g, d, n) -> (b, m, h, g, d)>]
      ins(%p, %v : tensor<2x2x2x8x12xf32>, tensor<2x12x2x5xf32>) outs(%z3 : tensor<2x8x2x2x5xf32>) -> tensor<2x8x2x2x5xf32>
  %r = tensor.collapse_shape %o [[0], [1], [2, 3], [4]] : tensor<2x8x2x2x5xf32> into tensor<2x8x4x5xf32>
  return %r : tensor<2x8x4x5xf32>
}

// Dimensions of size 1 that the op needs get a place in the maps.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --split-input-file --verify-diagnostics --mlir-print-local-scope | FileCheck %s

// One query.
// CHECK-LABEL: func.func @one_query
// CHECK-SAME:    (%[[Q:.*]]: tensor<4x1x16xf32>, %{{.*}}: tensor<4x16x12xf32>, %[[V:.*]]: tensor<4x12x4xf32>)
// CHECK:         sparse_attn.attention ins(%[[Q]], %{{.*}}, %[[V]] :
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d4)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d2)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>
// CHECK-NEXT:    return
func.func @one_query(%q: tensor<4x1x16xf32>, %kt: tensor<4x16x12xf32>, %v: tensor<4x12x4xf32>) -> tensor<4x1x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<4x1x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<4x1x12xf32>) -> tensor<4x1x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<4x1x16xf32>, tensor<4x16x12xf32>) outs(%z1 : tensor<4x1x12xf32>) -> tensor<4x1x12xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x1x12xf32>) outs(%e1 : tensor<4x1x12xf32>) -> tensor<4x1x12xf32>
  %e3 = tensor.empty() : tensor<4x1x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<4x1x4xf32>) -> tensor<4x1x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<4x1x12xf32>, tensor<4x12x4xf32>) outs(%z3 : tensor<4x1x4xf32>) -> tensor<4x1x4xf32>
  return %o : tensor<4x1x4xf32>
}

// -----

// One key, one batch.
// CHECK-LABEL: func.func @one_key
// CHECK:         sparse_attn.attention
// CHECK-NEXT:    return
func.func @one_key(%q: tensor<1x8x16xf32>, %kt: tensor<1x16x1xf32>, %v: tensor<1x1x4xf32>) -> tensor<1x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<1x8x1xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x8x1xf32>) -> tensor<1x8x1xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<1x8x16xf32>, tensor<1x16x1xf32>) outs(%z1 : tensor<1x8x1xf32>) -> tensor<1x8x1xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<1x8x1xf32>) outs(%e1 : tensor<1x8x1xf32>) -> tensor<1x8x1xf32>
  %e3 = tensor.empty() : tensor<1x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<1x8x1xf32>, tensor<1x1x4xf32>) outs(%z3 : tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  return %o : tensor<1x8x4xf32>
}

// -----

// A batch of one keeps its dimension.
// CHECK-LABEL: func.func @one_batch
// CHECK-SAME:    (%[[Q:.*]]: tensor<1x8x16xf32>, %{{.*}}: tensor<1x16x12xf32>, %[[V:.*]]: tensor<1x12x4xf32>)
// CHECK-NEXT:    tensor.empty() : tensor<1x8x4xf32>
// CHECK-NEXT:    sparse_attn.attention ins(%[[Q]], %{{.*}}, %[[V]] :
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d4)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d2)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>
// CHECK-NEXT:    return
func.func @one_batch(%q: tensor<1x8x16xf32>, %kt: tensor<1x16x12xf32>, %v: tensor<1x12x4xf32>) -> tensor<1x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<1x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x8x12xf32>) -> tensor<1x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<1x8x16xf32>, tensor<1x16x12xf32>) outs(%z1 : tensor<1x8x12xf32>) -> tensor<1x8x12xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<1x8x12xf32>) outs(%e1 : tensor<1x8x12xf32>) -> tensor<1x8x12xf32>
  %e3 = tensor.empty() : tensor<1x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<1x8x12xf32>, tensor<1x12x4xf32>) outs(%z3 : tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  return %o : tensor<1x8x4xf32>
}

// -----

// One key, which is the first operand: the query is the one with the rows.
// CHECK-LABEL: func.func @one_key_first
// CHECK-SAME:    (%[[Q:.*]]: tensor<8x16xf32>, %[[K:.*]]: tensor<1x16xf32>, %[[V:.*]]: tensor<1x4xf32>)
// CHECK:         sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-NEXT:    return
func.func @one_key_first(%q: tensor<8x16xf32>, %k: tensor<1x16xf32>, %v: tensor<1x4xf32>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<8x1xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x1xf32>) -> tensor<8x1xf32>
  %s = linalg.contract indexing_maps = [affine_map<(m, n, d) -> (n, d)>, affine_map<(m, n, d) -> (m, d)>, affine_map<(m, n, d) -> (m, n)>]
      ins(%k, %q : tensor<1x16xf32>, tensor<8x16xf32>) outs(%z1 : tensor<8x1xf32>) -> tensor<8x1xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<8x1xf32>) outs(%e1 : tensor<8x1xf32>) -> tensor<8x1xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%p, %v : tensor<8x1xf32>, tensor<1x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

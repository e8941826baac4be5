// A batch of unknown size that is one dimension with the heads in the products.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --verify-diagnostics --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func.func @flattened
// CHECK-SAME:    (%[[Q:.*]]: tensor<?x2x8x16xf32>, %[[K:.*]]: tensor<?x2x12x16xf32>, %[[V:.*]]: tensor<?x2x12x4xf32>)
// CHECK:         tensor.empty(%{{.*}}) : tensor<?x2x8x4xf32>
// CHECK-NEXT:    %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-NEXT:    return %[[O]]
func.func @flattened(%q: tensor<?x2x8x16xf32>, %k: tensor<?x2x12x16xf32>, %v: tensor<?x2x12x4xf32>) -> tensor<?x2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : tensor<?x2x8x16xf32>
  %bh = arith.muli %b, %c2 : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<?x2x8x16xf32> into tensor<?x8x16xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<?x2x12x16xf32> into tensor<?x12x16xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<?x2x12x4xf32> into tensor<?x12x4xf32>
  %e1 = tensor.empty(%bh) : tensor<?x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x8x12xf32>) -> tensor<?x8x12xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<?x8x16xf32>, tensor<?x12x16xf32>) outs(%z1 : tensor<?x8x12xf32>) -> tensor<?x8x12xf32>
  %s4 = tensor.expand_shape %s [[0, 1], [2], [3]] output_shape [%b, 2, 8, 12] : tensor<?x8x12xf32> into tensor<?x2x8x12xf32>
  %e4 = tensor.empty(%b) : tensor<?x2x8x12xf32>
  %p4 = linalg.softmax dimension(3) ins(%s4 : tensor<?x2x8x12xf32>) outs(%e4 : tensor<?x2x8x12xf32>) -> tensor<?x2x8x12xf32>
  %p = tensor.collapse_shape %p4 [[0, 1], [2], [3]] : tensor<?x2x8x12xf32> into tensor<?x8x12xf32>
  %e3 = tensor.empty(%bh) : tensor<?x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<?x8x4xf32>) -> tensor<?x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<?x8x12xf32>, tensor<?x12x4xf32>) outs(%z3 : tensor<?x8x4xf32>) -> tensor<?x8x4xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [%b, 2, 8, 4] : tensor<?x8x4xf32> into tensor<?x2x8x4xf32>
  return %r : tensor<?x2x8x4xf32>
}

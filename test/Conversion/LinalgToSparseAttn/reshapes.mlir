// Reshapes whose sizes are computed keep dimensions if these are proven to be the
// same, or if one is left that the number of elements tells.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --split-input-file --verify-diagnostics --mlir-print-local-scope | FileCheck %s

// The number of keys is told twice, by the key and by the value. Behind the
// first product only the number of elements says that both are one.
// CHECK-LABEL: func.func @told_by_elements
// CHECK-SAME:    (%[[Q:.*]]: tensor<2x4x?x8xf32>, %[[K:.*]]: tensor<2x4x?x8xf32>, %[[V:.*]]: tensor<2x4x?x8xf32>
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-NOT:     linalg
func.func @told_by_elements(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %mi = arith.index_cast %m : index to i64
  %li = arith.index_cast %l : index to i64
  %two = arith.constant 2 : i64
  %four = arith.constant 4 : i64
  %eight = arith.constant 8 : i64
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %two, %four, %mi, %li : tensor<4xi64>
  %s4 = tensor.reshape %s(%h1) : (tensor<8x?x?xf32>, tensor<4xi64>) -> tensor<2x4x?x?xf32>
  %e2 = tensor.empty(%m, %l) : tensor<2x4x?x?xf32>
  %p4 = linalg.softmax dimension(3) ins(%s4 : tensor<2x4x?x?xf32>) outs(%e2 : tensor<2x4x?x?xf32>) -> tensor<2x4x?x?xf32>
  %h2 = tensor.from_elements %eight, %mi, %li : tensor<3xi64>
  %p = tensor.reshape %p4(%h2) : (tensor<2x4x?x?xf32>, tensor<3xi64>) -> tensor<8x?x?xf32>
  %e3 = tensor.empty(%m) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 4, %m, 8] : tensor<8x?x8xf32> into tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// Products of sizes, a unit between, and the result through a reshape.
// CHECK-LABEL: func.func @products_of_sizes
// CHECK-SAME:    (%[[Q:.*]]: tensor<2x4x?x8xf32>, %[[K:.*]]: tensor<2x4x?x8xf32>, %[[V:.*]]: tensor<2x4x?x8xf32>
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-NOT:     linalg
func.func @products_of_sizes(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %i2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %fm = arith.muli %c8, %m : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %fm, %c1, %n : tensor<3xindex>
  %s4 = tensor.reshape %s(%h1) : (tensor<8x?x?xf32>, tensor<3xindex>) -> tensor<?x1x?xf32>
  %e2 = tensor.empty(%fm, %n) : tensor<?x1x?xf32>
  %p4 = linalg.softmax dimension(2) ins(%s4 : tensor<?x1x?xf32>) outs(%e2 : tensor<?x1x?xf32>) -> tensor<?x1x?xf32>
  %h2 = tensor.from_elements %c8, %m, %n : tensor<3xindex>
  %p = tensor.reshape %p4(%h2) : (tensor<?x1x?xf32>, tensor<3xindex>) -> tensor<8x?x?xf32>
  %e3 = tensor.empty(%m) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %h3 = tensor.from_elements %i2, %c4, %m, %c8 : tensor<4xindex>
  %r = tensor.reshape %o(%h3) : (tensor<8x?x8xf32>, tensor<4xindex>) -> tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// Sizes that a type tells need no shape; one may be left where all others are
// constants.
// CHECK-LABEL: func.func @constant_shape
// CHECK-SAME:    (%[[Q:.*]]: tensor<2x4x?x8xf32>, %[[K:.*]]: tensor<2x4x?x8xf32>, %[[V:.*]]: tensor<2x4x?x8xf32>
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-NOT:     linalg
func.func @constant_shape(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>, %h3: tensor<4xi64>) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %i2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %i2, %c4, %m, %n : tensor<4xindex>
  %s4 = tensor.reshape %s(%h1) : (tensor<8x?x?xf32>, tensor<4xindex>) -> tensor<2x4x?x?xf32>
  %e2 = tensor.empty(%m, %n) : tensor<2x4x?x?xf32>
  %p4 = linalg.softmax dimension(3) ins(%s4 : tensor<2x4x?x?xf32>) outs(%e2 : tensor<2x4x?x?xf32>) -> tensor<2x4x?x?xf32>
  %p = tensor.collapse_shape %p4 [[0, 1], [2], [3]] : tensor<2x4x?x?xf32> into tensor<8x?x?xf32>
  %e3 = tensor.empty(%m) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.reshape %o(%h3) : (tensor<8x?x8xf32>, tensor<4xi64>) -> tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// As many elements, but in other rows.
// CHECK-LABEL: func.func @exchanged
// CHECK-NOT:     sparse_attn.attention
func.func @exchanged(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %c8 = arith.constant 8 : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %c8, %n, %m : tensor<3xindex>
  %s4 = tensor.reshape %s(%h1) : (tensor<8x?x?xf32>, tensor<3xindex>) -> tensor<8x?x?xf32>
  %e2 = tensor.empty(%n, %m) : tensor<8x?x?xf32>
  // expected-remark @+1 {{not raised: the scores do not come from a product of two tensors}}
  %p4 = linalg.softmax dimension(2) ins(%s4 : tensor<8x?x?xf32>) outs(%e2 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %p = tensor.cast %p4 : tensor<8x?x?xf32> to tensor<8x?x?xf32>
  %e3 = tensor.empty(%n) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 4, %n, 8] : tensor<8x?x8xf32> into tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// CHECK-LABEL: func.func @exchanged_weights
// CHECK-NOT:     sparse_attn.attention
func.func @exchanged_weights(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %c8 = arith.constant 8 : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s4 = tensor.cast %s : tensor<8x?x?xf32> to tensor<8x?x?xf32>
  %e2 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  // expected-remark @+1 {{not raised: the probabilities pass through a tensor.reshape whose sizes are not proven to be theirs}}
  %p4 = linalg.softmax dimension(2) ins(%s4 : tensor<8x?x?xf32>) outs(%e2 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %c8, %n, %m : tensor<3xindex>
  %p = tensor.reshape %p4(%h1) : (tensor<8x?x?xf32>, tensor<3xindex>) -> tensor<8x?x?xf32>
  %e3 = tensor.empty(%n) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 4, %n, 8] : tensor<8x?x8xf32> into tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// Two sizes that nothing tells.
// CHECK-LABEL: func.func @two_unknown
// CHECK-NOT:     sparse_attn.attention
func.func @two_unknown(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>, %x: index, %y: index) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %c8 = arith.constant 8 : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %c8, %x, %y : tensor<3xindex>
  %s4 = tensor.reshape %s(%h1) : (tensor<8x?x?xf32>, tensor<3xindex>) -> tensor<8x?x?xf32>
  %e2 = tensor.empty(%x, %y) : tensor<8x?x?xf32>
  // expected-remark @+1 {{not raised: the scores do not come from a product of two tensors}}
  %p4 = linalg.softmax dimension(2) ins(%s4 : tensor<8x?x?xf32>) outs(%e2 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %p = tensor.cast %p4 : tensor<8x?x?xf32> to tensor<8x?x?xf32>
  %e3 = tensor.empty(%x) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 4, %x, 8] : tensor<8x?x8xf32> into tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// A shape that comes from elsewhere.
// CHECK-LABEL: func.func @opaque_shape
// CHECK-NOT:     sparse_attn.attention
func.func @opaque_shape(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>, %h: tensor<3xindex>) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s4 = tensor.cast %s : tensor<8x?x?xf32> to tensor<8x?x?xf32>
  %e2 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  // expected-remark @+1 {{not raised: the probabilities pass through a tensor.reshape whose sizes are not proven to be theirs}}
  %p4 = linalg.softmax dimension(2) ins(%s4 : tensor<8x?x?xf32>) outs(%e2 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %p = tensor.reshape %p4(%h) : (tensor<8x?x?xf32>, tensor<3xindex>) -> tensor<8x?x?xf32>
  %e3 = tensor.empty(%m) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 4, %m, 8] : tensor<8x?x8xf32> into tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// A part of the queries is counted with the batch: no multiple that is known.
// CHECK-LABEL: func.func @split_rows
// CHECK-NOT:     sparse_attn.attention
func.func @split_rows(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>, %x: index) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %x, %c3, %n : tensor<3xindex>
  %s4 = tensor.reshape %s(%h1) : (tensor<8x?x?xf32>, tensor<3xindex>) -> tensor<?x3x?xf32>
  %e2 = tensor.empty(%x, %n) : tensor<?x3x?xf32>
  // expected-remark @+1 {{not raised: the probabilities pass through a tensor.reshape whose sizes are not proven to be theirs}}
  %p4 = linalg.softmax dimension(2) ins(%s4 : tensor<?x3x?xf32>) outs(%e2 : tensor<?x3x?xf32>) -> tensor<?x3x?xf32>
  %h2 = tensor.from_elements %c8, %m, %n : tensor<3xindex>
  %p = tensor.reshape %p4(%h2) : (tensor<?x3x?xf32>, tensor<3xindex>) -> tensor<8x?x?xf32>
  %e3 = tensor.empty(%m) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 4, %m, 8] : tensor<8x?x8xf32> into tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

// -----

// Were there no keys, any number of queries would have as many elements.
// CHECK-LABEL: func.func @queries_told_by_elements
// CHECK-NOT:     sparse_attn.attention
func.func @queries_told_by_elements(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x8xf32>, %x: index) -> tensor<2x4x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %m = tensor.dim %q, %c2 : tensor<2x4x?x8xf32>
  %n = tensor.dim %k, %c2 : tensor<2x4x?x8xf32>
  %l = tensor.dim %v, %c2 : tensor<2x4x?x8xf32>
  %c8 = arith.constant 8 : index
  %fq = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fk = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %fv = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x?x8xf32> into tensor<8x?x8xf32>
  %e1 = tensor.empty(%m, %n) : tensor<8x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(z, m, n, d) -> (z, m, d)>, affine_map<(z, m, n, d) -> (z, n, d)>, affine_map<(z, m, n, d) -> (z, m, n)>]
      ins(%fq, %fk : tensor<8x?x8xf32>, tensor<8x?x8xf32>) outs(%z1 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %h1 = tensor.from_elements %c8, %x, %n : tensor<3xindex>
  %s4 = tensor.reshape %s(%h1) : (tensor<8x?x?xf32>, tensor<3xindex>) -> tensor<8x?x?xf32>
  %e2 = tensor.empty(%x, %n) : tensor<8x?x?xf32>
  // expected-remark @+1 {{not raised: a length of the result is that of the query only if a tensor.reshape is of no empty tensor}}
  %p4 = linalg.softmax dimension(2) ins(%s4 : tensor<8x?x?xf32>) outs(%e2 : tensor<8x?x?xf32>) -> tensor<8x?x?xf32>
  %p = tensor.cast %p4 : tensor<8x?x?xf32> to tensor<8x?x?xf32>
  %e3 = tensor.empty(%x) : tensor<8x?x8xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %o = linalg.batch_matmul ins(%p, %fv : tensor<8x?x?xf32>, tensor<8x?x8xf32>) outs(%z3 : tensor<8x?x8xf32>) -> tensor<8x?x8xf32>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 4, %x, 8] : tensor<8x?x8xf32> into tensor<2x4x?x8xf32>
  return %r : tensor<2x4x?x8xf32>
}

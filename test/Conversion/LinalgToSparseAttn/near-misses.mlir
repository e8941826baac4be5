// What looks like attention but is not stays as it is, with the reason.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --split-input-file --verify-diagnostics | FileCheck %s
// CHECK-NOT: sparse_attn.attention

// CHECK-LABEL: func.func @other_axis
// CHECK: linalg.softmax dimension(1)
func.func @other_axis(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the softmax does not run over the dimension that the product with the values sums over}}
  %p = linalg.softmax dimension(1) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The same, spelled out: normalised over the queries.
// CHECK-LABEL: func.func @other_axis_decomposed
// CHECK: linalg.exp
func.func @other_axis_decomposed(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the sum that divides the exponentials is not theirs over the dimension that the product with the values sums over}}
  %x = linalg.exp ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e2 = tensor.empty() : tensor<2x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x8xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [1]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [1]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The probabilities are a result, too.
// CHECK-LABEL: func.func @other_use
// CHECK: linalg.softmax
func.func @other_use(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> (tensor<2x8x4xf32>, tensor<2x8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: a step between scores and probabilities has another use, by func.return}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o, %p : tensor<2x8x4xf32>, tensor<2x8x8xf32>
}

// -----

// The scores before the softmax are.
// CHECK-LABEL: func.func @scores_used
// CHECK: linalg.softmax
func.func @scores_used(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> (tensor<2x8x4xf32>, tensor<2x8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the product of query and key has another use, by func.return}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o, %s : tensor<2x8x4xf32>, tensor<2x8x8xf32>
}

// -----

// Dropout.
// CHECK-LABEL: func.func @dropout
// CHECK: linalg.softmax
func.func @dropout(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %keep: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the probabilities pass through arith.mulf before the product with the values}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %d = linalg.mul ins(%p, %keep : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%d, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A softmax of no product.
// CHECK-LABEL: func.func @no_product
// CHECK: linalg.softmax
func.func @no_product(%s: tensor<2x8x8xf32>, %v: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the scores do not come from a product of two tensors}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A softmax that no product uses.
// CHECK-LABEL: func.func @no_values
// CHECK: linalg.softmax
func.func @no_values(%s: tensor<2x8x8xf32>) -> tensor<2x8x8xf32> {
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: no product with values uses it as its weights}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  return %p : tensor<2x8x8xf32>
}

// -----

// Products that add to something.
// CHECK-LABEL: func.func @from_bias
// CHECK: linalg.softmax
func.func @from_bias(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %bias: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%bias : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the product of query and key does not start at zero}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// CHECK-LABEL: func.func @onto_residual
// CHECK: linalg.softmax
func.func @onto_residual(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %r: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the product with the values does not start at zero or is not of floats}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%r : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Scaled by a tensor (a temperature per position).
// CHECK-LABEL: func.func @tensor_scale
// CHECK: linalg.softmax
func.func @tensor_scale(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %t: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %m = linalg.mul ins(%s, %t : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: another tensor takes part in the scores through arith.mulf}}
  %p = linalg.softmax dimension(2) ins(%m : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Operands of a type that the op does not have.
// CHECK-LABEL: func.func @f64
// CHECK: linalg.softmax
func.func @f64(%q: tensor<2x8x16xf64>, %kt: tensor<2x16x8xf64>, %v: tensor<2x8x4xf64>) -> tensor<2x8x4xf64> {
  %zero = arith.constant 0.0 : f64
  %e1 = tensor.empty() : tensor<2x8x8xf64>
  %z1 = linalg.fill ins(%zero : f64) outs(%e1 : tensor<2x8x8xf64>) -> tensor<2x8x8xf64>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf64>, tensor<2x16x8xf64>) outs(%z1 : tensor<2x8x8xf64>) -> tensor<2x8x8xf64>
  // expected-remark @+1 {{not raised: query, key and value do not come in one type of f16, bf16 and f32}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf64>) outs(%e1 : tensor<2x8x8xf64>) -> tensor<2x8x8xf64>
  %e3 = tensor.empty() : tensor<2x8x4xf64>
  %z3 = linalg.fill ins(%zero : f64) outs(%e3 : tensor<2x8x4xf64>) -> tensor<2x8x4xf64>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf64>, tensor<2x8x4xf64>) outs(%z3 : tensor<2x8x4xf64>) -> tensor<2x8x4xf64>
  return %o : tensor<2x8x4xf64>
}

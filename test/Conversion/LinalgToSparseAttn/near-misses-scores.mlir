// What is between query, key and softmax that the op cannot express, and
// products that do not fit together.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --split-input-file --verify-diagnostics | FileCheck %s
// CHECK-NOT: sparse_attn.attention

// -1e4 is not the score plus something.
// CHECK-LABEL: func.func @finite_fill
func.func @finite_fill(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %c: tensor<2x8x8xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %low = arith.constant -1.0e+04 : f32
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%c, %s : tensor<2x8x8xi1>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: i1, %in1: f32, %init: f32):
    %r = arith.select %in0, %in1, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the scores are replaced by a finite value under a mask tensor}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The sum of two finite fills would be -inf.
// CHECK-LABEL: func.func @filled_twice
// CHECK: linalg.softmax
func.func @filled_twice(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %c: tensor<2x8x8xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %low = arith.constant -2.3819763e+38 : f32
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%c, %s : tensor<2x8x8xi1>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: i1, %in1: f32, %init: f32):
    %query = linalg.index 1 : index
    %key = linalg.index 2 : index
    %seen = arith.cmpi sle, %key, %query : index
    %causal = arith.select %seen, %in1, %low : f32
    linalg.yield %causal : f32
  } -> tensor<2x8x8xf32>
  %u = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%c, %t : tensor<2x8x8xi1>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: i1, %in1: f32, %init: f32):
    %r = arith.select %in0, %in1, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the scores are replaced by a finite value under a mask tensor after another mask}}
  %p = linalg.softmax dimension(2) ins(%u : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Another tensor in the place of some scores.
// CHECK-LABEL: func.func @other_scores
func.func @other_scores(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %c: tensor<2x8x8xi1>, %x: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%c, %s, %x : tensor<2x8x8xi1>, tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: i1, %in1: f32, %in2: f32, %init: f32):
    %r = arith.select %in0, %in1, %in2 : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the scores are replaced under a condition in a way that is no mask}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A mask that is no tensor of the graph.
// CHECK-LABEL: func.func @mask_in_place
func.func @mask_in_place(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %a: tensor<2x8x8xf32>, %b: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a, %b : tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: f32, %in1: f32, %in2: f32, %init: f32):
    %m = arith.mulf %in1, %in2 : f32
    %r = arith.addf %in0, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the mask is computed in the op that applies it}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The same for a condition.
// CHECK-LABEL: func.func @condition_in_place
func.func @condition_in_place(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %a: tensor<2x8x8xf32>, %b: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %ninf = arith.constant 0xFF800000 : f32
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a, %b : tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: f32, %in1: f32, %in2: f32, %init: f32):
    %c = arith.cmpf olt, %in1, %in2 : f32
    %r = arith.select %c, %in0, %ninf : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the mask is computed in the op that applies it}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A mask of a type that the op does not have.
// CHECK-LABEL: func.func @wide_mask
func.func @wide_mask(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %a: tensor<2x8x8xf64>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x8xf32>, tensor<2x8x8xf64>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: f32, %in1: f64, %init: f32):
    %n = arith.truncf %in1 : f64 to f32
    %r = arith.addf %in0, %n : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the mask is no tensor of i1, f16, bf16 or f32}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The fill would have to come before the mask.
// CHECK-LABEL: func.func @fill_after_mask
func.func @fill_after_mask(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %a: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %low = arith.constant -1.0e+04 : f32
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: f32, %in1: f32, %init: f32):
    %x = arith.addf %in0, %in1 : f32
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %c = arith.cmpi sle, %n, %m : index
    %r = arith.select %c, %x, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the scores are replaced under a condition after a mask tensor is applied}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A scale beyond all floats.
// CHECK-LABEL: func.func @infinite_scale
func.func @infinite_scale(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %a = arith.constant 3.0e+38 : f32
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: f32, %init: f32):
    %r1 = arith.mulf %in0, %a : f32
    %r2 = arith.mulf %r1, %a : f32
    %r3 = arith.mulf %r2, %a : f32
    %r4 = arith.mulf %r3, %a : f32
    %r5 = arith.mulf %r4, %a : f32
    %r6 = arith.mulf %r5, %a : f32
    %r7 = arith.mulf %r6, %a : f32
    %r8 = arith.mulf %r7, %a : f32
    %r9 = arith.mulf %r8, %a : f32
    linalg.yield %r9 : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the scale INF is no f32}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A mask over the queries twice.
// CHECK-LABEL: func.func @diagonal_mask
func.func @diagonal_mask(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %a: tensor<8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, m)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: f32, %in1: f32, %init: f32):
    %r = arith.addf %in0, %in1 : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the mask is not over distinct batch, query and key dimensions}}
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Values without a batch, keys with: the op has no such thing.
// CHECK-LABEL: func.func @shared_values
func.func @shared_values(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the products do not fit together as attention: expected batch dimension 0 in both key and value or in neither}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%p, %v : tensor<2x8x8xf32>, tensor<8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %ab = arith.mulf %a, %b : f32
    %r = arith.addf %acc, %ab : f32
    linalg.yield %r : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A result narrower than the operands.
// CHECK-LABEL: func.func @narrow_result
func.func @narrow_result(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> tensor<2x8x4xf16> {
  %zeroh = arith.constant 0.0 : f16
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the product with the values is neither f32 nor of the operands' type}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf16>
  %z3 = linalg.fill ins(%zeroh : f16) outs(%e3 : tensor<2x8x4xf16>) -> tensor<2x8x4xf16>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf16>) -> tensor<2x8x4xf16>
  return %o : tensor<2x8x4xf16>
}

// -----

// Softmax with a sink: one more in the sum.
// CHECK-LABEL: func.func @off_by_one
func.func @off_by_one(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %one = arith.constant 1.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e2 = tensor.empty() : tensor<2x8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%s : tensor<2x8x8xf32>) outs(%n2 : tensor<2x8xf32>) dimensions = [2]
  %maxb = linalg.broadcast ins(%max : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the sum of the exponentials does not start at zero}}
  %x = linalg.exp ins(%d : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %z2 = linalg.fill ins(%one : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x8xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The maximum of other scores: exp may overflow, or it may not.
// CHECK-LABEL: func.func @other_maximum
func.func @other_maximum(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %y: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %ninf = arith.constant 0xFF800000 : f32
  %e2 = tensor.empty() : tensor<2x8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%y : tensor<2x8x8xf32>) outs(%n2 : tensor<2x8xf32>) dimensions = [2]
  %maxb = linalg.broadcast ins(%max : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: what is subtracted before the exponential is not the maximum of the same scores over the keys}}
  %x = linalg.exp ins(%d : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x8xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The minimum.
// CHECK-LABEL: func.func @minimum
func.func @minimum(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %ninf = arith.constant 0xFF800000 : f32
  %e2 = tensor.empty() : tensor<2x8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %max = linalg.reduce { arith.minimumf } ins(%s : tensor<2x8x8xf32>) outs(%n2 : tensor<2x8xf32>) dimensions = [2]
  %maxb = linalg.broadcast ins(%max : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: what is subtracted before the exponential is not the maximum of the same scores over the keys}}
  %x = linalg.exp ins(%d : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x8xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Divided by something else.
// CHECK-LABEL: func.func @other_divisor
func.func @other_divisor(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %y: tensor<2x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %ninf = arith.constant 0xFF800000 : f32
  %e2 = tensor.empty() : tensor<2x8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%s : tensor<2x8x8xf32>) outs(%n2 : tensor<2x8xf32>) dimensions = [2]
  %maxb = linalg.broadcast ins(%max : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the exponentials are not divided by their sum}}
  %x = linalg.exp ins(%d : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x8xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %yb = linalg.broadcast ins(%y : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %yb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Normalised by the sum of other exponentials: not found to be one softmax.
// CHECK-LABEL: func.func @other_numerator
func.func @other_numerator(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %y: tensor<2x8x8xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the sum that divides the exponentials is not theirs over the dimension that the product with the values sums over}}
  %x = linalg.exp ins(%s : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: no product with values uses it as its weights}}
  %xy = linalg.exp ins(%y : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e2 = tensor.empty() : tensor<2x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%xy : tensor<2x8x8xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Zero where a tensor says so.
// CHECK-LABEL: func.func @zeroed
func.func @zeroed(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x8xf32>, %v: tensor<2x8x4xf32>, %c: tensor<2x8x8xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%z1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %ninf = arith.constant 0xFF800000 : f32
  %e2 = tensor.empty() : tensor<2x8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%s : tensor<2x8x8xf32>) outs(%n2 : tensor<2x8xf32>) dimensions = [2]
  %maxb = linalg.broadcast ins(%max : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxb : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero under a condition other than an empty row}}
  %x = linalg.exp ins(%d : tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x8xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x8xf32>) dimensions = [2]
  %p = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%c, %x, %sumb : tensor<2x8x8xi1>, tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e1 : tensor<2x8x8xf32>) {
  ^bb0(%in0: i1, %in1: f32, %in2: f32, %init: f32):
    %y = arith.divf %in1, %in2 : f32
    %r = arith.select %in0, %zero, %y : f32
    linalg.yield %r : f32
  } -> tensor<2x8x8xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x8xf32>, tensor<2x8x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

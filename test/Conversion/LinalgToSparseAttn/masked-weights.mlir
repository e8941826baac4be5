// Exponentials and weights that are 0 by the mask may be replaced by 0.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --verify-diagnostics | FileCheck %s

#a = affine_map<(m, n) -> (m, n)>
#r = affine_map<(m, n) -> (m)>
#each = {indexing_maps = [#a, #a], iterator_types = ["parallel", "parallel"]}
#both = {indexing_maps = [#a, #a, #a], iterator_types = ["parallel", "parallel"]}
#rows = {indexing_maps = [#r, #a, #a], iterator_types = ["parallel", "parallel"]}
#reduce = {indexing_maps = [#a, #r], iterator_types = ["parallel", "reduction"]}

// jax.nn.softmax(where=...): the sum and the result leave out what is masked.
// CHECK-LABEL: func.func @softmax_where
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @softmax_where(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e2 = tensor.empty() : tensor<8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<8xf32>) -> tensor<8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%t : tensor<8x12xf32>) outs(%n2 : tensor<8xf32>) dimensions = [1]
  %d = linalg.generic #rows ins(%max, %t : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %x: f32, %init: f32):
    %y = arith.subf %x, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %x = linalg.exp ins(%d : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#a, #a, #r], iterator_types = ["parallel", "reduction"]} ins(%mask, %x : tensor<8x12xi1>, tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) {
  ^bb0(%c: i1, %a: f32, %acc: f32):
    %k = arith.select %c, %a, %zero : f32
    %y = arith.addf %acc, %k : f32
    linalg.yield %y : f32
  } -> tensor<8xf32>
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #both ins(%mask, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Scores masked before the softmax, and weights by the same mask after it.
// CHECK-LABEL: func.func @weights_of_mask
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @weights_of_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %y = arith.select %c, %ninf, %x : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #both ins(%mask, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// The same told by the scores.
// CHECK-LABEL: func.func @weights_of_infinite_scores
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @weights_of_infinite_scores(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #both ins(%t, %p : tensor<8x12xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %a: f32, %init: f32):
    %c = arith.cmpf oeq, %x, %ninf : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @sum_of_other_mask
// CHECK-NOT:     sparse_attn.attention
func.func @sum_of_other_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>, %other: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e2 = tensor.empty() : tensor<8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<8xf32>) -> tensor<8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%t : tensor<8x12xf32>) outs(%n2 : tensor<8xf32>) dimensions = [1]
  %d = linalg.generic #rows ins(%max, %t : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %x: f32, %init: f32):
    %y = arith.subf %x, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the sum that divides the exponentials is not theirs over the dimension that the product with the values sums over}}
  %x = linalg.exp ins(%d : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#a, #a, #r], iterator_types = ["parallel", "reduction"]} ins(%other, %x : tensor<8x12xi1>, tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) {
  ^bb0(%c: i1, %a: f32, %acc: f32):
    %k = arith.select %c, %a, %zero : f32
    %y = arith.addf %acc, %k : f32
    linalg.yield %y : f32
  } -> tensor<8xf32>
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #both ins(%mask, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @weights_of_other_mask
// CHECK-NOT:     sparse_attn.attention
func.func @weights_of_other_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>, %other: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e2 = tensor.empty() : tensor<8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<8xf32>) -> tensor<8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%t : tensor<8x12xf32>) outs(%n2 : tensor<8xf32>) dimensions = [1]
  %d = linalg.generic #rows ins(%max, %t : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %x: f32, %init: f32):
    %y = arith.subf %x, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero under a condition other than an empty row}}
  %x = linalg.exp ins(%d : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#a, #a, #r], iterator_types = ["parallel", "reduction"]} ins(%mask, %x : tensor<8x12xi1>, tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) {
  ^bb0(%c: i1, %a: f32, %acc: f32):
    %k = arith.select %c, %a, %zero : f32
    %y = arith.addf %acc, %k : f32
    linalg.yield %y : f32
  } -> tensor<8xf32>
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #both ins(%other, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @weights_the_other_way
// CHECK-NOT:     sparse_attn.attention
func.func @weights_the_other_way(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero under a condition other than an empty row}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #both ins(%mask, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// A row of finite fills alone is a mean, and becomes 0.
// CHECK-LABEL: func.func @weights_of_finite_mask
// CHECK-NOT:     sparse_attn.attention
func.func @weights_of_finite_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %low = arith.constant -3.40282347E+38 : f32
    %y = arith.select %c, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero under a condition other than an empty row}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #both ins(%mask, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Probabilities that are replaced where they are not numbers, for other reasons
// than an empty row, stay as they are.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --verify-diagnostics | FileCheck %s
// CHECK-NOT: sparse_attn.attention

#a = affine_map<(m, n) -> (m, n)>
#r = affine_map<(m, n) -> (m)>
#each = {indexing_maps = [#a, #a], iterator_types = ["parallel", "parallel"]}
#both = {indexing_maps = [#a, #a, #a], iterator_types = ["parallel", "parallel"]}
#rows = {indexing_maps = [#r, #a, #a], iterator_types = ["parallel", "parallel"]}
#reduce = {indexing_maps = [#a, #r], iterator_types = ["parallel", "reduction"]}

// Without the maximum subtracted, large scores overflow to NaN.
// CHECK-LABEL: func.func @nan_without_maximum
func.func @nan_without_maximum(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero under a condition other than an empty row}}
  %x = linalg.exp ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) dimensions = [1]
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %c = arith.cmpf une, %a, %a : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// The scores are numbers where a row is empty.
// CHECK-LABEL: func.func @nan_of_scores
func.func @nan_of_scores(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %eb = tensor.empty() : tensor<8x12xi1>
  %nan = linalg.generic #both ins(%t, %t : tensor<8x12xf32>, tensor<8x12xf32>) outs(%eb : tensor<8x12xi1>) {
  ^bb0(%a: f32, %b: f32, %init: i1):
    %y = arith.cmpf une, %a, %b : f32
    linalg.yield %y : i1
  } -> tensor<8x12xi1>
  %w = linalg.generic #both ins(%nan, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Two different tensors.
// CHECK-LABEL: func.func @nan_of_one
func.func @nan_of_one(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %eb = tensor.empty() : tensor<8x12xi1>
  %nan = linalg.generic #both ins(%p, %t : tensor<8x12xf32>, tensor<8x12xf32>) outs(%eb : tensor<8x12xi1>) {
  ^bb0(%a: f32, %b: f32, %init: i1):
    %y = arith.cmpf une, %a, %b : f32
    linalg.yield %y : i1
  } -> tensor<8x12xi1>
  %w = linalg.generic #both ins(%nan, %p : tensor<8x12xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// The wrong way round.
// CHECK-LABEL: func.func @numbers_replaced
func.func @numbers_replaced(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %c = arith.cmpf une, %a, %a : f32
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @replaced_by_quarter
func.func @replaced_by_quarter(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  // expected-remark @+1 {{not raised: the probabilities pass through arith.select before the product with the values}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %h = arith.constant 0.25 : f32
    %c = arith.cmpf une, %a, %a : f32
    %y = arith.select %c, %h, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// True of NaN as well.
// CHECK-LABEL: func.func @infinite_or_nan
func.func @infinite_or_nan(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  // expected-remark @+1 {{not raised: the probabilities pass through arith.select before the product with the values}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %i = arith.constant 0x7F800000 : f32
    %h = arith.constant 1.0 : f32
    %c = arith.cmpf ueq, %a, %i : f32
    %y = arith.select %c, %h, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @equal_to_one
func.func @equal_to_one(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  // expected-remark @+1 {{not raised: the probabilities pass through arith.select before the product with the values}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %i = arith.constant 1.0 : f32
    %h = arith.constant 0.5 : f32
    %c = arith.cmpf oeq, %a, %i : f32
    %y = arith.select %c, %h, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Negative scores have no logarithm, and their rows would be 0.
// CHECK-LABEL: func.func @logarithm
func.func @logarithm(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %l = math.log %x : f32
    %y = arith.select %c, %l, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero where they are not numbers, which they may be by math.log}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %c = arith.cmpf une, %a, %a : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// -inf becomes +inf.
// CHECK-LABEL: func.func @masked_then_negated
func.func @masked_then_negated(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %j = linalg.index 1 : index
    %five = arith.constant 5 : index
    %few = arith.cmpi ult, %j, %five : index
    %u = arith.select %few, %x, %ninf : f32
    %y = arith.negf %u : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero where they are not numbers, which they may be by arith.negf}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %c = arith.cmpf une, %a, %a : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// +inf is added to some scores.
// CHECK-LABEL: func.func @infinite_bias
func.func @infinite_bias(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %j = linalg.index 1 : index
    %five = arith.constant 5 : index
    %few = arith.cmpi ult, %j, %five : index
    %inf = arith.constant 0x7F800000 : f32
    %u = arith.select %c, %x, %ninf : f32
    %k = arith.select %few, %zero, %inf : f32
    %y = arith.addf %u, %k : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero where they are not numbers, which they may be by arith.constant}}
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %c = arith.cmpf une, %a, %a : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

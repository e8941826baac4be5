// Probabilities of rows without any key are replaced by zero in many ways; all are
// what attention does.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --verify-diagnostics | FileCheck %s

#a = affine_map<(m, n) -> (m, n)>
#r = affine_map<(m, n) -> (m)>
#each = {indexing_maps = [#a, #a], iterator_types = ["parallel", "parallel"]}
#both = {indexing_maps = [#a, #a, #a], iterator_types = ["parallel", "parallel"]}
#rows = {indexing_maps = [#r, #a, #a], iterator_types = ["parallel", "parallel"]}
#reduce = {indexing_maps = [#a, #r], iterator_types = ["parallel", "reduction"]}

// A row without keys is 0 / 0, replaced where it is not equal to itself.
// CHECK-LABEL: func.func @not_a_number
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention ins({{.*}}) mask(%{{.*}} : tensor<8x12xi1>)
// CHECK-NOT:     linalg
func.func @not_a_number(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) dimensions = [1]
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %eb = tensor.empty() : tensor<8x12xi1>
  %nan = linalg.generic #both ins(%p, %p : tensor<8x12xf32>, tensor<8x12xf32>) outs(%eb : tensor<8x12xi1>) {
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

// Kept where it is a number.
// CHECK-LABEL: func.func @ordered_is_kept
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @ordered_is_kept(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %w = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %c = arith.cmpf ord, %a, %a : f32
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// As torch.nan_to_num does: a probability is never infinite.
// CHECK-LABEL: func.func @nan_to_num
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @nan_to_num(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %w0 = linalg.generic #each ins(%p : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %c = math.isnan %a : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w1 = linalg.generic #each ins(%w0 : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %i = arith.constant 0x7F800000 : f32
    %h = arith.constant 3.40282347E+38 : f32
    %c = arith.cmpf oeq, %a, %i : f32
    %y = arith.select %c, %h, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #each ins(%w1 : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%a: f32, %init: f32):
    %i = arith.constant 0xFF800000 : f32
    %h = arith.constant -3.40282347E+38 : f32
    %c = arith.cmpf oeq, %a, %i : f32
    %y = arith.select %c, %h, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Rows of finite fills alone are numbers, and stay means of the values.
// CHECK-LABEL: func.func @finite_fill
// CHECK:         arith.constant -3.40282347E+38
// CHECK:         sparse_attn.attention
func.func @finite_fill(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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

// Steps that leave numbers what they are.
// CHECK-LABEL: func.func @soft_cap
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @soft_cap(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %two = arith.constant 2.0 : f32
    %h = math.tanh %x : f32
    %u = arith.divf %h, %two : f32
    %y = arith.select %c, %u, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
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

// The maximum of the row is -inf.
// CHECK-LABEL: func.func @maximum_is_infinite
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @maximum_is_infinite(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) dimensions = [1]
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #rows ins(%max, %p : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %c = arith.cmpf oeq, %m, %ninf : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @maximum_is_above
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @maximum_is_above(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) dimensions = [1]
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #rows ins(%max, %p : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %c = arith.cmpf ogt, %m, %ninf : f32
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// No score is above -inf.
// CHECK-LABEL: func.func @no_score_is_above
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @no_score_is_above(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %start = arith.constant false
  %er = tensor.empty() : tensor<8xi1>
  %fr = linalg.fill ins(%start : i1) outs(%er : tensor<8xi1>) -> tensor<8xi1>
  %row = linalg.generic #reduce ins(%t : tensor<8x12xf32>) outs(%fr : tensor<8xi1>) {
  ^bb0(%x0: f32, %acc: i1):
    %c = arith.cmpf ogt, %x0, %ninf : f32
    %y = arith.ori %acc, %c : i1
    linalg.yield %y : i1
  } -> tensor<8xi1>
  %w = linalg.generic #rows ins(%row, %p : tensor<8xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// The mask keeps none of the row.
// CHECK-LABEL: func.func @mask_keeps_none
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @mask_keeps_none(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %start = arith.constant false
  %er = tensor.empty() : tensor<8xi1>
  %fr = linalg.fill ins(%start : i1) outs(%er : tensor<8xi1>) -> tensor<8xi1>
  %row = linalg.generic #reduce ins(%mask : tensor<8x12xi1>) outs(%fr : tensor<8xi1>) {
  ^bb0(%c: i1, %acc: i1):
    %y = arith.ori %acc, %c : i1
    linalg.yield %y : i1
  } -> tensor<8xi1>
  %w = linalg.generic #rows ins(%row, %p : tensor<8xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// The same with three negations on the way.
// CHECK-LABEL: func.func @negations
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @negations(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %start = arith.constant true
  %er = tensor.empty() : tensor<8xi1>
  %fr = linalg.fill ins(%start : i1) outs(%er : tensor<8xi1>) -> tensor<8xi1>
  %row = linalg.generic #reduce ins(%mask : tensor<8x12xi1>) outs(%fr : tensor<8xi1>) {
  ^bb0(%c1: i1, %acc: i1):
    %f = arith.constant false
    %c = arith.cmpi eq, %c1, %f : i1
    %y = arith.andi %acc, %c : i1
    linalg.yield %y : i1
  } -> tensor<8xi1>
  %w = linalg.generic #rows ins(%row, %p : tensor<8xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c0: i1, %a: f32, %init: f32):
    %true = arith.constant true
    %n = arith.xori %c0, %true : i1
    %c = arith.cmpi ne, %n, %true : i1
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// True where a score goes; a causal mask lets fewer keys through.
// CHECK-LABEL: func.func @mask_drops_all
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @mask_drops_all(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %j = linalg.index 1 : index
    %i = linalg.index 0 : index
    %late = arith.cmpi ugt, %j, %i : index
    %g = arith.ori %c, %late : i1
    %y = arith.select %g, %ninf, %x : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %start = arith.constant true
  %er = tensor.empty() : tensor<8xi1>
  %fr = linalg.fill ins(%start : i1) outs(%er : tensor<8xi1>) -> tensor<8xi1>
  %row = linalg.generic #reduce ins(%mask : tensor<8x12xi1>) outs(%fr : tensor<8xi1>) {
  ^bb0(%c: i1, %acc: i1):
    %y = arith.andi %acc, %c : i1
    linalg.yield %y : i1
  } -> tensor<8xi1>
  %w = linalg.generic #rows ins(%row, %p : tensor<8xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// The mask is added, and the scores are scaled afterwards.
// CHECK-LABEL: func.func @added_mask
// CHECK-NOT:     linalg
// CHECK:         sparse_attn.attention
// CHECK-NOT:     linalg
func.func @added_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %half = arith.constant 0.5 : f32
    %k = arith.select %c, %zero, %ninf : f32
    %u = arith.addf %x, %k : f32
    %y = arith.mulf %u, %half : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %start = arith.constant false
  %er = tensor.empty() : tensor<8xi1>
  %fr = linalg.fill ins(%start : i1) outs(%er : tensor<8xi1>) -> tensor<8xi1>
  %row = linalg.generic #reduce ins(%mask : tensor<8x12xi1>) outs(%fr : tensor<8xi1>) {
  ^bb0(%c: i1, %acc: i1):
    %y = arith.ori %acc, %c : i1
    linalg.yield %y : i1
  } -> tensor<8xi1>
  %w = linalg.generic #rows ins(%row, %p : tensor<8xi1>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %init: f32):
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

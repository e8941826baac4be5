// Rows that are replaced by zero though they have keys stay as they are.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --verify-diagnostics | FileCheck %s
// CHECK-NOT: sparse_attn.attention

#a = affine_map<(m, n) -> (m, n)>
#r = affine_map<(m, n) -> (m)>
#each = {indexing_maps = [#a, #a], iterator_types = ["parallel", "parallel"]}
#both = {indexing_maps = [#a, #a, #a], iterator_types = ["parallel", "parallel"]}
#rows = {indexing_maps = [#r, #a, #a], iterator_types = ["parallel", "parallel"]}
#reduce = {indexing_maps = [#a, #r], iterator_types = ["parallel", "reduction"]}

// Not compared with -inf.
// CHECK-LABEL: func.func @maximum_is_zero
func.func @maximum_is_zero(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) dimensions = [1]
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #rows ins(%max, %p : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %c = arith.cmpf oeq, %m, %zero : f32
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// CHECK-LABEL: func.func @maximum_is_infinite_kept
func.func @maximum_is_infinite_kept(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<8x12xf32>) outs(%z2 : tensor<8xf32>) dimensions = [1]
  %p = linalg.generic #rows ins(%sum, %x : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %y = arith.divf %a, %m : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %w = linalg.generic #rows ins(%max, %p : tensor<8xf32>, tensor<8x12xf32>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%m: f32, %a: f32, %init: f32):
    %c = arith.cmpf oeq, %m, %ninf : f32
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Rows are kept only with all of their keys.
// CHECK-LABEL: func.func @all_kept
func.func @all_kept(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
    %y = arith.select %c, %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Rows with any key go.
// CHECK-LABEL: func.func @any_kept
func.func @any_kept(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
    %y = arith.select %c, %zero, %a : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%w, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// With a true at the start, any is.
// CHECK-LABEL: func.func @starts_at_true
func.func @starts_at_true(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %start = arith.constant true
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

// Another mask than that of the scores.
// CHECK-LABEL: func.func @other_mask
func.func @other_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>, %other: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
  %start = arith.constant false
  %er = tensor.empty() : tensor<8xi1>
  %fr = linalg.fill ins(%start : i1) outs(%er : tensor<8xi1>) -> tensor<8xi1>
  %row = linalg.generic #reduce ins(%other : tensor<8x12xi1>) outs(%fr : tensor<8xi1>) {
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

// A score stays where either of two masks keeps it.
// CHECK-LABEL: func.func @either_mask
func.func @either_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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
    %g = arith.andi %c, %late : i1
    %y = arith.select %g, %ninf, %x : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero under a condition other than an empty row}}
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

// Rows of finite fills alone are means of the values.
// CHECK-LABEL: func.func @finite_mask
func.func @finite_mask(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
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

// Multiplied by a negative number, -inf is +inf.
// CHECK-LABEL: func.func @negative_factor
func.func @negative_factor(%q: tensor<8x16xf32>, %kt: tensor<16x12xf32>, %v: tensor<12x4xf32>, %mask: tensor<8x12xi1>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul ins(%q, %kt : tensor<8x16xf32>, tensor<16x12xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.generic #both ins(%s, %mask : tensor<8x12xf32>, tensor<8x12xi1>) outs(%e : tensor<8x12xf32>) {
  ^bb0(%x: f32, %c: i1, %init: f32):
    %minus = arith.constant -1.0 : f32
    %u = arith.select %c, %x, %ninf : f32
    %y = arith.mulf %u, %minus : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  // expected-remark @+1 {{not raised: the probabilities are replaced by zero under a condition other than an empty row}}
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

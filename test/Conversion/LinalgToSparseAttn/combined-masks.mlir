// Masks, biases and scales in any order become one region and one mask operand;
// combined-masks.test compares the results before and after.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --mlir-print-local-scope --split-input-file --verify-diagnostics | FileCheck %s

// Two masks that are added are one, over the dimensions of both.
// CHECK-LABEL: func.func @two_additive
// CHECK-NOT:     math.exp
// CHECK:         %[[M:.*]] = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>]
// CHECK:           arith.addf
// CHECK:         sparse_attn.attention {{.*}} mask(%[[M]] : tensor<2x8x12xf32>)
func.func @two_additive(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xf32>, %b: tensor<8x12xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<2x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %y = arith.addf %x, %a0 : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0, %b : tensor<2x8x12xf32>, tensor<8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %y = arith.addf %x, %a0 : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Kept by both.
// CHECK-LABEL: func.func @two_boolean
// CHECK:         %[[M:.*]] = linalg.generic
// CHECK:         ^bb0(%[[A:.*]]: i1, %[[B:.*]]: i1, %{{.*}}: i1):
// CHECK-NEXT:      %[[BOTH:.*]] = arith.andi %[[A]], %[[B]]
// CHECK-NEXT:      linalg.yield %[[BOTH]]
// CHECK:         sparse_attn.attention {{.*}} mask(%[[M]] : tensor<2x8x12xi1>)
func.func @two_boolean(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xi1>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<2x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0, %b : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The conjunction in the body that applies it.
// CHECK-LABEL: func.func @two_in_one_body
// CHECK:         %[[M:.*]] = linalg.generic
// CHECK:           arith.andi
// CHECK:         sparse_attn.attention {{.*}} mask(%[[M]] : tensor<2x8x12xi1>)
func.func @two_in_one_body(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xi1>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a, %b : tensor<2x8x12xf32>, tensor<2x12xi1>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %a1: i1, %init: f32):
    %c = arith.andi %a0, %a1 : i1
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A bias and padding become one float mask.
// CHECK-LABEL: func.func @bias_and_boolean
// CHECK:         ^bb0(%[[A:.*]]: f32, %[[B:.*]]: i1, %{{.*}}: f32):
// CHECK:           %[[T:.*]] = arith.select %[[B]],
// CHECK-NEXT:      arith.addf %[[A]], %[[T]]
// CHECK:         sparse_attn.attention {{.*}} mask(%{{.*}} : tensor<2x8x12xf32>)
func.func @bias_and_boolean(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xf32>, %b: tensor<2x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %y = arith.addf %x, %a0 : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0, %b : tensor<2x8x12xf32>, tensor<2x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A scale after a mask scales both.
// CHECK-LABEL: func.func @scaled_mask
// CHECK:         ^bb0(%[[A:.*]]: f32, %{{.*}}: f32):
// CHECK:           arith.mulf %[[A]], %{{.*}}
// CHECK:         sparse_attn.attention {{.*}} mask(%{{.*}} : tensor<8x12xf32>){{.*}} scale = 5.000000e-01
func.func @scaled_mask(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %y = arith.addf %x, %a0 : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %y = arith.mulf %x, %half : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// -inf stays -inf.
// CHECK-LABEL: func.func @scaled_boolean
// CHECK-NOT:     linalg.generic
// CHECK:         sparse_attn.attention {{.*}} mask(%{{.*}} : tensor<8x12xi1>){{.*}} scale = 5.000000e-01
func.func @scaled_boolean(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %y = arith.mulf %x, %half : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// So it does in the region.
// CHECK-LABEL: func.func @scaled_causal
// CHECK:         ^bb0(%[[S:.*]]: f32,
// CHECK:           %[[R:.*]] = arith.select %{{.*}}, %[[S]],
// CHECK-NEXT:      sparse_attn.yield %[[R]]
// CHECK-NEXT:    {{.*}} scale = 5.000000e-01
func.func @scaled_causal(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %c = arith.cmpi sle, %n, %m : index
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %y = arith.mulf %x, %half : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A bias of indices after a mask: the mask comes last in the region, where its
// structure shows.
// CHECK-LABEL: func.func @alibi
// CHECK:         ^bb0(%[[S:.*]]: f32,
// CHECK:           %[[B:.*]] = arith.addf %[[S]], %{{.*}}
// CHECK:           %[[R:.*]] = arith.select %{{.*}}, %[[B]],
// CHECK-NEXT:      sparse_attn.yield %[[R]]
func.func @alibi(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %c = arith.cmpi sle, %n, %m : index
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %d = arith.subi %n, %m : index
    %d32 = arith.index_cast %d : index to i32
    %f = arith.sitofp %d32 : i32 to f32
    %bias = arith.mulf %f, %half : f32
    %y = arith.addf %x, %bias : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Two masks of indices are one condition.
// CHECK-LABEL: func.func @two_regions
// CHECK:           %[[BOTH:.*]] = arith.andi
// CHECK:           arith.select %[[BOTH]]
// CHECK-NEXT:      sparse_attn.yield
func.func @two_regions(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %c = arith.cmpi sle, %n, %m : index
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %two = arith.constant 2 : index
    %c = arith.cmpi ne, %n, %two : index
    %y = arith.select %c, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Bias and mask in one tensor of the graph, as BLOOM has them, become a region.
// CHECK-LABEL: func.func @alibi_tensor
// CHECK-NOT:     mask(
// CHECK:         ^bb0(%[[S:.*]]: f32,
// CHECK:           %[[B:.*]] = arith.addf %[[S]], %{{.*}}
// CHECK:           %[[R:.*]] = arith.select %{{.*}}, %[[B]],
// CHECK-NEXT:      sparse_attn.yield %[[R]]
func.func @alibi_tensor(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %em = tensor.empty() : tensor<8x12xf32>
  %bt = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} outs(%em : tensor<8x12xf32>) {
  ^bb0(%init: f32):
    %m = linalg.index 0 : index
    %n = linalg.index 1 : index
    %d = arith.subi %n, %m : index
    %d32 = arith.index_cast %d : index to i32
    %f = arith.sitofp %d32 : i32 to f32
    %bias = arith.mulf %f, %half : f32
    %c = arith.cmpi sle, %n, %m : index
    %y = arith.select %c, %bias, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %bt : tensor<2x8x12xf32>, tensor<8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %y = arith.addf %x, %a0 : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A conjunction that is a tensor of the graph, perhaps shared by layers, stays it.
// CHECK-LABEL: func.func @two_tensors_whole
// CHECK:         %[[AB:.*]] = linalg.generic
// CHECK:         sparse_attn.attention {{.*}} mask(%[[AB]] : tensor<8x12xi1>)
func.func @two_tensors_whole(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xi1>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %em = tensor.empty() : tensor<8x12xi1>
  %ab = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} ins(%a, %b : tensor<8x12xi1>, tensor<8x12xi1>) outs(%em : tensor<8x12xi1>) {
  ^bb0(%x: i1, %z: i1, %init: i1):
    %y = arith.andi %x, %z : i1
    linalg.yield %y : i1
  } -> tensor<8x12xi1>
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %ab : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Kept by one and not dropped by the other.
// CHECK-LABEL: func.func @kept_and_dropped
// CHECK:         %[[M:.*]] = linalg.generic
// CHECK:         ^bb0(%[[KEEP:.*]]: i1, %[[DROP:.*]]: i1, %{{.*}}: i1):
// CHECK:           %[[NOT:.*]] = arith.xori %[[DROP]], %true
// CHECK-NEXT:      %[[BOTH:.*]] = arith.andi %[[KEEP]], %[[NOT]]
// CHECK-NEXT:      linalg.yield %[[BOTH]]
// CHECK:         sparse_attn.attention {{.*}} mask(%[[M]] : tensor<2x8x12xi1>)
func.func @kept_and_dropped(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xi1>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<2x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %ninf : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0, %b : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %ninf, %x : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.reduce ins(%x : tensor<2x8x12xf32>) outs(%zr : tensor<2x8xf32>) dimensions = [2]
    (%in: f32, %init: f32) {
      %y = arith.addf %in, %init : f32
      linalg.yield %y : f32
    }
  %lb = linalg.broadcast ins(%l : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %lb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// A finite fill replaces what masks before it said; fills.test compares the
// results before and after.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --mlir-print-local-scope --split-input-file --verify-diagnostics | FileCheck %s

// The same finite fill twice is that fill once: their sum would be -inf.
// CHECK-LABEL: func.func @two_fills
// CHECK:           %[[FIRST:.*]] = arith.select %{{.*}}, %{{.*}}, %[[LOW:.*]] : f32
// CHECK:           arith.select %{{.*}}, %[[FIRST]], %{{.*}} : f32
// CHECK:         sparse_attn.attention {{.*}} mask(%{{.*}} : tensor<2x8x12xf32>)
func.func @two_fills(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xi1>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
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
    %y = arith.select %a0, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0, %b : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %low : f32
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

// A fill replaces what a mask said before it: a row that both hide is a mean
// over the keys of the fill.
// CHECK-LABEL: func.func @fill_after_mask
// CHECK:         ^bb0(%[[A:[a-z0-9_]+]]: i1, %[[B:[a-z0-9_]+]]: i1,
// CHECK:           %[[FIRST:.*]] = arith.select %[[A]], %{{.*}}, %{{.*}} : f32
// CHECK:           arith.select %[[B]], %[[FIRST]], %{{.*}} : f32
// CHECK:         sparse_attn.attention {{.*}} mask(%{{.*}} : tensor<2x8x12xf32>)
func.func @fill_after_mask(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xi1>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
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
    %y = arith.select %a0, %x, %low : f32
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

// Of two different fills the later one counts.
// CHECK-LABEL: func.func @other_fill
// CHECK:         ^bb0(%[[A:[a-z0-9_]+]]: i1, %[[B:[a-z0-9_]+]]: i1,
// CHECK:           %[[LOW:.*]] = arith.constant -9.9{{.*}}E+37 : f32
// CHECK:           %[[FIRST:.*]] = arith.select %[[A]], %{{.*}}, %[[LOW]] : f32
// CHECK:           %[[LOWER:.*]] = arith.constant -2.000000e+38 : f32
// CHECK:           arith.select %[[B]], %[[FIRST]], %[[LOWER]] : f32
// CHECK:         sparse_attn.attention {{.*}} mask(%{{.*}} : tensor<2x8x12xf32>)
func.func @other_fill(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xi1>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %lower = arith.constant -2.0e+38 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<2x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0, %b : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %lower : f32
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

// The same behind a bias, as models with alibi have.
// CHECK-LABEL: func.func @fill_after_bias
// CHECK:         ^bb0(%[[A:.*]]: f32, %[[B:.*]]: i1,
// CHECK:           arith.select %[[B]], %[[A]], %{{.*}} : f32
// CHECK:         sparse_attn.attention {{.*}} mask(%{{.*}} : tensor<8x12xf32>)
func.func @fill_after_bias(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xf32>, %b: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
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
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0, %b : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %low : f32
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

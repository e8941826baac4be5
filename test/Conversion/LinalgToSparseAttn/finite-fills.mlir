// A finite fill is -inf where it is certain that every row keeps a key, and stays
// where a row may be all fills, whose result is a mean.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --split-input-file --verify-diagnostics | FileCheck %s

// Every query sees key 0.
// CHECK-LABEL: func.func @causal
// CHECK:         %[[LOW:.*]] = arith.constant 0xFF800000
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[LOW]]
func.func @causal(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
    %y = arith.select %c, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %p = linalg.softmax dimension(2) ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The first query sees no key: its result is the mean of the values.
// CHECK-LABEL: func.func @strict
// CHECK:         %[[LOW:.*]] = arith.constant -9.99999968E+37
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[LOW]]
func.func @strict(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
    %c = arith.cmpi slt, %n, %m : index
    %y = arith.select %c, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %p = linalg.softmax dimension(2) ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The last queries see keys that are not there.
// CHECK-LABEL: func.func @beyond
// CHECK:         %[[LOW:.*]] = arith.constant -9.99999968E+37
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[LOW]]
func.func @beyond(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
    %five = arith.constant 5 : index
    %d = arith.addi %m, %five : index
    %c = arith.cmpi sge, %n, %d : index
    %y = arith.select %c, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %p = linalg.softmax dimension(2) ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// What depends on the batch is not looked at.
// CHECK-LABEL: func.func @by_batch
// CHECK:         %[[LOW:.*]] = arith.constant -9.99999968E+37
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[LOW]]
func.func @by_batch(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
    %b = linalg.index 0 : index
    %d = arith.addi %m, %b : index
    %c = arith.cmpi sle, %n, %d : index
    %y = arith.select %c, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %p = linalg.softmax dimension(2) ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A condition that is not solved for the key.
// CHECK-LABEL: func.func @odd
// CHECK:         %[[LOW:.*]] = arith.constant -9.99999968E+37
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[LOW]]
func.func @odd(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
    %d = arith.muli %n, %m : index
    %seven = arith.constant 7 : index
    %c = arith.cmpi ne, %d, %seven : index
    %y = arith.select %c, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %p = linalg.softmax dimension(2) ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Key 0 is there, whatever the lengths.
// CHECK-LABEL: func.func @unknown_lengths
// CHECK:         %[[LOW:.*]] = arith.constant 0xFF800000
// CHECK:         arith.select %{{.*}}, %{{.*}}, %[[LOW]]
func.func @unknown_lengths(%q: tensor<2x?x16xf32>, %kt: tensor<2x16x?xf32>, %v: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %d1 = arith.constant 1 : index
  %d2 = arith.constant 2 : index
  %dm = tensor.dim %q, %d1 : tensor<2x?x16xf32>
  %dn = tensor.dim %kt, %d2 : tensor<2x16x?xf32>
  %e1 = tensor.empty(%dm, %dn) : tensor<2x?x?xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x?x16xf32>, tensor<2x16x?xf32>) outs(%z1 : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x?x?xf32>) outs(%e1 : tensor<2x?x?xf32>) {
  ^bb0(%x: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %c = arith.cmpi sle, %n, %m : index
    %y = arith.select %c, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x?x?xf32>
  %p = linalg.softmax dimension(2) ins(%t0 : tensor<2x?x?xf32>) outs(%e1 : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %e3 = tensor.empty(%dm) : tensor<2x?x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x?x?xf32>, tensor<2x?x4xf32>) outs(%z3 : tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  return %o : tensor<2x?x4xf32>
}

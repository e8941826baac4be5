// Score regions read tensors of the graph: lengths, slopes, documents.
// captured-tensors.test compares the results before and after.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --mlir-print-local-scope --split-input-file --verify-diagnostics | FileCheck %s

// Keys at or behind the length of their sequence are masked, as JAX writes it.
// CHECK-LABEL: func.func @lengths
// CHECK-NOT:     mask(
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[LEN:.*]] = tensor.extract %{{.*}}[%[[BATCH]]] : tensor<2xi32>
// CHECK:           %[[SEEN:.*]] = arith.cmpi slt, %{{.*}}, %[[LEN]] : i32
// CHECK:           arith.select %[[SEEN]], %[[S]], %{{.*}}
func.func @lengths(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %len: tensor<2xi32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %er1 = tensor.empty() : tensor<2x12xi1>
  %keys = linalg.generic {indexing_maps = [affine_map<(b, n) -> (b)>, affine_map<(b, n) -> (b, n)>], iterator_types = ["parallel", "parallel"]} ins(%len : tensor<2xi32>) outs(%er1 : tensor<2x12xi1>) {
  ^bb0(%l: i32, %init: i1):
    %n = linalg.index 1 : index
    %n32 = arith.index_cast %n : index to i32
    %c = arith.cmpi slt, %n32, %l : i32
    linalg.yield %c : i1
  } -> tensor<2x12xi1>
  %em = tensor.empty() : tensor<2x8x12xi1>
  %mask = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%keys : tensor<2x12xi1>) outs(%em : tensor<2x8x12xi1>) {
  ^bb0(%in: i1, %init: i1):
    linalg.yield %in : i1
  } -> tensor<2x8x12xi1>
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<2x8x12xf32>, tensor<2x8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %low : f32
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

// Alibi with a slope for each head.
// CHECK-LABEL: func.func @slopes
// CHECK-NOT:     mask(
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[SLOPE:.*]] = tensor.extract %{{.*}}[%[[BATCH]]] : tensor<2xf32>
// CHECK:           %[[BIAS:.*]] = arith.mulf %[[SLOPE]], %{{.*}}
// CHECK-NEXT:      arith.addf %[[S]], %[[BIAS]]
func.func @slopes(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %slope: tensor<2xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %slope : tensor<2x8x12xf32>, tensor<2xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %d = arith.subi %n, %m : index
    %d32 = arith.index_cast %d : index to i32
    %f = arith.sitofp %d32 : i32 to f32
    %bias = arith.mulf %a0, %f : f32
    %y = arith.addf %x, %bias : f32
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

// Queries see the keys of their document.
// CHECK-LABEL: func.func @documents
// CHECK-NOT:     mask(
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[A:.*]] = tensor.extract %{{.*}}[%[[BATCH]], %[[QUERY]]]
// CHECK:           %[[B:.*]] = tensor.extract %{{.*}}[%[[BATCH]], %[[KEY]]]
// CHECK:           arith.cmpi eq
func.func @documents(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x8xi32>, %b: tensor<2x12xi32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a, %b : tensor<2x8x12xf32>, tensor<2x8xi32>, tensor<2x12xi32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i32, %a1: i32, %init: f32):
    %five = arith.constant 5 : i32
    %d0 = arith.divsi %a0, %five : i32
    %d1 = arith.divsi %a1, %five : i32
    %c = arith.cmpi eq, %d0, %d1 : i32
    %y = arith.select %c, %x, %low : f32
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

// A temperature for each head.
// CHECK-LABEL: func.func @temperature
// CHECK-NOT:     mask(
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[T:.*]] = tensor.extract %{{.*}}[%[[BATCH]]] : tensor<2xf32>
// CHECK-NEXT:      arith.mulf %[[S]], %[[T]]
func.func @temperature(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<2xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %y = arith.mulf %x, %a0 : f32
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

// Read through a reshape, at the index that the tensor has.
// CHECK-LABEL: func.func @split_heads
// CHECK-NOT:     mask(
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[ZERO:.*]] = arith.constant 0 : index
// CHECK:           tensor.extract %{{.*}}[%[[BATCH]], %[[ZERO]]] : tensor<2x1xf32>
func.func @split_heads(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x1xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %b = tensor.collapse_shape %a [[0, 1]] : tensor<2x1xf32> into tensor<2xf32>
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %b : tensor<2x8x12xf32>, tensor<2xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: f32, %init: f32):
    %m = linalg.index 1 : index
    %n = linalg.index 2 : index
    %c = arith.cmpi sle, %n, %m : index
    %z = arith.mulf %x, %a0 : f32
    %y = arith.select %c, %z, %ninf : f32
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

// A mask over keys alone stays an operand, from whatever it is computed.
// CHECK-LABEL: func.func @padding
// CHECK:         %[[M:.*]] = linalg.generic
// CHECK:         sparse_attn.attention {{.*}} mask(%[[M]] : tensor<2x12xi1>)
func.func @padding(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<2x12xi32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %two = arith.constant 2 : i32
  %em = tensor.empty() : tensor<2x12xi1>
  %mask = linalg.generic {indexing_maps = [affine_map<(b, n) -> (b, n)>, affine_map<(b, n) -> (b, n)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<2x12xi32>) outs(%em : tensor<2x12xi1>) {
  ^bb0(%x: i32, %init: i1):
    %y = arith.cmpi sge, %x, %two : i32
    linalg.yield %y : i1
  } -> tensor<2x12xi1>
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<2x8x12xf32>, tensor<2x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
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

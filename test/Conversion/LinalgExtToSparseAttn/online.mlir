// Online attention and the division by its row sums become one attention, and
// nothing of the two is left.
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --convert-linalg-ext-to-sparse-attn --mlir-print-local-scope --split-input-file --verify-diagnostics | FileCheck %s
// CHECK-NOT: iree_linalg_ext

// As PyTorch writes it.
// CHECK-LABEL: func.func @reciprocal
// CHECK-NOT:     linalg
// CHECK:         %[[INIT:.*]] = tensor.empty() : tensor<2x8x4xf32>
// CHECK-NEXT:    %[[O:.*]] = sparse_attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : {{.*}}) outs(%[[INIT]] : {{.*}} scale = 2.500000e-01
// CHECK-NEXT:    return %[[O]]
func.func @reciprocal(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A plain quotient; maxima that start at -inf.
// CHECK-LABEL: func.func @quotient
// CHECK-NOT:     linalg
// CHECK:         %[[INIT:.*]] = tensor.empty() : tensor<2x8x4xf32>
// CHECK-NEXT:    %[[O:.*]] = sparse_attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : {{.*}}) outs(%[[INIT]] : {{.*}} scale = 2.500000e-01
// CHECK-NEXT:    return %[[O]]
func.func @quotient(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %x = arith.divf %a, %l : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The sums broadcast before the division.
// CHECK-LABEL: func.func @broadcast_sums
// CHECK-NOT:     linalg
// CHECK:         %[[INIT:.*]] = tensor.empty() : tensor<2x8x4xf32>
// CHECK-NEXT:    %[[O:.*]] = sparse_attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : {{.*}}) outs(%[[INIT]] : {{.*}} scale = 2.500000e-01
// CHECK-NEXT:    return %[[O]]
func.func @broadcast_sums(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %eb = tensor.empty() : tensor<2x8x4xf32>
  %b = linalg.broadcast ins(%r#2 : tensor<2x8xf32>) outs(%eb : tensor<2x8x4xf32>) dimensions = [2]
  %d = linalg.div ins(%r#0, %b : tensor<2x8x4xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %d : tensor<2x8x4xf32>
}

// -----

// A transpose before the division goes into the output's map.
// CHECK-LABEL: func.func @transposed
// CHECK-NOT:     linalg
// CHECK:         %[[O:.*]] = sparse_attn.attention
// CHECK-SAME:      scale = 2.500000e-01
// CHECK-NOT:     linalg
func.func @transposed(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<8x2x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %et = tensor.empty() : tensor<8x2x4xf32>
  %es = tensor.empty() : tensor<8x2xf32>
  %t = linalg.transpose ins(%r#0 : tensor<2x8x4xf32>) outs(%et : tensor<8x2x4xf32>) permutation = [1, 0, 2]
  %u = linalg.transpose ins(%r#2 : tensor<2x8xf32>) outs(%es : tensor<8x2xf32>) permutation = [1, 0]
  %eb = tensor.empty() : tensor<8x2x4xf32>
  %b = linalg.broadcast ins(%u : tensor<8x2xf32>) outs(%eb : tensor<8x2x4xf32>) dimensions = [2]
  %d = linalg.div ins(%t, %b : tensor<8x2x4xf32>, tensor<8x2x4xf32>) outs(%et : tensor<8x2x4xf32>) -> tensor<8x2x4xf32>
  return %d : tensor<8x2x4xf32>
}

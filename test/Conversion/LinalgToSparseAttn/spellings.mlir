// One attention, many spellings.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --split-input-file --verify-diagnostics --mlir-print-local-scope | FileCheck %s

// Named ops.
// CHECK-LABEL: func.func @named
// CHECK-SAME:    (%[[Q:.*]]: tensor<2x8x16xf32>, %[[K:.*]]: tensor<2x12x16xf32>, %[[V:.*]]: tensor<2x12x4xf32>)
// CHECK-NEXT:    %[[INIT:.*]] = tensor.empty() : tensor<2x8x4xf32>
// CHECK-NEXT:    %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}}) outs(%[[INIT]] :
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d3)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d2)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>
// CHECK-SAME:      scale = 1.000000e+00
// CHECK-NEXT:    return %[[O]]
func.func @named(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e0 = tensor.empty() : tensor<2x16x12xf32>
  %kt = linalg.transpose ins(%k : tensor<2x12x16xf32>) outs(%e0 : tensor<2x16x12xf32>) permutation = [0, 2, 1]
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e2 = tensor.empty() : tensor<2x8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %max = linalg.reduce { arith.maximumf } ins(%s : tensor<2x8x12xf32>) outs(%n2 : tensor<2x8xf32>) dimensions = [2]
  %maxb = linalg.broadcast ins(%max : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%d : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x12xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// linalg.softmax; scale by a splat tensor; no batch.
// CHECK-LABEL: func.func @softmax
// CHECK-SAME:    (%[[Q:.*]]: tensor<8x16xf32>, %[[K:.*]]: tensor<12x16xf32>, %[[V:.*]]: tensor<12x4xf32>)
// CHECK-NEXT:    tensor.empty
// CHECK-NEXT:    sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-SAME:      affine_map<(d0, d1, d2, d3) -> (d0, d2)>, affine_map<(d0, d1, d2, d3) -> (d3, d2)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3) -> (d3, d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1)>
// CHECK-SAME:      scale = 2.500000e-01
// CHECK-NEXT:    return
func.func @softmax(%q: tensor<8x16xf32>, %k: tensor<12x16xf32>, %v: tensor<12x4xf32>) -> tensor<8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %quarter = arith.constant dense<0.25> : tensor<8x12xf32>
  %e1 = tensor.empty() : tensor<8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%q, %k : tensor<8x16xf32>, tensor<12x16xf32>) outs(%z1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %t = linalg.mul ins(%quarter, %s : tensor<8x12xf32>, tensor<8x12xf32>) outs(%e1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %p = linalg.softmax dimension(1) ins(%t : tensor<8x12xf32>) outs(%e1 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %e3 = tensor.empty() : tensor<8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%p, %v : tensor<8x12xf32>, tensor<12x4xf32>) outs(%z3 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// -----

#q = affine_map<(b, h, m, n, k) -> (b, m, h, k)>
#k = affine_map<(b, h, m, n, k) -> (b, n, h, k)>
#s = affine_map<(b, h, m, n, k) -> (b, h, m, n)>
#row = affine_map<(b, h, m, n) -> (b, h, m)>
#all = affine_map<(b, h, m, n) -> (b, h, m, n)>
#p = affine_map<(b, m, h, d, n) -> (b, h, m, n)>
#v = affine_map<(b, m, h, d, n) -> (b, n, h, d)>
#o = affine_map<(b, m, h, d, n) -> (b, m, h, d)>

// Contractions as generics without any transpose; difference and exponential
// in one body, repeated for the sum; the reciprocal of the sum; no -inf start.
// CHECK-LABEL: func.func @fused
// CHECK-SAME:    (%[[Q:.*]]: tensor<2x?x3x16xf16>, %[[K:.*]]: tensor<2x?x3x16xf16>, %[[V:.*]]: tensor<2x?x3x16xf16>, %[[OUT:.*]]: tensor<2x?x3x16xf16>)
// CHECK-NOT:     linalg
// CHECK:         %[[LENGTH:.*]] = tensor.dim %[[Q]], %{{.*}}
// CHECK:         %[[INIT:.*]] = tensor.empty(%[[LENGTH]]) : tensor<2x?x3x16xf16>
// CHECK:         %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}}) outs(%[[INIT]] : tensor<2x?x3x16xf16>)
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5, d2, d4)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5, d2, d3)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
// CHECK-SAME:      scale = -5.000000e-01
// CHECK-NEXT:    return %[[O]]
func.func @fused(%q: tensor<2x?x3x16xf16>, %k: tensor<2x?x3x16xf16>, %v: tensor<2x?x3x16xf16>, %out: tensor<2x?x3x16xf16>) -> tensor<2x?x3x16xf16> {
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %zeroh = arith.constant 0.0 : f16
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  %lowest = arith.constant 0xFF7FFFFF : f32
  %lq = tensor.dim %q, %c1 : tensor<2x?x3x16xf16>
  %lk = tensor.dim %k, %c1 : tensor<2x?x3x16xf16>
  %es = tensor.empty(%lq, %lk) : tensor<2x3x?x?xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x3x?x?xf32>) -> tensor<2x3x?x?xf32>
  %s = linalg.generic {indexing_maps = [#k, #q, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%k, %q : tensor<2x?x3x16xf16>, tensor<2x?x3x16xf16>) outs(%zs : tensor<2x3x?x?xf32>) {
  ^bb0(%a: f16, %b: f16, %acc: f32):
    %a32 = arith.extf %a : f16 to f32
    %b32 = arith.extf %b : f16 to f32
    %ab = arith.mulf %a32, %b32 : f32
    %r = arith.addf %acc, %ab : f32
    linalg.yield %r : f32
  } -> tensor<2x3x?x?xf32>
  %er = tensor.empty(%lq) : tensor<2x3x?xf32>
  %low = linalg.fill ins(%lowest : f32) outs(%er : tensor<2x3x?xf32>) -> tensor<2x3x?xf32>
  %max = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%s : tensor<2x3x?x?xf32>) outs(%low : tensor<2x3x?xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %n = arith.negf %x : f32
    %h = arith.divf %n, %two : f32
    %r = arith.maximumf %acc, %h : f32
    linalg.yield %r : f32
  } -> tensor<2x3x?xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<2x3x?xf32>) -> tensor<2x3x?xf32>
  %sum = linalg.generic {indexing_maps = [#all, #row, #row], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%s, %max : tensor<2x3x?x?xf32>, tensor<2x3x?xf32>) outs(%zr : tensor<2x3x?xf32>) {
  ^bb0(%x: f32, %m: f32, %acc: f32):
    %n = arith.negf %x : f32
    %h = arith.divf %n, %two : f32
    %d = arith.subf %h, %m : f32
    %e = math.exp %d : f32
    %r = arith.addf %e, %acc : f32
    linalg.yield %r : f32
  } -> tensor<2x3x?xf32>
  %inv = linalg.generic {indexing_maps = [affine_map<(b, h, m) -> (b, h, m)>, affine_map<(b, h, m) -> (b, h, m)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sum : tensor<2x3x?xf32>) outs(%er : tensor<2x3x?xf32>) {
  ^bb0(%x: f32, %init: f32):
    %r = arith.divf %one, %x : f32
    linalg.yield %r : f32
  } -> tensor<2x3x?xf32>
  %ep = tensor.empty(%lq, %lk) : tensor<2x3x?x?xf16>
  %p = linalg.generic {indexing_maps = [#all, #row, #row, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %max, %inv : tensor<2x3x?x?xf32>, tensor<2x3x?xf32>, tensor<2x3x?xf32>) outs(%ep : tensor<2x3x?x?xf16>) {
  ^bb0(%x: f32, %m: f32, %i: f32, %init: f16):
    %n = arith.negf %x : f32
    %h = arith.divf %n, %two : f32
    %d = arith.subf %h, %m : f32
    %e = math.exp %d : f32
    %r = arith.mulf %i, %e : f32
    %t = arith.truncf %r : f32 to f16
    linalg.yield %t : f16
  } -> tensor<2x3x?x?xf16>
  %eo = tensor.empty(%lq) : tensor<2x?x3x16xf16>
  %zo = linalg.fill ins(%zeroh : f16) outs(%eo : tensor<2x?x3x16xf16>) -> tensor<2x?x3x16xf16>
  %o = linalg.generic {indexing_maps = [#p, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%p, %v : tensor<2x3x?x?xf16>, tensor<2x?x3x16xf16>) outs(%zo : tensor<2x?x3x16xf16>) {
  ^bb0(%a: f16, %b: f16, %acc: f16):
    %ab = arith.mulf %a, %b : f16
    %r = arith.addf %acc, %ab : f16
    linalg.yield %r : f16
  } -> tensor<2x?x3x16xf16>
  return %o : tensor<2x?x3x16xf16>
}

// -----

// No maximum is subtracted: the same function.
// CHECK-LABEL: func.func @no_maximum
// CHECK-NEXT:    tensor.empty
// CHECK-NEXT:    sparse_attn.attention
// CHECK-NEXT:    return
func.func @no_maximum(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%s : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e2 = tensor.empty() : tensor<2x8xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x12xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// One query of several heads against keys of one head for all (multi-query,
// decoding): the heads are the queries.
// CHECK-LABEL: func.func @decode
// CHECK-SAME:    (%[[Q:.*]]: tensor<4x1x16xf32>, %[[K:.*]]: tensor<12x16xf32>, %[[V:.*]]: tensor<12x4xf32>)
// CHECK-NEXT:    %[[HEADS:.*]] = tensor.collapse_shape %[[Q]] {{\[\[}}0, 1], [2]]
// CHECK-NEXT:    tensor.empty() : tensor<4x4xf32>
// CHECK-NEXT:    %[[O:.*]] = sparse_attn.attention ins(%[[HEADS]], %[[K]], %[[V]] :
// CHECK-SAME:      affine_map<(d0, d1, d2, d3) -> (d0, d2)>, affine_map<(d0, d1, d2, d3) -> (d3, d2)>,
// CHECK-SAME:      affine_map<(d0, d1, d2, d3) -> (d3, d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1)>
// CHECK-NEXT:    %[[R:.*]] = tensor.expand_shape %[[O]] {{\[\[}}0, 1], [2]] output_shape [4, 1, 4]
// CHECK-NEXT:    return %[[R]]
func.func @decode(%q: tensor<4x1x16xf32>, %k: tensor<12x16xf32>, %v: tensor<12x4xf32>) -> tensor<4x1x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ek = tensor.empty() : tensor<4x16x12xf32>
  %kt = linalg.generic {indexing_maps = [affine_map<(h, d, n) -> (n, d)>, affine_map<(h, d, n) -> (h, d, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<12x16xf32>) outs(%ek : tensor<4x16x12xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<4x16x12xf32>
  %ev = tensor.empty() : tensor<4x12x4xf32>
  %vb = linalg.broadcast ins(%v : tensor<12x4xf32>) outs(%ev : tensor<4x12x4xf32>) dimensions = [0]
  %e1 = tensor.empty() : tensor<4x1x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<4x1x12xf32>) -> tensor<4x1x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<4x1x16xf32>, tensor<4x16x12xf32>) outs(%z1 : tensor<4x1x12xf32>) -> tensor<4x1x12xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x1x12xf32>) outs(%e1 : tensor<4x1x12xf32>) -> tensor<4x1x12xf32>
  %e3 = tensor.empty() : tensor<4x1x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<4x1x4xf32>) -> tensor<4x1x4xf32>
  %o = linalg.batch_matmul ins(%p, %vb : tensor<4x1x12xf32>, tensor<4x12x4xf32>) outs(%z3 : tensor<4x1x4xf32>) -> tensor<4x1x4xf32>
  return %o : tensor<4x1x4xf32>
}

// -----

// The maximum clamped from below by -inf, which comes first.
// CHECK-LABEL: func.func @clamped
// CHECK-NEXT:    tensor.empty
// CHECK-NEXT:    sparse_attn.attention
// CHECK-NEXT:    return
func.func @clamped(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e2 = tensor.empty() : tensor<2x8xf32>
  %n2 = linalg.fill ins(%ninf : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %m = linalg.reduce { arith.maximumf } ins(%s : tensor<2x8x12xf32>) outs(%n2 : tensor<2x8xf32>) dimensions = [2]
  %max = linalg.max ins(%n2, %m : tensor<2x8xf32>, tensor<2x8xf32>) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %maxb = linalg.broadcast ins(%max : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %x = linalg.exp ins(%d : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<2x8x12xf32>) outs(%z2 : tensor<2x8xf32>) dimensions = [2]
  %sumb = linalg.broadcast ins(%sum : tensor<2x8xf32>) outs(%e1 : tensor<2x8x12xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sumb : tensor<2x8x12xf32>, tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// Masks that do not add up to one stay, with the reason.
// RUN: sparse-attn-opt %s --convert-linalg-to-sparse-attn --split-input-file --verify-diagnostics | FileCheck %s
// CHECK-NOT: sparse_attn.attention

// A fill that is scaled to a number that scores may have.
// CHECK-LABEL: func.func @scaled_fill
func.func @scaled_fill(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xi1>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.01 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %a : tensor<2x8x12xf32>, tensor<8x12xi1>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %a0: i1, %init: f32):
    %y = arith.select %a0, %x, %low : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  %t1 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %y = arith.mulf %x, %half : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  // expected-remark @+1 {{not raised: the scores are scaled after they are replaced by a finite value under a mask tensor}}
  %p = linalg.softmax dimension(2) ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A negative factor would turn -inf around.
// CHECK-LABEL: func.func @negated_mask
func.func @negated_mask(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant -0.5 : f32
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
  // expected-remark @+1 {{not raised: the scores pass through arith.mulf after a mask tensor is applied}}
  %p = linalg.softmax dimension(2) ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A cap of what is masked.
// CHECK-LABEL: func.func @cap_after_mask
func.func @cap_after_mask(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>, %a: tensor<8x12xf32>) -> tensor<2x8x4xf32> {
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
    %y = math.tanh %x : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  // expected-remark @+1 {{not raised: the scores pass through math.tanh after a mask tensor is applied}}
  %p = linalg.softmax dimension(2) ins(%t1 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A scale that f32 rounds to zero.
// CHECK-LABEL: func.func @tiny_scale
func.func @tiny_scale(%q: tensor<2x8x16xf32>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %low = arith.constant -1.0e+38 : f32
  %half = arith.constant 0.5 : f32
  %tiny = arith.constant 1.0e-30 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %t0 = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) {
  ^bb0(%x: f32, %init: f32):
    %a = arith.mulf %x, %tiny : f32
    %y = arith.mulf %a, %tiny : f32
    linalg.yield %y : f32
  } -> tensor<2x8x12xf32>
  // expected-remark @+1 {{not raised: the scale 1.000000e-60 is no f32}}
  %p = linalg.softmax dimension(2) ins(%t0 : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A tensor with an encoding, which no kernel reads.
#blocked = "row-major"
func.func @encoding(%q: tensor<2x8x16xf32, #blocked>, %kt: tensor<2x16x12xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<2x8x12xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x8x16xf32, #blocked>, tensor<2x16x12xf32>) outs(%z1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  // expected-remark @+1 {{not raised: a tensor has an encoding}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x8x12xf32>) outs(%e1 : tensor<2x8x12xf32>) -> tensor<2x8x12xf32>
  %e3 = tensor.empty() : tensor<2x8x4xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x8x12xf32>, tensor<2x12x4xf32>) outs(%z3 : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

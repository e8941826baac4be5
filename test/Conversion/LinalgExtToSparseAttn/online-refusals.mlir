// Online attention that is not divided as attention is, or starts elsewhere, or
// has a region that is no change of a score, stays with the reason.
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --convert-linalg-ext-to-sparse-attn --split-input-file --verify-diagnostics | FileCheck %s
// CHECK-NOT: sparse_attn.attention

// The accumulator goes on as it is.
func.func @undivided(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: the accumulator of the online attention is not divided by its row sums}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  return %r#0 : tensor<2x8x4xf32>
}

// -----

// Divided by the maxima.
func.func @not_the_sums(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: the accumulator of the online attention is not divided by its row sums}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#1, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The quotient of the sums and the accumulator.
func.func @sum_by_square(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: the accumulator of the online attention is not divided by its row sums}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %x = arith.divf %l, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Divided, but weighted at the same time.
func.func @weighted(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: the accumulator of the online attention is not divided by its row sums}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %d = arith.divf %a, %l : f32
    %x = arith.mulf %d, %l : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The maxima are used, for a log-sum-exp.
func.func @maxima(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>) {
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
  // expected-remark @+1 {{not raised: the row maxima of the online attention are used, by func.return}}
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
  return %o, %r#1 : tensor<2x8x4xf32>, tensor<2x8xf32>
}

// -----

// So are the sums.
func.func @sums(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>) {
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
  // expected-remark @+1 {{not raised: the row sums of the online attention have another use, by func.return}}
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
  return %o, %r#2 : tensor<2x8x4xf32>, tensor<2x8xf32>
}

// -----

// The accumulator is used undivided, too.
func.func @accumulator(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> (tensor<2x8x4xf32>, tensor<2x8x4xf32>) {
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
  // expected-remark @+1 {{not raised: the accumulator of the online attention is not divided by its row sums}}
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
  return %o, %r#0 : tensor<2x8x4xf32>, tensor<2x8x4xf32>
}

// -----

// An accumulator that starts at one.
func.func @accumulator_start(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 1.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  // expected-remark @+1 {{not raised: the accumulator of the online attention does not start at zero}}
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

// Maxima that start at zero.
func.func @maximum_start(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant 0.0 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  // expected-remark @+1 {{not raised: the row maxima of the online attention start at what may be above a score}}
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

// Sums that start at one.
func.func @sum_start(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 1.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  // expected-remark @+1 {{not raised: the row sums of the online attention do not start at zero}}
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

// Sums over the batch alone.
func.func @row_map(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: expected tensors of the indexing maps' ranks and a scalar scale}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b)>]}> ({
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

// A score that is used twice.
func.func @square(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: another tensor takes part in the scores through arith.mulf}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %x = arith.mulf %s, %s : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
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

// A region that forgets the score.
func.func @no_score(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: the score region does not compute its result from the score by arith and math}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%one) : (f32) -> ()
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

// A region with an op that is not known.
func.func @foreign(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: the score region holds test.op, which may have effects}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    "test.op"() : () -> ()
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

// A mask over an index that is none of the scores.
func.func @head_dim(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: a mask depends on an index that is no batch, query or key}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %d = "iree_linalg_ext.index"() <{dim = 3 : i64}> : () -> index
    %c = arith.constant 3 : index
    %keep = arith.cmpi slt, %d, %c : index
    %x = arith.select %keep, %s, %low : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
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

// An index without a dimension.
func.func @no_dim(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
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
  // expected-remark @+1 {{not raised: the scores are replaced under a condition in a way that is no mask}}
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %d = "iree_linalg_ext.index"() : () -> index
    %c = arith.constant 3 : index
    %keep = arith.cmpi slt, %d, %c : index
    %x = arith.select %keep, %s, %zero : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

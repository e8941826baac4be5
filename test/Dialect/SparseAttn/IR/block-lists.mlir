// Every operation around attention prints what it was read from.
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s
// RUN: sparse-attn-opt %s -mlir-print-op-generic | sparse-attn-opt | FileCheck %s

#q = affine_map<(h, m, d, k) -> (h, m, d)>
#k = affine_map<(h, m, d, k) -> (h, k, d)>
#s = affine_map<(h, m, d, k) -> (h, m, k)>

// CHECK-LABEL: @scores(
func.func @scores(%q: tensor<2x300x64xf16>, %k: tensor<2x300x64xf16>, %a: tensor<2x19x64xf32>, %b: tensor<2x3x64xf32>, %s: tensor<2x3x3xf32>) {
  // CHECK: sparse_attn.pool_tokens ins(%{{.*}} : tensor<2x300x64xf16>) outs(%{{.*}} : tensor<2x19x64xf32>) {dim = 1 : i64, tile = 16 : i64, zero_padded}
  %0 = sparse_attn.pool_tokens ins(%q : tensor<2x300x64xf16>) outs(%a : tensor<2x19x64xf32>) {dim = 1, tile = 16, zero_padded}
  // CHECK: sparse_attn.pool_tokens {{.*}} {dim = 1 : i64, tile = 128 : i64, variance}
  %1 = sparse_attn.pool_tokens ins(%q : tensor<2x300x64xf16>) outs(%b : tensor<2x3x64xf32>) {dim = 1, tile = 128, variance}
  // CHECK: sparse_attn.block_scores ins(%{{.*}}, %{{.*}} : tensor<2x300x64xf16>, tensor<2x300x64xf16>) outs(%{{.*}} : tensor<2x3x3xf32>)
  // CHECK-SAME: block = array<i64: 128, 128>{{.*}}scale = 1.250000e-01 : f64, tile = 16 : i64, zero_padded
  %2 = sparse_attn.block_scores ins(%q, %k : tensor<2x300x64xf16>, tensor<2x300x64xf16>) outs(%s : tensor<2x3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, tile = 16, block = array<i64: 128, 128>, zero_padded}
  // CHECK: sparse_attn.gaussian_scores ins({{.*}}) outs(%{{.*}} : tensor<2x3x3xf32>) {block_keys = 128 : i64, {{.*}}keys = 300 : i64
  %3 = sparse_attn.gaussian_scores ins(%b, %1, %b, %1 : tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>)
      outs(%s : tensor<2x3x3xf32>) {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, keys = 300, block_keys = 128}
  return
}

// CHECK-LABEL: @lists(
func.func @lists(%s: tensor<2x3x9xf32>, %p: tensor<2xf32>, %one: tensor<f32>, %c: tensor<2x3xi32>, %i: tensor<2x3x9xi32>) {
  // CHECK: sparse_attn.select_blocks ins(%{{.*}} : tensor<2x3x9xf32>) outs(%{{.*}}, %{{.*}} : tensor<2x3xi32>, tensor<2x3x9xi32>)
  // CHECK-SAME: dense_from = 2 : i64, forced_from = 8 : i64, selection = #sparse_attn.top_k<0.3>{{.*}} -> tensor<2x3xi32>, tensor<2x3x9xi32>
  %0:2 = sparse_attn.select_blocks ins(%s : tensor<2x3x9xf32>) outs(%c, %i : tensor<2x3xi32>, tensor<2x3x9xi32>)
      {selection = #sparse_attn.top_k<0.3>, forced_from = 8, dense_from = 2} -> tensor<2x3xi32>, tensor<2x3x9xi32>
  // CHECK: sparse_attn.select_blocks ins(%{{.*}}) value(%{{.*}} : tensor<2xf32>) {{.*}} {by_score, selection = #sparse_attn.top_p<runtime>}
  %1:2 = sparse_attn.select_blocks ins(%s : tensor<2x3x9xf32>) value(%p : tensor<2xf32>) outs(%c, %i : tensor<2x3xi32>, tensor<2x3x9xi32>)
      {selection = #sparse_attn.top_p<runtime>, by_score} -> tensor<2x3xi32>, tensor<2x3x9xi32>
  // CHECK: sparse_attn.select_blocks ins(%{{.*}}) value(%{{.*}} : tensor<f32>) {{.*}} {selection = #sparse_attn.cutoff<runtime>}
  %2:2 = sparse_attn.select_blocks ins(%s : tensor<2x3x9xf32>) value(%one : tensor<f32>) outs(%c, %i : tensor<2x3xi32>, tensor<2x3x9xi32>)
      {selection = #sparse_attn.cutoff<runtime>} -> tensor<2x3xi32>, tensor<2x3x9xi32>
  return
}

// CHECK-LABEL: @recall(
func.func @recall(%q: tensor<2x300x64xf16>, %rows: tensor<32xi32>, %n: tensor<2x32x64xf16>, %m: tensor<2x32x3xf32>, %c: tensor<2x3xi32>, %i: tensor<2x3x3xi32>, %r: tensor<2x32xf32>, %b: tensor<2xf32>) {
  // CHECK: sparse_attn.sample_tokens ins(%{{.*}}, %{{.*}} : tensor<2x300x64xf16>, tensor<32xi32>) outs(%{{.*}} : tensor<2x32x64xf16>) {dim = 1 : i64}
  %0 = sparse_attn.sample_tokens ins(%q, %rows : tensor<2x300x64xf16>, tensor<32xi32>) outs(%n : tensor<2x32x64xf16>) {dim = 1}
  // CHECK: sparse_attn.list_recall ins({{.*}}) outs(%{{.*}} : tensor<2x32xf32>) {block_rows = 128 : i64}
  %1 = sparse_attn.list_recall ins(%m, %rows, %c, %i : tensor<2x32x3xf32>, tensor<32xi32>, tensor<2x3xi32>, tensor<2x3x3xi32>)
      outs(%r : tensor<2x32xf32>) {block_rows = 128}
  // CHECK: sparse_attn.certify_recall ins(%{{.*}} : tensor<2x32xf32>) outs(%{{.*}} : tensor<2xf32>) {confidence = 0.9{{[0-9]+}} : f64}
  %2 = sparse_attn.certify_recall ins(%1 : tensor<2x32xf32>) outs(%b : tensor<2xf32>) {confidence = 0.95 : f64}
  return
}

// CHECK: attributes {a = #sparse_attn.cache<warmup = 12, interval = 12, ratios = [0.3, 0.2, 0.1], steps = 50>,
// CHECK-SAME: b = #sparse_attn.cache<warmup = 1, interval = 1, ratios = [0.2], steps = 4, target = 0.9>}
func.func private @schedules() attributes {
  a = #sparse_attn.cache<warmup = 12, interval = 12, ratios = [0.3, 0.2, 0.1], steps = 50>,
  b = #sparse_attn.cache<steps = 4, target = 0.9, ratios = [0.2], warmup = 1, interval = 1>}

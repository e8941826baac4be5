// RUN: sparse-attn-opt %s -sparse-attn-decompose-block-scores | FileCheck %s

#q = affine_map<(h, m, d, k) -> (m, h, d)>
#k = affine_map<(h, m, d, k) -> (h, k, d)>
#s = affine_map<(h, m, d, k) -> (h, m, k)>

// CHECK-LABEL: @pooled(
// CHECK: %[[Q:.*]] = sparse_attn.pool_tokens ins(%arg0 : tensor<300x2x64xf16>) outs(%{{.*}} : tensor<19x2x64xf32>) {dim = 0 : i64, tile = 16 : i64, zero_padded}
// CHECK: %[[K:.*]] = sparse_attn.pool_tokens ins(%arg1 : tensor<2x500x64xf16>) outs(%{{.*}} : tensor<2x32x64xf32>) {dim = 1 : i64, tile = 16 : i64, zero_padded}
// CHECK: %[[S:.*]] = sparse_attn.block_scores ins(%[[Q]], %[[K]] : {{.*}}) outs(%arg2 : tensor<2x3x4xf32>)
// CHECK-SAME: {block = array<i64: 8, 8>, {{.*}}scale = 1.250000e-01 : f64, zero_padded}
// CHECK: return %[[S]]
func.func @pooled(%q: tensor<300x2x64xf16>, %k: tensor<2x500x64xf16>, %o: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %s = sparse_attn.block_scores ins(%q, %k : tensor<300x2x64xf16>, tensor<2x500x64xf16>) outs(%o : tensor<2x3x4xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, tile = 16, block = array<i64: 128, 128>, zero_padded}
  return %s : tensor<2x3x4xf32>
}

// CHECK-LABEL: @single(
// CHECK-NOT: sparse_attn.pool_tokens
func.func @single(%q: tensor<300x2x64xf16>, %k: tensor<2x500x64xf16>, %o: tensor<2x300x4xf32>) -> tensor<2x300x4xf32> {
  %s = sparse_attn.block_scores ins(%q, %k : tensor<300x2x64xf16>, tensor<2x500x64xf16>) outs(%o : tensor<2x300x4xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, block = array<i64: 1, 128>}
  return %s : tensor<2x300x4xf32>
}

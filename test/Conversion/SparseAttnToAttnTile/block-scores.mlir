// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -verify-diagnostics | FileCheck %s

#q = affine_map<(h, m, d, k) -> (h, m, d)>
#k = affine_map<(h, m, d, k) -> (h, k, d)>
#s = affine_map<(h, m, d, k) -> (h, m, k)>

// Two loops over the keys: the sums of the rows, then the sums of the blocks.
// The padding counts up to whole blocks, which fill the tile: nothing is hidden.
// CHECK-LABEL: gpu.func @pooled(
// CHECK: %[[Q:.*]] = attn_tile.load
// CHECK: %[[R:.*]]:2 = scf.for
// CHECK: attn_tile.mma %[[Q]], %{{.*}} transpose_b {precision = #sparse_attn.precision<tf32x3>}
// CHECK-NOT: attn_tile.column_index
// CHECK: attn_tile.reduce_rows <max>
// CHECK: attn_tile.fold_columns <add>
// CHECK: attn_tile.reduce_rows <add> %[[R]]#1
// CHECK: scf.for
// CHECK: attn_tile.mma
// CHECK: attn_tile.store_block_sums {{.*}} block = [8, 8] : tensor<64x64xf32>, <8xf32, rows = 8>
func.func private @pooled(%q: tensor<2x20x64xf32>, %k: tensor<2x60x64xf32>, %s: tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    attributes {sparse_attn.kernel} {
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<2x20x64xf32>, tensor<2x60x64xf32>) outs(%s : tensor<2x3x8xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, block = array<i64: 8, 8>, zero_padded}
  return %0 : tensor<2x3x8xf32>
}

// CHECK-LABEL: gpu.func @rows(
// CHECK: attn_tile.column_index
// CHECK: attn_tile.row_index
// CHECK: attn_tile.store_block_sums {{.*}} block = [1, 128] : tensor<64x128xf32>, <3xf32, rows = 3>
func.func private @rows(%q: tensor<2x32x64xf16>, %k: tensor<2x300x64xf16>, %s: tensor<2x32x3xf32>) -> tensor<2x32x3xf32>
    attributes {sparse_attn.kernel} {
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<2x32x64xf16>, tensor<2x300x64xf16>) outs(%s : tensor<2x32x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, block = array<i64: 1, 128>}
  return %0 : tensor<2x32x3xf32>
}

// CHECK-LABEL: gpu.func @select(
// CHECK-NOT: attn_tile
// CHECK: nvvm.vote.sync ballot
func.func private @select(%s: tensor<2x3x4xf32>, %c: tensor<2x3xi32>, %i: tensor<2x3x4xi32>) -> (tensor<2x3xi32>, tensor<2x3x4xi32>)
    attributes {sparse_attn.kernel} {
  %0, %1 = sparse_attn.select_blocks ins(%s : tensor<2x3x4xf32>) outs(%c, %i : tensor<2x3xi32>, tensor<2x3x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<2x3xi32>, tensor<2x3x4xi32>
  return %0, %1 : tensor<2x3xi32>, tensor<2x3x4xi32>
}

// CHECK: func.func private @tile(
func.func private @tile(%q: tensor<2x20x64xf16>, %k: tensor<2x32x64xf16>, %s: tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
    attributes {sparse_attn.kernel} {
  // expected-remark @below {{not compiled: expected a tile of 1 token, found 16; run sparse-attn-decompose-block-scores first}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<2x20x64xf16>, tensor<2x32x64xf16>) outs(%s : tensor<2x2x2xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, tile = 16, block = array<i64: 16, 16>, zero_padded}
  return %0 : tensor<2x2x2xf32>
}

// CHECK: func.func private @blocks(
func.func private @blocks(%q: tensor<2x20x64xf16>, %k: tensor<2x32x64xf16>, %s: tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
    attributes {sparse_attn.kernel} {
  // expected-remark @below {{not compiled: expected blocks of 1, 2, 4 or 8 rows and of a power of 2 from 2 to 128 keys, found 16 and 16}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<2x20x64xf16>, tensor<2x32x64xf16>) outs(%s : tensor<2x2x2xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, block = array<i64: 16, 16>}
  return %0 : tensor<2x2x2xf32>
}

// CHECK: func.func private @head_dim(
func.func private @head_dim(%q: tensor<2x20x60xf16>, %k: tensor<2x32x60xf16>, %s: tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    attributes {sparse_attn.kernel} {
  // expected-remark @below {{not compiled: expected a head_dim of a multiple of 8 from 8 to 256, found 60}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<2x20x60xf16>, tensor<2x32x60xf16>) outs(%s : tensor<2x3x4xf32>)
      {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, block = array<i64: 8, 8>}
  return %0 : tensor<2x3x4xf32>
}

// CHECK: func.func private @batch(
func.func private @batch(%r: tensor<70000x4xf32>, %b: tensor<70000xf32>) -> tensor<70000xf32>
    attributes {sparse_attn.kernel} {
  // expected-remark @below {{not compiled: expected at most 65535 entries of the batch, found 70000}}
  %0 = sparse_attn.certify_recall ins(%r : tensor<70000x4xf32>) outs(%b : tensor<70000xf32>) {confidence = 0.9 : f64}
  return %0 : tensor<70000xf32>
}

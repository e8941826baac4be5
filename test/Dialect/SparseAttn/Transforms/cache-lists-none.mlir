// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics -sparse-attn-cache-lists

// expected-remark @below {{keeps no lists: no attention visits a list}}
func.func @asked(%x: tensor<64x16xf32>) -> tensor<64x16xf32>
    attributes {sparse_attn.cache = #sparse_attn.cache<warmup = 0, interval = 1, ratios = [0.25], steps = 4>} {
  return %x : tensor<64x16xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// expected-error @below {{expected a function of one block to keep its lists as state}}
func.func @two_blocks(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %ci: tensor<4xi32>, %ii: tensor<4x4xi32>) -> tensor<64x16xf32>
    attributes {sparse_attn.cache = #sparse_attn.cache<warmup = 0, interval = 1, ratios = [0.25], steps = 4>} {
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  cf.br ^end(%y : tensor<64x16xf32>)
^end(%z: tensor<64x16xf32>):
  return %z : tensor<64x16xf32>
}

// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics -sparse-attn-cache-lists=schedule=warmup=2,interval=3,ratios=0.5,steps=12

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @given(%x: tensor<64x16xf32>, %c: tensor<4xi32>, %i: tensor<4x4xi32>) -> tensor<64x16xf32> {
  %init = tensor.empty() : tensor<64x16xf32>
  // expected-error @below {{expected a block list made by one sparse_attn.select_blocks, in the function's body, to keep as state}}
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%init : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// expected-error @below {{expected a function that nothing calls, whose arguments may change, to keep its lists as state}}
func.func @called(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>) -> tensor<64x16xf32> {
  %init = tensor.empty() : tensor<64x16xf32>
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%init : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}
func.func @caller(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>) -> tensor<64x16xf32> {
  %y = call @called(%x, %s) : (tensor<64x16xf32>, tensor<4x4xf32>) -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}

// -----

// Nothing to keep.
func.func @none(%x: tensor<64x16xf32>) -> tensor<64x16xf32> {
  return %x : tensor<64x16xf32>
}

// -----

// expected-remark @below {{keeps no lists: no attention visits a list}}
func.func @asked(%x: tensor<64x16xf32>) -> tensor<64x16xf32>
    attributes {sparse_attn.cache = #sparse_attn.cache<warmup = 0, interval = 1, ratios = [0.25], steps = 4>} {
  return %x : tensor<64x16xf32>
}

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

// A flag that does nothing was meant for something else.
// expected-error @below {{expected attentions that visit lists made by a selection, to keep as state, found none}}
module {
  func.func @none(%x: tensor<64x16xf32>) -> tensor<64x16xf32> {
    return %x : tensor<64x16xf32>
  }
}

// -----

// expected-error @below {{expected #sparse_attn.cache as sparse_attn.cache, found 3 : i32}}
func.func @number(%x: tensor<64x16xf32>) -> tensor<64x16xf32> attributes {sparse_attn.cache = 3 : i32} {
  return %x : tensor<64x16xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @cutoff(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %ci: tensor<4xi32>, %ii: tensor<4x4xi32>) -> tensor<64x16xf32> {
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.cutoff<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  // expected-error @below {{expected lists of a selection whose number is a share, which the schedule's ratios replace, found #sparse_attn.cutoff<0.5>}}
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}

// -----

// What computes a list moves into a branch.
#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func private @effect() -> tensor<4x4xf32>
func.func @impure(%x: tensor<64x16xf32>, %ci: tensor<4xi32>, %ii: tensor<4x4xi32>) -> tensor<64x16xf32> {
  // expected-note @below {{the operation is here}}
  %s = call @effect() : () -> tensor<4x4xf32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  // expected-error @below {{expected a block list computed from its query and key without effects, to keep as state, found 'func.call' on the way}}
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}

// -----

// Scores of what the first attention gives, behind the second one's query.
#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
#sq = affine_map<(m, k, d) -> (m, d)>
#sk = affine_map<(m, k, d) -> (k, d)>
#ss = affine_map<(m, k, d) -> (m, k)>
func.func @upstream(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %ci: tensor<4xi32>, %ii: tensor<4x4xi32>) -> tensor<64x16xf32> {
  %c0, %i0 = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  // expected-note @below {{the operation is here}}
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c0, %i0 : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  %q2 = math.absf %y : tensor<64x16xf32>
  %s1 = sparse_attn.block_scores ins(%y, %y : tensor<64x16xf32>, tensor<64x16xf32>) outs(%s : tensor<4x4xf32>)
      {indexing_maps = [#sq, #sk, #ss], scale = 0.25 : f64, block = array<i64: 16, 16>}
  %c1, %i1 = sparse_attn.select_blocks ins(%s1 : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  // expected-error @below {{expected a block list computed from its query and key without effects, to keep as state, found 'sparse_attn.attention' on the way}}
  %z = sparse_attn.attention ins(%q2, %q2, %q2 : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c1, %i1 : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %z : tensor<64x16xf32>
}

// -----

func.func private @taken_initial_state()
#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// expected-error @below {{expected 'taken_initial_state' to be free for the first state, found a symbol}}
func.func @taken(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %ci: tensor<4xi32>, %ii: tensor<4x4xi32>) -> tensor<64x16xf32> {
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}

// Indexing maps that are no attention: one case for each sentence.
// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
func.func @too_few_maps(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected 4 indexing maps (query, key, value, output), found 3}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @too_few_maps_for_a_mask(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected 5 indexing maps (query, key, value, mask, output), found 4}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      mask(%x : tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m + 1, n)>
func.func @no_permutation(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected projected permutations of one iteration space as indexing maps}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, m)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @repeated_dimension(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected projected permutations of one iteration space as indexing maps}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k)[s] -> (m, s)>
func.func @symbol(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected projected permutations of one iteration space as indexing maps}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d) -> (m, n)>
func.func @other_space(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected projected permutations of one iteration space as indexing maps}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#scalar = affine_map<() -> ()>
func.func @scalars(%x: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{expected exactly one head_dim (query and key only) dimension, found 0}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<f32>, tensor<f32>, tensor<f32>)
      outs(%x : tensor<f32>) {indexing_maps = [#scalar, #scalar, #scalar, #scalar], scale = 1.0 : f64} -> tensor<f32>
  return %r : tensor<f32>
}

// -----

#q = affine_map<(m, n, d, e, k) -> (m, d, e)>
#k = affine_map<(m, n, d, e, k) -> (k, d, e)>
#v = affine_map<(m, n, d, e, k) -> (k, n)>
#o = affine_map<(m, n, d, e, k) -> (m, n)>
func.func @two_head_dims(%x: tensor<8x8x8xf32>, %y: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected exactly one head_dim (query and key only) dimension, found 2}}
  %r = sparse_attn.attention ins(%x, %x, %y : tensor<8x8x8xf32>, tensor<8x8x8xf32>, tensor<8x8xf32>)
      outs(%y : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @no_keys(%x: tensor<8x8xf32>, %v: tensor<8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected exactly one key (key and value only) dimension, found 0}}
  %r = sparse_attn.attention ins(%x, %x, %v : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k)>
#o = affine_map<(m, n, d, k) -> (m)>
func.func @no_value_dim(%x: tensor<8x8xf32>, %v: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{expected exactly one value head_dim (value and output only) dimension, found 0}}
  %r = sparse_attn.attention ins(%x, %x, %v : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8xf32>)
      outs(%v : tensor<8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

#q = affine_map<(b, m, n, d, k) -> (m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func @output_dim_not_in_query(%q: tensor<8x8xf32>, %x: tensor<2x8x8xf32>) -> tensor<2x8x8xf32> {
  // expected-error@+1 {{expected dimension 0 of the output in the query as well}}
  %r = sparse_attn.attention ins(%q, %x, %x : tensor<8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>)
      outs(%x : tensor<2x8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<2x8x8xf32>
  return %r : tensor<2x8x8xf32>
}

// -----

#q = affine_map<(b, n, d, k) -> (b, d)>
#k = affine_map<(b, n, d, k) -> (b, k, d)>
#v = affine_map<(b, n, d, k) -> (b, k, n)>
#o = affine_map<(b, n, d, k) -> (b, n)>
func.func @no_queries(%q: tensor<8x8xf32>, %x: tensor<8x8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected a query dimension (query and output only), found none}}
  %r = sparse_attn.attention ins(%q, %x, %x : tensor<8x8xf32>, tensor<8x8x8xf32>, tensor<8x8x8xf32>)
      outs(%q : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (m, n)>
func.func @batch_not_in_output(%x: tensor<2x8x8xf32>, %o: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected dimension 0 of the iteration space in the output}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>)
      outs(%o : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func @batch_of_keys_only(%x: tensor<2x8x8xf32>, %v: tensor<8x8xf32>) -> tensor<2x8x8xf32> {
  // expected-error@+1 {{expected batch dimension 0 in both key and value or in neither}}
  %r = sparse_attn.attention ins(%x, %x, %v : tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<8x8xf32>)
      outs(%x : tensor<2x8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<2x8x8xf32>
  return %r : tensor<2x8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#mask = affine_map<(m, n, d, k) -> (m, k + 1)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @mask_map(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected a projected permutation of the iteration space as the mask's indexing map}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      mask(%x : tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #mask, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @mask_over_head_dim(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected a mask over batch, query and key dimensions, found one over a head_dim}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      mask(%x : tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #q, #o], scale = 1.0 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @scale(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-error@+1 {{expected a finite scale}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%x : tensor<8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 0x7FF0000000000000 : f64} -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// -----

// No input tells how often to repeat.
#q = affine_map<(s, m, n, d, k) -> (m, d)>
#k = affine_map<(s, m, n, d, k) -> (k, d)>
#v = affine_map<(s, m, n, d, k) -> (k, n)>
#o = affine_map<(s, m, n, d, k) -> (s, m, n)>
func.func @dynamic_shares(%x: tensor<8x8xf32>, %o: tensor<?x8x8xf32>) -> tensor<?x8x8xf32> {
  // expected-error@+1 {{expected a static size of dimension 0, which the output alone has}}
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%o : tensor<?x8x8xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<?x8x8xf32>
  return %r : tensor<?x8x8xf32>
}

// One case for each sentence of the op's verifier.
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

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @encoding(%q: tensor<8x4xf32, "x">, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected tensors without an encoding, found "x"}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32, "x">, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @query_type(%q: tensor<8x4xf64>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected a query of f16, bf16 or f32, found 'f64'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf64>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @key_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf16>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected the element type of the query, 'f32', for the key, found 'f16'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf16>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @value_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xi32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected the element type of the query, 'f32', for the value, found 'i32'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xi32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @output_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf16>) {
  // expected-error@+1 {{expected an output of 'f32' or f32, found 'f16'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf16>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @precision(%q: tensor<8x4xf16>, %k: tensor<6x4xf16>, %v: tensor<6x5xf16>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{precision applies to f32 operands, found 'f16'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf16>, tensor<6x4xf16>, tensor<6x5xf16>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, precision = #sparse_attn.precision<tf32>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @mask_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %m: tensor<8x6xi8>) {
  // expected-error@+1 {{expected a mask of i1, f16, bf16 or f32, found 'i8'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      mask(%m : tensor<8x6xi8>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #s, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @query_rank(%q: tensor<8x4x1xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected rank 2 for the query by its indexing map, found 3}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4x1xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @key_rank(%q: tensor<8x4xf32>, %k: tensor<f32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected rank 2 for the key by its indexing map, found 0}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<f32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @value_rank(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected rank 2 for the value by its indexing map, found 1}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @output_rank(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8xf32>) {
  // expected-error@+1 {{expected rank 2 for the output by its indexing map, found 1}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @mask_rank(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %m: tensor<8xi1>) {
  // expected-error@+1 {{expected rank 2 for the mask by its indexing map, found 1}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      mask(%m : tensor<8xi1>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #s, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @key_size(%q: tensor<8x4xf32>, %k: tensor<6x7xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected size 4 of dimension 2 in the key, found 7}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x7xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @value_size(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<7x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected size 6 of dimension 3 in the value, found 7}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<7x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @output_size(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<9x5xf32>) {
  // expected-error@+1 {{expected size 8 of dimension 0 in the output, found 9}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<9x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<9x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @mask_size(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %m: tensor<8x1xi1>) {
  // expected-error@+1 {{expected size 6 of dimension 3 in the mask, found 1}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      mask(%m : tensor<8x1xi1>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #s, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @log_sum_exp_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %l: tensor<8xf16>) {
  // expected-error@+1 {{expected log_sum_exp of f32, found 'tensor<8xf16>'}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>) log_sum_exp(%l : tensor<8xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>, tensor<8xf16>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @log_sum_exp_size(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %l: tensor<7xf32>) {
  // expected-error@+1 {{expected size 8 of dimension 0 in the log_sum_exp, found 7}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>) log_sum_exp(%l : tensor<7xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>, tensor<7xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @recall_bound_rank(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %l: tensor<8x5xf32>) {
  // expected-error@+1 {{expected rank 1 for the recall_bound by its indexing map, found 2}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>) recall_bound(%l : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>, tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @decision_tile_count(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected two positive sizes (query rows, keys) for decision_tile, found [16]}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 16>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @decision_tile_sign(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected two positive sizes (query rows, keys) for decision_tile, found [16, 0]}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 16, 0>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @block_shape_sign(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected two positive sizes (query rows, keys) for block_shape, found [-4, 2]}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: -4, 2>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @block_shape_alone(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected a block list beside block_shape}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: 4, 2>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @blocks_alone(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %c: tensor<2xi32>, %i: tensor<2x3xi32>) {
  // expected-error@+1 {{expected block_shape beside a block list}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      blocks(%c, %i : tensor<2xi32>, tensor<2x3xi32>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @count_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %c: tensor<2xi64>, %i: tensor<2x3xi32>) {
  // expected-error@+1 {{expected block counts of i32, found 'i64'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      blocks(%c, %i : tensor<2xi64>, tensor<2x3xi32>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: 4, 2>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @count_rank(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %c: tensor<2x2xi32>, %i: tensor<2x3xi32>) {
  // expected-error@+1 {{expected rank 1 for block counts, found 2}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      blocks(%c, %i : tensor<2x2xi32>, tensor<2x3xi32>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: 4, 2>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @index_rank(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %c: tensor<2xi32>, %i: tensor<2xi32>) {
  // expected-error@+1 {{expected rank 2 for block indices, found 1}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      blocks(%c, %i : tensor<2xi32>, tensor<2xi32>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: 4, 2>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @index_size(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %c: tensor<2xi32>, %i: tensor<3x2xi32>) {
  // expected-error@+1 {{expected size 2 of dimension 0 of block indices, found 3}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      blocks(%c, %i : tensor<2xi32>, tensor<3x2xi32>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: 4, 2>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @block_rows(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %c: tensor<2xi32>, %i: tensor<2x3xi32>) {
  // expected-error@+1 {{expected a decision_tile whose rows divide those of block_shape, 4, found 8}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      blocks(%c, %i : tensor<2xi32>, tensor<2x3xi32>) outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: 4, 2>, decision_tile = array<i64: 8, 2>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @tile_counts_alone(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %t: tensor<2x2xi32>) {
  // expected-error@+1 {{expected a decision_tile beside tile_counts}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>) tile_counts(%t : tensor<2x2xi32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>, tensor<2x2xi32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @tile_counts_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %t: tensor<2x2xf32>) {
  // expected-error@+1 {{expected tile_counts of i32, found 'f32'}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>) tile_counts(%t : tensor<2x2xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 4, 4>} -> tensor<8x5xf32>, tensor<2x2xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @tile_counts_size(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %t: tensor<3x2xi32>) {
  // expected-error@+1 {{expected size 2 of dimension 0 of tile_counts, found 3}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>) tile_counts(%t : tensor<3x2xi32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 4, 4>} -> tensor<8x5xf32>, tensor<3x2xi32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @tile_counts_last(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %t: tensor<2x3xi32>) {
  // expected-error@+1 {{expected 2 (visited, skipped) as the last size of tile_counts, found 3}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>) tile_counts(%t : tensor<2x3xi32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 4, 4>} -> tensor<8x5xf32>, tensor<2x3xi32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @groups(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected a decision tile of a multiple of 16 keys for 8 groups, found 24}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 4, 24>, filter = #sparse_attn.recall<0.9, groups = 8>} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @results(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected one result for each init, 1, found 2}}
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>, tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @result_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected results of their inits' types, 'tensor<8x5xf32>', found 'tensor<8x6xf32>'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x6xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @filter(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+3 {{failed to satisfy constraint: a filter: #sparse_attn.dense, threshold, energy or recall}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, filter = "dense"} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @score_arguments(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected 3 arguments of the score region (score, batch indices, query, key), found 2}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      score {
      ^bb0(%s: f32, %m: index):
        sparse_attn.yield %s : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @score_type(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected the score of the region as f32, found 'f16'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      score {
      ^bb0(%h: f16, %m: index, %n: index):
        %s = arith.extf %h : f16 to f32
        sparse_attn.yield %s : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @score_index(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>) {
  // expected-error@+1 {{expected indices of the score region as index, found 'i32'}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      outs(%o : tensor<8x5xf32>)
      score {
      ^bb0(%s: f32, %m: index, %n: i32):
        sparse_attn.yield %s : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<8x5xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @score_end(%x: tensor<8x8xf32>) {
  // expected-error@+1 {{expected the score region to end in sparse_attn.yield}}
  %r = "sparse_attn.attention"(%x, %x, %x, %x) <{indexing_maps = [#q, #k, #v, #o],
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 1, 0, 0, 0>, scale = 1.0 : f64}> ({
  ^bb0(%s: f32, %m: index, %n: index):
    ub.unreachable
  }) : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @counts_alone(%x: tensor<8x8xf32>, %c: tensor<2xi32>) {
  // expected-error@+1 {{expected block counts and block indices together, found only block counts}}
  %r = "sparse_attn.attention"(%x, %x, %x, %c, %x) <{indexing_maps = [#q, #k, #v, #o],
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0, 1, 0, 0, 0>, scale = 1.0 : f64,
      block_shape = array<i64: 4, 4>}> ({
  }) : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<2xi32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @indices_alone(%x: tensor<8x8xf32>, %c: tensor<2x2xi32>) {
  // expected-error@+1 {{expected block counts and block indices together, found only block indices}}
  %r = "sparse_attn.attention"(%x, %x, %x, %c, %x) <{indexing_maps = [#q, #k, #v, #o],
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 1, 0, 0, 0>, scale = 1.0 : f64}> ({
  }) : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<2x2xi32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @stray_yield(%x: f32) {
  // expected-error@+1 {{expects parent op 'sparse_attn.attention'}}
  sparse_attn.yield %x : f32
}

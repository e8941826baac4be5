// Operands whose types or sizes do not fit: one case for each sentence.
// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics

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

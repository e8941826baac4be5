// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

func.func @dynamic(%x: tensor<2x?x64xf16>, %o: tensor<2x3x64xf32>) {
  // expected-error @below {{expected tensors of static sizes, found 'tensor<2x?x64xf16>'}}
  %0 = sparse_attn.pool_tokens ins(%x : tensor<2x?x64xf16>) outs(%o : tensor<2x3x64xf32>) {dim = 1, tile = 128}
  return
}

// -----

func.func @last(%x: tensor<2x300x64xf16>, %o: tensor<2x300x4xf32>) {
  // expected-error @below {{expected a dimension before the last one of 'tensor<2x300x64xf16>', found 2}}
  %0 = sparse_attn.pool_tokens ins(%x : tensor<2x300x64xf16>) outs(%o : tensor<2x300x4xf32>) {dim = 2, tile = 16}
  return
}

// -----

func.func @tile(%x: tensor<2x300x64xf16>, %o: tensor<2x300x64xf32>) {
  // expected-error @below {{expected a positive tile of at most 2147483647, found 0}}
  %0 = sparse_attn.pool_tokens ins(%x : tensor<2x300x64xf16>) outs(%o : tensor<2x300x64xf32>) {dim = 1, tile = 0}
  return
}

// -----

func.func @huge_tile(%x: tensor<2x300x64xf16>, %o: tensor<2x1x64xf32>) {
  // expected-error @below {{expected a positive tile of at most 2147483647, found 4294967296}}
  %0 = sparse_attn.pool_tokens ins(%x : tensor<2x300x64xf16>) outs(%o : tensor<2x1x64xf32>) {dim = 1, tile = 4294967296}
  return
}

// -----

func.func @pooled(%x: tensor<2x300x64xf16>, %o: tensor<2x18x64xf32>) {
  // expected-error @below {{expected 'tensor<2x19x64xf32>' as init, found 'tensor<2x18x64xf32>'}}
  %0 = sparse_attn.pool_tokens ins(%x : tensor<2x300x64xf16>) outs(%o : tensor<2x18x64xf32>) {dim = 1, tile = 16}
  return
}

// -----

func.func @padded_variance(%x: tensor<2x300x64xf16>, %o: tensor<2x19x64xf32>) {
  // expected-error @below {{expected a variance over the tokens there are, found 'zero_padded'}}
  %0 = sparse_attn.pool_tokens ins(%x : tensor<2x300x64xf16>) outs(%o : tensor<2x19x64xf32>) {dim = 1, tile = 16, variance, zero_padded}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @two_maps(%q: tensor<300x64xf16>, %k: tensor<300x64xf16>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected three indexing maps, for query, key and result, found 2}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x64xf16>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k], scale = 1.0 : f64, block = array<i64: 128, 128>}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (k, m)>
func.func @swapped(%q: tensor<300x64xf16>, %k: tensor<300x64xf16>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected the result's last two dimensions in the query and in the key alone, and one dimension that only query and key have}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x64xf16>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, block = array<i64: 128, 128>}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m + d, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @sum(%q: tensor<300x64xf16>, %k: tensor<300x64xf16>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected projected permutations of one iteration space as indexing maps, found affine_map<(d0, d1, d2) -> (d0 + d1, d1)>}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x64xf16>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, block = array<i64: 128, 128>}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @head_dims(%q: tensor<300x64xf16>, %k: tensor<300x32xf16>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected size 64 in dimension 1 of 'tensor<300x32xf16>', as another operand has}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x32xf16>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, block = array<i64: 128, 128>}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @types(%q: tensor<300x64xf16>, %k: tensor<300x64xf32>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected query and key of one element type, found 'tensor<300x64xf16>' and 'tensor<300x64xf32>'}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x64xf32>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, block = array<i64: 128, 128>}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @tiles(%q: tensor<300x64xf16>, %k: tensor<300x64xf16>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected blocks of whole tiles of 48 tokens, found 128}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x64xf16>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, tile = 48, block = array<i64: 128, 128>}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @blocks(%m: tensor<3x64xf32>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected 4 blocks of keys, for 400 keys in blocks of 128, found 3}}
  %0 = sparse_attn.gaussian_scores ins(%m, %m, %m, %m : tensor<3x64xf32>, tensor<3x64xf32>, tensor<3x64xf32>, tensor<3x64xf32>)
      outs(%o : tensor<3x3xf32>) {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, keys = 400, block_keys = 128}
  return
}

// -----

func.func @no_value(%s: tensor<3x9xf32>, %c: tensor<3xi32>, %i: tensor<3x9xi32>) {
  // expected-error @below {{expected a 'value' for a selection whose number is a runtime value, found none}}
  %0:2 = sparse_attn.select_blocks ins(%s : tensor<3x9xf32>) outs(%c, %i : tensor<3xi32>, tensor<3x9xi32>)
      {selection = #sparse_attn.top_k<runtime>} -> tensor<3xi32>, tensor<3x9xi32>
  return
}

// -----

func.func @two_numbers(%s: tensor<3x9xf32>, %v: tensor<f32>, %c: tensor<3xi32>, %i: tensor<3x9xi32>) {
  // expected-error @below {{expected a selection whose number is a runtime value beside 'value', found #sparse_attn.top_k<0.3>}}
  %0:2 = sparse_attn.select_blocks ins(%s : tensor<3x9xf32>) value(%v : tensor<f32>) outs(%c, %i : tensor<3xi32>, tensor<3x9xi32>)
      {selection = #sparse_attn.top_k<0.3>} -> tensor<3xi32>, tensor<3x9xi32>
  return
}

// -----

func.func @value_shape(%s: tensor<2x3x9xf32>, %v: tensor<3xf32>, %c: tensor<2x3xi32>, %i: tensor<2x3x9xi32>) {
  // expected-error @below {{expected 'tensor<2xf32>' as value, found 'tensor<3xf32>'}}
  %0:2 = sparse_attn.select_blocks ins(%s : tensor<2x3x9xf32>) value(%v : tensor<3xf32>) outs(%c, %i : tensor<2x3xi32>, tensor<2x3x9xi32>)
      {selection = #sparse_attn.top_k<runtime>} -> tensor<2x3xi32>, tensor<2x3x9xi32>
  return
}

// -----

func.func @counts(%s: tensor<3x9xf32>, %c: tensor<9xi32>, %i: tensor<3x9xi32>) {
  // expected-error @below {{expected 'tensor<3xi32>' as counts, found 'tensor<9xi32>'}}
  %0:2 = sparse_attn.select_blocks ins(%s : tensor<3x9xf32>) outs(%c, %i : tensor<9xi32>, tensor<3x9xi32>)
      {selection = #sparse_attn.top_k<0.3>} -> tensor<9xi32>, tensor<3x9xi32>
  return
}

// -----

func.func @forced(%s: tensor<3x9xf32>, %c: tensor<3xi32>, %i: tensor<3x9xi32>) {
  // expected-error @below {{expected an index of a block of at least 0, found -2}}
  %0:2 = sparse_attn.select_blocks ins(%s : tensor<3x9xf32>) outs(%c, %i : tensor<3xi32>, tensor<3x9xi32>)
      {selection = #sparse_attn.top_k<0.3>, forced_from = -2} -> tensor<3xi32>, tensor<3x9xi32>
  return
}

// -----

func.func @rows(%x: tensor<2x300x64xf16>, %rows: tensor<4x8xi32>, %o: tensor<2x32x64xf16>) {
  // expected-error @below {{expected rows of rank 1, found 'tensor<4x8xi32>'}}
  %0 = sparse_attn.sample_tokens ins(%x, %rows : tensor<2x300x64xf16>, tensor<4x8xi32>) outs(%o : tensor<2x32x64xf16>) {dim = 1}
  return
}

// -----

func.func @narrowed(%x: tensor<2x300x64xf32>, %rows: tensor<32xi32>, %o: tensor<2x32x64xf16>) {
  // expected-error @below {{expected source and init of one element type, found 'tensor<2x300x64xf32>' and 'tensor<2x32x64xf16>'}}
  %0 = sparse_attn.sample_tokens ins(%x, %rows : tensor<2x300x64xf32>, tensor<32xi32>) outs(%o : tensor<2x32x64xf16>) {dim = 1}
  return
}

// -----

func.func @masses(%m: tensor<2x16x3xf32>, %rows: tensor<32xi32>, %c: tensor<2x3xi32>, %i: tensor<2x3x3xi32>, %o: tensor<2x16xf32>) {
  // expected-error @below {{expected masses of 32 rows by blocks of keys as the last two dimensions, found 'tensor<2x16x3xf32>'}}
  %0 = sparse_attn.list_recall ins(%m, %rows, %c, %i : tensor<2x16x3xf32>, tensor<32xi32>, tensor<2x3xi32>, tensor<2x3x3xi32>)
      outs(%o : tensor<2x16xf32>) {block_rows = 128}
  return
}

// -----

func.func @other_batch(%m: tensor<2x32x3xf32>, %rows: tensor<32xi32>, %c: tensor<4x3xi32>, %i: tensor<4x3x3xi32>, %o: tensor<2x32xf32>) {
  // expected-error @below {{expected counts for the batch of the masses and at least one block of queries, and indices with one more dimension, found 'tensor<4x3xi32>' and 'tensor<4x3x3xi32>'}}
  %0 = sparse_attn.list_recall ins(%m, %rows, %c, %i : tensor<2x32x3xf32>, tensor<32xi32>, tensor<4x3xi32>, tensor<4x3x3xi32>)
      outs(%o : tensor<2x32xf32>) {block_rows = 128}
  return
}

// -----

func.func @one_sample(%r: tensor<2x1xf32>, %o: tensor<2xf32>) {
  // expected-error @below {{expected the recalls of at least two queries in the last dimension, found 'tensor<2x1xf32>'}}
  %0 = sparse_attn.certify_recall ins(%r : tensor<2x1xf32>) outs(%o : tensor<2xf32>) {confidence = 0.95 : f64}
  return
}

// -----

func.func @certain(%r: tensor<2x32xf32>, %o: tensor<2xf32>) {
  // expected-error @below {{expected a confidence between 0 and 1, found 1.000000e+00 : f64}}
  %0 = sparse_attn.certify_recall ins(%r : tensor<2x32xf32>) outs(%o : tensor<2xf32>) {confidence = 1.0 : f64}
  return
}

// -----

// expected-error @below {{expected a share of the blocks above 0 and at most 1, found 1.5}}
func.func private @share() attributes {a = #sparse_attn.top_k<1.5>}

// -----

// expected-error @below {{expected a share of the scores above 0 and at most 1, found 0}}
func.func private @mass() attributes {a = #sparse_attn.top_p<0.0>}

// -----

// expected-error @below {{expected a score of at least 0, found -1}}
func.func private @cutoff() attributes {a = #sparse_attn.cutoff<-1.0>}

// -----

// expected-error @below {{expected at least one keep ratio, found none}}
func.func private @ratios() attributes {a = #sparse_attn.cache<warmup = 1, interval = 1, ratios = [], steps = 4>}

// -----

// expected-error @below {{expected a warm-up of at least 0 steps, an interval and a number of steps of at least 1, found 1, 0 and 4}}
func.func private @interval() attributes {a = #sparse_attn.cache<warmup = 1, interval = 0, ratios = [0.2], steps = 4>}

// -----

// expected-error @below {{expected a recall as the target above 0 and at most 1, found 2}}
func.func private @target() attributes {a = #sparse_attn.cache<warmup = 1, interval = 1, ratios = [0.2], steps = 4, target = 2.0>}

// -----

// expected-error @below {{expected 'warmup', 'interval', 'ratios' and 'steps', found too few of them}}
func.func private @missing() attributes {a = #sparse_attn.cache<warmup = 1, interval = 1, ratios = [0.2]>}

// -----

// expected-error @below {{expected 'warmup', 'interval', 'ratios', 'steps' or 'target', found 'when'}}
func.func private @unknown() attributes {a = #sparse_attn.cache<when = 1>}

// -----

// expected-error @below {{expected each field once, found 'warmup' again}}
func.func private @twice() attributes {a = #sparse_attn.cache<warmup = 1, warmup = 2, interval = 1, ratios = [0.2], steps = 4>}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @rank(%q: tensor<2x300x64xf16>, %k: tensor<300x64xf16>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected a tensor of rank 2 by its indexing map, found 'tensor<2x300x64xf16>'}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<2x300x64xf16>, tensor<300x64xf16>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, block = array<i64: 128, 128>}
  return
}

// -----

#q = affine_map<(m, d, k) -> (m, d)>
#k = affine_map<(m, d, k) -> (k, d)>
#s = affine_map<(m, d, k) -> (m, k)>
func.func @one_size(%q: tensor<300x64xf16>, %k: tensor<300x64xf16>, %o: tensor<3x3xf32>) {
  // expected-error @below {{expected two sizes of a block, queries and keys, found 1}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x64xf16>) outs(%o : tensor<3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, block = array<i64: 128>}
  return
}

// -----

#q = affine_map<(b, m, d, k) -> (m, d)>
#k = affine_map<(b, m, d, k) -> (k, d)>
#s = affine_map<(b, m, d, k) -> (b, m, k)>
func.func @free_batch(%q: tensor<300x64xf16>, %k: tensor<300x64xf16>, %o: tensor<2x3x3xf32>) {
  // expected-error @below {{expected every batch dimension in query or key, found affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>}}
  %0 = sparse_attn.block_scores ins(%q, %k : tensor<300x64xf16>, tensor<300x64xf16>) outs(%o : tensor<2x3x3xf32>)
      {indexing_maps = [#q, #k, #s], scale = 1.0 : f64, block = array<i64: 128, 128>}
  return
}

// -----

func.func @no_blocks(%s: tensor<3x0xf32>, %c: tensor<3xi32>, %i: tensor<3x0xi32>) {
  // expected-error @below {{expected scores of blocks of queries by at least one block of keys as the last two dimensions, found 'tensor<3x0xf32>'}}
  %0:2 = sparse_attn.select_blocks ins(%s : tensor<3x0xf32>) outs(%c, %i : tensor<3xi32>, tensor<3x0xi32>)
      {selection = #sparse_attn.top_k<0.3>} -> tensor<3xi32>, tensor<3x0xi32>
  return
}

// -----

func.func @no_tokens(%x: tensor<0x64xf16>, %rows: tensor<32xi32>, %o: tensor<32x64xf16>) {
  // expected-error @below {{expected at least one token, found 'tensor<0x64xf16>'}}
  %0 = sparse_attn.sample_tokens ins(%x, %rows : tensor<0x64xf16>, tensor<32xi32>) outs(%o : tensor<32x64xf16>) {dim = 0}
  return
}

// Tiles, lists, filters, results and regions: one case for each sentence.
// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics

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
func.func @block_flags(%q: tensor<8x4xf32>, %k: tensor<6x4xf32>, %v: tensor<6x5xf32>, %o: tensor<8x5xf32>, %c: tensor<2xi32>, %i: tensor<2x3x4xi32>) {
  // expected-error@+1 {{expected 2 (block, flag) as the last size of block indices, found 4}}
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<8x4xf32>, tensor<6x4xf32>, tensor<6x5xf32>)
      blocks(%c, %i : tensor<2xi32>, tensor<2x3x4xi32>) outs(%o : tensor<8x5xf32>)
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

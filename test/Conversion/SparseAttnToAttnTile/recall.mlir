// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

// A row carries the mass that was skipped; a tile whose mass still fits in what
// the recall allows may go. (1 - 0.9) / 0.9, less a thousandth, is 0.111.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: gpu.func @row(
// CHECK-DAG: %[[ALLOWANCE:.*]] = arith.constant dense<1.110000e-01> : tensor<128xf32>
// CHECK-DAG: %[[NO_MAX:.*]] = arith.constant dense<0xFF800000> : tensor<128xf32>
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: %[[REAL:.*]] = arith.cmpi slt, %[[ROW]]
// CHECK: scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[MAX:.*]] = %[[NO_MAX]], %[[SKIPPED:.*]] = %{{.*}}) ->
// CHECK: %[[S:.*]] = attn_tile.mma
// CHECK: %[[S_MAX:.*]] = attn_tile.reduce_rows <max> %[[S]]
// CHECK: %[[TILE_MAX:.*]] = arith.mulf %[[S_MAX]]
// CHECK: %[[NEW_MAX:.*]] = arith.maxnumf %[[MAX]], %[[TILE_MAX]]
// CHECK: %[[P:.*]] = math.exp2 %{{.*}} : tensor<128x64xf32>
// CHECK: %[[TILE_SUM:.*]] = attn_tile.reduce_rows <add> %[[P]]
// CHECK: %[[RISE:.*]] = arith.subf %[[NEW_MAX]], %[[MAX]]
// CHECK: %[[FACTOR:.*]] = math.exp2 %[[RISE]]
// CHECK: %[[MASS:.*]] = arith.mulf %[[TILE_SUM]], %[[FACTOR]]
// CHECK: %[[WOULD_SKIP:.*]] = arith.addf %[[SKIPPED]], %[[MASS]]
// A row that has kept nothing and sees something keeps the tile.
// CHECK-DAG: %[[SEES:.*]] = arith.cmpf ogt, %[[TILE_MAX]], %[[NO_MAX]]
// CHECK-DAG: %[[EMPTY:.*]] = arith.cmpf oeq, %[[SUM]]
// CHECK: %[[FIRST:.*]] = arith.andi %[[EMPTY]], %[[SEES]]
// CHECK: %[[LIMIT:.*]] = arith.mulf %[[SUM]], %[[ALLOWANCE]]
// CHECK: %[[TOO_MUCH:.*]] = arith.cmpf ogt, %[[WOULD_SKIP]], %[[LIMIT]]
// CHECK: %[[WANTED:.*]] = arith.ori %[[TOO_MUCH]], %[[FIRST]]
// CHECK: %[[COUNTED:.*]] = arith.andi %[[WANTED]], %[[REAL]]
// CHECK: %[[KEEP:.*]] = attn_tile.any_row %[[COUNTED]]
// CHECK: scf.if %[[KEEP]]
// The exponentials are there already: only the product with the values waits.
// CHECK-NOT: tensor<128x64xf32> to tensor<128xf32>
// CHECK: %[[FALL:.*]] = arith.subf %[[MAX]], %[[NEW_MAX]]
// CHECK: %[[CORRECTION:.*]] = math.exp2 %[[FALL]]
// CHECK: %[[NEW_SUM:.*]] = math.fma %[[SUM]], %[[CORRECTION]], %[[TILE_SUM]]
// CHECK: %[[RESCALED:.*]] = arith.mulf %[[SKIPPED]], %[[CORRECTION]]
// CHECK: attn_tile.load
// CHECK: %[[WEIGHTS:.*]] = arith.truncf %[[P]]
// CHECK: %[[NEW_ACC:.*]] = attn_tile.mma %[[WEIGHTS]]
// CHECK: scf.yield %[[NEW_ACC]], %[[NEW_SUM]], %[[RESCALED]]
// CHECK: else
// CHECK: scf.yield %[[ACC]], %[[SUM]], %[[WOULD_SKIP]]
func.func private @row(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// The mean over the rows: their shares are summed. A row that must keep the tile
// has an infinite share, one past the end none.
// CHECK-LABEL: gpu.func @tile(
// CHECK-DAG: %[[NO_MAX:.*]] = arith.constant dense<0xFF800000> : tensor<128xf32>
// CHECK-DAG: %[[ALLOWANCE:.*]] = arith.constant 1.110000e-01 : f32
// CHECK-DAG: %[[INFINITY:.*]] = arith.constant dense<0x7F800000> : tensor<128xf32>
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: %[[REAL:.*]] = arith.cmpi slt, %[[ROW]]
// CHECK: scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[MAX:.*]] = %[[NO_MAX]], %[[SKIPPED:.*]] = %{{.*}}) ->
// CHECK: %[[S:.*]] = attn_tile.mma
// CHECK: %[[S_MAX:.*]] = attn_tile.reduce_rows <max> %[[S]]
// CHECK: %[[TILE_MAX:.*]] = arith.mulf %[[S_MAX]]
// CHECK: %[[NEW_MAX:.*]] = arith.maxnumf %[[MAX]], %[[TILE_MAX]]
// CHECK: %[[P:.*]] = math.exp2 %{{.*}} : tensor<128x64xf32>
// CHECK: %[[TILE_SUM:.*]] = attn_tile.reduce_rows <add> %[[P]]
// CHECK: %[[RISE:.*]] = arith.subf %[[NEW_MAX]], %[[MAX]]
// CHECK: %[[FACTOR:.*]] = math.exp2 %[[RISE]]
// CHECK: %[[MASS:.*]] = arith.mulf %[[TILE_SUM]], %[[FACTOR]]
// CHECK: %[[WOULD_SKIP:.*]] = arith.addf %[[SKIPPED]], %[[MASS]]
// A row that has kept nothing and sees something keeps the tile.
// CHECK-DAG: %[[SEES:.*]] = arith.cmpf ogt, %[[TILE_MAX]], %[[NO_MAX]]
// CHECK-DAG: %[[EMPTY:.*]] = arith.cmpf oeq, %[[SUM]]
// CHECK: %[[FIRST:.*]] = arith.andi %[[EMPTY]], %[[SEES]]
// CHECK-DAG: %[[QUOTIENT:.*]] = arith.divf %[[WOULD_SKIP]], %[[SUM]]
// CHECK-DAG: %[[NONE:.*]] = arith.cmpf oeq, %[[WOULD_SKIP]]
// CHECK: %[[SHARE:.*]] = arith.select %[[NONE]], %{{.*}}, %[[QUOTIENT]]
// CHECK: %[[FORCED:.*]] = arith.select %[[FIRST]], %[[INFINITY]], %[[SHARE]]
// CHECK: %[[LEFT:.*]] = arith.subi %{{.*}}, %{{.*}} : i32
// CHECK: %[[ROWS:.*]] = arith.minsi %[[LEFT]]
// CHECK: %[[COUNTED:.*]] = arith.select %[[REAL]], %[[FORCED]]
// CHECK-DAG: %[[ROWS_F:.*]] = arith.sitofp %[[ROWS]] : i32 to f32
// CHECK-DAG: %[[SHARES:.*]] = attn_tile.sum_rows %[[COUNTED]]
// CHECK-DAG: %[[LIMIT:.*]] = arith.mulf %[[ROWS_F]], %[[ALLOWANCE]] : f32
// CHECK: %[[KEEP:.*]] = arith.cmpf ogt, %[[SHARES]], %[[LIMIT]] : f32
// CHECK: scf.if %[[KEEP]]
func.func private @tile(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9, tile>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// The maxima of eight groups, each of them twice among sixteen columns, bound
// the mass: 64 keys / 16. The exponentials wait for the vote.
// CHECK-LABEL: gpu.func @groups(
// CHECK-DAG: %[[ALLOWANCE:.*]] = arith.constant dense<1.110000e-01> : tensor<128xf32>
// CHECK-DAG: %[[NO_MAX:.*]] = arith.constant dense<0xFF800000> : tensor<128xf32>
// CHECK-DAG: %[[PER_COLUMN:.*]] = arith.constant dense<4.000000e+00> : tensor<128xf32>
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: %[[REAL:.*]] = arith.cmpi slt, %[[ROW]]
// CHECK: scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[MAX:.*]] = %[[NO_MAX]], %[[SKIPPED:.*]] = %{{.*}}) ->
// CHECK: %[[S:.*]] = attn_tile.mma
// CHECK: %[[S_MAX:.*]] = attn_tile.reduce_rows <max> %[[S]]
// CHECK: %[[TILE_MAX:.*]] = arith.mulf %[[S_MAX]]
// CHECK: %[[NEW_MAX:.*]] = arith.maxnumf %[[MAX]], %[[TILE_MAX]]
// CHECK: %[[FOLDED:.*]] = attn_tile.fold_columns <max> %[[S]] : tensor<128x64xf32> -> tensor<128x16xf32>
// CHECK: %[[GROUPS:.*]] = attn_tile.fold_pairs <max> %[[FOLDED]]
// CHECK: %[[SHIFT:.*]] = arith.negf %[[MAX]]
// CHECK: %[[SHIFTS:.*]] = attn_tile.expand_rows %[[SHIFT]]
// CHECK: %[[EXPONENT:.*]] = math.fma %[[GROUPS]], %{{.*}}, %[[SHIFTS]]
// CHECK: %[[MASSES:.*]] = math.exp2 %[[EXPONENT]] : tensor<128x16xf32>
// CHECK: %[[TOTAL:.*]] = attn_tile.reduce_rows <add> %[[MASSES]]
// CHECK: %[[MASS:.*]] = arith.mulf %[[TOTAL]], %[[PER_COLUMN]]
// CHECK: %[[WOULD_SKIP:.*]] = arith.addf %[[SKIPPED]], %[[MASS]]
// CHECK: %[[LIMIT:.*]] = arith.mulf %[[SUM]], %[[ALLOWANCE]]
// CHECK: %[[TOO_MUCH:.*]] = arith.cmpf ogt, %[[WOULD_SKIP]], %[[LIMIT]]
// CHECK: %[[WANTED:.*]] = arith.ori %[[TOO_MUCH]], %[[FIRST]]
// CHECK: %[[COUNTED:.*]] = arith.andi %[[WANTED]], %[[REAL]]
// CHECK: %[[KEEP:.*]] = attn_tile.any_row %[[COUNTED]]
// CHECK: scf.if %[[KEEP]]
// CHECK: math.exp2 %{{.*}} : tensor<128x64xf32>
// CHECK: attn_tile.mma
// CHECK: else
// CHECK: scf.yield %[[ACC]], %[[SUM]], %[[WOULD_SKIP]]
func.func private @groups(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9, row, groups = 8>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// In the last tile, rows that see nothing have no mass.
// CHECK-LABEL: gpu.func @partial(
// CHECK-DAG: %[[NO_MAX:.*]] = arith.constant dense<0xFF800000> : tensor<128xf32>
// CHECK: scf.for
// CHECK: scf.yield
// CHECK: attn_tile.column_index
// CHECK: %[[TILE_MAX:.*]] = arith.mulf
// CHECK: %[[MASS:.*]] = arith.mulf
// CHECK: %[[HIDDEN:.*]] = arith.cmpf oeq, %[[TILE_MAX]], %[[NO_MAX]]
// CHECK: arith.select %[[HIDDEN]], %{{.*}}, %[[MASS]]
// CHECK: attn_tile.any_row
func.func private @partial(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9, row, groups = 8>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

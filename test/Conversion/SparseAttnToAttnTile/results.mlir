// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

// Each optional result has a pointer argument, in the operation's order.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// (log2 l + m) · ln 2, since maxima are in log2 units; -inf for an empty row.
// CHECK-LABEL: gpu.func @log_sum_exp(
// CHECK-SAME: %[[LSE:arg4]]: !llvm.ptr<1> {{{.*}}sparse_attn.name = "log_sum_exp"}) kernel
// CHECK-DAG: %[[LN2:.*]] = arith.constant dense<0.693147182> : tensor<128xf32>
// CHECK-DAG: %[[INF:.*]] = arith.constant dense<0xFF800000> : tensor<128xf32>
// CHECK: %[[MAIN:.*]]:3 = scf.for
// CHECK: scf.yield
// CHECK: %[[MAX:.*]] = arith.maxnumf %[[MAIN]]#2
// CHECK: %[[EMPTY:.*]] = arith.cmpf oeq
// CHECK: %[[SUM:.*]] = attn_tile.reduce_rows <add> %{{.*}} : tensor<128x8xf32>
// CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %[[SUM]]
// CHECK: %[[DIVISOR:.*]] = arith.select %[[EMPTY]], %{{.*}}, %[[SUM]]
// CHECK: attn_tile.store %{{.*}} : tensor<128x64xf16>
// CHECK: %[[LOG:.*]] = math.log2 %[[DIVISOR]]
// CHECK: %[[TOTAL:.*]] = arith.addf %[[LOG]], %[[MAX]]
// CHECK: %[[NATURAL:.*]] = arith.mulf %[[TOTAL]], %[[LN2]]
// CHECK: %[[RESULT:.*]] = arith.select %[[EMPTY]], %[[INF]], %[[NATURAL]]
// CHECK: %[[VIEW:.*]] = attn_tile.view %[[LSE]][%{{.*}}], %{{.*}} : <1> -> <1xf32, rows = 1>
// CHECK: attn_tile.store %[[RESULT]], %[[VIEW]][%{{.*}}] : tensor<128xf32>, <1xf32, rows = 1>
func.func private @log_sum_exp(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %init: tensor<4x250x64xf16>, %log_sum_exp: tensor<4x250xf32>) -> (tensor<4x250x64xf16>, tensor<4x250xf32>) attributes {sparse_attn.kernel} {
  %o:2 = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) outs(%init : tensor<4x250x64xf16>) log_sum_exp(%log_sum_exp : tensor<4x250xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>, tensor<4x250xf32>
  return %o#0, %o#1 : tensor<4x250x64xf16>, tensor<4x250xf32>
}

// Kept mass over all mass; what rounding may have lost counts as skipped. A
// filter without a bound of its own bounds the mass by keys · exp (max - m).
// CHECK-LABEL: gpu.func @bound(
// CHECK-SAME: sparse_attn.name = "recall_bound"}) kernel
// CHECK-DAG: %[[SLACK:.*]] = arith.constant dense<1.001000e+00> : tensor<128xf32>
// CHECK-DAG: %[[KEYS:.*]] = arith.constant dense<6.400000e+01> : tensor<128xf32>
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : tensor<128xf32>
// CHECK: %[[LOOP:.*]]:4 = scf.for %{{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %[[MAX:.*]] = %{{.*}}, %[[SKIPPED:.*]] = %{{.*}})
// CHECK: %[[TILE_MAX:.*]] = arith.mulf
// CHECK: %[[KEEP:.*]] = attn_tile.any_row
// CHECK: scf.if %[[KEEP]]
// CHECK: else
// CHECK: %[[EACH:.*]] = math.exp2
// CHECK: %[[MASS:.*]] = arith.mulf %[[EACH]], %[[KEYS]]
// CHECK: %[[SUM:.*]] = arith.addf %[[SKIPPED]], %[[MASS]]
// CHECK: scf.yield %{{.*}}, %{{.*}}, %[[SUM]]
// CHECK: scf.yield
// CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %[[LOOP]]#1
// CHECK: %[[DIVISOR:.*]] = arith.select %[[EMPTY]]
// CHECK: %[[LOST:.*]] = arith.mulf %[[LOOP]]#3, %[[SLACK]]
// CHECK: %[[ALL:.*]] = arith.addf %[[DIVISOR]], %[[LOST]]
// CHECK: %[[SHARE:.*]] = arith.divf %[[LOOP]]#1, %[[ALL]]
// CHECK: %[[BOUND:.*]] = arith.select %[[EMPTY]], %[[ONE]], %[[SHARE]]
// CHECK: attn_tile.store %[[BOUND]]
func.func private @bound(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>, %recall_bound: tensor<4x256xf32>) -> (tensor<4x256x64xf16>, tensor<4x256xf32>) attributes {sparse_attn.kernel} {
  %o:2 = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>) recall_bound(%recall_bound : tensor<4x256xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.threshold<0.1>, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>, tensor<4x256xf32>
  return %o#0, %o#1 : tensor<4x256x64xf16>, tensor<4x256xf32>
}

// The last tile has fewer keys.
// CHECK-LABEL: gpu.func @bound_of_tail(
// CHECK-DAG: %[[LEFT:.*]] = arith.constant dense<8.000000e+00> : tensor<128xf32>
// CHECK-DAG: %[[INF:.*]] = arith.constant dense<0xFF800000> : tensor<128xf32>
// CHECK: scf.for
// CHECK: scf.if
// CHECK: scf.if
// CHECK: else
// CHECK: %[[MASS:.*]] = arith.mulf %{{.*}}, %[[LEFT]]
// CHECK: %[[HIDDEN:.*]] = arith.cmpf oeq, %{{.*}}, %[[INF]]
// CHECK: %[[SEEN:.*]] = arith.select %[[HIDDEN]], %{{.*}}, %[[MASS]]
// CHECK: arith.addf %{{.*}}, %[[SEEN]]
func.func private @bound_of_tail(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %init: tensor<4x250x64xf16>, %recall_bound: tensor<4x250xf32>) -> (tensor<4x250x64xf16>, tensor<4x250xf32>) attributes {sparse_attn.kernel} {
  %o:2 = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) outs(%init : tensor<4x250x64xf16>) recall_bound(%recall_bound : tensor<4x250xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.threshold<0.1>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>, tensor<4x250xf32>
  return %o#0, %o#1 : tensor<4x250x64xf16>, tensor<4x250xf32>
}

// Nothing is skipped: all mass is kept.
// CHECK-LABEL: gpu.func @bound_of_dense(
// CHECK: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : tensor<128xf32>
// CHECK: attn_tile.store %[[ONE]], %{{.*}} : tensor<128xf32>
func.func private @bound_of_dense(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %init: tensor<4x250x64xf16>, %recall_bound: tensor<4x250xf32>) -> (tensor<4x250x64xf16>, tensor<4x250xf32>) attributes {sparse_attn.kernel} {
  %o:2 = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) outs(%init : tensor<4x250x64xf16>) recall_bound(%recall_bound : tensor<4x250xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>, tensor<4x250xf32>
  return %o#0, %o#1 : tensor<4x250x64xf16>, tensor<4x250xf32>
}

// Tiles visited and tiles skipped, side by side for each query tile.
// CHECK-LABEL: gpu.func @counts(
// CHECK-SAME: %[[COUNTS:arg4]]: !llvm.ptr<1> {{{.*}}sparse_attn.name = "tile_counts"}) kernel
// CHECK-DAG: %[[VISITED:.*]] = arith.constant 4 : i32
// CHECK-DAG: %[[NONE:.*]] = arith.constant 0 : i32
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : i32
// CHECK-DAG: %[[TWO64:.*]] = arith.constant 2 : i64
// CHECK-DAG: %[[ONE64:.*]] = arith.constant 1 : i64
// CHECK: %[[X:.*]] = gpu.block_id x
// CHECK: %[[QUERY_TILE:.*]] = arith.index_cast %[[X]]
// CHECK: %[[Y:.*]] = gpu.block_id y
// CHECK: %[[BATCH:.*]] = arith.index_cast %[[Y]]
// CHECK: %[[B64:.*]] = arith.extsi %[[BATCH]]
// CHECK: %[[LOOP:.*]]:4 = scf.for %{{.*}} iter_args({{.*}}, %[[SKIPPED:.*]] = %[[NONE]]) ->
// CHECK: else
// CHECK: %[[MORE:.*]] = arith.addi %[[SKIPPED]], %[[ONE]]
// CHECK: scf.yield %{{.*}}, %[[MORE]]
// CHECK: %[[G:.*]] = gpu.grid_dim x
// CHECK: %[[TILES:.*]] = arith.index_cast %[[G]]
// CHECK: %[[T64:.*]] = arith.extsi %[[TILES]]
// CHECK: %[[BEFORE:.*]] = arith.muli %[[B64]], %[[T64]]
// CHECK: %[[Q64:.*]] = arith.extsi %[[QUERY_TILE]]
// CHECK: %[[ENTRY:.*]] = arith.addi %[[BEFORE]], %[[Q64]]
// CHECK: %[[INDEX:.*]] = arith.muli %[[ENTRY]], %[[TWO64]]
// CHECK: attn_tile.store_scalar %[[VISITED]], %[[COUNTS]][%[[INDEX]]] : i32
// CHECK: %[[NEXT:.*]] = arith.addi %[[INDEX]], %[[ONE64]]
// CHECK: attn_tile.store_scalar %[[LOOP]]#3, %[[COUNTS]][%[[NEXT]]] : i32
func.func private @counts(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>, %tile_counts: tensor<4x2x2xi32>) -> (tensor<4x250x64xf16>, tensor<4x2x2xi32>) attributes {sparse_attn.kernel} {
  %o:2 = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>) tile_counts(%tile_counts : tensor<4x2x2xi32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.threshold<0.1>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>, tensor<4x2x2xi32>
  return %o#0, %o#1 : tensor<4x250x64xf16>, tensor<4x2x2xi32>
}

// Dense attention visits them all, the last of them in part.
// CHECK-LABEL: gpu.func @all(
// CHECK-SAME: %[[LSE:arg4]]: {{[^%]*}}"log_sum_exp"}
// CHECK-SAME: %[[BOUND:arg5]]: {{[^%]*}}"recall_bound"}
// CHECK-SAME: %[[COUNTS:arg6]]: {{[^%]*}}"tile_counts"}) kernel
// CHECK-DAG: %[[VISITED:.*]] = arith.constant 4 : i32
// CHECK-DAG: %[[NONE:.*]] = arith.constant 0 : i32
// CHECK: attn_tile.view %[[LSE]]
// CHECK: attn_tile.view %[[BOUND]]
// CHECK: attn_tile.store_scalar %[[VISITED]], %[[COUNTS]]
// CHECK: attn_tile.store_scalar %[[NONE]], %[[COUNTS]]
func.func private @all(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %init: tensor<4x250x64xf16>, %log_sum_exp: tensor<4x250xf32>, %recall_bound: tensor<4x250xf32>, %tile_counts: tensor<4x2x2xi32>) -> (tensor<4x250x64xf16>, tensor<4x250xf32>, tensor<4x250xf32>, tensor<4x2x2xi32>) attributes {sparse_attn.kernel} {
  %o:4 = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) outs(%init : tensor<4x250x64xf16>) log_sum_exp(%log_sum_exp : tensor<4x250xf32>) recall_bound(%recall_bound : tensor<4x250xf32>) tile_counts(%tile_counts : tensor<4x2x2xi32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>, tensor<4x250xf32>, tensor<4x250xf32>, tensor<4x2x2xi32>
  return %o#0, %o#1, %o#2, %o#3 : tensor<4x250x64xf16>, tensor<4x250xf32>, tensor<4x250xf32>, tensor<4x2x2xi32>
}

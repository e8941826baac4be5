// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

// What the rows vote on, and what a skipped tile saves. Rows past the end of
// the queries have no vote. Limits are in log2 units.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: gpu.func @threshold(
// CHECK-DAG: %[[LIMIT:.*]] = arith.constant dense<-3.32192802> : tensor<128xf32>
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: %[[REAL:.*]] = arith.cmpi slt, %[[ROW]]
// CHECK: scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[MAX:.*]] = %{{.*}}) ->
// CHECK: %[[S:.*]] = attn_tile.mma
// CHECK: %[[S_MAX:.*]] = attn_tile.reduce_rows <max> %[[S]]
// CHECK: %[[TILE_MAX:.*]] = arith.mulf %[[S_MAX]]
// CHECK: %[[NEW_MAX:.*]] = arith.maxnumf %[[MAX]], %[[TILE_MAX]]
// CHECK: %[[DISTANCE:.*]] = arith.subf %[[TILE_MAX]], %[[MAX]]
// CHECK: %[[FAR:.*]] = arith.cmpf oge, %[[DISTANCE]], %[[LIMIT]]
// CHECK: %[[WANTED:.*]] = arith.andi %[[FAR]], %[[REAL]]
// CHECK: %[[KEEP:.*]] = attn_tile.any_row %[[WANTED]]
// CHECK: arith.select %[[KEEP]], %[[NEW_MAX]], %[[MAX]]
// CHECK: %[[KEPT:.*]]:2 = scf.if %[[KEEP]]
// The exponentials, the values and their product wait for the vote.
// CHECK: math.exp2 %{{.*}} : tensor<128x64xf32>
// CHECK: %[[TILE_SUM:.*]] = attn_tile.reduce_rows <add>
// CHECK: %[[NEW_SUM:.*]] = math.fma %[[SUM]], %{{.*}}, %[[TILE_SUM]]
// CHECK: attn_tile.load
// CHECK: %[[NEW_ACC:.*]] = attn_tile.mma
// CHECK: scf.yield %[[NEW_ACC]], %[[NEW_SUM]]
// CHECK: else
// CHECK-NEXT: scf.yield %[[ACC]], %[[SUM]]
func.func private @threshold(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.threshold<0.1>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// log2 (12.5 / 256).
// CHECK-LABEL: gpu.func @threshold_by_keys(
// CHECK-DAG: %[[LIMIT:.*]] = arith.constant dense<-4.35614395> : tensor<128xf32>
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: %[[REAL:.*]] = arith.cmpi slt, %[[ROW]]
// CHECK: scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[MAX:.*]] = %{{.*}}) ->
// CHECK: %[[DISTANCE:.*]] = arith.subf %{{.*}}, %[[MAX]]
// CHECK: %[[FAR:.*]] = arith.cmpf oge, %[[DISTANCE]], %[[LIMIT]]
// CHECK: %[[WANTED:.*]] = arith.andi %[[FAR]], %[[REAL]]
// CHECK: attn_tile.any_row %[[WANTED]]
func.func private @threshold_by_keys(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.threshold<12.5 / keys>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// Against the logarithm of the mass kept so far.
// CHECK-LABEL: gpu.func @energy(
// CHECK-DAG: %[[LIMIT:.*]] = arith.constant dense<-8.656170e+00> : tensor<128xf32>
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: %[[REAL:.*]] = arith.cmpi slt, %[[ROW]]
// CHECK: scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[MAX:.*]] = %{{.*}}) ->
// CHECK: %[[DISTANCE:.*]] = arith.subf %{{.*}}, %[[MAX]]
// CHECK: %[[LOG:.*]] = math.log2 %[[SUM]]
// CHECK: %[[BELOW:.*]] = arith.subf %[[DISTANCE]], %[[LOG]]
// CHECK: %[[FAR:.*]] = arith.cmpf oge, %[[BELOW]], %[[LIMIT]]
// CHECK: %[[WANTED:.*]] = arith.andi %[[FAR]], %[[REAL]]
// CHECK: %[[KEEP:.*]] = attn_tile.any_row %[[WANTED]]
// CHECK: scf.if %[[KEEP]]
func.func private @energy(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.energy<-6.0>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// log2 (1.5 · 64 / 256).
// CHECK-LABEL: gpu.func @energy_budget(
// CHECK-DAG: %[[LIMIT:.*]] = arith.constant dense<-1.41503763> : tensor<128xf32>
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: %[[REAL:.*]] = arith.cmpi slt, %[[ROW]]
// CHECK: scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[MAX:.*]] = %{{.*}}) ->
// CHECK: %[[DISTANCE:.*]] = arith.subf %{{.*}}, %[[MAX]]
// CHECK: %[[LOG:.*]] = math.log2 %[[SUM]]
// CHECK: %[[BELOW:.*]] = arith.subf %[[DISTANCE]], %[[LOG]]
// CHECK: %[[FAR:.*]] = arith.cmpf oge, %[[BELOW]], %[[LIMIT]]
// CHECK: %[[WANTED:.*]] = arith.andi %[[FAR]], %[[REAL]]
// CHECK: %[[KEEP:.*]] = attn_tile.any_row %[[WANTED]]
// CHECK: scf.if %[[KEEP]]
func.func private @energy_budget(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.energy<budget = 1.5>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// A length that is known at run time.
// CHECK-LABEL: gpu.func @dynamic(
// CHECK-DAG: %[[A:.*]] = arith.constant 3.64385629 : f32
// CHECK: %[[KEYS:.*]] = arith.sitofp %arg5 : i32 to f32
// CHECK: %[[LOG:.*]] = math.log2 %[[KEYS]] : f32
// CHECK: %[[LIMIT:.*]] = arith.subf %[[A]], %[[LOG]] : f32
// CHECK: %[[LIMITS:.*]] = tensor.splat %[[LIMIT]]
// CHECK: arith.cmpf oge, %{{.*}}, %[[LIMITS]]
func.func private @dynamic(%q: tensor<4x?x64xf16>, %k: tensor<4x?x64xf16>, %v: tensor<4x?x64xf16>, %init: tensor<4x?x64xf16>) -> tensor<4x?x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x?x64xf16>, tensor<4x?x64xf16>, tensor<4x?x64xf16>) outs(%init : tensor<4x?x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.threshold<12.5 / keys>, decision_tile = array<i64: 128, 64>} -> tensor<4x?x64xf16>
  return %o : tensor<4x?x64xf16>
}

// Full query tiles need no row numbers.
// CHECK-LABEL: gpu.func @whole_rows(
// CHECK-NOT: row_index
// CHECK: %[[FAR:.*]] = arith.cmpf oge
// CHECK-NEXT: attn_tile.any_row %[[FAR]]
func.func private @whole_rows(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.threshold<0.1>, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

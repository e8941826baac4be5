// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// Keys that fill whole tiles need one loop, which compares no index.
// CHECK: module attributes {gpu.container_module}
// CHECK-LABEL: gpu.module @whole_tiles {
// CHECK-NEXT: gpu.func @whole_tiles(
// CHECK-SAME: %[[Q:arg0]]: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias, sparse_attn.name = "query"}
// CHECK-SAME: %[[K:arg1]]: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias, sparse_attn.name = "key"}
// CHECK-SAME: %[[V:arg2]]: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias, sparse_attn.name = "value"}
// CHECK-SAME: %[[O:arg3]]: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias, sparse_attn.name = "output"}) kernel {
// CHECK-DAG: %[[LENGTH:.*]] = arith.constant 256 : i32
// CHECK-DAG: %[[HEADS:.*]] = arith.constant 4 : i32
// CHECK-DAG: %[[ROWS:.*]] = arith.constant 128 : i32
// CHECK-DAG: %[[BEGIN:.*]] = arith.constant 0 : i32
// CHECK-DAG: %[[KEYS:.*]] = arith.constant 64 : i32
// CHECK-DAG: %[[OUTER_STRIDE:.*]] = arith.constant 65536 : i64
// CHECK-DAG: %[[HEAD_STRIDE:.*]] = arith.constant 16384 : i64
// What a row carries: accumulator, sum spread over eight columns, maximum.
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<128x64xf32>
// CHECK-DAG: %[[NO_SUM:.*]] = arith.constant dense<0.000000e+00> : tensor<128x8xf32>
// CHECK-DAG: %[[NO_MAX:.*]] = arith.constant dense<0xFF800000> : tensor<128xf32>
// The scale lies in the exponent: 0.125 · log2 e.
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<0.180336878> : tensor<128xf32>
// CHECK-DAG: %[[SCALE_TILE:.*]] = arith.constant dense<0.180336878> : tensor<128x64xf32>
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : tensor<128xf32>
// CHECK-DAG: %[[NONE:.*]] = arith.constant dense<0.000000e+00> : tensor<128xf32>
// The block's query tile and batch entry.
// CHECK: %[[X:.*]] = gpu.block_id x
// CHECK-NEXT: %[[QUERY_TILE:.*]] = arith.index_cast %[[X]]
// CHECK-NEXT: %[[FIRST:.*]] = arith.muli %[[QUERY_TILE]], %[[ROWS]]
// CHECK-NEXT: %[[Y:.*]] = gpu.block_id y
// CHECK-NEXT: %[[BATCH:.*]] = arith.index_cast %[[Y]]
// CHECK-NEXT: %[[HEAD:.*]] = arith.remsi %[[BATCH]], %[[HEADS]]
// CHECK-NEXT: %[[OUTER:.*]] = arith.divsi %[[BATCH]], %[[HEADS]]
// CHECK-NEXT: %[[OUTER64:.*]] = arith.extsi %[[OUTER]]
// CHECK-NEXT: %[[OUTER_OFFSET:.*]] = arith.muli %[[OUTER64]], %[[OUTER_STRIDE]]
// CHECK-NEXT: %[[HEAD64:.*]] = arith.extsi %[[HEAD]]
// CHECK-NEXT: %[[HEAD_OFFSET:.*]] = arith.muli %[[HEAD64]], %[[HEAD_STRIDE]]
// CHECK-NEXT: %[[OFFSET:.*]] = arith.addi %[[OUTER_OFFSET]], %[[HEAD_OFFSET]]
// CHECK-NEXT: %[[Q_VIEW:.*]] = attn_tile.view %[[Q]][%[[OFFSET]]], %[[LENGTH]] : <1> -> <64xf16, rows = 64>
// CHECK-NEXT: %[[Q_TILE:.*]] = attn_tile.load %[[Q_VIEW]][%[[FIRST]]] : <64xf16, rows = 64> -> tensor<128x64xf16>
// CHECK-NEXT: %[[K_VIEW:.*]] = attn_tile.view %[[K]][%[[OFFSET]]], %[[LENGTH]]
// CHECK-NEXT: %[[V_VIEW:.*]] = attn_tile.view %[[V]][%[[OFFSET]]], %[[LENGTH]]
// CHECK-NEXT: %[[LOOP:.*]]:3 = scf.for %[[KEY:.*]] = %[[BEGIN]] to %[[LENGTH]] step %[[KEYS]]
// CHECK-SAME: iter_args(%[[ACC:.*]] = %[[ZERO]], %[[SUM:.*]] = %[[NO_SUM]], %[[MAX:.*]] = %[[NO_MAX]])
// CHECK-NEXT: %[[K_TILE:.*]] = attn_tile.load %[[K_VIEW]][%[[KEY]]] in_bounds
// CHECK-NEXT: %[[S:.*]] = attn_tile.mma %[[Q_TILE]], %[[K_TILE]], %[[ZERO]] transpose_b : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
// CHECK-NEXT: %[[S_MAX:.*]] = attn_tile.reduce_rows <max> %[[S]]
// CHECK-NEXT: %[[TILE_MAX:.*]] = arith.mulf %[[S_MAX]], %[[SCALE]]
// CHECK-NEXT: %[[NEW_MAX:.*]] = arith.maxnumf %[[MAX]], %[[TILE_MAX]]
// CHECK-NEXT: %[[FALL:.*]] = arith.subf %[[MAX]], %[[NEW_MAX]]
// CHECK-NEXT: %[[CORRECTION:.*]] = math.exp2 %[[FALL]]
// CHECK-NEXT: %[[SHIFT:.*]] = arith.negf %[[NEW_MAX]]
// CHECK-NEXT: %[[SHIFT_TILE:.*]] = attn_tile.expand_rows %[[SHIFT]]
// CHECK-NEXT: %[[EXPONENT:.*]] = math.fma %[[S]], %[[SCALE_TILE]], %[[SHIFT_TILE]]
// CHECK-NEXT: %[[P:.*]] = math.exp2 %[[EXPONENT]]
// CHECK-DAG: %[[PART:.*]] = attn_tile.fold_columns <add> %[[P]] : tensor<128x64xf32> -> tensor<128x8xf32>
// CHECK-DAG: %[[CORRECTION_8:.*]] = attn_tile.expand_rows %[[CORRECTION]] : tensor<128xf32> -> tensor<128x8xf32>
// CHECK: %[[NEW_SUM:.*]] = math.fma %[[SUM]], %[[CORRECTION_8]], %[[PART]]
// CHECK-NEXT: %[[CORRECTION_TILE:.*]] = attn_tile.expand_rows %[[CORRECTION]] : tensor<128xf32> -> tensor<128x64xf32>
// CHECK-NEXT: %[[RESCALED:.*]] = arith.mulf %[[ACC]], %[[CORRECTION_TILE]]
// CHECK-NEXT: %[[V_TILE:.*]] = attn_tile.load %[[V_VIEW]][%[[KEY]]] in_bounds
// CHECK-NEXT: %[[WEIGHTS:.*]] = arith.truncf %[[P]] : tensor<128x64xf32> to tensor<128x64xf16>
// CHECK-NEXT: %[[NEW_ACC:.*]] = attn_tile.mma %[[WEIGHTS]], %[[V_TILE]], %[[RESCALED]] : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
// CHECK-NEXT: scf.yield %[[NEW_ACC]], %[[NEW_SUM]], %[[NEW_MAX]]
// CHECK-NEXT: }
// An empty row is divided by 1.
// CHECK-NEXT: %[[TOTAL:.*]] = attn_tile.reduce_rows <add> %[[LOOP]]#1
// CHECK-NEXT: %[[EMPTY:.*]] = arith.cmpf oeq, %[[TOTAL]], %[[NONE]]
// CHECK-NEXT: %[[DIVISOR:.*]] = arith.select %[[EMPTY]], %[[ONE]], %[[TOTAL]]
// CHECK-NEXT: %[[INVERSE:.*]] = arith.divf %[[ONE]], %[[DIVISOR]]
// CHECK-NEXT: %[[INVERSE_TILE:.*]] = attn_tile.expand_rows %[[INVERSE]]
// CHECK-NEXT: %[[RESULT:.*]] = arith.mulf %[[LOOP]]#0, %[[INVERSE_TILE]]
// CHECK-NEXT: %[[NARROW:.*]] = arith.truncf %[[RESULT]]
// CHECK-NEXT: %[[O_VIEW:.*]] = attn_tile.view %[[O]][%[[OFFSET]]], %[[LENGTH]]
// CHECK-NEXT: attn_tile.store %[[NARROW]], %[[O_VIEW]][%[[FIRST]]]
// CHECK-NEXT: gpu.return
func.func private @whole_tiles(%q: tensor<2x4x256x64xf16>, %k: tensor<2x4x256x64xf16>, %v: tensor<2x4x256x64xf16>, %init: tensor<2x4x256x64xf16>) -> tensor<2x4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x4x256x64xf16>, tensor<2x4x256x64xf16>, tensor<2x4x256x64xf16>) outs(%init : tensor<2x4x256x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<2x4x256x64xf16>
  return %o : tensor<2x4x256x64xf16>
}

// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -cse | FileCheck %s

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// The last 16 of 144 keys run in a loop of their own, which hides what lies
// behind them and guards against rows that have seen nothing.
// CHECK-LABEL: gpu.func @tail(
// CHECK: %[[LENGTH:.*]] = arith.constant 144 : i32
// CHECK: %[[FULL:.*]] = arith.constant 128 : i32
// CHECK: %[[MAIN:.*]]:3 = scf.for %{{.*}} = %{{.*}} to %[[FULL]] step
// CHECK-NOT: column_index
// CHECK: scf.yield
// CHECK: scf.for %[[KEY:.*]] = %[[FULL]] to %[[LENGTH]] step %{{.*}} iter_args(%{{.*}} = %[[MAIN]]#0, %{{.*}} = %[[MAIN]]#1, %[[MAX:.*]] = %[[MAIN]]#2)
// CHECK-NEXT: attn_tile.load %{{.*}}[%[[KEY]]] :
// CHECK: %[[S:.*]] = attn_tile.mma
// CHECK-DAG: %[[COLUMN:.*]] = attn_tile.column_index %[[KEY]] : tensor<64x64xi32>
// CHECK-DAG: %[[LIMIT:.*]] = tensor.splat %[[LENGTH]]
// CHECK: %[[INSIDE:.*]] = arith.cmpi slt, %[[COLUMN]], %[[LIMIT]]
// CHECK: %[[MASKED:.*]] = arith.select %[[INSIDE]], %[[S]], %{{.*}}
// CHECK: attn_tile.reduce_rows <max> %[[MASKED]]
// CHECK: %[[NEW_MAX:.*]] = arith.maxnumf %[[MAX]]
// CHECK: %[[NOTHING:.*]] = arith.cmpf oeq, %[[NEW_MAX]]
// CHECK: %[[SAFE:.*]] = arith.select %[[NOTHING]], %{{.*}}, %[[NEW_MAX]]
// CHECK: arith.subf %[[MAX]], %[[SAFE]]
// CHECK: arith.negf %[[SAFE]]
// CHECK: attn_tile.load %{{.*}}[%[[KEY]]] :
// CHECK: scf.yield %{{.*}}, %{{.*}}, %[[NEW_MAX]]
func.func private @tail(%q: tensor<4x40x64xbf16>, %k: tensor<4x144x64xbf16>, %v: tensor<4x144x128xbf16>, %init: tensor<4x40x128xf32>) -> tensor<4x40x128xf32> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x40x64xbf16>, tensor<4x144x64xbf16>, tensor<4x144x128xbf16>) outs(%init : tensor<4x40x128xf32>)
      {indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> (b, m, n)>],
       scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x40x128xf32>
  return %o : tensor<4x40x128xf32>
}

// Fewer keys than a tile: that loop alone.
// CHECK-LABEL: gpu.func @short(
// CHECK: %[[LENGTH:.*]] = arith.constant 9 : i32
// CHECK: %[[BEGIN:.*]] = arith.constant 0 : i32
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[LENGTH]]
// CHECK: arith.cmpi slt
// CHECK-NOT: scf.for
// f32 is stored as it is.
// CHECK-NOT: arith.truncf
// CHECK: gpu.return
func.func private @short(%q: tensor<1x1x9x32xf32>, %k: tensor<1x1x9x32xf32>, %v: tensor<1x1x9x32xf32>, %init: tensor<1x1x9x32xf32>) -> tensor<1x1x9x32xf32> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x1x9x32xf32>, tensor<1x1x9x32xf32>, tensor<1x1x9x32xf32>) outs(%init : tensor<1x1x9x32xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<1x1x9x32xf32>
  return %o : tensor<1x1x9x32xf32>
}

// A scale that is not positive turns maxima around: scores are scaled first.
// CHECK-LABEL: gpu.func @negative(
// CHECK: scf.for
// CHECK: %[[S:.*]] = attn_tile.mma
// CHECK: arith.constant -1.250000e-01 : f32
// CHECK: %[[SCALED:.*]] = arith.mulf %[[S]]
// CHECK-DAG: attn_tile.reduce_rows <max> %[[SCALED]]
// CHECK-DAG: arith.constant 1.44269502 : f32
// CHECK-NOT: scf.for
func.func private @negative(%q: tensor<1x1x64x32xf16>, %k: tensor<1x1x64x32xf16>, %v: tensor<1x1x64x32xf16>, %init: tensor<1x1x64x32xf16>) -> tensor<1x1x64x32xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x1x64x32xf16>, tensor<1x1x64x32xf16>, tensor<1x1x64x32xf16>) outs(%init : tensor<1x1x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = -0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<1x1x64x32xf16>
  return %o : tensor<1x1x64x32xf16>
}

// What is no kernel stays.
// CHECK-LABEL: func.func @graph(
// CHECK: sparse_attn.attention
func.func @graph(%q: tensor<1x1x64x32xf16>, %k: tensor<1x1x64x32xf16>, %v: tensor<1x1x64x32xf16>, %init: tensor<1x1x64x32xf16>) -> tensor<1x1x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x1x64x32xf16>, tensor<1x1x64x32xf16>, tensor<1x1x64x32xf16>) outs(%init : tensor<1x1x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<1x1x64x32xf16>
  return %o : tensor<1x1x64x32xf16>
}

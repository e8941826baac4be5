// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -cse | FileCheck %s

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// Two loops: keys that every row of the tile sees, and keys that need a look.
// Tiles that no row sees are not visited.
// CHECK-LABEL: gpu.func @causal(
// CHECK-DAG: %[[QUERIES:.*]] = arith.constant 250 : i32
// CHECK: %[[X:.*]] = gpu.block_id x
// CHECK: %[[QUERY_TILE:.*]] = arith.index_cast %[[X]]
// CHECK: %[[ROWS:.*]] = arith.constant 128 : i32
// CHECK: %[[FIRST:.*]] = arith.muli %[[QUERY_TILE]], %[[ROWS]]
// CHECK: %[[BEHIND:.*]] = arith.addi %[[FIRST]], %[[ROWS]]
// CHECK: %[[AFTER:.*]] = arith.minsi %[[BEHIND]], %[[QUERIES]]
// CHECK: %[[FIRST_WIDE:.*]] = arith.extsi %[[FIRST]]
// CHECK: %[[LAST:.*]] = arith.subi %[[AFTER]], %{{.*}} : i32
// CHECK: %[[LAST_WIDE:.*]] = arith.extsi %[[LAST]]
// CHECK: %[[SEEN:.*]] = arith.addi %[[LAST_WIDE]], %[[ONE:.*]] : i64
// CHECK: %[[NONNEGATIVE:.*]] = arith.maxsi %[[SEEN]], %[[ZERO:.*]] : i64
// CHECK: %[[END_WIDE:.*]] = arith.minsi %[[NONNEGATIVE]], %[[KEYS:.*]] : i64
// CHECK: %[[SEEN_BY_ALL:.*]] = arith.addi %[[FIRST_WIDE]], %[[ONE]]
// CHECK: %[[NONNEGATIVE:.*]] = arith.maxsi %[[SEEN_BY_ALL]], %[[ZERO]]
// CHECK: %[[VISIBLE:.*]] = arith.minsi %[[NONNEGATIVE]], %[[KEYS]]
// CHECK: %[[TILES:.*]] = arith.shrsi %[[VISIBLE]]
// CHECK: %[[ROUNDED:.*]] = arith.muli %[[TILES]]
// CHECK: %[[FULL_WIDE:.*]] = arith.minsi %[[ROUNDED]], %[[END_WIDE]]
// CHECK: %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK: %[[FULL:.*]] = arith.trunci %[[FULL_WIDE]]
// CHECK: %[[END:.*]] = arith.trunci %[[END_WIDE]]
// CHECK: %[[TILE:.*]] = arith.constant 64 : i32
// CHECK: %[[MAIN:.*]]:3 = scf.for %{{.*}} = %[[ZERO]] to %[[FULL]] step %[[TILE]]
// CHECK-NOT: arith.cmpi
// CHECK: scf.yield
// CHECK: scf.for %[[KEY:.*]] = %[[FULL]] to %[[END]] step %[[TILE]]
// CHECK: %[[S:.*]] = attn_tile.mma
// CHECK-DAG: %[[COLUMN:.*]] = attn_tile.column_index %[[KEY]]
// CHECK-DAG: %[[ROW:.*]] = attn_tile.expand_rows %{{.*}} : tensor<128xi32> -> tensor<128x64xi32>
// CHECK: %[[CAN_SEE:.*]] = arith.cmpi sle, %[[COLUMN]], %[[ROW]]
// CHECK: %[[MASKED:.*]] = arith.select %[[CAN_SEE]], %[[S]]
// Keys that fill whole tiles have no end to look for.
// CHECK-NOT: arith.cmpi
// CHECK: attn_tile.reduce_rows <max> %[[MASKED]]
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @causal(%q: tensor<4x250x64xf16>, %k: tensor<4x192x64xf16>, %v: tensor<4x192x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x192x64xf16>, tensor<4x192x64xf16>) outs(%init : tensor<4x250x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}
// Cached keys: the first query sees a hundred of them.
// CHECK-LABEL: gpu.func @ahead(
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @ahead(%q: tensor<4x64x64xf16>, %k: tensor<4x164x64xf16>, %v: tensor<4x164x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x164x64xf16>, tensor<4x164x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %c = arith.constant 100 : index
        %x = arith.addi %query, %c : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %x : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

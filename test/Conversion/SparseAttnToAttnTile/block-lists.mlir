// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#s = affine_map<(b, m, n, d, k) -> (m, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// One loop over visits: two tiles a block, three entries at most. An entry that
// names no block, or a tile behind the last key, is one that begins there.
// CHECK-LABEL: gpu.func @listed(
// CHECK-SAME: %[[COUNTS:arg3]]: {{[^%]*}}"block_counts"}
// CHECK-SAME: %[[INDICES:arg4]]: {{[^%]*}}"block_indices"}
// CHECK-DAG: %[[C128:.*]] = arith.constant 128 : i32
// CHECK: %[[BLOCK_ROW:.*]] = arith.divsi %{{.*}}, %[[C128]]
// CHECK: %[[COUNT:.*]] = attn_tile.gather %[[COUNTS]][%{{.*}}] : <1>, i32 -> i32
// CHECK: %[[ENTRIES:.*]] = arith.minsi %[[COUNT]], %c3_i32
// CHECK: %[[VISITS:.*]] = arith.muli %[[ENTRIES]], %c2_i32
// CHECK: scf.for %[[VISIT:.*]] = %c0_i32 to %[[VISITS]] step %c1_i32
// CHECK: arith.divsi %[[VISIT]], %c2_i32
// CHECK: %[[WITHIN:.*]] = arith.remsi %[[VISIT]], %c2_i32
// CHECK: %[[BLOCK:.*]] = attn_tile.gather %[[INDICES]][%{{.*}}] : <1>, i32 -> i32
// CHECK: %[[IS_BLOCK:.*]] = arith.cmpi ult, %[[BLOCK]], %c4_i32
// CHECK: %[[KEY:.*]] = arith.addi
// CHECK: %[[IS_KEY:.*]] = arith.cmpi slt, %[[KEY]], %c200_i32
// CHECK: %[[LISTED:.*]] = arith.andi %[[IS_BLOCK]], %[[IS_KEY]]
// CHECK: %[[FIRST:.*]] = arith.select %[[LISTED]], %[[KEY]], %c200_i32
// CHECK: %[[FULL:.*]] = arith.cmpi slt, %[[FIRST]], %c192_i32
// CHECK: attn_tile.load %{{.*}}[%[[FIRST]]] :
// CHECK: %[[SCORES:.*]] = attn_tile.mma
// CHECK: scf.if %[[FULL]] -> (tensor<64x32xf32>) {
// CHECK-NEXT: scf.yield %[[SCORES]]
// CHECK: attn_tile.column_index %[[FIRST]]
// CHECK: arith.select
// CHECK: attn_tile.load %{{.*}}[%[[FIRST]]] :
func.func private @listed(%q: tensor<2x192x32xf16>, %k: tensor<2x200x32xf16>, %v: tensor<2x200x32xf16>, %counts: tensor<2x2xi32>, %indices: tensor<2x2x3xi32>, %init: tensor<2x192x32xf16>) -> tensor<2x192x32xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x192x32xf16>, tensor<2x200x32xf16>, tensor<2x200x32xf16>) blocks(%counts, %indices : tensor<2x2xi32>, tensor<2x2x3xi32>) outs(%init : tensor<2x192x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>, block_shape = array<i64: 128, 64>} -> tensor<2x192x32xf16>
  return %o : tensor<2x192x32xf16>
}

// A dynamic length of the lists is passed. A tile is full where its flag says
// that the mask is not read; at the edge of the keys the flag is asked once more.
// CHECK-LABEL: gpu.func @flags(
// CHECK-SAME: %[[INDICES:arg5]]: {{[^%]*}}"block_indices"}
// CHECK-SAME: %[[LENGTH:arg7]]: i32 {sparse_attn.name = "block_list_length"}
// CHECK: scf.for
// CHECK: %[[OFFSET:.*]] = arith.muli %{{.*}}, %c2_i32
// CHECK: attn_tile.gather %[[INDICES]][%[[OFFSET]]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[OFFSET]], %c1_i32
// CHECK: %[[FLAG:.*]] = attn_tile.gather %[[INDICES]][%[[NEXT]]]
// CHECK: %[[MASKED:.*]] = arith.cmpi ne, %[[FLAG]], %c0_i32
// CHECK: %[[UNMASKED:.*]] = arith.cmpi eq, %[[MASKED]], %false
// CHECK: %[[FULL:.*]] = arith.andi %{{.*}}, %[[UNMASKED]]
// CHECK: scf.if %[[FULL]]
// CHECK: attn_tile.load_elements
// CHECK: arith.select %[[MASKED]], %{{.*}}, %{{.*}} : tensor<64x32xf32>
func.func private @flags(%q: tensor<2x128x32xf16>, %k: tensor<2x256x32xf16>, %v: tensor<2x256x32xf16>, %mask: tensor<128x256xi1>, %counts: tensor<2x2xi32>, %indices: tensor<2x2x?x2xi32>, %init: tensor<2x128x32xf16>) -> tensor<2x128x32xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x128x32xf16>, tensor<2x256x32xf16>, tensor<2x256x32xf16>) mask(%mask : tensor<128x256xi1>) blocks(%counts, %indices : tensor<2x2xi32>, tensor<2x2x?x2xi32>) outs(%init : tensor<2x128x32xf16>)
      {indexing_maps = [#q, #k, #v, #s, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>, block_shape = array<i64: 64, 32>} -> tensor<2x128x32xf16>
  return %o : tensor<2x128x32xf16>
}

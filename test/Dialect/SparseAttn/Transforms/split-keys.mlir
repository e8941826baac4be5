// RUN: sparse-attn-opt %s -sparse-attn-split-keys -split-input-file | FileCheck %s

// One query of two heads on 4096 keys: eight shares, an attention that gives
// outputs and log-sum-exps of each, and one whose keys are the shares.
// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d2, d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d5, d4)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d5, d3)>
// CHECK-DAG: #[[O:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d2, d0, d3)>
// CHECK-DAG: #[[MQ:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[MK:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d4)>
// CHECK-DAG: #[[MV:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3)>
// CHECK-DAG: #[[MM:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5)>
// CHECK-DAG: #[[MO:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
#q = affine_map<(h, m, n, d, k) -> (h, m, d)>
#k = affine_map<(h, m, n, d, k) -> (h, k, d)>
#v = affine_map<(h, m, n, d, k) -> (h, k, n)>
#o = affine_map<(h, m, n, d, k) -> (h, m, n)>

// CHECK-LABEL: @decode(
// CHECK: %[[PART:.*]]:2 = sparse_attn.attention ins(%arg0, %arg1, %arg2 :
// CHECK: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %[[SHARE:.*]]: index, %{{.*}}: index, %[[KEY:.*]]: index):
// CHECK: %[[SIZE:.*]] = arith.constant 512 : index
// CHECK: %[[FIRST:.*]] = arith.muli %[[SHARE]], %[[SIZE]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[FIRST]], %[[SIZE]]
// CHECK: %[[FROM:.*]] = arith.cmpi sge, %[[KEY]], %[[FIRST]]
// CHECK: %[[TO:.*]] = arith.cmpi slt, %[[KEY]], %[[NEXT]]
// CHECK: %[[MINE:.*]] = arith.andi %[[FROM]], %[[TO]]
// CHECK: %[[KEPT:.*]] = arith.select %[[MINE]], %[[S]],
// CHECK: sparse_attn.yield %[[KEPT]]
// CHECK: filter = #sparse_attn.recall<0.9>,
// CHECK-SAME: indexing_maps = [#[[Q]], #[[K]], #[[V]], #[[O]]]
// CHECK-SAME: -> tensor<2x1x8x32xf32>, tensor<2x1x8xf32>
// CHECK: %[[MERGED:.*]] = sparse_attn.attention ins(%{{.*}}, %{{.*}}, %[[PART]]#0 : tensor<2x1x1x4xf32>, tensor<2x1x8x4xf32>, tensor<2x1x8x32xf32>) mask(%[[PART]]#1 : tensor<2x1x8xf32>)
// CHECK-SAME: filter = #sparse_attn.dense
// CHECK-SAME: indexing_maps = [#[[MQ]], #[[MK]], #[[MV]], #[[MM]], #[[MO]]]
// CHECK-SAME: sparse_attn.merges_shares
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[MERGED]] {{\[\[}}0], [1, 2], [3]]
// CHECK: %[[NARROW:.*]] = arith.truncf %[[FLAT]] : tensor<2x1x32xf32> to tensor<2x1x32xf16>
// CHECK: return %[[NARROW]]
func.func @decode(%q: tensor<2x1x32xf16>, %k: tensor<2x4096x32xf16>, %v: tensor<2x4096x32xf16>, %o: tensor<2x1x32xf16>) -> tensor<2x1x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x1x32xf16>, tensor<2x4096x32xf16>, tensor<2x4096x32xf16>) outs(%o : tensor<2x1x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, filter = #sparse_attn.recall<0.9>} -> tensor<2x1x32xf16>
  return %r : tensor<2x1x32xf16>
}

// A number of keys that is known when the graph runs: as many shares as a GPU has
// use for, of at least 512 keys, which the region looks up.
// CHECK-LABEL: @cache(
// CHECK: %[[KEYS:.*]] = tensor.dim %arg1, %{{.*}} : tensor<36x?x32xf16>
// CHECK: %[[LENGTH:.*]] = arith.index_cast %[[KEYS]] : index to i64
// CHECK: %[[EACH:.*]] = arith.ceildivsi %[[LENGTH]], %c6_i64 : i64
// CHECK: %[[ENOUGH:.*]] = arith.maxsi %[[EACH]], %c512_i64 : i64
// CHECK: %[[TILES:.*]] = arith.ceildivsi %[[ENOUGH]], %c128_i64
// CHECK: %[[SHARE:.*]] = arith.muli %[[TILES]], %c128_i64
// CHECK: %[[BOUNDARIES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<7xi64>)
// CHECK: linalg.index 0
// CHECK: arith.muli %[[SHARE]], %{{.*}} : i64
// CHECK: sparse_attn.attention
// CHECK: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %[[INDEX:.*]]: index, %{{.*}}: index, %[[KEY:.*]]: index):
// CHECK: %[[FIRST:.*]] = tensor.extract %[[BOUNDARIES]][%[[INDEX]]]
// CHECK: %[[AFTER:.*]] = arith.addi %[[INDEX]], %c1
// CHECK: %[[NEXT:.*]] = tensor.extract %[[BOUNDARIES]][%[[AFTER]]]
// CHECK: sparse_attn.attention
// CHECK-SAME: mask(
func.func @cache(%q: tensor<36x1x32xf16>, %k: tensor<36x?x32xf16>, %v: tensor<36x?x32xf16>, %o: tensor<36x1x32xf16>) -> tensor<36x1x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<36x1x32xf16>, tensor<36x?x32xf16>, tensor<36x?x32xf16>) outs(%o : tensor<36x1x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<36x1x32xf16>
  return %r : tensor<36x1x32xf16>
}

// A kernel is one attention.
// CHECK-LABEL: @kernel(
// CHECK-COUNT-1: sparse_attn.attention
// CHECK-NOT: sparse_attn.attention
func.func private @kernel(%q: tensor<2x1x32xf16>, %k: tensor<2x4096x32xf16>, %v: tensor<2x4096x32xf16>, %o: tensor<2x1x32xf16>) -> tensor<2x1x32xf16> attributes {sparse_attn.kernel} {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x1x32xf16>, tensor<2x4096x32xf16>, tensor<2x4096x32xf16>) outs(%o : tensor<2x1x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<2x1x32xf16>
  return %r : tensor<2x1x32xf16>
}

// The recall of the whole is no result of the shares.
// CHECK-LABEL: @bound(
// CHECK-COUNT-1: sparse_attn.attention
// CHECK-NOT: sparse_attn.attention
func.func @bound(%q: tensor<2x1x32xf16>, %k: tensor<2x4096x32xf16>, %v: tensor<2x4096x32xf16>, %o: tensor<2x1x32xf16>, %b: tensor<2x1xf32>) -> (tensor<2x1x32xf16>, tensor<2x1xf32>) {
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<2x1x32xf16>, tensor<2x4096x32xf16>, tensor<2x4096x32xf16>) outs(%o : tensor<2x1x32xf16>) recall_bound(%b : tensor<2x1xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<2x1x32xf16>, tensor<2x1xf32>
  return %r#0, %r#1 : tensor<2x1x32xf16>, tensor<2x1xf32>
}

// -----

// A list is split by its entries: three shares of five blocks each.
// CHECK-LABEL: @listed(
// CHECK: %[[C:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x1xi32>)
// CHECK: %[[I:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x1x5xi32>)
// CHECK: sparse_attn.attention {{.*}} blocks(%[[C]], %[[I]] : tensor<2x3x1xi32>, tensor<2x3x1x5xi32>)
// CHECK-NOT: score
// CHECK-SAME: block_shape = array<i64: 64, 128>
#lq = affine_map<(b, m, n, d, k) -> (b, m, d)>
#lk = affine_map<(b, m, n, d, k) -> (b, k, d)>
#lv = affine_map<(b, m, n, d, k) -> (b, k, n)>
#lo = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func @listed(%q: tensor<2x4x32xf16>, %k: tensor<2x2048x32xf16>, %v: tensor<2x2048x32xf16>, %c: tensor<2x1xi32>, %i: tensor<2x1x14xi32>) -> tensor<2x4x32xf16> {
  %init = tensor.empty() : tensor<2x4x32xf16>
  %o = sparse_attn.attention ins(%q, %k, %v : tensor<2x4x32xf16>, tensor<2x2048x32xf16>, tensor<2x2048x32xf16>)
      blocks(%c, %i : tensor<2x1xi32>, tensor<2x1x14xi32>) outs(%init : tensor<2x4x32xf16>)
      {indexing_maps = [#lq, #lk, #lv, #lo], scale = 0.25 : f64, block_shape = array<i64: 64, 128>} -> tensor<2x4x32xf16>
  return %o : tensor<2x4x32xf16>
}

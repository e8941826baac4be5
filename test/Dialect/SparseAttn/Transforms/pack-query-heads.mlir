// RUN: sparse-attn-opt %s -sparse-attn-pack-query-heads -split-input-file | FileCheck %s

// One query, eight heads a key head: dimensions g and m exchange their places
// in the space, and with them their roles. No operand changes.
// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5, d4)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5, d3)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d5)>
// CHECK-DAG: #[[O:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d3)>
#q = affine_map<(h, g, m, n, d, k) -> (h, g, m, d)>
#k = affine_map<(h, g, m, n, d, k) -> (h, k, d)>
#v = affine_map<(h, g, m, n, d, k) -> (h, k, n)>
#s = affine_map<(h, g, m, n, d, k) -> (k)>
#o = affine_map<(h, g, m, n, d, k) -> (h, g, m, n)>

// CHECK-LABEL: @decode(
// CHECK: sparse_attn.attention ins(%[[QUERY:.*]], %{{.*}} : tensor<?x8x1x32xf16>, {{.*}}) mask({{.*}}) outs({{.*}} : tensor<?x8x1x32xf16>)
// The region's indices: score, h, m (a batch dimension now), g (the rows), key.
// CHECK: ^bb0(%[[SCORE:.*]]: f32, %[[H:.*]]: index, %[[M:.*]]: index, %[[G:.*]]: index, %[[KEY:.*]]: index):
// CHECK: %[[HEADS:.*]] = arith.muli %[[H]], %{{.*}}
// CHECK: arith.addi %[[HEADS]], %[[G]]
// CHECK: arith.cmpi sle, %[[KEY]], %[[M]]
// CHECK: arith.select %{{.*}}, %[[SCORE]],
// CHECK: indexing_maps = [#[[Q]], #[[K]], #[[V]], #[[S]], #[[O]]]
func.func @decode(%q: tensor<?x8x1x32xf16>, %k: tensor<?x?x32xf16>, %v: tensor<?x?x32xf16>, %mask: tensor<?xf32>, %o: tensor<?x8x1x32xf16>) -> tensor<?x8x1x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<?x8x1x32xf16>, tensor<?x?x32xf16>, tensor<?x?x32xf16>) mask(%mask : tensor<?xf32>) outs(%o : tensor<?x8x1x32xf16>)
      score {
      ^bb0(%s: f32, %h: index, %g: index, %query: index, %key: index):
        %c8 = arith.constant 8 : index
        %ninf = arith.constant 0xFF800000 : f32
        %first = arith.muli %h, %c8 : index
        %head = arith.addi %first, %g : index
        %slope = arith.index_cast %head : index to i32
        %slope_f = arith.sitofp %slope : i32 to f32
        %sum = arith.addf %s, %slope_f : f32
        %seen = arith.cmpi sle, %key, %query : index
        %keeps = arith.select %seen, %s, %ninf : f32
        %x = arith.addf %keeps, %sum : f32
        sparse_attn.yield %x : f32
      }
      {indexing_maps = [#q, #k, #v, #s, #o], scale = 1.0 : f64} -> tensor<?x8x1x32xf16>
  return %r : tensor<?x8x1x32xf16>
}

// -----

// Rows before heads, three queries: a tile for each query instead of each head.
// CHECK: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d0, d2, d4)>
#q = affine_map<(h, g, m, n, d, k) -> (m, h, g, d)>
#k = affine_map<(h, g, m, n, d, k) -> (k, h, d)>
#v = affine_map<(h, g, m, n, d, k) -> (k, h, n)>
#o = affine_map<(h, g, m, n, d, k) -> (m, h, g, n)>
// CHECK-LABEL: @rows_first(
func.func @rows_first(%q: tensor<3x2x4x32xf16>, %k: tensor<9x2x32xf16>, %v: tensor<9x2x32xf16>, %o: tensor<3x2x4x32xf16>) -> tensor<3x2x4x32xf16> {
  // CHECK: indexing_maps = [#[[Q]],
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<3x2x4x32xf16>, tensor<9x2x32xf16>, tensor<9x2x32xf16>) outs(%o : tensor<3x2x4x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<3x2x4x32xf16>
  return %r : tensor<3x2x4x32xf16>
}

// -----

// What stays: the maps begin as they were written, m the third dimension.
// CHECK: #[[SAME:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>
#q = affine_map<(h, g, m, n, d, k) -> (h, g, m, d)>
#k = affine_map<(h, g, m, n, d, k) -> (h, k, d)>
#v = affine_map<(h, g, m, n, d, k) -> (h, k, n)>
#o = affine_map<(h, g, m, n, d, k) -> (h, g, m, n)>

// As many queries as heads: no fewer tiles.
// CHECK-LABEL: @many_queries(
// CHECK: indexing_maps = [#[[SAME]],
func.func @many_queries(%q: tensor<2x4x4x32xf16>, %k: tensor<2x9x32xf16>, %v: tensor<2x9x32xf16>, %o: tensor<2x4x4x32xf16>) -> tensor<2x4x4x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x4x4x32xf16>, tensor<2x9x32xf16>, tensor<2x9x32xf16>) outs(%o : tensor<2x4x4x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<2x4x4x32xf16>
  return %r : tensor<2x4x4x32xf16>
}

// Any number of queries.
// CHECK-LABEL: @dynamic(
// CHECK: indexing_maps = [#[[SAME]],
func.func @dynamic(%q: tensor<2x4x?x32xf16>, %k: tensor<2x9x32xf16>, %v: tensor<2x9x32xf16>, %o: tensor<2x4x?x32xf16>) -> tensor<2x4x?x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x4x?x32xf16>, tensor<2x9x32xf16>, tensor<2x9x32xf16>) outs(%o : tensor<2x4x?x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<2x4x?x32xf16>
  return %r : tensor<2x4x?x32xf16>
}

// Which rows vote together is settled.
// CHECK-LABEL: @tile(
// CHECK: indexing_maps = [#[[SAME]],
func.func @tile(%q: tensor<2x4x1x32xf16>, %k: tensor<2x9x32xf16>, %v: tensor<2x9x32xf16>, %o: tensor<2x4x1x32xf16>) -> tensor<2x4x1x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x4x1x32xf16>, tensor<2x9x32xf16>, tensor<2x9x32xf16>) outs(%o : tensor<2x4x1x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 64, 64>} -> tensor<2x4x1x32xf16>
  return %r : tensor<2x4x1x32xf16>
}

// So many heads that tiles cannot be counted.
// CHECK-LABEL: @overflow(
// CHECK: indexing_maps = [#[[SAME]],
func.func @overflow(%q: tensor<2x9223372036854775807x100x32xf16>, %k: tensor<2x9x32xf16>, %v: tensor<2x9x32xf16>, %o: tensor<2x9223372036854775807x100x32xf16>) -> tensor<2x9223372036854775807x100x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x9223372036854775807x100x32xf16>, tensor<2x9x32xf16>, tensor<2x9x32xf16>) outs(%o : tensor<2x9223372036854775807x100x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<2x9223372036854775807x100x32xf16>
  return %r : tensor<2x9223372036854775807x100x32xf16>
}

// -----

#q = affine_map<(h, g, m, n, d, k) -> (g, h, m, d)>
#k = affine_map<(h, g, m, n, d, k) -> (h, k, d)>
#v = affine_map<(h, g, m, n, d, k) -> (h, k, n)>
#o = affine_map<(h, g, m, n, d, k) -> (g, h, m, n)>
// Kernels cannot step from head to head: the size behind is dynamic.
// CHECK: #[[SAME:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d0, d2, d4)>
// CHECK-LABEL: @pitch(
// CHECK: indexing_maps = [#[[SAME]],
func.func @pitch(%q: tensor<4x?x1x32xf16>, %k: tensor<?x9x32xf16>, %v: tensor<?x9x32xf16>, %o: tensor<4x?x1x32xf16>) -> tensor<4x?x1x32xf16> {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<4x?x1x32xf16>, tensor<?x9x32xf16>, tensor<?x9x32xf16>) outs(%o : tensor<4x?x1x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<4x?x1x32xf16>
  return %r : tensor<4x?x1x32xf16>
}

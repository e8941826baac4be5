// Text, generic form, bytecode and back.
// RUN: sparse-attn-opt %s --verify-roundtrip | FileCheck %s
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s
// RUN: sparse-attn-opt %s --mlir-print-op-generic | sparse-attn-opt | FileCheck %s
// RUN: sparse-attn-opt %s --emit-bytecode | sparse-attn-opt | FileCheck %s
// RUN: sparse-attn-opt %s --mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC

// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d4)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3)>
// CHECK-DAG: #[[O:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// CHECK-LABEL: func @dense
// CHECK: sparse_attn.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x4x64x32xf16>, tensor<2x4x80x32xf16>, tensor<2x4x80x48xf16>)
// CHECK-SAME: outs(%{{[^ ]*}} : tensor<2x4x64x48xf32>)
// CHECK-SAME: {indexing_maps = [#[[Q]], #[[K]], #[[V]], #[[O]]], scale = 1.250000e-01 : f64} -> tensor<2x4x64x48xf32>
// GENERIC: "sparse_attn.attention"(
// GENERIC-SAME: operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 1, 0, 0, 0>
func.func @dense(%q: tensor<2x4x64x32xf16>, %k: tensor<2x4x80x32xf16>, %v: tensor<2x4x80x48xf16>,
                 %o: tensor<2x4x64x48xf32>) -> tensor<2x4x64x48xf32> {
  %r = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x4x64x32xf16>, tensor<2x4x80x32xf16>, tensor<2x4x80x48xf16>)
      outs(%o : tensor<2x4x64x48xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x4x64x48xf32>
  return %r : tensor<2x4x64x48xf32>
}

// CHECK-LABEL: func @everything
// CHECK: %{{.*}}:4 = sparse_attn.attention ins(
// CHECK-SAME: mask(%{{[^ ]*}} : tensor<?x80xi1>)
// CHECK-SAME: blocks(%{{.*}}, %{{.*}} : tensor<2x4x?xi32>, tensor<2x4x?x5xi32>)
// CHECK-SAME: outs(%{{[^ ]*}} : tensor<2x4x?x32xf32>)
// CHECK-SAME: log_sum_exp(%{{[^ ]*}} : tensor<2x4x?xf32>)
// CHECK-SAME: recall_bound(%{{[^ ]*}} : tensor<2x4x?xf32>)
// CHECK-SAME: tile_counts(%{{[^ ]*}} : tensor<2x4x?x2xi32>)
// CHECK-SAME: score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[ROW:.*]]: index, %[[KEY:.*]]: index):
// CHECK: arith.cmpi sle, %[[KEY]], %[[ROW]] : index
// CHECK: sparse_attn.yield %{{.*}} : f32
// CHECK-NEXT: } {block_shape = array<i64: 32, 16>, decision_tile = array<i64: 16, 16>,
// CHECK-SAME: filter = #sparse_attn.recall<0.95>,
// CHECK-SAME: precision = #sparse_attn.precision<tf32>,
// CHECK-SAME: -> tensor<2x4x?x32xf32>, tensor<2x4x?xf32>, tensor<2x4x?xf32>, tensor<2x4x?x2xi32>
#mask = affine_map<(b, h, m, n, d, k) -> (m, k)>
func.func @everything(%q: tensor<2x4x?x32xf32>, %k: tensor<2x4x80x32xf32>, %v: tensor<2x4x80x32xf32>,
    %mask: tensor<?x80xi1>, %counts: tensor<2x4x?xi32>, %indices: tensor<2x4x?x5xi32>,
    %o: tensor<2x4x?x32xf32>, %row: tensor<2x4x?xf32>, %tiles: tensor<2x4x?x2xi32>) -> tensor<2x4x?x32xf32> {
  %r:4 = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x4x?x32xf32>, tensor<2x4x80x32xf32>, tensor<2x4x80x32xf32>)
      mask(%mask : tensor<?x80xi1>)
      blocks(%counts, %indices : tensor<2x4x?xi32>, tensor<2x4x?x5xi32>)
      outs(%o : tensor<2x4x?x32xf32>)
      log_sum_exp(%row : tensor<2x4x?xf32>)
      recall_bound(%row : tensor<2x4x?xf32>)
      tile_counts(%tiles : tensor<2x4x?x2xi32>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %m: index, %n: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %n, %m : index
        %x = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %x : f32
      }
      {indexing_maps = [#q, #k, #v, #mask, #o], scale = 0.125 : f64,
       filter = #sparse_attn.recall<0.95>, decision_tile = array<i64: 16, 16>,
       block_shape = array<i64: 32, 16>, precision = #sparse_attn.precision<tf32>}
      -> tensor<2x4x?x32xf32>, tensor<2x4x?xf32>, tensor<2x4x?xf32>, tensor<2x4x?x2xi32>
  return %r#0 : tensor<2x4x?x32xf32>
}

// Two dimensions, rows last in the output, a mask of one number.
// CHECK-LABEL: func @flat
// CHECK: mask(%{{.*}} : tensor<f32>)
#flat_q = affine_map<(m, n, d, k) -> (d, m)>
#flat_k = affine_map<(m, n, d, k) -> (k, d)>
#flat_v = affine_map<(m, n, d, k) -> (n, k)>
#flat_mask = affine_map<(m, n, d, k) -> ()>
#flat_o = affine_map<(m, n, d, k) -> (n, m)>
func.func @flat(%q: tensor<8x3xbf16>, %k: tensor<5x8xbf16>, %v: tensor<4x5xbf16>, %mask: tensor<f32>,
                %o: tensor<4x3xbf16>) -> tensor<4x3xbf16> {
  %r = sparse_attn.attention
      ins(%q, %k, %v : tensor<8x3xbf16>, tensor<5x8xbf16>, tensor<4x5xbf16>)
      mask(%mask : tensor<f32>) outs(%o : tensor<4x3xbf16>)
      {indexing_maps = [#flat_q, #flat_k, #flat_v, #flat_mask, #flat_o], scale = 1.0 : f64}
      -> tensor<4x3xbf16>
  return %r : tensor<4x3xbf16>
}

// Grouped queries: a batch dimension that keys and values lack.
// CHECK-LABEL: func @grouped
// CHECK: sparse_attn.attention
#group_q = affine_map<(h, g, m, n, d, k) -> (h, g, m, d)>
#group_k = affine_map<(h, g, m, n, d, k) -> (h, k, d)>
#group_v = affine_map<(h, g, m, n, d, k) -> (h, k, n)>
#group_o = affine_map<(h, g, m, n, d, k) -> (h, g, m, n)>
func.func @grouped(%q: tensor<2x4x3x8xf32>, %kv: tensor<2x5x8xf32>, %o: tensor<2x4x3x8xf32>) -> tensor<2x4x3x8xf32> {
  %r = sparse_attn.attention
      ins(%q, %kv, %kv : tensor<2x4x3x8xf32>, tensor<2x5x8xf32>, tensor<2x5x8xf32>)
      outs(%o : tensor<2x4x3x8xf32>)
      {indexing_maps = [#group_q, #group_k, #group_v, #group_o], scale = 1.0 : f64} -> tensor<2x4x3x8xf32>
  return %r : tensor<2x4x3x8xf32>
}

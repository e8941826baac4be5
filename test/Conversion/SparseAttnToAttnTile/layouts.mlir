// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

// Where the rows of an operand lie is a matter of its map alone.

// Heads behind tokens: rows are 4 heads apart.
// CHECK-LABEL: gpu.func @bshd(
// CHECK-DAG: %[[BATCH_STRIDE:.*]] = arith.constant 65536 : i64
// CHECK-DAG: %[[HEAD_STRIDE:.*]] = arith.constant 64 : i64
// CHECK: %[[HEAD:.*]] = arith.remsi
// CHECK: %[[BATCH:.*]] = arith.divsi
// CHECK: %[[B64:.*]] = arith.extsi %[[BATCH]]
// CHECK: %[[B:.*]] = arith.muli %[[B64]], %[[BATCH_STRIDE]]
// CHECK: %[[H64:.*]] = arith.extsi %[[HEAD]]
// CHECK: %[[H:.*]] = arith.muli %[[H64]], %[[HEAD_STRIDE]]
// CHECK: %[[OFFSET:.*]] = arith.addi %[[B]], %[[H]]
// CHECK: attn_tile.view %arg0[%[[OFFSET]]], %{{.*}} : <1> -> <64xf16, rows = 256>
// CHECK: attn_tile.view %arg1[%[[OFFSET]]], %{{.*}} : <1> -> <64xf16, rows = 256>
// CHECK: attn_tile.view %arg2[%[[OFFSET]]], %{{.*}} : <1> -> <64xf16, rows = 256>
// CHECK: attn_tile.view %arg3[%[[OFFSET]]], %{{.*}} : <1> -> <64xf16, rows = 256>
func.func private @bshd(%q: tensor<2x256x4x64xf16>, %k: tensor<2x256x4x64xf16>, %v: tensor<2x256x4x64xf16>, %init: tensor<2x256x4x64xf16>) -> tensor<2x256x4x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x4x64xf16>, tensor<2x256x4x64xf16>, tensor<2x256x4x64xf16>) outs(%init : tensor<2x256x4x64xf16>)
      {indexing_maps = [affine_map<(b, h, m, n, d, k) -> (b, m, h, d)>, affine_map<(b, h, m, n, d, k) -> (b, k, h, d)>, affine_map<(b, h, m, n, d, k) -> (b, k, h, n)>, affine_map<(b, h, m, n, d, k) -> (b, m, h, n)>],
       scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<2x256x4x64xf16>
  return %o : tensor<2x256x4x64xf16>
}

// Grouped queries: three of them read one key head.
// CHECK-LABEL: gpu.func @grouped(
// CHECK-DAG: %[[KEY_STRIDE:.*]] = arith.constant 8192 : i64
// CHECK-DAG: %[[GROUP_STRIDE:.*]] = arith.constant 12288 : i64
// CHECK-DAG: %[[QUERY_STRIDE:.*]] = arith.constant 4096 : i64
// CHECK-DAG: %[[GROUPS:.*]] = arith.constant 3 : i32
// CHECK: %[[MEMBER:.*]] = arith.remsi %{{.*}}, %[[GROUPS]]
// CHECK: %[[GROUP:.*]] = arith.divsi %{{.*}}, %[[GROUPS]]
// CHECK: %[[G64:.*]] = arith.extsi %[[GROUP]]
// CHECK: %[[G:.*]] = arith.muli %[[G64]], %[[GROUP_STRIDE]]
// CHECK: %[[M64:.*]] = arith.extsi %[[MEMBER]]
// CHECK: %[[M:.*]] = arith.muli %[[M64]], %[[QUERY_STRIDE]]
// CHECK: %[[QUERY:.*]] = arith.addi %[[G]], %[[M]]
// CHECK: attn_tile.view %arg0[%[[QUERY]]]
// CHECK: %[[KEY:.*]] = arith.muli %[[G64]], %[[KEY_STRIDE]]
// CHECK: attn_tile.view %arg1[%[[KEY]]]
// CHECK: attn_tile.view %arg2[%[[KEY]]]
// CHECK: attn_tile.view %arg3[%[[QUERY]]]
func.func private @grouped(%q: tensor<2x3x64x64xf16>, %k: tensor<2x128x64xf16>, %v: tensor<2x128x64xf16>, %init: tensor<2x3x64x64xf16>) -> tensor<2x3x64x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x3x64x64xf16>, tensor<2x128x64xf16>, tensor<2x128x64xf16>) outs(%init : tensor<2x3x64x64xf16>)
      {indexing_maps = [affine_map<(h, g, m, n, d, k) -> (h, g, m, d)>, affine_map<(h, g, m, n, d, k) -> (h, k, d)>, affine_map<(h, g, m, n, d, k) -> (h, k, n)>, affine_map<(h, g, m, n, d, k) -> (h, g, m, n)>],
       scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<2x3x64x64xf16>
  return %o : tensor<2x3x64x64xf16>
}

// Plain matrices: no batch at all.
// CHECK-LABEL: gpu.func @matrices(
// CHECK: %[[NONE:.*]] = arith.constant 0 : i64
// CHECK-NOT: arith.extsi
// CHECK: attn_tile.view %arg0[%[[NONE]]]
// CHECK: attn_tile.view %arg3[%[[NONE]]]
func.func private @matrices(%q: tensor<64x64xf16>, %k: tensor<128x64xf16>, %v: tensor<128x32xf16>, %init: tensor<64x32xf16>) -> tensor<64x32xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<64x64xf16>, tensor<128x64xf16>, tensor<128x32xf16>) outs(%init : tensor<64x32xf16>)
      {indexing_maps = [affine_map<(m, n, d, k) -> (m, d)>, affine_map<(m, n, d, k) -> (k, d)>, affine_map<(m, n, d, k) -> (k, n)>, affine_map<(m, n, d, k) -> (m, n)>],
       scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<64x32xf16>
  return %o : tensor<64x32xf16>
}

// Lengths that are not known are arguments: queries, keys, batch dimensions.
// CHECK-LABEL: gpu.func @dynamic(
// CHECK-SAME: %[[QUERIES:arg4]]: i32 {sparse_attn.name = "query_length"}
// CHECK-SAME: %[[KEYS:arg5]]: i32 {sparse_attn.name = "key_length"}
// CHECK-SAME: %[[HEADS:arg6]]: i32 {sparse_attn.name = "batch_1"}) kernel
// CHECK-DAG: %[[HEAD_SIZE:.*]] = arith.constant 64 : i64
// CHECK: %[[BLOCK:.*]] = gpu.block_id y
// CHECK: %[[NUMBER:.*]] = arith.index_cast %[[BLOCK]]
// CHECK: %[[HEAD:.*]] = arith.remsi %[[NUMBER]], %[[HEADS]]
// CHECK: %[[BATCH:.*]] = arith.divsi %[[NUMBER]], %[[HEADS]]
// CHECK-DAG: %[[B64:.*]] = arith.extsi %[[BATCH]]
// CHECK-DAG: %[[HEADS64:.*]] = arith.extsi %[[HEADS]]
// CHECK-DAG: %[[QUERIES64:.*]] = arith.extsi %[[QUERIES]]
// CHECK-DAG: %[[PER_BATCH:.*]] = arith.muli %[[B64]], %[[HEADS64]]
// CHECK: arith.muli %[[PER_BATCH]], %[[QUERIES64]]
// CHECK: attn_tile.view %arg0[%{{.*}}], %[[QUERIES]]
// CHECK: attn_tile.view %arg1[%{{.*}}], %[[KEYS]]
// CHECK: attn_tile.view %arg2[%{{.*}}], %[[KEYS]]
// Whether there is a tail is known at run time only: both loops.
// CHECK: %[[TILES:.*]] = arith.shrsi
// CHECK: %[[ROUNDED:.*]] = arith.muli %[[TILES]]
// CHECK: %[[FULL:.*]] = arith.trunci %[[ROUNDED]]
// CHECK: scf.for %{{.*}} to %[[FULL]]
// CHECK: scf.for %{{.*}} = %[[FULL]] to %[[KEYS]]
// CHECK: %[[LIMIT:.*]] = tensor.splat %[[KEYS]]
// CHECK: arith.cmpi slt, %{{.*}}, %[[LIMIT]]
// CHECK: attn_tile.view %arg3[%{{.*}}], %[[QUERIES]]
func.func private @dynamic(%q: tensor<2x?x?x64xf16>, %k: tensor<2x?x?x64xf16>, %v: tensor<2x?x?x64xf16>, %init: tensor<2x?x?x64xf16>) -> tensor<2x?x?x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x?x?x64xf16>, tensor<2x?x?x64xf16>, tensor<2x?x?x64xf16>) outs(%init : tensor<2x?x?x64xf16>)
      {indexing_maps = [affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>, affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>, affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>, affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>],
       scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<2x?x?x64xf16>
  return %o : tensor<2x?x?x64xf16>
}

// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

// A mask is read element by element, in one loop over all keys.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// True keeps a score.
// CHECK-LABEL: gpu.func @keep(
// CHECK-SAME: %[[MASK:arg3]]: {{[^%]*}}"mask"}
// CHECK-SAME: %[[OUT:arg4]]: {{[^%]*}}"output"}) kernel
// CHECK-DAG: %[[INF:.*]] = arith.constant dense<0xFF800000> : tensor<128x64xf32>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<1.250000e-01> : tensor<128x64xf32>
// CHECK-DAG: %[[STRIDE:.*]] = arith.constant 50000 : i64
// CHECK-DAG: %[[QUERIES:.*]] = arith.constant 250 : i32
// CHECK-DAG: %[[KEYS:.*]] = arith.constant 200 : i32
// CHECK: %[[OFFSET:.*]] = arith.muli %{{.*}}, %[[STRIDE]]
// CHECK: %[[VIEW:.*]] = attn_tile.view %[[MASK]][%[[OFFSET]]], %[[QUERIES]] : <1> -> <200xi1, rows = 200>
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %[[KEYS]]
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %[[SCALE]]
// CHECK: %[[M:.*]] = attn_tile.load_elements %[[VIEW]][%{{.*}}, %[[KEY]]] bounds(%[[QUERIES]], %[[KEYS]]) : <200xi1, rows = 200> -> tensor<128x64xi1>
// CHECK: %[[KEPT:.*]] = arith.select %[[M]], %[[S]], %[[INF]]
// CHECK: %[[INSIDE:.*]] = arith.cmpi slt
// CHECK: arith.select %[[INSIDE]], %[[KEPT]], %[[INF]]
// CHECK-NOT: scf.for
func.func private @keep(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %mask: tensor<4x250x200xi1>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) mask(%mask : tensor<4x250x200xi1>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (b, m, k)>, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// Floats are added, in f32.
// CHECK-LABEL: gpu.func @added(
// CHECK: scf.for
// CHECK: %[[S:.*]] = arith.mulf
// CHECK: %[[M:.*]] = attn_tile.load_elements %{{.*}} : <256xf16, rows = 256> -> tensor<128x64xf16>
// CHECK: %[[WIDE:.*]] = arith.extf %[[M]] : tensor<128x64xf16> to tensor<128x64xf32>
// CHECK: arith.addf %[[S]], %[[WIDE]]
// Whole tiles have no end to look for.
// CHECK-NOT: arith.cmpi
func.func private @added(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %mask: tensor<4x250x256xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) mask(%mask : tensor<4x250x256xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (b, m, k)>, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// CHECK-LABEL: gpu.func @added_f32(
// CHECK: scf.for
// CHECK: %[[S:.*]] = arith.mulf
// CHECK: %[[M:.*]] = attn_tile.load_elements
// CHECK-NEXT: arith.addf %[[S]], %[[M]]
func.func private @added_f32(%q: tensor<4x250x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %mask: tensor<250x256xf32>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) mask(%mask : tensor<250x256xf32>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (m, k)>, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// What the mask does not depend on repeats: pitch 0.
// CHECK-LABEL: gpu.func @padding(
// CHECK: attn_tile.view %arg3[%{{.*}}], %{{.*}} : <1> -> <200xi1, rows = 0>
// CHECK: attn_tile.load_elements %{{.*}} : <200xi1, rows = 0> -> tensor<128x64xi1>
func.func private @padding(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %mask: tensor<4x200xi1>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) mask(%mask : tensor<4x200xi1>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (b, k)>, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// CHECK-LABEL: gpu.func @rows_only(
// CHECK: %[[NONE:.*]] = arith.constant 0 : i64
// CHECK: attn_tile.view %arg3[%[[NONE]]], %{{.*}} : <1> -> <200xf32, rows = 1, columns = 0>
func.func private @rows_only(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %mask: tensor<250xf32>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) mask(%mask : tensor<250xf32>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (m)>, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

// Keys first.
// CHECK-LABEL: gpu.func @transposed(
// CHECK: attn_tile.view %arg3[%{{.*}}], %{{.*}} : <1> -> <200xf32, rows = 1, columns = 250>
func.func private @transposed(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %mask: tensor<200x250xf32>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) mask(%mask : tensor<200x250xf32>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (k, m)>, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

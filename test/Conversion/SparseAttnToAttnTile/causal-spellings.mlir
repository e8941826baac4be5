// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -cse | FileCheck %s

// Every spelling of a causal comparison gives the same two loops: up to the
// keys that the tile's first query sees, then up to those that its last sees.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: gpu.func @slt(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant -1 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @slt(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi slt, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: gpu.func @sge(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant 0 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @sge(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sge, %query, %key : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: gpu.func @sgt(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant -1 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @sgt(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sgt, %query, %key : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: gpu.func @inverted(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant 0 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @inverted(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sgt, %key, %query : index
        %r = arith.select %seen, %ninf, %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: gpu.func @unsigned_less(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant -1 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @unsigned_less(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi ult, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: gpu.func @unsigned_greater(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant 0 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @unsigned_greater(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi uge, %query, %key : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: gpu.func @unsigned_inverted(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant 0 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @unsigned_inverted(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi ugt, %key, %query : index
        %r = arith.select %seen, %ninf, %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// CHECK-LABEL: gpu.func @difference(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant 0 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @difference(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %z = arith.constant 0 : index
        %d = arith.subi %query, %key : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sge, %d, %z : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
// Through casts to narrower integers.
// CHECK-LABEL: gpu.func @integers(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: %[[OFFSET:.*]] = arith.constant 0 : i32
// CHECK: arith.addi %[[LAST]], %[[OFFSET]]
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @integers(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %q32 = arith.index_cast %query : index to i32
        %i = arith.extsi %q32 : i32 to i64
        %j = arith.index_cast %key : index to i64
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %j, %i : i64
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

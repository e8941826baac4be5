// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -cse | FileCheck %s

// Regions that look causal and are not: one loop looks at every score.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: gpu.func @anticausal(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: arith.cmpi sge
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @anticausal(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sge, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// CHECK-LABEL: gpu.func @equal(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: arith.cmpi eq
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @equal(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi eq, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// CHECK-LABEL: gpu.func @finite(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: arith.cmpi sle
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @finite(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %low = arith.constant -1.0e+30 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %low : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// CHECK-LABEL: gpu.func @doubled(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: arith.cmpi sle
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @doubled(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %x = arith.addi %key, %key : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %x, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// As unsigned numbers, key and query - 1 are not ordered as they are signed.
// CHECK-LABEL: gpu.func @unsigned_offset(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: arith.cmpi ule
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @unsigned_offset(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %c = arith.constant 1 : index
        %x = arith.subi %query, %c : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi ule, %key, %x : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// CHECK-LABEL: gpu.func @by_batch(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: arith.cmpi sle
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @by_batch(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %x = arith.addi %query, %b : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %x : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// An offset whose sum with a position may leave 32 bits.
// CHECK-LABEL: gpu.func @far(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: arith.cmpi sle, %{{.*}} : tensor<128x64xi64>
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @far(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %c = arith.constant 3000000000 : i64
        %i = arith.index_cast %query : index to i64
        %j = arith.index_cast %key : index to i64
        %x = arith.addi %i, %c : i64
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %j, %x : i64
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

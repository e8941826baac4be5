// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -cse | FileCheck %s

// The arithmetic of a region on tiles: its conditions where they decide
// anything, its modification of the scores everywhere.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// The batch index stays a scalar until it meets a tile.
// CHECK-LABEL: gpu.func @alibi(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK-DAG: %[[COLUMN:.*]] = attn_tile.column_index %[[KEY]] : tensor<128x64xi32>
// CHECK-DAG: %[[ROW:.*]] = attn_tile.expand_rows %{{.*}} : tensor<128xi32> -> tensor<128x64xi32>
// CHECK: %[[D:.*]] = arith.subi %[[COLUMN]], %[[ROW]] : tensor<128x64xi32>
// CHECK: %[[DF:.*]] = arith.sitofp %[[D]] : tensor<128x64xi32> to tensor<128x64xf32>
// CHECK: %[[BF:.*]] = arith.sitofp %{{.*}} : i32 to f32
// CHECK: %[[SLOPE:.*]] = arith.mulf %{{.*}}, %[[BF]] : f32
// CHECK: %[[SLOPES:.*]] = tensor.splat %[[SLOPE]] : tensor<128x64xf32>
// CHECK: %[[BIAS:.*]] = arith.mulf %[[DF]], %[[SLOPES]]
// CHECK: %[[R:.*]] = arith.addf %[[S]], %[[BIAS]]
// CHECK: attn_tile.reduce_rows <max> %[[R]]
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @alibi(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %d = arith.subi %key, %query : index
        %slope = arith.constant 0.25 : f32
        %di = arith.index_cast %d : index to i32
        %df = arith.sitofp %di : i32 to f32
        %bi = arith.index_cast %b : index to i32
        %bf = arith.sitofp %bi : i32 to f32
        %m = arith.mulf %slope, %bf : f32
        %bias = arith.mulf %df, %m : f32
        %r = arith.addf %s, %bias : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// CHECK-LABEL: gpu.func @softcap(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: %[[S:.*]] = arith.mulf %[[PRODUCT]], %{{.*}}
// CHECK: %[[N:.*]] = arith.divf %[[S]], %{{.*}} : tensor<128x64xf32>
// CHECK: %[[T:.*]] = math.tanh %[[N]] : tensor<128x64xf32>
// CHECK: %[[R:.*]] = arith.mulf %[[T]], %{{.*}} : tensor<128x64xf32>
// CHECK: attn_tile.reduce_rows <max> %[[R]]
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @softcap(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %cap = arith.constant 30.0 : f32
        %n = arith.divf %s, %cap : f32
        %t = math.tanh %n : f32
        %r = arith.mulf %t, %cap : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// A window narrower than a tile leaves no tile full.
// CHECK-LABEL: gpu.func @window(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: arith.cmpi sle
// CHECK: arith.cmpi sgt
// CHECK: %[[BOTH:.*]] = arith.andi %{{.*}} : tensor<128x64xi1>
// CHECK: arith.select %[[BOTH]], %[[PRODUCT]], %{{.*}} : tensor<128x64xi1>, tensor<128x64xf32>
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @window(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %width = arith.constant 32 : index
        %low = arith.subi %query, %width : index
        %a = arith.cmpi sle, %key, %query : index
        %c = arith.cmpi sgt, %key, %low : index
        %both = arith.andi %a, %c : i1
        %r = arith.select %both, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// A mask around a modification: the first loop caps, the second masks too.
// CHECK-LABEL: gpu.func @causal_softcap(
// CHECK: scf.for
// CHECK-NOT: arith.cmpi
// CHECK: math.tanh
// CHECK-NOT: arith.cmpi
// CHECK: scf.yield
// CHECK: scf.for
// CHECK-DAG: math.tanh
// CHECK-DAG: arith.cmpi sle
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @causal_softcap(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %cap = arith.constant 30.0 : f32
        %n = arith.divf %s, %cap : f32
        %t = math.tanh %n : f32
        %c = arith.mulf %t, %cap : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %c, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// A region need not look at the score at all.
// CHECK-LABEL: gpu.func @constant(
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[PRODUCT:.*]] = attn_tile.mma
// CHECK: tensor.splat %{{.*}} : tensor<128x64xf32>
// CHECK: scf.yield
// CHECK-NOT: scf.for
func.func private @constant(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %r = arith.constant 1.0 : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// A region that changes nothing costs nothing.
// CHECK-LABEL: gpu.func @identity(
// CHECK: scf.for
// CHECK-NOT: arith.mulf %{{.*}} : tensor<128x64xf32>
// CHECK: attn_tile.reduce_rows
// CHECK-NOT: scf.for
func.func private @identity(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        sparse_attn.yield %s : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// A finite number in the place of -inf: the maximum is subtracted before the
// units change, so that a row of that number alone is exact.
// CHECK-LABEL: gpu.func @finite_fill(
// CHECK: %[[R:.*]] = arith.select
// CHECK: %[[M:.*]] = attn_tile.reduce_rows <max> %[[R]]
// CHECK: %[[NEW:.*]] = arith.maxnumf %{{.*}}, %[[M]]
// CHECK: %[[SAFE:.*]] = arith.select %{{.*}}, %{{.*}}, %[[NEW]]
// CHECK: %[[BASE:.*]] = attn_tile.expand_rows %[[SAFE]]
// CHECK: %[[D:.*]] = arith.subf %[[R]], %[[BASE]]
// CHECK: %[[E:.*]] = arith.mulf %[[D]], %{{.*}}
// CHECK: math.exp2 %[[E]]
func.func private @finite_fill(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
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

// A power of a positive constant is one of 2.
// CHECK-LABEL: gpu.func @power(
// CHECK: %[[BF:.*]] = arith.sitofp %{{.*}} : i32 to f32
// CHECK: %[[E:.*]] = arith.mulf %[[BF]], %cst{{.*}} : f32
// CHECK: %[[SLOPE:.*]] = math.exp2 %[[E]] : f32
// CHECK: tensor.splat %[[SLOPE]] : tensor<128x64xf32>
func.func private @power(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %base = arith.constant 0.25 : f32
        %bi = arith.index_cast %b : index to i32
        %bf = arith.sitofp %bi : i32 to f32
        %slope = math.powf %base, %bf : f32
        %ki = arith.index_cast %key : index to i32
        %kf = arith.sitofp %ki : i32 to f32
        %bias = arith.mulf %kf, %slope : f32
        %r = arith.addf %s, %bias : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

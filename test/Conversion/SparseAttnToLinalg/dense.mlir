// Without tiles, attention is linalg on whole operands and no loop.
// RUN: sparse-attn-opt %s --convert-sparse-attn-to-linalg | FileCheck %s --implicit-check-not=scf. --implicit-check-not=sparse_attn.attention

#q = affine_map<(b, m, h, n, d, k) -> (b, m, h, d)>
#k = affine_map<(b, m, h, n, d, k) -> (b, k, h, d)>
#v = affine_map<(b, m, h, n, d, k) -> (b, k, h, n)>
#mask = affine_map<(b, m, h, n, d, k) -> (m, k)>
#o = affine_map<(b, m, h, n, d, k) -> (b, m, h, n)>

// CHECK-DAG: #[[QUERY:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
// CHECK-DAG: #[[KEY:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1, d4)>
// CHECK-DAG: #[[SCORE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[MASK:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>
// CHECK-DAG: #[[LSE:.*]] = affine_map<(d0, d1, d2) -> (d0, d2, d1)>

// Rows before heads: the scores are (b, h, m, k), results in their own order.
// CHECK-LABEL: func @bshd
func.func @bshd(%q: tensor<2x?x4x32xbf16>, %k: tensor<2x?x4x32xbf16>, %v: tensor<2x?x4x48xbf16>,
    %mask: tensor<?x?xf16>, %o: tensor<2x?x4x48xbf16>, %l: tensor<2x?x4xf32>)
    -> (tensor<2x?x4x48xbf16>, tensor<2x?x4xf32>) {
  // CHECK: %[[ROWS:.*]] = tensor.dim %{{.*}}, %{{.*}} : tensor<2x?x4x32xbf16>
  // CHECK: %[[KEYS:.*]] = tensor.dim %{{.*}}, %{{.*}} : tensor<2x?x4x32xbf16>
  // CHECK: tensor.empty(%[[ROWS]], %[[KEYS]]) : tensor<2x4x?x?xf32>
  // CHECK: %[[DOT:.*]] = linalg.generic {indexing_maps = [#[[QUERY]], #[[KEY]], #[[SCORE]]], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
  // CHECK: arith.extf %{{.*}} : bf16 to f32
  // CHECK: %[[S:.*]] = linalg.generic {indexing_maps = [#[[MASK]], #[[ALL]]]
  // CHECK-SAME: outs(%[[DOT]] : tensor<2x4x?x?xf32>)
  // CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
  // The region: (b, h, m, k) in, ALiBi out.
  // CHECK: %[[H:.*]] = linalg.index 1
  // CHECK: %[[M:.*]] = linalg.index 2
  // CHECK: %[[N:.*]] = linalg.index 3
  // CHECK: arith.subi %[[N]], %[[M]] : index
  // CHECK: arith.muli %{{.*}}, %[[H]] : index
  // The mask is added after it.
  // CHECK: %[[ADDED:.*]] = arith.extf %{{.*}} : f16 to f32
  // CHECK: arith.addf %{{.*}}, %[[ADDED]] : f32
  // CHECK: %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]]]
  // CHECK: arith.maximumf
  // CHECK: %[[P:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ALL]]]
  // CHECK-SAME: ins(%[[S]], %[[MAX]]
  // CHECK: math.exp
  // CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]]]
  // CHECK-SAME: ins(%[[P]]
  // CHECK: %[[PV:.*]] = linalg.generic
  // CHECK-SAME: ins(%[[P]], %{{.*}} : tensor<2x4x?x?xf32>, tensor<2x?x4x48xbf16>)
  // An empty row gives 0.
  // CHECK: %[[R:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[OUT]]]
  // CHECK-SAME: ins(%[[PV]], %[[SUM]]
  // CHECK: arith.divf
  // CHECK: arith.select
  // CHECK: arith.truncf %{{.*}} : f32 to bf16
  // CHECK: %[[L:.*]] = linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #[[LSE]]]
  // CHECK-SAME: ins(%[[MAX]], %[[SUM]]
  // CHECK: math.log
  // CHECK: return %[[R]], %[[L]]
  %r:2 = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x?x4x32xbf16>, tensor<2x?x4x32xbf16>, tensor<2x?x4x48xbf16>)
      mask(%mask : tensor<?x?xf16>) outs(%o : tensor<2x?x4x48xbf16>) log_sum_exp(%l : tensor<2x?x4xf32>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %m: index, %n: index):
        %distance = arith.subi %n, %m : index
        %slope = arith.muli %distance, %h : index
        %integer = arith.index_cast %slope : index to i64
        %bias = arith.sitofp %integer : i64 to f32
        %x = arith.addf %s, %bias : f32
        sparse_attn.yield %x : f32
      }
      {indexing_maps = [#q, #k, #v, #mask, #o], scale = 0.125 : f64} -> tensor<2x?x4x48xbf16>, tensor<2x?x4xf32>
  return %r#0, %r#1 : tensor<2x?x4x48xbf16>, tensor<2x?x4xf32>
}

// A filter without a decision tile is a permission, and no key is left out.
// CHECK-LABEL: func @permission
// CHECK-COUNT-7: linalg.generic
#flat_q = affine_map<(m, n, d, k) -> (m, d)>
#flat_k = affine_map<(m, n, d, k) -> (k, d)>
#flat_v = affine_map<(m, n, d, k) -> (k, n)>
#flat_o = affine_map<(m, n, d, k) -> (m, n)>
func.func @permission(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
      outs(%x : tensor<64x64xf32>)
      {indexing_maps = [#flat_q, #flat_k, #flat_v, #flat_o], scale = 1.0 : f64,
       filter = #sparse_attn.energy<-6.0>} -> tensor<64x64xf32>
  return %r : tensor<64x64xf32>
}

// A filter that cannot skip needs no tiles either.
// CHECK-LABEL: func @neutral
// CHECK-COUNT-7: linalg.generic
func.func @neutral(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
      outs(%x : tensor<64x64xf32>)
      {indexing_maps = [#flat_q, #flat_k, #flat_v, #flat_o], scale = 1.0 : f64,
       decision_tile = array<i64: 16, 16>, filter = #sparse_attn.threshold<0.0>} -> tensor<64x64xf32>
  return %r : tensor<64x64xf32>
}

// RUN: sparse-attn-opt %s -sparse-attn-request-statistics -split-input-file -verify-diagnostics | FileCheck %s

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// A filter that can skip tells its bound and what it counted.
// CHECK-LABEL: @recall(
// CHECK-SAME: %[[BOUND:arg[0-9]+]]: tensor<1x2x64xf32> {sparse_attn.statistic}
// CHECK-SAME: %[[COUNTS:arg[0-9]+]]: tensor<1x2x2x2xi32> {sparse_attn.statistic}
// CHECK-SAME: -> (tensor<1x2x64x32xf16>, tensor<1x2x64xf32>, tensor<1x2x2x2xi32>)
// CHECK: %[[R:.*]]:3 = sparse_attn.attention
// CHECK-SAME: recall_bound(%[[BOUND]] : tensor<1x2x64xf32>) tile_counts(%[[COUNTS]] : tensor<1x2x2x2xi32>)
// CHECK: return %[[R]]#0, %[[R]]#1, %[[R]]#2
func.func private @recall(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> (tensor<1x2x64x32xf16>) attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, filter = #sparse_attn.recall<0.9>, decision_tile = array<i64: 48, 32>} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// Dense attention only counts, and so does a filter that never skips.
// CHECK-LABEL: @dense(
// CHECK-SAME: -> (tensor<1x2x64x32xf16>, tensor<1x2x1x2xi32>)
// CHECK-NOT: recall_bound
func.func private @dense(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> (tensor<1x2x64x32xf16>) attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, decision_tile = array<i64: 64, 32>} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// CHECK-LABEL: @never(
// CHECK-SAME: -> (tensor<1x2x64x32xf16>, tensor<1x2x1x2xi32>)
func.func private @never(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> (tensor<1x2x64x32xf16>) attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, filter = #sparse_attn.recall<1.0>, decision_tile = array<i64: 64, 32>} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// A length that is not known stays so.
// CHECK-LABEL: @dynamic(
// CHECK-SAME: tensor<1x2x?xf32> {sparse_attn.statistic}
// CHECK-SAME: tensor<1x2x?x2xi32> {sparse_attn.statistic}
func.func private @dynamic(%q: tensor<1x2x?x32xf16>, %k: tensor<1x2x?x32xf16>, %v: tensor<1x2x?x32xf16>, %init: tensor<1x2x?x32xf16>) -> (tensor<1x2x?x32xf16>) attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x?x32xf16>, tensor<1x2x?x32xf16>, tensor<1x2x?x32xf16>) outs(%init : tensor<1x2x?x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, filter = #sparse_attn.energy<-6.0>, decision_tile = array<i64: 64, 32>} -> tensor<1x2x?x32xf16>
  return %o : tensor<1x2x?x32xf16>
}

// What the graph asked for is no statistic; the order stays that of the op.
// CHECK-LABEL: @asked(
// CHECK-SAME: %[[BOUND:arg[0-9]+]]: tensor<1x2x64xf32> {sparse_attn.statistic},
// CHECK-SAME: %[[COUNTS:arg[0-9]+]]: tensor<1x2x1x2xi32>)
// CHECK: recall_bound(%[[BOUND]] : tensor<1x2x64xf32>) tile_counts(%[[COUNTS]] : tensor<1x2x1x2xi32>)
func.func private @asked(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>, %counts: tensor<1x2x1x2xi32>) -> (tensor<1x2x64x32xf16>, tensor<1x2x1x2xi32>) attributes {sparse_attn.kernel} {
  %o:2 = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>) tile_counts(%counts : tensor<1x2x1x2xi32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, filter = #sparse_attn.recall<0.9>, decision_tile = array<i64: 64, 32>} -> tensor<1x2x64x32xf16>, tensor<1x2x1x2xi32>
  return %o#0, %o#1 : tensor<1x2x64x32xf16>, tensor<1x2x1x2xi32>
}

// Only kernels are touched.
// CHECK-LABEL: @graph
// CHECK-NOT: tile_counts
func.func @graph(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, decision_tile = array<i64: 64, 32>} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// -----

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// CHECK-LABEL: @no_tile
// CHECK-NOT: tile_counts
func.func private @no_tile(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> (tensor<1x2x64x32xf16>) attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{kernel without statistics: no decision tile was assigned}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, filter = #sparse_attn.recall<0.9>} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// -----

// expected-error@+1 {{expected one sparse_attn.attention in a kernel}}
func.func private @empty() attributes {sparse_attn.kernel} {
  return
}

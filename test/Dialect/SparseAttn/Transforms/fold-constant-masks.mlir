// RUN: sparse-attn-opt %s -sparse-attn-fold-constant-masks | FileCheck %s

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#mk = affine_map<(b, m, n, d, k) -> (m, k)>
#bmk = affine_map<(b, m, n, d, k) -> (b, m, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// A causal mask becomes a condition, in place of the operand.
// CHECK-LABEL: func.func @causal(
// CHECK-NOT: mask(
// CHECK: score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %[[Q:.*]]: index, %[[K:.*]]: index):
// CHECK-NEXT: %[[NONE:.*]] = arith.constant 0xFF800000 : f32
// CHECK-NEXT: %[[OFFSET:.*]] = arith.constant 0 : index
// CHECK-NEXT: %[[LAST:.*]] = arith.addi %[[Q]], %[[OFFSET]] : index
// CHECK-NEXT: %[[SEEN:.*]] = arith.cmpi sle, %[[K]], %[[LAST]] : index
// CHECK-NEXT: %[[R:.*]] = arith.select %[[SEEN]], %[[S]], %[[NONE]] : f32
// CHECK-NEXT: yield %[[R]]
// CHECK: indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}, #{{[a-z0-9]*}}]
func.func @causal(%q: tensor<2x4x16xf16>, %init: tensor<2x4x16xf16>) -> tensor<2x4x16xf16> {
  %mask = arith.constant dense<[[true, false, false, false], [true, true, false, false],
                                [true, true, true, false], [true, true, true, true]]> : tensor<4x4xi1>
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<2x4x16xf16>, tensor<2x4x16xf16>, tensor<2x4x16xf16>) mask(%mask : tensor<4x4xi1>) outs(%init : tensor<2x4x16xf16>)
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64} -> tensor<2x4x16xf16>
  return %o : tensor<2x4x16xf16>
}

// A window of finite fills, each row with a key of its own, behind what the
// region does already.
// CHECK-LABEL: func.func @window(
// CHECK-NOT: mask(
// CHECK: %[[CAPPED:.*]] = math.tanh
// CHECK: arith.constant -1 : index
// CHECK: arith.cmpi sge
// CHECK-NEXT: %[[FROM:.*]] = arith.select %{{.*}}, %[[CAPPED]], %{{.*}} : f32
// CHECK: arith.constant 1 : index
// CHECK: arith.cmpi sle
// CHECK-NEXT: arith.select %{{.*}}, %[[FROM]], %{{.*}} : f32
func.func @window(%q: tensor<2x4x16xf16>, %init: tensor<2x4x16xf16>) -> tensor<2x4x16xf16> {
  %mask = arith.constant dense<[[0.0, 0.0, -3.0e38, -3.0e38], [0.0, 0.0, 0.0, -3.0e38],
                                [-3.0e38, 0.0, 0.0, 0.0], [-3.0e38, -3.0e38, 0.0, 0.0]]> : tensor<4x4xf32>
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<2x4x16xf16>, tensor<2x4x16xf16>, tensor<2x4x16xf16>) mask(%mask : tensor<4x4xf32>) outs(%init : tensor<2x4x16xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %r = math.tanh %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64} -> tensor<2x4x16xf16>
  return %o : tensor<2x4x16xf16>
}

// What hides nothing goes.
// CHECK-LABEL: func.func @nothing(
// CHECK-NOT: mask(
// CHECK-NOT: arith.cmpi
// CHECK: return
func.func @nothing(%q: tensor<2x4x16xf16>, %init: tensor<2x4x16xf16>) -> tensor<2x4x16xf16> {
  %mask = arith.constant dense<0.0> : tensor<4x4xf16>
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<2x4x16xf16>, tensor<2x4x16xf16>, tensor<2x4x16xf16>) mask(%mask : tensor<4x4xf16>) outs(%init : tensor<2x4x16xf16>)
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64} -> tensor<2x4x16xf16>
  return %o : tensor<2x4x16xf16>
}

// Fills stay fills where a row has nothing else: its keys weigh alike. Here that
// is one partial block, and the mask stays what it was.
// CHECK-LABEL: func.func @row_of_fills(
// CHECK: mask(
// CHECK-NOT: blocks(
// CHECK: return
func.func @row_of_fills(%q: tensor<2x2x16xf16>, %init: tensor<2x2x16xf16>) -> tensor<2x2x16xf16> {
  %mask = arith.constant dense<[[0.0, 0.0], [-3.0e38, -3.0e38]]> : tensor<2x2xf32>
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<2x2x16xf16>, tensor<2x2x16xf16>, tensor<2x2x16xf16>) mask(%mask : tensor<2x2xf32>) outs(%init : tensor<2x2x16xf16>)
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64} -> tensor<2x2x16xf16>
  return %o : tensor<2x2x16xf16>
}

// Any other mask: the blocks that it shows, and a flag for each that needs it.
// The decision tile gives their size: rows of two queries, blocks of two keys.
// CHECK-LABEL: func.func @blocks(
// CHECK-DAG: %[[MASK:.*]] = arith.constant dense<{{.*}}> : tensor<4x6xi1>
// CHECK-DAG: %[[COUNTS:.*]] = arith.constant dense<{{\[\[}}2, 1], [2, 1]]> : tensor<2x2xi32>
// CHECK-DAG: %[[INDICES:.*]] = arith.constant dense<{{\[\[\[\[}}0, 0], [2, 1]], {{\[\[}}1, 1], [-1, 0]]], {{\[\[\[}}0, 0], [2, 1]], {{\[\[}}1, 1], [-1, 0]]]]> : tensor<2x2x2x2xi32>
// CHECK: mask(%[[MASK]] : tensor<4x6xi1>) blocks(%[[COUNTS]], %[[INDICES]] : tensor<2x2xi32>, tensor<2x2x2x2xi32>)
// CHECK: block_shape = array<i64: 2, 2>
func.func @blocks(%q: tensor<2x4x16xf16>, %k: tensor<2x6x16xf16>, %init: tensor<2x4x16xf16>) -> tensor<2x4x16xf16> {
  %mask = arith.constant dense<[[true, true, false, false, false, true], [true, true, false, false, true, true],
                                [false, false, true, false, false, false], [false, false, true, true, false, false]]> : tensor<4x6xi1>
  %o = sparse_attn.attention
      ins(%q, %k, %k : tensor<2x4x16xf16>, tensor<2x6x16xf16>, tensor<2x6x16xf16>) mask(%mask : tensor<4x6xi1>) outs(%init : tensor<2x4x16xf16>)
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64, decision_tile = array<i64: 2, 2>} -> tensor<2x4x16xf16>
  return %o : tensor<2x4x16xf16>
}

// Heads with masks of their own, under a causal region that hides blocks too.
// CHECK-LABEL: func.func @heads(
// CHECK-DAG: arith.constant dense<{{\[\[}}1, 1], [1, 2]]> : tensor<2x2xi32>
// CHECK-DAG: arith.constant dense<{{\[\[\[\[}}0, 1], [-1, 0]], {{\[\[}}0, 0], [-1, 0]]], {{\[\[\[}}0, 1], [-1, 0]], {{\[\[}}0, 0], [1, 1]]]]> : tensor<2x2x2x2xi32>
// CHECK: blocks(
func.func @heads(%q: tensor<2x4x16xf16>, %init: tensor<2x4x16xf16>) -> tensor<2x4x16xf16> {
  %mask = arith.constant dense<[[[true, true, true, true], [true, true, true, true], [true, true, false, false], [true, true, false, false]],
                                [[true, true, true, true], [true, true, true, true], [true, true, true, true], [true, true, true, true]]]> : tensor<2x4x4xi1>
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<2x4x16xf16>, tensor<2x4x16xf16>, tensor<2x4x16xf16>) mask(%mask : tensor<2x4x4xi1>) outs(%init : tensor<2x4x16xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #bmk, #o], scale = 0.25 : f64, decision_tile = array<i64: 2, 2>} -> tensor<2x4x16xf16>
  return %o : tensor<2x4x16xf16>
}

// A mask that is computed when the graph runs is none of this pass's business.
// CHECK-LABEL: func.func @operand(
// CHECK: mask(%arg2 :
// CHECK-NOT: blocks(
// CHECK: return
func.func @operand(%q: tensor<2x4x16xf16>, %init: tensor<2x4x16xf16>, %mask: tensor<4x4xi1>) -> tensor<2x4x16xf16> {
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<2x4x16xf16>, tensor<2x4x16xf16>, tensor<2x4x16xf16>) mask(%mask : tensor<4x4xi1>) outs(%init : tensor<2x4x16xf16>)
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64} -> tensor<2x4x16xf16>
  return %o : tensor<2x4x16xf16>
}

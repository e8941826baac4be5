// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

// A dimension of the output alone is on z of the grid; its window of keys
// becomes the bounds of one loop over full tiles.

#q = affine_map<(s, b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(s, b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(s, b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(s, b, m, n, d, k) -> (b, m, s, n)>

// CHECK-LABEL: gpu.func @shares(
// CHECK-DAG: %[[KEYS:.*]] = arith.constant 128 : i64
// CHECK: gpu.block_id x
// CHECK: gpu.block_id y
// CHECK: %[[Z:.*]] = gpu.block_id z
// CHECK: %[[SHARE:.*]] = arith.index_cast %[[Z]]
// CHECK: arith.muli %{{.*}}, %[[KEYS]]
// CHECK: scf.for
// The output's rows are as far apart as the shares of a row are long.
// CHECK: attn_tile.view %{{.*}} : <1> -> <32xf32, rows = 96>
func.func private @shares(%q: tensor<2x5x32xf16>, %k: tensor<2x384x32xf16>, %v: tensor<2x384x32xf16>, %init: tensor<2x5x3x32xf32>) -> tensor<2x5x3x32xf32> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x5x32xf16>, tensor<2x384x32xf16>, tensor<2x384x32xf16>) outs(%init : tensor<2x5x3x32xf32>)
      score {
      ^bb0(%x: f32, %b: index, %share: index, %query: index, %key: index):
        %c128 = arith.constant 128 : index
        %ninf = arith.constant 0xFF800000 : f32
        %first = arith.muli %share, %c128 : index
        %next = arith.addi %first, %c128 : index
        %from = arith.cmpi sge, %key, %first : index
        %to = arith.cmpi slt, %key, %next : index
        %mine = arith.andi %from, %to : i1
        %r = arith.select %mine, %x, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<2x5x3x32xf32>
  return %o : tensor<2x5x3x32xf32>
}

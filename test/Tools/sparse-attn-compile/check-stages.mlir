// Every floor of a kernel computes the same.
// RUN: rm -rf %t
// RUN: sparse-attn-compile %s --ptxas=none --check-stages -o %t | FileCheck %s
// RUN: sparse-attn-compile %s --ptxas=none --check-stages --seed=7 --filter=recall:0.9 -o %t | FileCheck %s
// RUN: sparse-attn-compile %s --ptxas=none --check-stages --filter=threshold:0.01 -o %t | FileCheck %s

// CHECK: stages of attention_0 for sm_80 agree: convert-sparse-attn-to-linalg, convert-sparse-attn-to-attn-tile,{{.*}} attn-tile-stage-copies,{{.*}} attn-tile-assign-layouts,{{.*}} convert-attn-tile-to-nvvm and the PTX back end
// CHECK: stages of attention_1 for sm_80 agree

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func @causal(%q: tensor<3x300x64xf16>, %init: tensor<3x300x64xf16>) -> tensor<3x300x64xf16> {
  %ninf = arith.constant 0xFF800000 : f32
  %o = sparse_attn.attention ins(%q, %q, %q : tensor<3x300x64xf16>, tensor<3x300x64xf16>, tensor<3x300x64xf16>) outs(%init : tensor<3x300x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<3x300x64xf16>
  return %o : tensor<3x300x64xf16>
}
func.func @cross(%q: tensor<3x?x32xf32>, %k: tensor<3x?x32xf32>, %init: tensor<3x?x32xf32>) -> tensor<3x?x32xf32> {
  %o = sparse_attn.attention ins(%q, %k, %k : tensor<3x?x32xf32>, tensor<3x?x32xf32>, tensor<3x?x32xf32>) outs(%init : tensor<3x?x32xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.2 : f64} -> tensor<3x?x32xf32>
  return %o : tensor<3x?x32xf32>
}

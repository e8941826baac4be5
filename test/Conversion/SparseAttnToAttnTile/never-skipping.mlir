// Filters that never skip give the dense kernel, to the letter.
// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -o %t.dense
// RUN: sed 's/#sparse_attn.dense/#sparse_attn.threshold<0.0>/' %s | sparse-attn-opt -convert-sparse-attn-to-attn-tile -o %t.threshold
// RUN: sed 's/#sparse_attn.dense/#sparse_attn.energy<-inf>/' %s | sparse-attn-opt -convert-sparse-attn-to-attn-tile -o %t.energy
// RUN: sed 's/#sparse_attn.dense/#sparse_attn.recall<1.0>/' %s | sparse-attn-opt -convert-sparse-attn-to-attn-tile -o %t.recall
// RUN: sed 's/#sparse_attn.dense/#sparse_attn.recall<1.0, tile, groups = 8>/' %s | sparse-attn-opt -convert-sparse-attn-to-attn-tile -o %t.groups
// RUN: diff %t.dense %t.threshold
// RUN: diff %t.dense %t.energy
// RUN: diff %t.dense %t.recall
// RUN: diff %t.dense %t.groups
// RUN: FileCheck %s --input-file=%t.dense

// So does stating nothing.
// RUN: sed 's/filter = #sparse_attn.dense, //' %s | sparse-attn-opt -convert-sparse-attn-to-attn-tile -o %t.unstated
// RUN: diff %t.dense %t.unstated

// And a filter that can skip does not.
// RUN: sed 's/#sparse_attn.dense/#sparse_attn.recall<0.999>/' %s | sparse-attn-opt -convert-sparse-attn-to-attn-tile -o %t.skips
// RUN: not diff %t.dense %t.skips > %t.difference
// RUN: FileCheck %s --input-file=%t.skips --check-prefix=SKIPS

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: gpu.func @never(
// CHECK-NOT: scf.if
// CHECK: gpu.return
// SKIPS: scf.if
func.func private @never(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) outs(%init : tensor<4x250x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.dense, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}

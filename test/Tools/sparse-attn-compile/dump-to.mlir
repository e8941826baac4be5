// What each step and each pass made, in files.
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-compile %s --ptxas=none --dump-to=%t/dump -o %t/p
// RUN: ls %t/dump | FileCheck %s
// RUN: FileCheck %s --check-prefix=KERNELS < %t/dump/4-kernels.sm_80.mlir
// RUN: find %t/dump -name '*sparse-attn-outline-kernels.mlir' | FileCheck %s --check-prefix=PASSES

// CHECK: 1-input.mlir
// CHECK-NEXT: 2-raised.mlir
// CHECK-NEXT: 3-graph.mlir
// CHECK-NEXT: 4-kernels.sm_80.mlir
// CHECK-NEXT: 5-attention_0.sm_80.ptx
// KERNELS: sparse_attn.target = #sparse_attn.target<"sm_80">
// KERNELS: decision_tile
// PASSES: outline

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func @f(%q: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> {
  %o = sparse_attn.attention ins(%q, %q, %q : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>)
      outs(%init : tensor<2x64x32xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

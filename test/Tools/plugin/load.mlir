// Stock mlir-opt takes the project's dialects and passes from one small library.
// RUN: %preload mlir-opt %s --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(sparse-attn-assign-policies{filter=recall:0.95},sparse-attn-outline-kernels)' \
// RUN:   | FileCheck %s
// RUN: %preload mlir-opt --load-dialect-plugin=%plugin --show-dialects | FileCheck %s --check-prefix=DIALECTS

// DIALECTS: attn_tile
// DIALECTS: sparse_attn

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK-LABEL: @layer
// CHECK: call @attention_0
// CHECK: func.func private @attention_0
// CHECK: filter = #sparse_attn.recall<0.95>
func.func @layer(%q: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>)
      outs(%init : tensor<2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

// RUN: sparse-attn-opt %s -allow-unregistered-dialect -sparse-attn-outline-kernels | FileCheck %s
// RUN: sparse-attn-opt %s -allow-unregistered-dialect -sparse-attn-outline-kernels | sparse-attn-opt -allow-unregistered-dialect | FileCheck %s

// Functions of a dialect that is not known are operations with a region.

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// CHECK: "util.func"
// CHECK: %[[O:.*]] = sparse_attn.call_kernel @attention_0(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) :
// CHECK: "util.return"(%[[O]])
// CHECK: func.func private @attention_0
"util.func"() <{sym_name = "layer"}> ({
^bb0(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>):
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  "util.return"(%o) : (tensor<1x2x64x32xf16>) -> ()
}) : () -> ()

// RUN: sparse-attn-opt %s -sparse-attn-assign-policies | FileCheck %s --check-prefix=NONE
// RUN: sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:0.9,tile,groups=8 precision=tf32' | FileCheck %s
// RUN: sparse-attn-opt %s -sparse-attn-assign-policies='filter=dense' | FileCheck %s --check-prefix=DENSE

// Flags fill what the IR leaves open and never override what it states.

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// NONE-LABEL: @open
// NONE-NOT: filter
// NONE-NOT: precision
// CHECK-LABEL: @open
// CHECK: filter = #sparse_attn.recall<0.9, tile, groups = 8>
// CHECK-NOT: precision
// DENSE-LABEL: @open
// DENSE: filter = #sparse_attn.dense
func.func @open(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// NONE-LABEL: @stated
// CHECK-LABEL: @stated
// CHECK: filter = #sparse_attn.energy<-6.0>
// DENSE-LABEL: @stated
// DENSE: filter = #sparse_attn.energy<-6.0>
func.func @stated(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, filter = #sparse_attn.energy<-6.0>} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// CHECK-LABEL: @single
// CHECK: precision = #sparse_attn.precision<tf32>
// DENSE-LABEL: @single
// DENSE-NOT: precision
func.func @single(%q: tensor<1x2x64x32xf32>, %k: tensor<1x2x64x32xf32>, %v: tensor<1x2x64x32xf32>, %init: tensor<1x2x64x32xf32>) -> tensor<1x2x64x32xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>) outs(%init : tensor<1x2x64x32xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf32>
  return %o : tensor<1x2x64x32xf32>
}

// CHECK-LABEL: @single_stated
// DENSE-LABEL: @single_stated
// CHECK: precision = #sparse_attn.precision<bf16>
func.func @single_stated(%q: tensor<1x2x64x32xf32>, %k: tensor<1x2x64x32xf32>, %v: tensor<1x2x64x32xf32>, %init: tensor<1x2x64x32xf32>) -> tensor<1x2x64x32xf32> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>) outs(%init : tensor<1x2x64x32xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, precision = #sparse_attn.precision<bf16>} -> tensor<1x2x64x32xf32>
  return %o : tensor<1x2x64x32xf32>
}

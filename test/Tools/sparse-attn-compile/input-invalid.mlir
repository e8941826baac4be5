// A fault in a graph is named with its place.
// RUN: %python %S/Inputs/fails.py 1 sparse-attn-compile %s -o %t | FileCheck %s
// RUN: not ls %t

func.func @f(%q: tensor<64x32xf16>) {
  // CHECK: {{.*}}input-invalid.mlir:[[#@LINE+1]]:8: error: 'sparse_attn.attention' op expected rank 3 for the query by its indexing map, found 2
  %o = sparse_attn.attention ins(%q, %q, %q : tensor<64x32xf16>, tensor<64x32xf16>, tensor<64x32xf16>) outs(%q : tensor<64x32xf16>) {indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> (b, m, n)>], scale = 0.5 : f64} -> tensor<64x32xf16>
  return
}

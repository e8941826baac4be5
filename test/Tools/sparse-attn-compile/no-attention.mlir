// A graph without attention is no error unless one was expected.
// RUN: rm -rf %t
// RUN: sparse-attn-compile %s -o %t 2>&1 | FileCheck %s
// RUN: not ls %t
// RUN: sparse-attn-compile %s -o %t --expect-attention=0
// RUN: %python %S/Inputs/fails.py 1 sparse-attn-compile %s -o %t --expect-attention=1 | FileCheck %s --check-prefix=EXPECTED
// CHECK: found 0 attentions, 0 distinct kernels
// CHECK: nothing written: no attention was found in '{{.*}}no-attention.mlir'
// EXPECTED: error: expected 1 attentions, found 0
func.func @f(%a: tensor<2xf32>) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}

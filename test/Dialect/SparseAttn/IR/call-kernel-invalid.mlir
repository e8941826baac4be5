// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

func.func @graph(%a: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{expected a function '@kernel' in the enclosing module, found none}}
  %r = sparse_attn.call_kernel @kernel(%a) : (tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// -----

func.func private @kernel(tensor<3xf32>) -> tensor<2xf32>
func.func @graph(%a: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{expected operands of the kernel's types, ('tensor<3xf32>'), found ('tensor<2xf32>')}}
  %r = sparse_attn.call_kernel @kernel(%a) : (tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// -----

func.func private @kernel(tensor<2xf32>) -> tensor<3xf32>
func.func @graph(%a: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{expected results of the kernel's types, ('tensor<3xf32>'), found ('tensor<2xf32>')}}
  %r = sparse_attn.call_kernel @kernel(%a) : (tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

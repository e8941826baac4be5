// What is read of an op of another dialect is checked; it stays if it is not
// as documented.
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --convert-linalg-ext-to-sparse-attn --split-input-file --verify-diagnostics | FileCheck %s
// CHECK-NOT: sparse_attn.attention

// No scale.
func.func @operands(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected query, key, value, scale, an optional mask and one output, found 4 operands and 1 results}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// No maps.
func.func @no_maps(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected one indexing map for each of 5 operands, found 0}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init)  ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A map missing.
func.func @few_maps(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected one indexing map for each of 5 operands, found 4}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, m, d)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A map that is no permutation.
func.func @sum_map(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected projected permutations of one iteration space as indexing maps}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k + d, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Maps of other ranks than the tensors.
func.func @rank(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected tensors of the indexing maps' ranks and a scalar scale}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A result of another type than the output.
func.func @result(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x?xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected a result of the output's type}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x?xf32>
  return %o : tensor<2x8x?xf32>
}

// -----

// Maps that are no attention.
func.func @roles(%q: tensor<2x8x16xf32>, %k: tensor<2x12x4xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected exactly one head_dim (query and key only) dimension, found 0}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x4xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A region in f16.
func.func @narrow_region(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: expected a score region from f32 to f32}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>]}> ({
  ^bb0(%s: f16):
    "iree_linalg_ext.yield"(%s) : (f16) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A scale that the graph computes.
func.func @scale(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>, %scale: f32) -> tensor<2x8x4xf32> {
  %init = tensor.empty() : tensor<2x8x4xf32>
  // expected-remark @+1 {{not raised: the scale is no constant}}
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %init) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>]}> ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

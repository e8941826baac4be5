// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -split-input-file -verify-diagnostics | FileCheck %s

// Numbers that the kernels cannot hold.
// CHECK-NOT: gpu.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK: func.func private @far(
// CHECK: sparse_attn.attention
func.func private @far(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected index constants within 2^30 in the score region, found 3000000000}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %c = arith.constant 3000000000 : index
        %x = arith.addi %query, %c : index
        %seen = arith.cmpi sle, %key, %x : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @few_rows(
// CHECK: sparse_attn.attention
func.func private @few_rows(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a decision tile of 16, 32, 64, 128, 256 or 512 queries and a multiple of 16 keys, found 8 and 64}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 8, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @odd_rows(
// CHECK: sparse_attn.attention
func.func private @odd_rows(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a decision tile of 16, 32, 64, 128, 256 or 512 queries and a multiple of 16 keys, found 80 and 64}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 80, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @many_rows(
// CHECK: sparse_attn.attention
func.func private @many_rows(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a decision tile of 16, 32, 64, 128, 256 or 512 queries and a multiple of 16 keys, found 1024 and 64}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 1024, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @odd_keys(
// CHECK: sparse_attn.attention
func.func private @odd_keys(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a decision tile of 16, 32, 64, 128, 256 or 512 queries and a multiple of 16 keys, found 64 and 40}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 40>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @shared(
// CHECK: sparse_attn.attention
func.func private @shared(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected tiles that fit the 166912 bytes of shared memory of sm_80, found a decision tile of 256 queries and 1024 keys}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 256, 1024>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @many_keys(
// CHECK: sparse_attn.attention
func.func private @many_keys(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected tiles that fit the 166912 bytes of shared memory of sm_80, found a decision tile of 64 queries and 9223372036854775792 keys}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 9223372036854775792>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// -----

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// What one target holds another does not.
// CHECK: func.func private @smaller(
// CHECK: sparse_attn.attention
module attributes {sparse_attn.target = #sparse_attn.target<"sm_86">} {
func.func private @smaller(%q: tensor<4x64x128xf32>, %k: tensor<4x64x128xf32>, %v: tensor<4x64x128xf32>, %init: tensor<4x64x128xf32>) -> tensor<4x64x128xf32> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected tiles that fit the 101376 bytes of shared memory of sm_86, found a decision tile of 128 queries and 64 keys}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x128xf32>, tensor<4x64x128xf32>, tensor<4x64x128xf32>) outs(%init : tensor<4x64x128xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x64x128xf32>
  return %o : tensor<4x64x128xf32>
}
}

// -----

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK: func.func private @none(
// expected-remark@+1 {{not compiled: expected exactly one attention, or one operation around it, in a kernel function}}
func.func private @none(%x: tensor<4xf32>) -> tensor<4xf32> attributes {sparse_attn.kernel} {
  return %x : tensor<4xf32>
}

// CHECK: func.func private @declared(
// expected-remark@+1 {{not compiled: expected exactly one attention, or one operation around it, in a kernel function}}
func.func private @declared(tensor<4xf32>) -> tensor<4xf32> attributes {sparse_attn.kernel}

// CHECK: func.func private @two(
// expected-remark@+1 {{not compiled: expected exactly one attention, or one operation around it, in a kernel function}}
func.func private @two(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  %a = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  %o = sparse_attn.attention
      ins(%a, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

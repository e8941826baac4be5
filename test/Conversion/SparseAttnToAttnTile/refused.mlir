// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -verify-diagnostics | FileCheck %s

// What cannot become a kernel stays as it is, with the reason.
// CHECK-NOT: gpu.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK: func.func private @no_tile(
// CHECK: sparse_attn.attention
func.func private @no_tile(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: no decision_tile; run sparse-attn-assign-schedule first}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @head_dim(
// CHECK: sparse_attn.attention
func.func private @head_dim(%q: tensor<4x64x44xf16>, %k: tensor<4x64x44xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a head_dim of a multiple of 8 from 8 to 256, found 44}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x44xf16>, tensor<4x64x44xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @head_dim_f32(
// CHECK: sparse_attn.attention
func.func private @head_dim_f32(%q: tensor<4x64x34xf32>, %k: tensor<4x64x34xf32>, %v: tensor<4x64x64xf32>, %init: tensor<4x64x64xf32>) -> tensor<4x64x64xf32> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a head_dim of a multiple of 4 from 4 to 256, found 34}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x34xf32>, tensor<4x64x34xf32>, tensor<4x64x64xf32>) outs(%init : tensor<4x64x64xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf32>
  return %o : tensor<4x64x64xf32>
}

// CHECK: func.func private @no_head_dim(
// CHECK: sparse_attn.attention
func.func private @no_head_dim(%q: tensor<4x64x0xf16>, %k: tensor<4x64x0xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a head_dim of a multiple of 8 from 8 to 256, found 0}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x0xf16>, tensor<4x64x0xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @value_head_dim(
// CHECK: sparse_attn.attention
func.func private @value_head_dim(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x264xf16>, %init: tensor<4x64x264xf16>) -> tensor<4x64x264xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a value head_dim of a multiple of 8 from 8 to 256, found 264}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x264xf16>) outs(%init : tensor<4x64x264xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x264xf16>
  return %o : tensor<4x64x264xf16>
}

// CHECK: func.func private @dynamic_head_dim(
// CHECK: sparse_attn.attention
func.func private @dynamic_head_dim(%q: tensor<4x64x?xf16>, %k: tensor<4x64x?xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a head_dim of a multiple of 8 from 8 to 256, found a dynamic one}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x?xf16>, tensor<4x64x?xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @key_columns(
// CHECK: sparse_attn.attention
func.func private @key_columns(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected head_dim as the last dimension of the key, found it at 1 of 3}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, affine_map<(b, m, n, d, k) -> (b, d, k)>, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @output_columns(
// CHECK: sparse_attn.attention
func.func private @output_columns(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<64x4x64xf16>) -> tensor<64x4x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected head_dim as the last dimension of the output, found it at 0 of 3}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<64x4x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (n, b, m)>], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<64x4x64xf16>
  return %o : tensor<64x4x64xf16>
}

// CHECK: func.func private @pitch(
// CHECK: sparse_attn.attention
func.func private @pitch(%q: tensor<64x?x64xf16>, %k: tensor<?x64x64xf16>, %v: tensor<?x64x64xf16>, %init: tensor<?x64x64xf16>) -> tensor<?x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected static sizes behind the token dimension of the query, found tensor<64x?x64xf16>}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<64x?x64xf16>, tensor<?x64x64xf16>, tensor<?x64x64xf16>) outs(%init : tensor<?x64x64xf16>)
      {indexing_maps = [affine_map<(b, m, n, d, k) -> (m, b, d)>, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<?x64x64xf16>
  return %o : tensor<?x64x64xf16>
}

// CHECK: func.func private @mask_pitch(
// CHECK: sparse_attn.attention
func.func private @mask_pitch(%q: tensor<4x64x64xf16>, %k: tensor<4x?x64xf16>, %v: tensor<4x?x64xf16>, %mask: tensor<64x4x?xi1>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected static sizes behind the token dimensions of the mask, found tensor<64x4x?xi1>}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x?x64xf16>, tensor<4x?x64xf16>) mask(%mask : tensor<64x4x?xi1>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, affine_map<(b, m, n, d, k) -> (m, b, k)>, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @block_list(
// CHECK: sparse_attn.attention
func.func private @block_list(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %counts: tensor<4x1xi32>, %indices: tensor<4x1x1xi32>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected a decision tile whose keys divide those of block_shape, 80, found 64}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) blocks(%counts, %indices : tensor<4x1xi32>, tensor<4x1x1xi32>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>, block_shape = array<i64: 64, 80>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @score_math(
// CHECK: sparse_attn.attention
func.func private @score_math(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected elementwise arithmetic in the score region, found math.erf}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %r = math.erf %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// Only powers of a positive constant have a short form.
// CHECK: func.func private @score_power(
// CHECK: sparse_attn.attention
func.func private @score_power(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected elementwise arithmetic in the score region, found math.powf}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %base = arith.constant -2.0 : f32
        %r = math.powf %base, %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @score_branch(
// CHECK: sparse_attn.attention
func.func private @score_branch(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected elementwise arithmetic in the score region, found scf.if}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %c = arith.cmpi sle, %key, %query : index
        %r = scf.if %c -> f32 {
          scf.yield %s : f32
        } else {
          %zero = arith.constant 0.0 : f32
          scf.yield %zero : f32
        }
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @captured_f64(
// CHECK: sparse_attn.attention
func.func private @captured_f64(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>, %t: tensor<64xf64>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected f16, bf16, f32, i1, i32 or i64 in a tensor that the score region reads, found tensor<64xf64>}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %x = tensor.extract %t[%key] : tensor<64xf64>
        %f = arith.truncf %x : f64 to f32
        %r = arith.addf %s, %f : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

// CHECK: func.func private @captured_huge(
// CHECK: sparse_attn.attention
func.func private @captured_huge(%q: tensor<4x64x64xf16>, %k: tensor<4x64x64xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>, %t: tensor<65536x65536xi32>) -> tensor<4x64x64xf16> attributes {sparse_attn.kernel} {
  // expected-remark@+1 {{not compiled: expected fewer than 2^30 elements in a tensor that the score region reads, found tensor<65536x65536xi32>}}
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x64xf16>, tensor<4x64x64xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %x = tensor.extract %t[%query, %key] : tensor<65536x65536xi32>
        %f = arith.sitofp %x : i32 to f32
        %r = arith.addf %s, %f : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}

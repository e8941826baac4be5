// RUN: sparse-attn-opt %s -sparse-attn-outline-kernels | FileCheck %s
// RUN: sparse-attn-opt %s -sparse-attn-outline-kernels -sparse-attn-outline-kernels | FileCheck %s

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>

// Equal attentions share a kernel, whatever their locations and labels are.
// CHECK-LABEL: @layers
// CHECK: %[[A:.*]] = call @attention_0(%arg0, %arg1, %arg2, %arg3) {layer = "first"}
// CHECK: %[[B:.*]] = call @attention_0(%[[A]], %arg1, %arg2, %arg3) :
// CHECK: %[[C:.*]] = call @attention_2(%[[B]], %arg1, %arg2, %arg3) :
// CHECK: return %[[C]]
func.func @layers(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %a = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, layer = "first"} -> tensor<1x2x64x32xf16>
  %b = sparse_attn.attention
      ins(%a, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  %c = sparse_attn.attention
      ins(%b, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64, filter = #sparse_attn.recall<0.9>} -> tensor<1x2x64x32xf16>
  return %c : tensor<1x2x64x32xf16>
}

// Names avoid what is there already.
// CHECK-LABEL: func.func private @attention_1()
func.func private @attention_1()

// Constants that a score reads from outside, and pure computations on them,
// go into the kernel; equal scores share it however they are written around.
// CHECK-LABEL: @causal
// CHECK: call @attention_3
func.func @causal(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %wide = arith.constant 0xFFF0000000000000 : f64
  %ninf = arith.truncf %wide : f64 to f32
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %query: index, %key: index):
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// CHECK-LABEL: @causal_again
// CHECK: call @attention_3
func.func @causal_again(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %other = arith.constant 1 : index
  %wide = arith.constant 0xFFF0000000000000 : f64
  %ninf = arith.truncf %wide : f64 to f32
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %query: index, %key: index):
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// Another shape is another kernel; another constant as well.
// CHECK-LABEL: @other_constant
// CHECK: call @attention_4
func.func @other_constant(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %ninf = arith.constant -1.0e+30 : f32
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %query: index, %key: index):
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// The same value as query and key stays two arguments.
// CHECK-LABEL: @itself
// CHECK: call @attention_0(%arg0, %arg0, %arg0, %arg3)
func.func @itself(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %q, %q : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}

// CHECK: func.func private @attention_0(%[[Q:.*]]: tensor<1x2x64x32xf16>, %[[K:.*]]: tensor<1x2x64x32xf16>, %[[V:.*]]: tensor<1x2x64x32xf16>, %[[I:.*]]: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> attributes {sparse_attn.kernel} {
// CHECK-NEXT: %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-NOT: layer
// CHECK-NEXT: return %[[O]]
// CHECK: func.func private @attention_2(
// CHECK: recall<0.9>
// CHECK: func.func private @attention_3(
// CHECK-NEXT: sparse_attn.attention
// CHECK: ^bb0
// CHECK-NEXT: %[[WIDE:.*]] = arith.constant 0xFFF0000000000000 : f64
// CHECK-NEXT: %[[NINF:.*]] = arith.truncf %[[WIDE]] : f64 to f32
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[NINF]]
// CHECK: func.func private @attention_4(
// CHECK: arith.constant -1.000000e+30 : f32
// CHECK-NOT: func.func private @attention

// A spec for stock iree-compile: matchers of IREE's attentions, and calls of
// kernels for these. What IREE does with it is in test/numerics.
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-compile %s --ptxas=none --emit=iree-spec -o - 2>%t/log | FileCheck %s
// RUN: FileCheck %s --check-prefix=LOG < %t/log
// RUN: %python %S/Inputs/fails.py 1 sparse-attn-compile %S/Inputs/layers.mlir --emit=iree-spec -o %t/none | FileCheck %s --check-prefix=NONE
// RUN: not ls %t/none

// NONE: error: expected an iree_linalg_ext.attention that stands alone to make a spec for, found none; --emit=iree takes every form

// Nothing of the graph is left.
// CHECK-NOT: sym_name = "layers"
// CHECK: "hal.executable"() <{sym_name = "attention_0"
// CHECK: "util.func"() <{{.*}}sym_name = "call_attention_0"
// CHECK: "flow.dispatch"
// CHECK: "transform.named_sequence"() <{{.*}}sym_name = "match_0"
// The operation with its constant; the mask is an operand.
// CHECK: "transform.iree.match.cast_compatible_dag_from_root"
// CHECK-NEXT: ^bb0(%[[Q:.*]]: tensor<2x64x32xf16>, %[[K:.*]]: tensor<2x96x32xf16>, %[[V:.*]]: tensor<2x96x32xf16>, %[[MASK:.*]]: tensor<2x64x96xi1>):
// CHECK-DAG: %[[SCALE:.*]] = "arith.constant"() <{value = 1.250000e-01 : f32}>
// CHECK-DAG: %[[EMPTY:.*]] = "tensor.empty"()
// CHECK: "iree_linalg_ext.attention"(%[[Q]], %[[K]], %[[V]], %[[SCALE]], %[[MASK]], %[[EMPTY]])
// CHECK: "transform.util.import_symbol"({{.*}}) <{if_undefined, symbol = @attention_0}>
// CHECK: "transform.util.import_symbol"({{.*}}) <{if_undefined, symbol = @call_attention_0}>
// Two equal attentions are one.
// CHECK-NOT: match_1
// CHECK: "transform.foreach_match"({{.*}}) <{actions = [@replace_0], matchers = [@match_0]}>
// CHECK: }) {transform.with_named_sequence} : () -> ()

// LOG: iree-spec.mlir:[[#@LINE+20]]:8: warning: not in the spec: the region of this attention reads values from outside
// LOG: found 1 attention

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#s = affine_map<(b, m, n, d, k) -> ()>
#m = affine_map<(b, m, n, d, k) -> (b, m, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func @layers(%q: tensor<2x64x32xf16>, %k: tensor<2x96x32xf16>, %v: tensor<2x96x32xf16>, %mask: tensor<2x64x96xi1>) -> tensor<2x64x32xf16> {
  %scale = arith.constant 0.125 : f32
  %empty = tensor.empty() : tensor<2x64x32xf16>
  %a = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %mask, %empty) <{indexing_maps = [#q, #k, #v, #s, #m, #o]}> ({
  ^bb0(%score: f32):
    "iree_linalg_ext.yield"(%score) : (f32) -> ()
  }) : (tensor<2x64x32xf16>, tensor<2x96x32xf16>, tensor<2x96x32xf16>, f32, tensor<2x64x96xi1>, tensor<2x64x32xf16>) -> tensor<2x64x32xf16>
  %b = "iree_linalg_ext.attention"(%a, %k, %v, %scale, %mask, %empty) <{indexing_maps = [#q, #k, #v, #s, #m, #o]}> ({
  ^bb0(%score: f32):
    "iree_linalg_ext.yield"(%score) : (f32) -> ()
  }) : (tensor<2x64x32xf16>, tensor<2x96x32xf16>, tensor<2x96x32xf16>, f32, tensor<2x64x96xi1>, tensor<2x64x32xf16>) -> tensor<2x64x32xf16>
  %c = "iree_linalg_ext.attention"(%b, %k, %v, %scale, %mask, %empty) <{indexing_maps = [#q, #k, #v, #s, #m, #o]}> ({
  ^bb0(%score: f32):
    %double = arith.addf %score, %scale : f32
    "iree_linalg_ext.yield"(%double) : (f32) -> ()
  }) : (tensor<2x64x32xf16>, tensor<2x96x32xf16>, tensor<2x96x32xf16>, f32, tensor<2x64x96xi1>, tensor<2x64x32xf16>) -> tensor<2x64x32xf16>
  return %c : tensor<2x64x32xf16>
}

// Masks, maps and attributes that exporters' graphs here do not have.
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --convert-linalg-ext-to-sparse-attn --split-input-file --verify-diagnostics --mlir-print-local-scope | FileCheck %s

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#s = affine_map<(b, m, n, d, k) -> ()>
#m = affine_map<(b, m, n, d, k) -> (m, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// A window by an i1 mask of indices; maps in the discardable attributes.
// CHECK-LABEL: func.func @window
// CHECK-SAME:    (%[[Q:.*]]: tensor<2x8x16xf16>, %[[K:.*]]: tensor<2x12x16xf16>, %[[V:.*]]: tensor<2x12x4xf16>)
// CHECK-NEXT:    %[[INIT:.*]] = tensor.empty() : tensor<2x8x4xf16>
// CHECK-NEXT:    sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}}) outs(%[[INIT]] :
// CHECK-NEXT:    ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK-NEXT:      %[[WIDTH:.*]] = arith.constant 3 : index
// CHECK-NEXT:      %[[END:.*]] = arith.addi %[[QUERY]], %[[WIDTH]] : index
// CHECK-NEXT:      %[[SEEN:.*]] = arith.cmpi slt, %[[KEY]], %[[END]] : index
// CHECK-NEXT:      %[[LOW:.*]] = arith.constant 0xFF800000 : f32
// CHECK-NEXT:      %[[R:.*]] = arith.select %[[SEEN]], %[[S]], %[[LOW]] : f32
// CHECK-NEXT:      sparse_attn.yield %[[R]]
// CHECK-NEXT:    } {{.*}} scale = 2.500000e-01
func.func @window(%q: tensor<2x8x16xf16>, %k: tensor<2x12x16xf16>, %v: tensor<2x12x4xf16>) -> tensor<2x8x4xf16> {
  %scale = arith.constant 0.25 : f32
  %three = arith.constant 3 : i32
  %em = tensor.empty() : tensor<8x12xi1>
  %mask = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]} outs(%em : tensor<8x12xi1>) {
  ^bb0(%init: i1):
    %m = linalg.index 0 : index
    %k32 = linalg.index 1 : index
    %m0 = arith.index_cast %m : index to i32
    %k0 = arith.index_cast %k32 : index to i32
    %d = arith.subi %m0, %k0 : i32
    %e = arith.addi %three, %d : i32
    %z = arith.constant 0 : i32
    %c = arith.cmpi sgt, %e, %z : i32
    linalg.yield %c : i1
  } -> tensor<8x12xi1>
  %init = tensor.empty() : tensor<2x8x4xf16>
  %o = "iree_linalg_ext.attention"(%q, %k, %v, %scale, %mask, %init) ({
  ^bb0(%s: f32):
    "iree_linalg_ext.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [#q, #k, #v, #s, #m, #o]} : (tensor<2x8x16xf16>, tensor<2x12x16xf16>, tensor<2x12x4xf16>, f32, tensor<8x12xi1>, tensor<2x8x4xf16>) -> tensor<2x8x4xf16>
  return %o : tensor<2x8x4xf16>
}

// RUN: sparse-attn-opt %s -convert-sparse-attn-to-attn-tile -canonicalize -cse | FileCheck %s

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// Equal documents: the query's is read once a row, the key's once an element.
// CHECK-LABEL: gpu.func @documents(
// CHECK-SAME: %[[POINTER:arg4]]: !llvm.ptr<1> {{{.*}}sparse_attn.name = "captured_0"}
// CHECK: %[[ROW:.*]] = attn_tile.row_index
// CHECK: scf.for
// CHECK: %[[INSIDE:.*]] = arith.minsi %[[ROW]], %{{.*}} : tensor<64xi32>
// CHECK: %[[ROWS:.*]] = attn_tile.gather %[[POINTER]][%{{.*}}] : <1>, tensor<64xi32> -> tensor<64xi32>
// CHECK: %[[COLUMNS:.*]] = attn_tile.gather %[[POINTER]][%{{.*}}] : <1>, tensor<64x32xi32> -> tensor<64x32xi32>
// CHECK: %[[SPREAD:.*]] = attn_tile.expand_rows %[[ROWS]] : tensor<64xi32> -> tensor<64x32xi32>
// CHECK: arith.cmpi eq, %[[SPREAD]], %[[COLUMNS]]
func.func private @documents(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>, %t: tensor<64xi32>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%init : tensor<2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %x = tensor.extract %t[%query] : tensor<64xi32>
        %y = tensor.extract %t[%key] : tensor<64xi32>
        %seen = arith.cmpi eq, %x, %y : i32
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

// A length is looked up once and bounds both loops; a dynamic size is passed.
// CHECK-LABEL: gpu.func @lengths(
// CHECK-SAME: %[[POINTER:arg4]]: !llvm.ptr<1> {{{.*}}sparse_attn.name = "captured_0"}
// CHECK-SAME: %[[SIZE:arg5]]: i32 {sparse_attn.name = "captured_0_size_0"}
// CHECK: %[[LAST:.*]] = arith.subi %[[SIZE]], %c1_i32
// CHECK: arith.minsi %{{.*}}, %[[LAST]]
// CHECK: %[[LENGTH:.*]] = attn_tile.gather %[[POINTER]][%{{.*}}] : <1>, i32 -> i64
// CHECK: arith.minsi %[[LENGTH]]
// CHECK: %[[MAIN:.*]]:3 = scf.for
// CHECK-NOT: attn_tile.gather
// CHECK: scf.yield
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func private @lengths(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>, %t: tensor<?xi64>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%init : tensor<2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %length = tensor.extract %t[%b] : tensor<?xi64>
        %i = arith.index_cast %key : index to i64
        %seen = arith.cmpi slt, %i, %length : i64
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

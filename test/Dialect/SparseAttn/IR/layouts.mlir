// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s
// RUN: sparse-attn-opt %s -canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: @layouts
// CHECK-SAME: a = #sparse_attn.raster<2x3x4>
// CHECK-SAME: b = #sparse_attn.hilbert<21x45x80, tail = 256>
// CHECK-SAME: c = #sparse_attn.gilbert<21x45x80>
// CHECK-SAME: d = #sparse_attn.morton<1x1x1>
// CHECK-SAME: e = #sparse_attn.box<4x6x8 in 21x45x80, tail = 3>
func.func private @layouts() attributes {
  a = #sparse_attn.raster<2x3x4>, b = #sparse_attn.hilbert<21x45x80, tail = 256>,
  c = #sparse_attn.gilbert<21x45x80, tail = 0>, d = #sparse_attn.morton<1x1x1>,
  e = #sparse_attn.box<4x6x8 in 21x45x80, tail = 3>}

// CHECK-LABEL: @permute
// CHECK: %[[Y:.*]] = sparse_attn.permute_tokens %{{.*}} by #sparse_attn.hilbert<2x2x2, tail = 2> along 1 : tensor<4x10x3xf16>
// CHECK: sparse_attn.permute_tokens %[[Y]] by #sparse_attn.hilbert<2x2x2, tail = 2> along 1 inverse : tensor<4x10x3xf16>
// There and back is nothing.
// FOLD-LABEL: @permute
// FOLD-SAME: %[[X:.*]]: tensor
// FOLD-NEXT: return %[[X]]
func.func @permute(%x: tensor<4x10x3xf16>) -> tensor<4x10x3xf16> {
  %y = sparse_attn.permute_tokens %x by #sparse_attn.hilbert<2x2x2, tail = 2> along 1 : tensor<4x10x3xf16>
  %z = sparse_attn.permute_tokens %y by #sparse_attn.hilbert<2x2x2, tail = 2> along 1 inverse : tensor<4x10x3xf16>
  return %z : tensor<4x10x3xf16>
}

// Another layout, another dimension or twice the same way is something.
// FOLD-LABEL: @others
// FOLD-COUNT-6: sparse_attn.permute_tokens
func.func @others(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %a = sparse_attn.permute_tokens %x by #sparse_attn.hilbert<2x2x2> along 0 : tensor<8x8xf32>
  %b = sparse_attn.permute_tokens %a by #sparse_attn.morton<2x2x2> along 0 inverse : tensor<8x8xf32>
  %c = sparse_attn.permute_tokens %x by #sparse_attn.hilbert<2x2x2> along 1 : tensor<8x8xf32>
  %d = sparse_attn.permute_tokens %c by #sparse_attn.hilbert<2x2x2> along 0 inverse : tensor<8x8xf32>
  %e = sparse_attn.permute_tokens %x by #sparse_attn.gilbert<2x2x2> along 1 : tensor<8x8xf32>
  %f = sparse_attn.permute_tokens %e by #sparse_attn.gilbert<2x2x2> along 1 : tensor<8x8xf32>
  return %b, %d, %f : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}

// Raster order is the order that tokens come in; tables are put in order now.
// FOLD-LABEL: @known
// FOLD-SAME: %[[X:.*]]: tensor
// FOLD-DAG: %[[TABLE:.*]] = arith.constant dense<{{\[\[}}0, 4, 6, 2, 3, 7, 5, 1, 8], [10, 14, 16, 12, 13, 17, 15, 11, 18]]> : tensor<2x9xi32>
// FOLD-DAG: %[[BACK:.*]] = arith.constant dense<[0.000000e+00, 7.000000e+00, 3.000000e+00, 4.000000e+00, 1.000000e+00, 6.000000e+00, 2.000000e+00, 5.000000e+00]> : tensor<8xf16>
// FOLD-DAG: %[[SAME:.*]] = arith.constant dense<true> : tensor<8xi1>
// FOLD: return %[[X]], %[[TABLE]], %[[BACK]], %[[SAME]]
func.func @known(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<2x9xi32>, tensor<8xf16>, tensor<8xi1>) {
  %table = arith.constant dense<[[0, 1, 2, 3, 4, 5, 6, 7, 8], [10, 11, 12, 13, 14, 15, 16, 17, 18]]> : tensor<2x9xi32>
  %count = arith.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<8xf16>
  %true = arith.constant dense<true> : tensor<8xi1>
  %a = sparse_attn.permute_tokens %x by #sparse_attn.raster<2x2x2> along 0 : tensor<8xf32>
  %b = sparse_attn.permute_tokens %table by #sparse_attn.hilbert<2x2x2, tail = 1> along 1 : tensor<2x9xi32>
  %c = sparse_attn.permute_tokens %count by #sparse_attn.hilbert<2x2x2> along 0 inverse : tensor<8xf16>
  %d = sparse_attn.permute_tokens %true by #sparse_attn.hilbert<2x2x2> along 0 : tensor<8xi1>
  return %a, %b, %c, %d : tensor<8xf32>, tensor<2x9xi32>, tensor<8xf16>, tensor<8xi1>
}

// RUN: sparse-attn-opt %s -sparse-attn-print-layouts=layout=hilbert:21x45x80 -o /dev/null | FileCheck %s --check-prefix=GIVEN
// RUN: sparse-attn-opt %s -sparse-attn-print-layouts=block=64 -o /dev/null | FileCheck %s
// RUN: not sparse-attn-opt %s -sparse-attn-print-layouts=block=0 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not sparse-attn-opt %s -sparse-attn-print-layouts=layout=spiral:1x1x1 2>&1 | FileCheck %s --check-prefix=LAYOUT

// The figures of DFSAttn's reference.
// GIVEN: // #sparse_attn.hilbert<21x45x80>: 591 blocks of 128 tokens, {{18[34]\.[0-9]}} cells in the bounding box of a block, 577 breaks
// BLOCK: error: expected blocks of at least 1 token, found 0
// LAYOUT: error: expected a layout {{.*}}, found 'spiral:1x1x1'

// Each layout once. Blocks of a box layout are boxes; a raster of two columns
// breaks at the end of every row.
// CHECK: // #sparse_attn.box<4x4x4 in 4x8x8>: 4 blocks of 64 tokens, 64.0 cells in the bounding box of a block, {{[0-9]+}} breaks
// CHECK-NEXT: // #sparse_attn.raster<1x128x2, tail = 7>: 4 blocks of 64 tokens, 64.0 cells in the bounding box of a block, 127 breaks
// CHECK-NOT: blocks of
func.func @main(%x: tensor<256x4xf32>, %y: tensor<263xf32>) -> (tensor<256x4xf32>, tensor<263xf32>) {
  %0 = sparse_attn.permute_tokens %x by #sparse_attn.box<4x4x4 in 4x8x8> along 0 : tensor<256x4xf32>
  %1 = sparse_attn.permute_tokens %0 by #sparse_attn.box<4x4x4 in 4x8x8> along 0 : tensor<256x4xf32>
  %2 = sparse_attn.permute_tokens %y by #sparse_attn.raster<1x128x2, tail = 7> along 0 : tensor<263xf32>
  return %1, %2 : tensor<256x4xf32>, tensor<263xf32>
}

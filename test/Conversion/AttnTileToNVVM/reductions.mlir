// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// A thread holds eight elements of 16 x 16: columns 2t, 2t + 1, 2t + 8, 2t + 9 of
// the rows g and g + 8.

#acc = #attn_tile.accumulator<warps = 1>
#operand = #attn_tile.operand<warps = 1>
#rows = #attn_tile.rows<warps = 1>

gpu.module @kernels {

// Within the thread, then across the four lanes of a row.
// CHECK-LABEL: gpu.func @maximum(
// CHECK-DAG: %[[ALL:.*]] = llvm.mlir.constant(-1 : i32)
// CHECK-DAG: %[[ONE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK-DAG: %[[TWO:.*]] = llvm.mlir.constant(2 : i32)
// CHECK: %[[M0:.*]] = llvm.intr.maxnum(%{{.*}}, %{{.*}}) : (f32, f32) -> f32
// CHECK: %[[M1:.*]] = llvm.intr.maxnum(%[[M0]], %{{.*}})
// CHECK: %[[M2:.*]] = llvm.intr.maxnum(%[[M1]], %{{.*}})
// CHECK: %[[S1:.*]] = nvvm.shfl.sync bfly %[[ALL]], %[[M2]], %[[ONE]]
// CHECK: %[[M3:.*]] = llvm.intr.maxnum(%[[M2]], %[[S1]])
// CHECK: %[[S2:.*]] = nvvm.shfl.sync bfly %[[ALL]], %[[M3]], %[[TWO]]
// CHECK: llvm.intr.maxnum(%[[M3]], %[[S2]])
// CHECK-COUNT-2: nvvm.shfl.sync
// CHECK-NOT: nvvm.shfl.sync
// CHECK: gpu.return
gpu.func @maximum(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xf32, rows = 16> -> tensor<16x16xf32, #acc>
  %m = attn_tile.reduce_rows <max> %t : tensor<16x16xf32, #acc> -> tensor<16xf32, #rows>
  %out = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<1xf32, rows = 1>
  attn_tile.store %m, %out[%row] : tensor<16xf32, #rows>, !attn_tile.matrix<1xf32, rows = 1>
  gpu.return
}

// CHECK-LABEL: gpu.func @total(
// CHECK-COUNT-3: arith.addf
// CHECK: nvvm.shfl.sync
// CHECK-NEXT: arith.addf
// CHECK-NOT: maxnum
gpu.func @total(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xf32, rows = 16> -> tensor<16x16xf32, #acc>
  %m = attn_tile.reduce_rows <add> %t : tensor<16x16xf32, #acc> -> tensor<16xf32, #rows>
  %out = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<1xf32, rows = 1>
  attn_tile.store %m, %out[%row] : tensor<16xf32, #rows>, !attn_tile.matrix<1xf32, rows = 1>
  gpu.return
}

// Columns eight apart lie in one thread: no shuffle.
// CHECK-LABEL: gpu.func @fold(
// CHECK-NOT: nvvm.shfl
// CHECK-COUNT-4: arith.addf
// CHECK-NOT: arith.addf
// CHECK: gpu.return
gpu.func @fold(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xf32, rows = 16> -> tensor<16x16xf32, #acc>
  %m = attn_tile.fold_columns <add> %t : tensor<16x16xf32, #acc> -> tensor<16x8xf32, #acc>
  %out = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<8xf32, rows = 8>
  attn_tile.store %m, %out[%row] : tensor<16x8xf32, #acc>, !attn_tile.matrix<8xf32, rows = 8>
  gpu.return
}

// Neighbours too; both get the result.
// CHECK-LABEL: gpu.func @neighbours(
// CHECK-NOT: nvvm.shfl
// CHECK: %[[M:.*]] = llvm.intr.maxnum(
// CHECK-COUNT-3: llvm.intr.maxnum(
// CHECK-NOT: llvm.intr.maxnum
// CHECK: vector.broadcast %[[M]] : f32 to vector<2xf32>
gpu.func @neighbours(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xf32, rows = 16> -> tensor<16x16xf32, #acc>
  %m = attn_tile.fold_pairs <max> %t : tensor<16x16xf32, #acc>
  attn_tile.store %m, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// One element a row becomes two registers, each for its row's columns.
// CHECK-LABEL: gpu.func @expand(
// CHECK: %[[R0:.*]] = arith.sitofp
// CHECK: %[[R1:.*]] = arith.sitofp
// CHECK: scf.if
// CHECK: vector.broadcast %[[R0]]
// CHECK: scf.if
// CHECK: vector.broadcast %[[R1]]
gpu.func @expand(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %i = attn_tile.row_index %row : tensor<16xi32, #rows>
  %f = arith.sitofp %i : tensor<16xi32, #rows> to tensor<16xf32, #rows>
  %m = attn_tile.expand_rows %f : tensor<16xf32, #rows> -> tensor<16x16xf32, #acc>
  attn_tile.store %m, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// CHECK-LABEL: gpu.func @columns(
// CHECK-SAME: i64, %[[FIRST:.*]]: i32, %{{.*}}: i32) kernel
// CHECK-DAG: %[[ONE:.*]] = llvm.mlir.constant(1 : i32)
// CHECK-DAG: %[[EIGHT:.*]] = llvm.mlir.constant(8 : i32)
// CHECK-DAG: %[[NINE:.*]] = llvm.mlir.constant(9 : i32)
// CHECK-DAG: %[[THREE:.*]] = llvm.mlir.constant(3 : i32)
// CHECK: %[[MEMBER:.*]] = llvm.and %{{.*}}, %[[THREE]]
// CHECK: %[[COLUMN:.*]] = llvm.shl %[[MEMBER]], %[[ONE]]
// CHECK: %[[C0:.*]] = llvm.add %[[FIRST]], %[[COLUMN]]
// CHECK: llvm.add %[[C0]], %[[ONE]]
// CHECK: llvm.add %[[C0]], %[[EIGHT]]
// CHECK: llvm.add %[[C0]], %[[NINE]]
gpu.func @columns(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %i = attn_tile.column_index %row : tensor<16x16xi32, #acc>
  %f = arith.sitofp %i : tensor<16x16xi32, #acc> to tensor<16x16xf32, #acc>
  attn_tile.store %f, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}
}

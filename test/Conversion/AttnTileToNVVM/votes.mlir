// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// What all threads agree on.

#acc = #attn_tile.accumulator<warps = 2>
#operand = #attn_tile.operand<warps = 2>
#rows = #attn_tile.rows<warps = 2>

gpu.module @kernels {

// A vote is one barrier that carries the answer.
// CHECK-LABEL: gpu.func @any(
// CHECK-DAG: %[[NONE:.*]] = llvm.mlir.constant(0 : i32)
// CHECK-COUNT-4: arith.cmpi slt
// CHECK: %[[A:.*]] = llvm.or
// CHECK: %[[B:.*]] = llvm.or %[[A]]
// CHECK: %[[C:.*]] = llvm.or %[[B]]
// CHECK: %[[WORD:.*]] = llvm.zext %[[C]] : i1 to i32
// CHECK: %[[ALL:.*]] = nvvm.barrier #nvvm.reduction<or> %[[WORD]] -> i32
// CHECK: %[[ANY:.*]] = llvm.icmp "ne" %[[ALL]], %[[NONE]]
// CHECK: scf.if %[[ANY]] {
gpu.func @any(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %index = attn_tile.row_index %row : tensor<64xi32, #rows>
  %limit = tensor.splat %count : tensor<64xi32, #rows>
  %want = arith.cmpi slt, %index, %limit : tensor<64xi32, #rows>
  %any = attn_tile.any_row %want : tensor<64xi1, #rows>
  scf.if %any {
    attn_tile.store_scalar %count, %pointer[%offset] : i32, !llvm.ptr<1>
  }
  gpu.return
}

// A sum goes through the eight lanes that hold different rows, then, in one
// order, through a word of shared memory a warp.
// CHECK-LABEL: gpu.func @sum(
// CHECK-SAME: sparse_attn.shared_memory = 1024 : i64
// CHECK-DAG: %[[C2:.*]] = llvm.mlir.constant(2 : i32)
// CHECK-DAG: %[[C4:.*]] = llvm.mlir.constant(4 : i32)
// CHECK-DAG: %[[C8:.*]] = llvm.mlir.constant(8 : i32)
// CHECK-DAG: %[[C16:.*]] = llvm.mlir.constant(16 : i32)
// CHECK-DAG: %[[ALL:.*]] = llvm.mlir.constant(-1 : i32)
// CHECK-DAG: %[[SCRATCH:.*]] = llvm.mlir.addressof @dynamic_shared_memory
// CHECK: %[[WARP:.*]] = llvm.lshr
// CHECK: arith.sitofp
// CHECK-COUNT-2: arith.addf
// CHECK: %[[MINE:.*]] = arith.addf
// CHECK: %[[S4:.*]] = nvvm.shfl.sync bfly %[[ALL]], %[[MINE]], %[[C4]]
// CHECK: %[[A4:.*]] = arith.addf %[[MINE]], %[[S4]]
// CHECK: %[[S8:.*]] = nvvm.shfl.sync bfly %[[ALL]], %[[A4]], %[[C8]]
// CHECK: %[[A8:.*]] = arith.addf %[[A4]], %[[S8]]
// CHECK: %[[S16:.*]] = nvvm.shfl.sync bfly %[[ALL]], %[[A8]], %[[C16]]
// CHECK: %[[OF_WARP:.*]] = arith.addf %[[A8]], %[[S16]]
// CHECK: %[[PLACE:.*]] = llvm.shl %[[WARP]], %[[C2]]
// CHECK: %[[ADDRESS:.*]] = llvm.getelementptr %[[SCRATCH]][%[[PLACE]]]
// CHECK: llvm.store %[[OF_WARP]], %[[ADDRESS]]
// CHECK-NEXT: nvvm.barrier0
// CHECK: %[[FIRST:.*]] = llvm.load %[[SCRATCH]]
// CHECK: %[[SECOND:.*]] = llvm.load
// CHECK: %[[TOTAL:.*]] = arith.addf %[[FIRST]], %[[SECOND]]
// Before anybody writes there again.
// CHECK: nvvm.barrier0
// CHECK: llvm.store %[[TOTAL]]
gpu.func @sum(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %index = attn_tile.row_index %row : tensor<64xi32, #rows>
  %f = arith.sitofp %index : tensor<64xi32, #rows> to tensor<64xf32, #rows>
  %sum = attn_tile.sum_rows %f : tensor<64xf32, #rows>
  attn_tile.store_scalar %sum, %pointer[%offset] : f32, !llvm.ptr<1>
  gpu.return
}
}

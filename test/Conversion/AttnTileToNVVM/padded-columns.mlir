// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// Tiles wider than their matrix, and rows of any number of 32 bytes.

#acc = #attn_tile.accumulator<warps = 1>

gpu.module @kernels {

// 72 halves are nine chunks in a tile of ten: two threads a row, the last of
// five turns copies nothing for the second.
// CHECK-LABEL: gpu.func @columns(
// CHECK-DAG: %[[C0:.*]] = llvm.mlir.constant(0 : i32)
// CHECK-DAG: %[[C1:.*]] = llvm.mlir.constant(1 : i32)
// CHECK-DAG: %[[C2:.*]] = llvm.mlir.constant(2 : i32)
// CHECK-DAG: %[[C16:.*]] = llvm.mlir.constant(16 : i32)
// CHECK: %[[CHUNK:.*]] = llvm.and %[[THREAD:.*]], %[[C1]]
// CHECK: %[[MINE:.*]] = llvm.lshr %[[THREAD]], %[[C1]]
// Rows that are four apart start in the same bank.
// CHECK: %[[APART:.*]] = llvm.lshr %[[MINE]], %[[C2]]
// CHECK: %[[SWIZZLE:.*]] = llvm.and %[[APART]], %[[C1]]
// CHECK: llvm.xor %[[CHUNK]], %[[SWIZZLE]]
// CHECK: nvvm.cp.async.shared.global %[[TO:.*]], %[[FROM:.*]], 16, cache = cg :
// CHECK: %[[TO1:.*]] = llvm.getelementptr %[[TO]][32]
// CHECK: %[[FROM1:.*]] = llvm.getelementptr %[[FROM]][32]
// CHECK: nvvm.cp.async.shared.global %[[TO1]], %[[FROM1]], 16, cache = cg :
// CHECK-COUNT-2: nvvm.cp.async.shared.global {{.*}} cache = cg :
// CHECK: %[[INSIDE:.*]] = llvm.icmp "slt" %[[CHUNK]], %[[C1]]
// CHECK: %[[SIZE:.*]] = llvm.select %[[INSIDE]], %[[C16]], %[[C0]]
// CHECK: %[[TO4:.*]] = llvm.getelementptr %[[TO]][128]
// CHECK: %[[FROM4:.*]] = llvm.getelementptr %[[FROM]][128]
// CHECK: nvvm.cp.async.shared.global %[[TO4]], %[[FROM4]], 16, cache = cg, %[[SIZE]]
// CHECK: nvvm.cp.async.commit.group
gpu.func @columns(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<72xf16, rows = 72>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<16x80xf16>
  attn_tile.copy_async %o[%row], %tile in_bounds : !attn_tile.matrix<72xf16, rows = 72> to !attn_tile.shared<16x80xf16>
  attn_tile.wait_copies
  gpu.return
}

// Where rows may be missing too, both must be there.
// CHECK-LABEL: gpu.func @rows_and_columns(
// CHECK: %[[PRESENT:.*]] = llvm.icmp "slt"
// CHECK: %[[SIZE:.*]] = llvm.select %[[PRESENT]]
// CHECK: nvvm.cp.async.shared.global %{{.*}}, 16, cache = cg, %[[SIZE]]
// CHECK: %[[INSIDE:.*]] = llvm.icmp "slt"
// CHECK: %[[BOTH:.*]] = llvm.and %[[PRESENT]], %[[INSIDE]]
// CHECK: %[[SIZE:.*]] = llvm.select %[[BOTH]]
// CHECK: nvvm.cp.async.shared.global %{{.*}}, 16, cache = cg, %[[SIZE]]
gpu.func @rows_and_columns(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<40xf16, rows = 40>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<16x48xf16>
  attn_tile.copy_async %o[%row], %tile : !attn_tile.matrix<40xf16, rows = 40> to !attn_tile.shared<16x48xf16>
  attn_tile.wait_copies
  gpu.return
}

// Three steps of 32 bytes in rows of 96: the first two lie in groups of two
// chunks of their own, which an immediate reaches.
// CHECK-LABEL: gpu.func @steps(
// CHECK: %[[A:.*]] = llvm.getelementptr %{{.*}}[%[[LANE:.*]]] : (!llvm.ptr<3>, i32)
// CHECK: nvvm.ldmatrix %[[A]]
// CHECK: %[[A1:.*]] = llvm.getelementptr %[[A]][32]
// CHECK: nvvm.ldmatrix %[[A1]]
// CHECK: %[[A2:.*]] = llvm.getelementptr %[[A]][64]
// CHECK: nvvm.ldmatrix %[[A2]]
gpu.func @steps(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x48xf16>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x48xf16>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %s = attn_tile.mma %a, %b, %zero transpose_b : !attn_tile.shared<16x48xf16>, !attn_tile.shared<16x48xf16> -> tensor<16x16xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// 12 of 16 columns: half the lanes write the second piece of eight.
// CHECK-LABEL: gpu.func @stored(
// CHECK-DAG: %[[C2:.*]] = llvm.mlir.constant(2 : i32)
// CHECK: llvm.store
// CHECK: %[[MINE:.*]] = llvm.icmp "slt" %{{.*}}, %[[C2]]
// CHECK: scf.if %[[MINE]] {
// CHECK: llvm.store
gpu.func @stored(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<12xf32, rows = 12>
  %t = arith.constant dense<1.0> : tensor<16x16xf32, #acc>
  attn_tile.store %t, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<12xf32, rows = 12>
  gpu.return
}

// Whole pieces past the matrix are not written at all.
// CHECK-LABEL: gpu.func @piece(
// CHECK-COUNT-2: llvm.store
// CHECK-NOT: llvm.store
// CHECK: gpu.return
gpu.func @piece(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<8xf16, rows = 8>
  %t = arith.constant dense<1.0> : tensor<16x16xf16, #acc>
  attn_tile.store %t, %o[%row] : tensor<16x16xf16, #acc>, !attn_tile.matrix<8xf16, rows = 8>
  gpu.return
}

}

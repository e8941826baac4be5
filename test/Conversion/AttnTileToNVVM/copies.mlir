// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// Each thread copies the same 16 bytes of a row, every so many rows.

gpu.module @kernels {

// 128 threads are 16 rows of 8 chunks; the chunk's place is its number XOR the
// row's. Rows past the end are copied as no bytes, which gives zeros.
// CHECK-LABEL: gpu.func @swizzled(
// CHECK-SAME: %[[POINTER:.*]]: !llvm.ptr<1>, %[[OFFSET:.*]]: i64, %[[ROW:.*]]: i32, %[[COUNT:.*]]: i32) kernel
// CHECK-SAME: sparse_attn.shared_memory = 8192 : i64
// CHECK-DAG: %[[C0:.*]] = llvm.mlir.constant(0 : i32)
// CHECK-DAG: %[[C3:.*]] = llvm.mlir.constant(3 : i32)
// CHECK-DAG: %[[C4:.*]] = llvm.mlir.constant(4 : i32)
// CHECK-DAG: %[[C7:.*]] = llvm.mlir.constant(7 : i32)
// CHECK-DAG: %[[C16:.*]] = llvm.mlir.constant(16 : i32)
// CHECK-DAG: %[[ROW_BYTES:.*]] = llvm.mlir.constant(128 : i32)
// CHECK-DAG: %[[PITCH:.*]] = llvm.mlir.constant(384 : i64)
// CHECK-DAG: %[[SHARED:.*]] = llvm.mlir.addressof @dynamic_shared_memory
// CHECK: %[[THREAD:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK: %[[CHUNK:.*]] = llvm.and %[[THREAD]], %[[C7]]
// CHECK: %[[MINE:.*]] = llvm.lshr %[[THREAD]], %[[C3]]
// CHECK: %[[MATRIX_ROW:.*]] = llvm.add %[[ROW]], %[[MINE]]
// CHECK-DAG: %[[COLUMN:.*]] = llvm.shl %[[CHUNK]], %[[C4]]
// CHECK-DAG: %[[WIDE:.*]] = llvm.sext %[[MATRIX_ROW]]
// CHECK: %[[BYTES:.*]] = llvm.mul %[[WIDE]], %[[PITCH]]
// CHECK: llvm.getelementptr %{{.*}}[%[[BYTES]]]
// CHECK: %[[FROM:.*]] = llvm.getelementptr %{{.*}}[%[[COLUMN]]]
// CHECK: %[[SWIZZLE:.*]] = llvm.and %[[MINE]], %[[C7]]
// CHECK: %[[PLACE:.*]] = llvm.xor %[[CHUNK]], %[[SWIZZLE]]
// CHECK-DAG: %[[IN_ROW:.*]] = llvm.shl %[[PLACE]], %[[C4]]
// CHECK-DAG: %[[ROW_START:.*]] = llvm.mul %[[MINE]], %[[ROW_BYTES]]
// CHECK: %[[IN_TILE:.*]] = llvm.add %[[ROW_START]], %[[IN_ROW]]
// CHECK: %[[TO:.*]] = llvm.getelementptr %[[SHARED]][%{{.*}}] : (!llvm.ptr<3>, i32)
// CHECK: %[[INSIDE:.*]] = llvm.icmp "slt" %[[MATRIX_ROW]], %[[COUNT]]
// CHECK: %[[SIZE:.*]] = llvm.select %[[INSIDE]], %[[C16]], %[[C0]]
// CHECK: nvvm.cp.async.shared.global %[[TO]], %[[FROM]], 16, cache = cg, %[[SIZE]]
// CHECK: %[[LATER:.*]] = llvm.add %[[MATRIX_ROW]], %[[C16]]
// CHECK: llvm.icmp "slt" %[[LATER]], %[[COUNT]]
// CHECK-COUNT-3: nvvm.cp.async.shared.global
// CHECK-NOT: nvvm.cp.async.shared
// CHECK: nvvm.cp.async.commit.group
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK-NEXT: nvvm.barrier
// CHECK-NEXT: gpu.return
gpu.func @swizzled(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<64xf16, rows = 192>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<64x64xf16>
  attn_tile.copy_async %o[%row], %tile : !attn_tile.matrix<64xf16, rows = 192> to !attn_tile.shared<64x64xf16>
  attn_tile.wait_copies
  gpu.return
}

// Rows that are promised need no size.
// CHECK-LABEL: gpu.func @promised(
// CHECK-NOT: llvm.icmp
// CHECK: nvvm.cp.async.shared.global %{{[0-9]+}}, %{{[0-9]+}}, 16, cache = cg :
// CHECK-COUNT-3: nvvm.cp.async.shared.global
// CHECK-NOT: nvvm.cp.async.shared
// CHECK: nvvm.cp.async.commit.group
gpu.func @promised(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<64xf16, rows = 64>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<64x64xf16>
  attn_tile.copy_async %o[%row], %tile in_bounds : !attn_tile.matrix<64xf16, rows = 64> to !attn_tile.shared<64x64xf16>
  attn_tile.wait_copies
  gpu.return
}

// Rows of 64 bytes: pairs of rows share a swizzle of two bits.
// CHECK-LABEL: gpu.func @narrow(
// CHECK-DAG: %[[C1:.*]] = llvm.mlir.constant(1 : i32)
// CHECK-DAG: %[[C2:.*]] = llvm.mlir.constant(2 : i32)
// CHECK-DAG: %[[C3:.*]] = llvm.mlir.constant(3 : i32)
// CHECK: %[[CHUNK:.*]] = llvm.and %{{.*}}, %[[C3]]
// CHECK: %[[MINE:.*]] = llvm.lshr %{{.*}}, %[[C2]]
// CHECK: %[[PAIR:.*]] = llvm.lshr %[[MINE]], %[[C1]]
// CHECK: %[[SWIZZLE:.*]] = llvm.and %[[PAIR]], %[[C3]]
// CHECK: llvm.xor %[[CHUNK]], %[[SWIZZLE]]
// CHECK-COUNT-2: nvvm.cp.async.shared.global
// CHECK-NOT: nvvm.cp.async.shared
// CHECK: nvvm.cp.async.commit.group
gpu.func @narrow(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<32xbf16, rows = 32>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<64x32xbf16>
  attn_tile.copy_async %o[%row], %tile : !attn_tile.matrix<32xbf16, rows = 32> to !attn_tile.shared<64x32xbf16>
  attn_tile.wait_copies
  gpu.return
}

// Fewer than eight rows at once: each time a swizzle of its own.
// CHECK-LABEL: gpu.func @slow(
// CHECK-COUNT-8: llvm.xor
// CHECK: gpu.return
gpu.func @slow(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<128xf16, rows = 128>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<16x128xf16>
  attn_tile.copy_async %o[%row], %tile : !attn_tile.matrix<128xf16, rows = 128> to !attn_tile.shared<16x128xf16>
  attn_tile.wait_copies
  gpu.return
}

// A tile with fewer chunks than threads: the others copy nothing, but commit.
// CHECK-LABEL: gpu.func @small(
// CHECK-DAG: %[[ROWS:.*]] = llvm.mlir.constant(16 : i32)
// CHECK: %[[MINE:.*]] = llvm.lshr
// CHECK: %[[BUSY:.*]] = llvm.icmp "slt" %{{.*}}, %[[ROWS]]
// CHECK: scf.if %[[BUSY]] {
// CHECK: nvvm.cp.async.shared.global
// CHECK: }
// CHECK-NEXT: nvvm.cp.async.commit.group
gpu.func @small(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<32xf16, rows = 32>
  %tile = attn_tile.alloc_shared : !attn_tile.shared<16x32xf16>
  attn_tile.copy_async %o[%row], %tile : !attn_tile.matrix<32xf16, rows = 32> to !attn_tile.shared<16x32xf16>
  attn_tile.wait_copies
  gpu.return
}

// One buffer behind the other, each at a multiple of 1024 bytes.
// CHECK-LABEL: gpu.func @places(
// CHECK-SAME: sparse_attn.shared_memory = 4096 : i64
// CHECK-DAG: llvm.mlir.constant(1024 : i32)
// CHECK-DAG: llvm.mlir.constant(3072 : i32)
gpu.func @places(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<32xf16, rows = 32>
  %a = attn_tile.alloc_shared : !attn_tile.shared<8x32xf16>
  %b = attn_tile.alloc_shared : !attn_tile.shared<32x32xf16>
  %c = attn_tile.alloc_shared : !attn_tile.shared<16x32xf16>
  attn_tile.copy_async %o[%row], %a : !attn_tile.matrix<32xf16, rows = 32> to !attn_tile.shared<8x32xf16>
  attn_tile.copy_async %o[%row], %b : !attn_tile.matrix<32xf16, rows = 32> to !attn_tile.shared<32x32xf16>
  attn_tile.copy_async %o[%row], %c : !attn_tile.matrix<32xf16, rows = 32> to !attn_tile.shared<16x32xf16>
  gpu.return
}
}

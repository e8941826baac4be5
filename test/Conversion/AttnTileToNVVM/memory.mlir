// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// Rows past the end are not written; a lane writes two adjacent columns at once.

#acc = #attn_tile.accumulator<warps = 1>
#operand = #attn_tile.operand<warps = 1>
#rows = #attn_tile.rows<warps = 1>

gpu.module @kernels {

// CHECK-LABEL: gpu.func @pairs(
// CHECK-SAME: %[[POINTER:.*]]: !llvm.ptr<1>, %[[OFFSET:.*]]: i64, %[[ROW:.*]]: i32, %[[COUNT:.*]]: i32) kernel
// CHECK-DAG: %[[PITCH:.*]] = llvm.mlir.constant(80 : i64)
// CHECK-DAG: %[[PAIR:.*]] = llvm.mlir.constant(4 : i32)
// CHECK-DAG: %[[EIGHT:.*]] = llvm.mlir.constant(8 : i32)
// CHECK: %[[MEMBER:.*]] = llvm.and
// CHECK: %[[BASE:.*]] = llvm.getelementptr %[[POINTER]]
// CHECK: %[[MINE:.*]] = llvm.add %[[ROW]], %[[LANE_ROW:.*]] : i32
// CHECK: %[[INSIDE:.*]] = llvm.icmp "slt" %[[MINE]], %[[COUNT]]
// CHECK: scf.if %[[INSIDE]] {
// CHECK: %[[WIDE:.*]] = llvm.sext %[[MINE]]
// CHECK: %[[ROW_OFFSET:.*]] = llvm.mul %[[WIDE]], %[[PITCH]]
// CHECK: %[[AT_ROW:.*]] = llvm.getelementptr %[[BASE]][%[[ROW_OFFSET]]]
// CHECK: %[[COLUMN:.*]] = llvm.mul %{{.*}}, %[[PAIR]]
// CHECK: %[[ADDRESS:.*]] = llvm.getelementptr %[[AT_ROW]][%[[COLUMN]]]
// CHECK: llvm.store %{{.*}}, %[[ADDRESS]] {alignment = 4 : i64} : vector<2xf16>
// Eight columns further.
// CHECK: %[[NEXT:.*]] = llvm.getelementptr %[[ADDRESS]][16]
// CHECK: llvm.store %{{.*}}, %[[NEXT]] {alignment = 4 : i64} : vector<2xf16>
// CHECK: }
// Eight rows further.
// CHECK: %[[BELOW:.*]] = llvm.add %{{.*}}, %[[EIGHT]]
// CHECK: %[[OTHER:.*]] = llvm.add %[[ROW]], %[[BELOW]]
// CHECK: %[[INSIDE:.*]] = llvm.icmp "slt" %[[OTHER]], %[[COUNT]]
// CHECK: scf.if %[[INSIDE]] {
gpu.func @pairs(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf16, rows = 40>
  %t = arith.constant dense<1.0> : tensor<16x16xf16, #acc>
  attn_tile.store %t, %o[%row] : tensor<16x16xf16, #acc>, !attn_tile.matrix<16xf16, rows = 40>
  gpu.return
}

// CHECK-LABEL: gpu.func @wide(
// CHECK: llvm.store %{{.*}} {alignment = 8 : i64} : vector<2xf32>
gpu.func @wide(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = arith.constant dense<1.0> : tensor<16x16xf32, #acc>
  attn_tile.store %t, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// One element a row: the first of the four lanes that hold it.
// CHECK-LABEL: gpu.func @row_values(
// CHECK-DAG: %[[NONE:.*]] = llvm.mlir.constant(0 : i32)
// CHECK-DAG: %[[THREE:.*]] = llvm.mlir.constant(3 : i32)
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK: %[[MEMBER:.*]] = llvm.and %{{.*}}, %[[THREE]]
// CHECK: %[[INSIDE:.*]] = llvm.icmp "slt"
// CHECK: %[[FIRST:.*]] = llvm.icmp "eq" %[[MEMBER]], %[[NONE]]
// CHECK: %[[WRITES:.*]] = llvm.and %[[INSIDE]], %[[FIRST]]
// CHECK: scf.if %[[WRITES]] {
// CHECK: llvm.store %[[ONE]], %{{.*}} {alignment = 4 : i64} : f32
gpu.func @row_values(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<1xf32, rows = 1>
  %t = arith.constant dense<1.0> : tensor<16xf32, #rows>
  attn_tile.store %t, %o[%row] : tensor<16xf32, #rows>, !attn_tile.matrix<1xf32, rows = 1>
  gpu.return
}

// Once a block.
// CHECK-LABEL: gpu.func @scalar(
// CHECK-SAME: %[[POINTER:.*]]: !llvm.ptr<1>, %[[OFFSET:.*]]: i64, %[[ROW:.*]]: i32, %{{.*}}: i32) kernel
// CHECK-DAG: %[[NONE:.*]] = llvm.mlir.constant(0 : i32)
// CHECK-DAG: %[[SIZE:.*]] = llvm.mlir.constant(4 : i64)
// CHECK: %[[THREAD:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK: %[[FIRST:.*]] = llvm.icmp "eq" %[[THREAD]], %[[NONE]]
// CHECK-NEXT: scf.if %[[FIRST]] {
// CHECK-NEXT: %[[BYTES:.*]] = llvm.mul %[[OFFSET]], %[[SIZE]]
// CHECK-NEXT: %[[ADDRESS:.*]] = llvm.getelementptr %[[POINTER]][%[[BYTES]]]
// CHECK-NEXT: llvm.store %[[ROW]], %[[ADDRESS]] {alignment = 4 : i64} : i32
gpu.func @scalar(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  attn_tile.store_scalar %row, %pointer[%offset] : i32, !llvm.ptr<1>
  gpu.return
}

// Elements one by one: an index past the end reads the last element, and gives 0.
// CHECK-LABEL: gpu.func @elements(
// CHECK-SAME: %{{.*}}: i64, %[[ROW:.*]]: i32, %[[COUNT:.*]]: i32) kernel
// CHECK-DAG: %[[NONE:.*]] = llvm.mlir.constant(0 : i8)
// CHECK-DAG: %[[BACK:.*]] = llvm.mlir.constant(-1 : i32)
// CHECK: %[[LAST:.*]] = llvm.add %[[COUNT]], %[[BACK]]
// CHECK: %[[CLAMPED:.*]] = llvm.intr.smin(%[[INDEX:.*]], %[[LAST]])
// CHECK: %[[VALUE:.*]] = llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr<1> -> i8
// CHECK-DAG: %[[ROW_IN:.*]] = llvm.icmp "slt" %{{.*}}, %[[COUNT]]
// CHECK: %[[INSIDE:.*]] = llvm.and
// CHECK: %[[GUARDED:.*]] = llvm.select %[[INSIDE]], %[[VALUE]], %[[NONE]]
// CHECK: %[[BIT:.*]] = llvm.icmp "ne" %[[GUARDED]], %[[NONE]]
// CHECK: arith.select %[[BIT]]
gpu.func @elements(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xi1, rows = 16>
  %t = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xi1, rows = 16> -> tensor<16x16xi1, #acc>
  %one = arith.constant dense<1.0> : tensor<16x16xf32, #acc>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %s = arith.select %t, %one, %zero : tensor<16x16xi1, #acc>, tensor<16x16xf32, #acc>
  %out = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  attn_tile.store %s, %out[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// A pitch of 0 does not move: one address a column for all rows.
// CHECK-LABEL: gpu.func @repeated(
// CHECK-COUNT-4: llvm.intr.smin
// CHECK-NOT: llvm.intr.smin
// CHECK: gpu.return
gpu.func @repeated(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %m = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 0>
  %t = attn_tile.load_elements %m[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xf32, rows = 0> -> tensor<16x16xf32, #acc>
  attn_tile.store %t, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}
}

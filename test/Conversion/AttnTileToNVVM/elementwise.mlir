// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// Arithmetic on tiles is arithmetic on each register, and math that the hardware
// has needs no library.

#acc = #attn_tile.accumulator<warps = 1>
#operand = #attn_tile.operand<warps = 1>
#rows = #attn_tile.rows<warps = 1>

gpu.module @kernels {

// Two f32 are narrowed to one register of 16-bit floats, and widened from it.
// CHECK-LABEL: gpu.func @narrow(
// CHECK: %[[PAIR:.*]] = vector.from_elements %[[A:.*]], %[[B:.*]] : vector<2xf32>
// CHECK: %[[NARROW:.*]] = arith.truncf %[[PAIR]] : vector<2xf32> to vector<2xf16>
// CHECK: %[[LOW:.*]] = vector.extract %[[NARROW]][0]
// CHECK: arith.extf %[[LOW]] : f16 to f32
// CHECK: %[[HIGH:.*]] = vector.extract %[[NARROW]][1]
// CHECK: arith.extf %[[HIGH]] : f16 to f32
gpu.func @narrow(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xf32, rows = 16> -> tensor<16x16xf32, #acc>
  %h = arith.truncf %t : tensor<16x16xf32, #acc> to tensor<16x16xf16, #acc>
  %w = arith.extf %h : tensor<16x16xf16, #acc> to tensor<16x16xf32, #acc>
  attn_tile.store %w, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// CHECK-LABEL: gpu.func @carried(
// CHECK: %[[LOOP:.*]]:8 = scf.for {{.*}} -> (f32, f32, f32, f32, f32, f32, f32, f32)
// CHECK-COUNT-8: arith.addf
// CHECK: scf.yield {{.*}} : f32, f32, f32, f32, f32, f32, f32, f32
// CHECK: scf.if
// CHECK: vector.from_elements %[[LOOP]]#0, %[[LOOP]]#1
gpu.func @carried(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %t = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<16xf32, rows = 16> -> tensor<16x16xf32, #acc>
  %r = scf.for %i = %row to %count step %count iter_args(%x = %t) -> (tensor<16x16xf32, #acc>) : i32 {
    %y = arith.addf %x, %x : tensor<16x16xf32, #acc>
    scf.yield %y : tensor<16x16xf32, #acc>
  }
  attn_tile.store %r, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// A scalar is the same in every register, also where these hold pairs.
// CHECK-LABEL: gpu.func @splat(
// CHECK: %[[PAIR:.*]] = vector.broadcast %{{.*}} : f16 to vector<2xf16>
// CHECK: llvm.store %[[PAIR]]
// CHECK: llvm.store %[[PAIR]]
gpu.func @splat(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf16, rows = 16>
  %f = arith.sitofp %count : i32 to f16
  %t = tensor.splat %f : tensor<16x16xf16, #acc>
  attn_tile.store %t, %o[%row] : tensor<16x16xf16, #acc>, !attn_tile.matrix<16xf16, rows = 16>
  gpu.return
}

// CHECK-LABEL: gpu.func @math(
// CHECK-NOT: math.
// CHECK-DAG: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK-DAG: %[[LN2:.*]] = arith.constant 0.693147182 : f32
// CHECK-DAG: %[[TWICE:.*]] = arith.constant 2.885390e+00 : f32
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2.000000e+00 : f32
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK: %[[X0:.*]] = arith.sitofp
// CHECK: %[[X1:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%[[X0]])
// CHECK: %[[Y:.*]] = arith.mulf %[[X1]], %[[LOG2E]]
// CHECK: %[[X2:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%[[Y]])
// CHECK: %[[X3:.*]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%[[X2]])
// CHECK: %[[Y:.*]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%[[X3]])
// CHECK: %[[X4:.*]] = arith.mulf %[[Y]], %[[LN2]]
// tanh x = 1 - 2 / (exp 2x + 1).
// CHECK: %[[Y:.*]] = arith.mulf %[[X4]], %[[TWICE]]
// CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%[[Y]])
// CHECK: %[[D:.*]] = arith.addf %[[E]], %[[ONE]]
// CHECK: %[[Q:.*]] = arith.divf %[[TWO]], %[[D]]
// CHECK: %[[X5:.*]] = arith.subf %[[ONE]], %[[Q]]
// CHECK: %[[X6:.*]] = llvm.intr.fabs(%[[X5]])
// CHECK: %[[X7:.*]] = llvm.call_intrinsic "llvm.nvvm.sqrt.rn.f"(%[[X6]])
// CHECK: %[[X8:.*]] = llvm.intr.fma(%[[X7]], %[[X7]], %[[X7]])
// CHECK: %[[X9:.*]] = llvm.intr.maxnum(%[[X8]], %[[X7]])
// CHECK: llvm.intr.minnum(%[[X9]], %[[X6]])
gpu.func @math(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<1xf32, rows = 1>
  %f = arith.sitofp %count : i32 to f32
  %0 = tensor.splat %f : tensor<16xf32, #rows>
  %1 = math.exp2 %0 : tensor<16xf32, #rows>
  %2 = math.exp %1 : tensor<16xf32, #rows>
  %3 = math.log2 %2 : tensor<16xf32, #rows>
  %4 = math.log %3 : tensor<16xf32, #rows>
  %5 = math.tanh %4 : tensor<16xf32, #rows>
  %6 = math.absf %5 : tensor<16xf32, #rows>
  %7 = math.sqrt %6 : tensor<16xf32, #rows>
  %8 = math.fma %7, %7, %7 : tensor<16xf32, #rows>
  %9 = arith.maxnumf %8, %7 : tensor<16xf32, #rows>
  %10 = arith.minnumf %9, %6 : tensor<16xf32, #rows>
  attn_tile.store %10, %o[%row] : tensor<16xf32, #rows>, !attn_tile.matrix<1xf32, rows = 1>
  gpu.return
}
}

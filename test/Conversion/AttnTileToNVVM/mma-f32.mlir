// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// f32 operands, as their precision says. One step of eight columns: two pieces
// of the result.

#acc = #attn_tile.accumulator<warps = 1>
#operand = #attn_tile.operand<warps = 1>
#rows = #attn_tile.rows<warps = 1>

gpu.module @kernels {

// Each word is rounded to nearest.
// CHECK-LABEL: gpu.func @tf32(
// CHECK: nvvm.ldmatrix
// CHECK-COUNT-4: nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK: nvvm.ldmatrix
// CHECK-COUNT-2: nvvm.convert.float.to.tf32
// CHECK: nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<tf32>, {{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 8>
// CHECK-COUNT-2: nvvm.convert.float.to.tf32
// CHECK: nvvm.mma.sync
// CHECK-COUNT-6: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
gpu.func @tf32(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %s = attn_tile.mma %a, %b, %zero transpose_b {precision = #sparse_attn.precision<tf32>} : !attn_tile.shared<16x32xf32>, !attn_tile.shared<16x32xf32> -> tensor<16x16xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// What rounding took off is rounded too: three products, the small ones first.
// CHECK-LABEL: gpu.func @tf32x3(
// CHECK: %[[A:.*]] = nvvm.ldmatrix
// CHECK: %[[A0:.*]] = llvm.extractvalue %[[A]][0]
// CHECK: %[[NUMBER:.*]] = llvm.bitcast %[[A0]] : i32 to f32
// CHECK: %[[HIGH:.*]] = nvvm.convert.float.to.tf32 %[[NUMBER]]
// CHECK: %[[HIGH_F:.*]] = llvm.bitcast %[[HIGH]] : i32 to f32
// CHECK: %[[REST:.*]] = llvm.fsub %[[NUMBER]], %[[HIGH_F]]
// CHECK: %[[LOW:.*]] = nvvm.convert.float.to.tf32 %[[REST]]
// CHECK: %[[B:.*]] = nvvm.ldmatrix
// CHECK: %[[B0:.*]] = llvm.extractvalue %[[B]][0]
// CHECK: %[[B_NUMBER:.*]] = llvm.bitcast %[[B0]] : i32 to f32
// CHECK: %[[B_HIGH:.*]] = nvvm.convert.float.to.tf32 %[[B_NUMBER]]
// CHECK: %[[B_LOW:.*]] = nvvm.convert.float.to.tf32
// CHECK: nvvm.mma.sync A[%[[LOW]], {{.*}} B[%[[B_HIGH]],
// CHECK: %[[C0:.*]] = llvm.extractvalue
// CHECK: nvvm.mma.sync A[%[[HIGH]], {{.*}} B[%[[B_LOW]], {{.*}} C[%[[C0]],
// CHECK: %[[C1:.*]] = llvm.extractvalue
// CHECK: nvvm.mma.sync A[%[[HIGH]], {{.*}} B[%[[B_HIGH]], {{.*}} C[%[[C1]],
// CHECK-COUNT-21: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
gpu.func @tf32x3(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %s = attn_tile.mma %a, %b, %zero transpose_b {precision = #sparse_attn.precision<tf32x3>} : !attn_tile.shared<16x32xf32>, !attn_tile.shared<16x32xf32> -> tensor<16x16xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// Rounded to bf16 on the way: pairs of f32 are cut from shared memory, since
// ldmatrix would give a lane the wrong ones.
// CHECK-LABEL: gpu.func @narrowed(
// CHECK-NOT: nvvm.ldmatrix
// CHECK: %[[PAIR:.*]] = llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xf32>
// CHECK: %[[NARROW:.*]] = arith.truncf %{{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK: %[[WORD:.*]] = llvm.bitcast %[[NARROW]] : vector<2xbf16> to i32
// CHECK: nvvm.mma.sync A[%[[WORD]], {{.*}}multiplicandAPtxType = #nvvm.mma_type<bf16>, {{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK-COUNT-3: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
gpu.func @narrowed(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %s = attn_tile.mma %a, %b, %zero transpose_b {precision = #sparse_attn.precision<bf16>} : !attn_tile.shared<16x32xf32>, !attn_tile.shared<16x32xf32> -> tensor<16x16xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// Values: a lane reads the rows of its columns one by one, and the weights are
// contracted in the order in which the accumulator has them.
// CHECK-LABEL: gpu.func @values(
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<1> -> f32
// CHECK-NOT: nvvm.ldmatrix
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<3> -> f32
// CHECK: nvvm.mma.sync {{.*}}mma_type<tf32>
gpu.func @values(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<32xf32, rows = 32>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %zero = arith.constant dense<0.0> : tensor<16x32xf32, #acc>
  %p = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<32xf32, rows = 32> -> tensor<16x16xf32, #acc>
  %s = attn_tile.mma %p, %b, %zero {precision = #sparse_attn.precision<tf32>} : tensor<16x16xf32, #acc>, !attn_tile.shared<16x32xf32> -> tensor<16x32xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x32xf32, #acc>, !attn_tile.matrix<32xf32, rows = 32>
  gpu.return
}

// CHECK-LABEL: gpu.func @narrowed_values(
// CHECK: %[[P:.*]] = vector.from_elements %{{.*}} : vector<2xf32>
// CHECK: arith.truncf %[[P]] : vector<2xf32> to vector<2xbf16>
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<3> -> f32
// CHECK: nvvm.mma.sync {{.*}}mma_type<bf16>
gpu.func @narrowed_values(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<32xf32, rows = 32>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xf32>
  %zero = arith.constant dense<0.0> : tensor<16x32xf32, #acc>
  %p = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<32xf32, rows = 32> -> tensor<16x16xf32, #acc>
  %s = attn_tile.mma %p, %b, %zero {precision = #sparse_attn.precision<bf16>} : tensor<16x16xf32, #acc>, !attn_tile.shared<16x32xf32> -> tensor<16x32xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x32xf32, #acc>, !attn_tile.matrix<32xf32, rows = 32>
  gpu.return
}
}

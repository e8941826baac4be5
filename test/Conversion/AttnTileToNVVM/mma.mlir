// RUN: sparse-attn-opt %s -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,canonicalize,cse))' | FileCheck %s

// One tile of keys times one step of queries: fragments by ldmatrix, the
// accumulator in four registers a piece of 16 x 8.

#acc = #attn_tile.accumulator<warps = 1>
#operand = #attn_tile.operand<warps = 1>
#rows = #attn_tile.rows<warps = 1>

gpu.module @kernels {

// CHECK: llvm.mlir.global external @dynamic_shared_memory() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

// CHECK-LABEL: gpu.func @f16(
// CHECK-SAME: sparse_attn.shared_memory = 2048 : i64
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[STEP:.*]] = llvm.mlir.constant(32 : i32) : i32
// CHECK-DAG: %[[B_OFFSET:.*]] = llvm.mlir.constant(1024 : i32) : i32
// CHECK-DAG: %[[SHARED:.*]] = llvm.mlir.addressof @dynamic_shared_memory
// CHECK: %[[A_ADDRESS:.*]] = llvm.getelementptr %[[SHARED]][%[[A_LANE:.*]]] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
// CHECK: %[[A:.*]] = nvvm.ldmatrix %[[A_ADDRESS]] {{.*}}layout = #nvvm.mma_layout<row>, num = 4 : i32
// CHECK: %[[A0:.*]] = llvm.extractvalue %[[A]][0]
// CHECK: %[[A3:.*]] = llvm.extractvalue %[[A]][3]
// CHECK: %[[B_LANE:.*]] = llvm.add %{{.*}}, %[[B_OFFSET]]
// CHECK: %[[B_ADDRESS:.*]] = llvm.getelementptr %[[SHARED]][%[[B_LANE]]]
// CHECK: %[[B:.*]] = nvvm.ldmatrix %[[B_ADDRESS]] {{.*}}layout = #nvvm.mma_layout<row>, num = 4 : i32
// CHECK: %[[B0:.*]] = llvm.extractvalue %[[B]][0]
// CHECK: %[[B1:.*]] = llvm.extractvalue %[[B]][1]
// CHECK: %[[B2:.*]] = llvm.extractvalue %[[B]][2]
// CHECK: %[[B3:.*]] = llvm.extractvalue %[[B]][3]
// CHECK-DAG: %[[X0:.*]] = llvm.bitcast %[[A0]] : i32 to vector<2xf16>
// CHECK-DAG: %[[X3:.*]] = llvm.bitcast %[[A3]] : i32 to vector<2xf16>
// CHECK-DAG: %[[Y0:.*]] = llvm.bitcast %[[B0]] : i32 to vector<2xf16>
// CHECK-DAG: %[[Y1:.*]] = llvm.bitcast %[[B1]] : i32 to vector<2xf16>
// CHECK: %[[LEFT:.*]] = nvvm.mma.sync A[%[[X0]], %{{.*}}, %{{.*}}, %[[X3]]] B[%[[Y0]], %[[Y1]]] C[%[[ZERO]], %[[ZERO]], %[[ZERO]], %[[ZERO]]]
// CHECK-SAME: shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK: %[[L0:.*]] = llvm.extractvalue %[[LEFT]][0]
// CHECK: %[[L3:.*]] = llvm.extractvalue %[[LEFT]][3]
// The other eight columns take the other two words of the same load.
// CHECK: %[[Y2:.*]] = llvm.bitcast %[[B2]]
// CHECK: %[[Y3:.*]] = llvm.bitcast %[[B3]]
// CHECK: nvvm.mma.sync A[%[[X0]], %{{.*}}, %{{.*}}, %[[X3]]] B[%[[Y2]], %[[Y3]]]
// The next step is 32 bytes further, which the swizzle leaves free.
// CHECK: llvm.xor %[[A_LANE]], %[[STEP]]
// CHECK: nvvm.ldmatrix
// CHECK: llvm.xor %[[B_LANE]], %[[STEP]]
// CHECK: nvvm.ldmatrix
// CHECK: nvvm.mma.sync {{.*}} C[%[[L0]], %{{.*}}, %{{.*}}, %[[L3]]]
// CHECK: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
gpu.func @f16(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x32xf16>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xf16>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %s = attn_tile.mma %a, %b, %zero transpose_b : !attn_tile.shared<16x32xf16>, !attn_tile.shared<16x32xf16> -> tensor<16x16xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// CHECK-LABEL: gpu.func @bf16(
// CHECK: nvvm.ldmatrix
// CHECK-NOT: llvm.bitcast
// CHECK: nvvm.mma.sync {{.*}}multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>
gpu.func @bf16(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x32xbf16>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xbf16>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %s = attn_tile.mma %a, %b, %zero transpose_b : !attn_tile.shared<16x32xbf16>, !attn_tile.shared<16x32xbf16> -> tensor<16x16xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// An operand in registers is what ldmatrix gave, once: two steps, then products.
// CHECK-LABEL: gpu.func @registers(
// CHECK: %[[FIRST:.*]] = nvvm.ldmatrix
// CHECK: %[[A0:.*]] = llvm.extractvalue %[[FIRST]][0]
// CHECK: %[[SECOND:.*]] = nvvm.ldmatrix
// CHECK: %[[A4:.*]] = llvm.extractvalue %[[SECOND]][0]
// CHECK: nvvm.mma.sync A[%[[A0]],
// CHECK: nvvm.mma.sync A[%[[A0]],
// CHECK: nvvm.mma.sync A[%[[A4]],
// CHECK: nvvm.mma.sync A[%[[A4]],
gpu.func @registers(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
  %a = attn_tile.alloc_shared : !attn_tile.shared<16x32xbf16>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xbf16>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
  %q = attn_tile.load_shared %a : !attn_tile.shared<16x32xbf16> -> tensor<16x32xbf16, #operand>
  %s = attn_tile.mma %q, %b, %zero transpose_b : tensor<16x32xbf16, #operand>, !attn_tile.shared<16x32xbf16> -> tensor<16x16xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x16xf32, #acc>, !attn_tile.matrix<16xf32, rows = 16>
  gpu.return
}

// Values lie with their keys in rows: ldmatrix transposes them. The weights are
// the accumulator of the scores, two pieces of eight columns a fragment.
// CHECK-LABEL: gpu.func @weights(
// CHECK: %[[W:.*]] = vector.from_elements %{{.*}} : vector<2xf32>
// CHECK: %[[W0:.*]] = arith.truncf %[[W]] : vector<2xf32> to vector<2xbf16>
// CHECK: %[[A0:.*]] = llvm.bitcast %{{.*}} : vector<2xbf16> to i32
// CHECK: %[[A1:.*]] = llvm.bitcast
// CHECK: %[[A2:.*]] = llvm.bitcast
// CHECK: %[[A3:.*]] = llvm.bitcast
// CHECK: %[[B:.*]] = nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>, num = 4 : i32
// CHECK: nvvm.mma.sync A[%[[A0]], %[[A1]], %[[A2]], %[[A3]]]
gpu.func @weights(%pointer: !llvm.ptr<1>, %offset: i64, %row: i32, %count: i32) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %o = attn_tile.view %pointer[%offset], %count : !llvm.ptr<1> -> !attn_tile.matrix<32xf32, rows = 32>
  %b = attn_tile.alloc_shared : !attn_tile.shared<16x32xbf16>
  %zero = arith.constant dense<0.0> : tensor<16x32xf32, #acc>
  %in = attn_tile.load_elements %o[%row, %row] bounds(%count, %count) : !attn_tile.matrix<32xf32, rows = 32> -> tensor<16x16xf32, #acc>
  %p = arith.truncf %in : tensor<16x16xf32, #acc> to tensor<16x16xbf16, #acc>
  %s = attn_tile.mma %p, %b, %zero : tensor<16x16xbf16, #acc>, !attn_tile.shared<16x32xbf16> -> tensor<16x32xf32, #acc>
  attn_tile.store %s, %o[%row] : tensor<16x32xf32, #acc>, !attn_tile.matrix<32xf32, rows = 32>
  gpu.return
}
}

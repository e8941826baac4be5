// RUN: sparse-attn-opt %s -allow-unregistered-dialect -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-stage-copies)))' | FileCheck %s

gpu.module @kernels {

// The key tile of the next iteration is copied behind the product that reads
// this one's, the value tile while that product runs: one buffer a matrix. The
// query stays in registers.
// CHECK-LABEL: gpu.func @ahead(
// CHECK-SAME: %[[Q:arg0]]: {{.*}}, %[[K:arg1]]: {{.*}}, %[[V:arg2]]: {{.*}}, %[[ROW:arg3]]: i32, %{{.*}}: i32, %[[END:arg5]]: i32)
// CHECK-NEXT: %[[V_BUFFER:.*]] = attn_tile.alloc_shared : <64x64xf16>
// CHECK-NEXT: %[[K_BUFFER:.*]] = attn_tile.alloc_shared : <64x64xf16>
// CHECK-NEXT: %[[Q_BUFFER:.*]] = attn_tile.alloc_shared : <128x64xf16>
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i32
// CHECK-DAG: %[[STEP:.*]] = arith.constant 64 : i32
// CHECK: attn_tile.copy_async %[[Q]][%[[ROW]]], %[[Q_BUFFER]] : <64xf16, rows = 64> to <128x64xf16>
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: %[[QUERY:.*]] = attn_tile.load_shared %[[Q_BUFFER]] : <128x64xf16> -> tensor<128x64xf16>
// CHECK-NEXT: attn_tile.copy_async %[[K]][%[[C0]]], %[[K_BUFFER]] : <64xf16, rows = 64> to <64x64xf16>
// CHECK-NEXT: scf.for %[[KEY:.*]] = %[[C0]] to %[[END]] step %[[STEP]]
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async %[[V]][%[[KEY]]], %[[V_BUFFER]] :
// CHECK-NEXT: %[[S:.*]] = attn_tile.mma %[[QUERY]], %[[K_BUFFER]], %{{.*}} transpose_b : tensor<128x64xf16>, !attn_tile.shared<64x64xf16>
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[KEY]], %[[STEP]]
// CHECK-NEXT: attn_tile.copy_async %[[K]][%[[NEXT]]], %[[K_BUFFER]] :
// CHECK-NEXT: %[[P:.*]] = arith.truncf %[[S]]
// CHECK-NEXT: attn_tile.mma %[[P]], %[[V_BUFFER]]
// CHECK-NEXT: scf.yield
// The copy ahead of the last iteration ends with the loop.
// CHECK-NEXT: }
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: "keep"
gpu.func @ahead(%q: !attn_tile.matrix<64xf16, rows = 64>, %k: !attn_tile.matrix<64xf16, rows = 64>, %v: !attn_tile.matrix<64xf16, rows = 64>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %none = arith.constant dense<0.0> : tensor<128x64xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<128x64xf16>
  %r0 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %none) -> (tensor<128x64xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    scf.yield %next : tensor<128x64xf32>
  }
  "keep"(%r0) : (tensor<128x64xf32>) -> ()
  gpu.return
}

// In a loop whose tiles have all their rows, the copy ahead of the last
// iteration stays within them.
// CHECK-LABEL: gpu.func @whole_tiles(
// CHECK: attn_tile.copy_async %arg1[%{{.*}}], %[[K_BUFFER:.*]] in_bounds
// CHECK: scf.for %[[KEY:.*]] = %{{.*}} to %[[END:.*]] step
// CHECK: attn_tile.copy_async %arg2[%[[KEY]]], %{{.*}} in_bounds
// CHECK: %[[NEXT:.*]] = arith.addi %[[KEY]]
// CHECK-NEXT: %[[MORE:.*]] = arith.cmpi slt, %[[NEXT]], %[[END]]
// CHECK-NEXT: %[[INSIDE:.*]] = arith.select %[[MORE]], %[[NEXT]], %[[KEY]]
// CHECK-NEXT: attn_tile.copy_async %arg1[%[[INSIDE]]], %[[K_BUFFER]] in_bounds
gpu.func @whole_tiles(%q: !attn_tile.matrix<64xf16, rows = 64>, %k: !attn_tile.matrix<64xf16, rows = 64>, %v: !attn_tile.matrix<64xf16, rows = 64>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %none = arith.constant dense<0.0> : tensor<128x64xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<128x64xf16>
  %r0 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %none) -> (tensor<128x64xf32>) : i32 {
    %kt = attn_tile.load %k[%key] in_bounds : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %vt = attn_tile.load %v[%key] in_bounds : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    scf.yield %next : tensor<128x64xf32>
  }
  "keep"(%r0) : (tensor<128x64xf32>) -> ()
  gpu.return
}

// A second loop that goes on where the first ends finds its tile on the way: no
// copy and no wait between them. That tile may be ragged.
// CHECK-LABEL: gpu.func @chained(
// CHECK: attn_tile.copy_async %arg1[%{{.*}}], %[[K_BUFFER:[a-z0-9]*]] :
// CHECK: scf.for
// CHECK: attn_tile.copy_async %arg2[%{{.*}}], %{{.*}} in_bounds
// CHECK-NOT: arith.select
// CHECK: attn_tile.copy_async %arg1[%{{.*}}], %[[K_BUFFER]] :
// CHECK: scf.yield
// CHECK-NEXT: }
// CHECK-NEXT: scf.for
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async %arg2[%{{.*}}], %{{.*}} :
// CHECK: attn_tile.copy_async %arg1[%{{.*}}], %[[K_BUFFER]] :
// CHECK: scf.yield
// CHECK-NEXT: }
// CHECK-NEXT: attn_tile.wait_copies
gpu.func @chained(%q: !attn_tile.matrix<64xf16, rows = 64>, %k: !attn_tile.matrix<64xf16, rows = 64>, %v: !attn_tile.matrix<64xf16, rows = 64>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %none = arith.constant dense<0.0> : tensor<128x64xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<128x64xf16>
  %r0 = scf.for %key = %c0 to %middle step %c64 iter_args(%acc = %none) -> (tensor<128x64xf32>) : i32 {
    %kt = attn_tile.load %k[%key] in_bounds : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %vt = attn_tile.load %v[%key] in_bounds : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    scf.yield %next : tensor<128x64xf32>
  }
  %r1 = scf.for %key = %middle to %end step %c64 iter_args(%acc = %r0) -> (tensor<128x64xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    scf.yield %next : tensor<128x64xf32>
  }
  "keep"(%r1) : (tensor<128x64xf32>) -> ()
  gpu.return
}

// One that begins elsewhere does not.
// CHECK-LABEL: gpu.func @separate(
// CHECK: scf.for
// CHECK: scf.yield
// CHECK-NEXT: }
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async %arg1[%{{.*}}]
// CHECK-NEXT: scf.for
gpu.func @separate(%q: !attn_tile.matrix<64xf16, rows = 64>, %k: !attn_tile.matrix<64xf16, rows = 64>, %v: !attn_tile.matrix<64xf16, rows = 64>, %row: i32, %middle: i32, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<128x64xf32>
  %none = arith.constant dense<0.0> : tensor<128x64xf32>
  %query = attn_tile.load %q[%row] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<128x64xf16>
  %r0 = scf.for %key = %c0 to %middle step %c64 iter_args(%acc = %none) -> (tensor<128x64xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    scf.yield %next : tensor<128x64xf32>
  }
  %r1 = scf.for %key = %c0 to %end step %c64 iter_args(%acc = %r0) -> (tensor<128x64xf32>) : i32 {
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %p = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    scf.yield %next : tensor<128x64xf32>
  }
  "keep"(%r1) : (tensor<128x64xf32>) -> ()
  gpu.return
}

// Where the rows of an iteration are looked up, those of the next one are looked
// up before anything waits; before the loop only if it runs at all.
// CHECK-LABEL: gpu.func @looked_up(
// CHECK-SAME: %[[K:arg1]]: {{[^%]*}}, %[[V:arg2]]: {{[^%]*}}, %[[LIST:arg3]]: !llvm.ptr<1>
// CHECK: %[[ANY:.*]] = arith.cmpi slt, %[[C0:.*]], %[[END:arg4]]
// CHECK-NEXT: scf.if %[[ANY]] {
// CHECK-NEXT: %[[FIRST:.*]] = attn_tile.gather %[[LIST]][%[[C0]]]
// CHECK-NEXT: attn_tile.copy_async %[[K]][%[[FIRST]]], %[[BUFFER:.*]] :
// CHECK: scf.for %[[I:.*]] = %[[C0]] to %[[END]] step %[[C1:.*]] iter_args
// CHECK-NEXT: %[[AFTER:.*]] = arith.addi %[[I]], %[[C1]]
// CHECK-NEXT: %[[MORE:.*]] = arith.cmpi slt, %[[AFTER]], %[[END]]
// CHECK-NEXT: %[[INSIDE:.*]] = arith.select %[[MORE]], %[[AFTER]], %[[I]]
// CHECK-NEXT: %[[NEXT:.*]] = attn_tile.gather %[[LIST]][%[[INSIDE]]]
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: %[[ROW:.*]] = attn_tile.gather %[[LIST]][%[[I]]]
// CHECK-NEXT: attn_tile.copy_async %[[V]][%[[ROW]]]
// CHECK-NEXT: attn_tile.mma
// CHECK-NEXT: attn_tile.wait_copies
// CHECK-NEXT: attn_tile.copy_async %[[K]][%[[NEXT]]], %[[BUFFER]] :
gpu.func @looked_up(%q: !attn_tile.matrix<64xf16, rows = 64>, %k: !attn_tile.matrix<64xf16, rows = 64>, %v: !attn_tile.matrix<64xf16, rows = 64>, %list: !llvm.ptr<1>, %end: i32) kernel {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %query = attn_tile.load %q[%c0] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
  %r = scf.for %i = %c0 to %end step %c1 iter_args(%acc = %zero) -> (tensor<64x64xf32>) : i32 {
    %key = attn_tile.gather %list[%i] : !llvm.ptr<1>, i32 -> i32
    %kt = attn_tile.load %k[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %s = attn_tile.mma %query, %kt, %zero transpose_b : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
    %p = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xf16>
    %vt = attn_tile.load %v[%key] : !attn_tile.matrix<64xf16, rows = 64> -> tensor<64x64xf16>
    %next = attn_tile.mma %p, %vt, %acc : tensor<64x64xf16>, tensor<64x64xf16> -> tensor<64x64xf32>
    scf.yield %next : tensor<64x64xf32>
  }
  "keep"(%r) : (tensor<64x64xf32>) -> ()
  gpu.return
}

}

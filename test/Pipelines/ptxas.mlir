// REQUIRES: ptxas
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-opt %S/sparse-attn-to-ptx.mlir -sparse-attn-to-ptx -o %t/kernels.mlir
// RUN: %python %S/Inputs/ptx.py %t/kernels.mlir %t/kernel.ptx --split
// RUN: %ptxas -arch=sm_80 -v %t/half.ptx -o %t/half.cubin 2>&1 | FileCheck %s
// RUN: %ptxas -arch=sm_80 -v %t/causal_recall.ptx -o %t/causal_recall.cubin 2>&1 | FileCheck %s
// RUN: %ptxas -arch=sm_80 -v %t/mean_recall.ptx -o %t/mean_recall.cubin 2>&1 | FileCheck %s
// RUN: %ptxas -arch=sm_80 -v %t/single.ptx -o %t/single.cubin 2>&1 | FileCheck %s
// RUN: %ptxas -arch=sm_80 -v %t/capped.ptx -o %t/capped.cubin 2>&1 | FileCheck %s

// NVIDIA's assembler accepts the kernels, and keeps them in registers.
// CHECK-NOT: warning
// CHECK: 0 bytes spill stores, 0 bytes spill loads
// CHECK: Used {{[0-9]+}} registers

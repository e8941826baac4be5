// RUN: sparse-attn-opt %s --allow-unregistered-dialect --verify-roundtrip | FileCheck %s
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --emit-bytecode | sparse-attn-opt --allow-unregistered-dialect | FileCheck %s

// CHECK: dense = #sparse_attn.dense
"test.filter"() {dense = #sparse_attn.dense} : () -> ()

// CHECK: threshold<0.1>
"test.filter"() {a = #sparse_attn.threshold<0.1>} : () -> ()
// CHECK: threshold<0.0>
"test.filter"() {a = #sparse_attn.threshold<0>} : () -> ()
// CHECK: threshold<12.5 / keys>
"test.filter"() {a = #sparse_attn.threshold<12.5 / keys>} : () -> ()
// A number comes back as the same number.
// CHECK: threshold<1.0e-300>
"test.filter"() {a = #sparse_attn.threshold<1.0e-300>} : () -> ()
// CHECK: threshold<0.30000000000000004>
"test.filter"() {a = #sparse_attn.threshold<0.30000000000000004>} : () -> ()

// CHECK: energy<-6.0>
"test.filter"() {a = #sparse_attn.energy<-6>} : () -> ()
// CHECK: energy<2.5>
"test.filter"() {a = #sparse_attn.energy<2.5>} : () -> ()
// CHECK: energy<-inf>
"test.filter"() {a = #sparse_attn.energy<-inf>} : () -> ()
// CHECK: energy<budget = 1.46>
"test.filter"() {a = #sparse_attn.energy<budget = 1.46>} : () -> ()

// What is the default is not printed.
// CHECK: recall<0.95>
"test.filter"() {a = #sparse_attn.recall<0.95, row, exact>} : () -> ()
// CHECK: recall<1.0>
"test.filter"() {a = #sparse_attn.recall<1>} : () -> ()
// CHECK: recall<0.9, tile>
"test.filter"() {a = #sparse_attn.recall<0.9, tile>} : () -> ()
// CHECK: recall<0.9, groups = 4>
"test.filter"() {a = #sparse_attn.recall<0.9, row, groups = 4>} : () -> ()
// CHECK: recall<0.9, tile, groups = 32>
"test.filter"() {a = #sparse_attn.recall<0.9, groups = 32, tile>} : () -> ()

// CHECK: precision<tf32x3>
"test.mode"() {a = #sparse_attn.precision<tf32x3>} : () -> ()
// CHECK: precision<tf32>
"test.mode"() {a = #sparse_attn.precision<tf32>} : () -> ()
// CHECK: precision<bf16>
"test.mode"() {a = #sparse_attn.precision<bf16>} : () -> ()

// CHECK: target<"sm_80">
"test.target"() {a = #sparse_attn.target<"sm_80">} : () -> ()

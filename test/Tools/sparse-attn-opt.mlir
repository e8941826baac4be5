// The pass driver knows the project's dialects and upstream's.
// RUN: sparse-attn-opt %s | FileCheck %s
// RUN: sparse-attn-opt --show-dialects | FileCheck %s --check-prefix=DIALECTS
// RUN: not sparse-attn-opt %t.missing 2>&1 | FileCheck %s --check-prefix=MISSING

// DIALECTS: linalg
// DIALECTS: sparse_attn
// MISSING: No such file or directory

// CHECK: #sparse_attn.recall<0.95>
func.func private @kernel() attributes {filter = #sparse_attn.recall<0.95>}

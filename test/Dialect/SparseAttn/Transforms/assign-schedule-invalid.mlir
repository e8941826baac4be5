// RUN: not sparse-attn-opt %s -sparse-attn-assign-schedule=rows=10 2>&1 | FileCheck %s -DROWS=10 -DKEYS=0
// RUN: not sparse-attn-opt %s -sparse-attn-assign-schedule=keys=24 2>&1 | FileCheck %s -DROWS=0 -DKEYS=24
// RUN: not sparse-attn-opt %s -sparse-attn-assign-schedule=rows=-16 2>&1 | FileCheck %s -DROWS=-16 -DKEYS=0
// RUN: not sparse-attn-opt %s -sparse-attn-assign-schedule='rows=16 keys=-32' 2>&1 | FileCheck %s -DROWS=16 -DKEYS=-32

// CHECK: error: expected multiples of 16 as tile sizes, found [[ROWS]] rows and [[KEYS]] keys
module {
}

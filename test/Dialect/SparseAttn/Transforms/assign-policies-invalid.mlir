// A spelling that is none gives one error that says what was expected.

// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=sparse' 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: expected a filter 'dense', 'threshold:', 'energy:' or 'recall:' with a number, found 'sparse'
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=dense:1' 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: expected a filter 'dense', 'threshold:', 'energy:' or 'recall:' with a number, found 'dense:1'
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=threshold' 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: expected a number as the threshold of filter 'threshold', found ''
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=threshold:x' 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: expected a number as the threshold of filter 'threshold:x', found 'x'
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=threshold:x/L' 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: expected a number as the numerator of filter 'threshold:x/L', found 'x'
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=threshold:-1' 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: expected a finite threshold of at least 0, found
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=threshold:nan' 2>&1 | FileCheck %s --check-prefix=E6
// E6: error: expected a finite threshold of at least 0, found
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=energy:inf' 2>&1 | FileCheck %s --check-prefix=E7
// E7: error: expected an energy threshold below inf, found
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=energy:P=' 2>&1 | FileCheck %s --check-prefix=E8
// E8: error: expected a number as the budget of filter 'energy:P=', found ''
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=energy:P=-1' 2>&1 | FileCheck %s --check-prefix=E9
// E9: error: expected a finite energy budget of at least 0, found
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:' 2>&1 | FileCheck %s --check-prefix=E10
// E10: error: expected a number as the recall of filter 'recall:', found ''
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:1.5' 2>&1 | FileCheck %s --check-prefix=E11
// E11: error: expected a recall above 0 and at most 1, found
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:0.9,5' 2>&1 | FileCheck %s --check-prefix=E12
// E12: error: expected 'row', 'tile', 'exact' or 'groups=' with a positive number in filter 'recall:0.9,5', found '5'
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:0.9,groups=0' 2>&1 | FileCheck %s --check-prefix=E13
// E13: error: {{.*}}in filter 'recall:0.9,groups=0', found 'groups=0'
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:0.9,groups=5' 2>&1 | FileCheck %s --check-prefix=E14
// E14: error: expected 4, 8, 16 or 32 groups, found 5
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:0.9,row,tile' 2>&1 | FileCheck %s --check-prefix=E15
// E15: error: expected one granularity and one bound in filter 'recall:0.9,row,tile', found 'tile' as a second one
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='filter=recall:0.9,exact,groups=8' 2>&1 | FileCheck %s --check-prefix=E16
// E16: error: {{.*}}found 'groups=8' as a second one
// RUN: not sparse-attn-opt %s -sparse-attn-assign-policies='precision=fp8' 2>&1 | FileCheck %s --check-prefix=E17
// E17: error: expected an f32 precision '3xtf32', 'tf32' or 'bf16', found 'fp8'

module {}

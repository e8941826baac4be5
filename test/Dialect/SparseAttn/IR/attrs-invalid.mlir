// RUN: sparse-attn-opt %s --allow-unregistered-dialect --split-input-file --verify-diagnostics

// expected-error@+1 {{expected a finite threshold of at least 0, found -1}}
"test.filter"() {a = #sparse_attn.threshold<-1.0>} : () -> ()

// -----

// expected-error@+1 {{expected a finite threshold of at least 0, found inf}}
"test.filter"() {a = #sparse_attn.threshold<inf>} : () -> ()

// -----

// expected-error@+1 {{expected 'keys'}}
"test.filter"() {a = #sparse_attn.threshold<1.0 / queries>} : () -> ()

// -----

// expected-error@+1 {{expected floating point literal}}
"test.filter"() {a = #sparse_attn.threshold<>} : () -> ()

// -----

// expected-error@+1 {{integer value too large}}
"test.filter"() {a = #sparse_attn.threshold<99999999999999999999>} : () -> ()

// -----

// expected-error@+1 {{expected an energy threshold below inf, found inf}}
"test.filter"() {a = #sparse_attn.energy<inf>} : () -> ()

// -----

// expected-error@+1 {{expected a finite energy budget of at least 0, found -2}}
"test.filter"() {a = #sparse_attn.energy<budget = -2.0>} : () -> ()

// -----

// expected-error@+1 {{expected a finite energy budget of at least 0, found inf}}
"test.filter"() {a = #sparse_attn.energy<budget = inf>} : () -> ()

// -----

// expected-error@+1 {{expected a recall above 0 and at most 1, found 0}}
"test.filter"() {a = #sparse_attn.recall<0.0>} : () -> ()

// -----

// expected-error@+1 {{expected a recall above 0 and at most 1, found 1.5}}
"test.filter"() {a = #sparse_attn.recall<1.5>} : () -> ()

// -----

// expected-error@+1 {{expected 4, 8, 16 or 32 groups, found 6}}
"test.filter"() {a = #sparse_attn.recall<0.9, groups = 6>} : () -> ()

// -----

// expected-error@+1 {{expected 4, 8, 16 or 32 groups, found -4}}
"test.filter"() {a = #sparse_attn.recall<0.9, groups = -4>} : () -> ()

// -----

// expected-error@+1 {{expected 4, 8, 16 or 32 groups, found 0}}
"test.filter"() {a = #sparse_attn.recall<0.9, groups = 0>} : () -> ()

// -----

// expected-error@+1 {{expected 'row', 'tile', 'exact' or 'groups', found 'column'}}
"test.filter"() {a = #sparse_attn.recall<0.9, column>} : () -> ()

// -----

// expected-error@+1 {{expected one of the targets}}
"test.target"() {a = #sparse_attn.target<"sm_1">} : () -> ()

// -----

// expected-error@+2 {{to be one of: tf32x3, tf32, bf16}}
// expected-error@+1 {{failed to parse SparseAttn_PrecisionAttr}}
"test.mode"() {a = #sparse_attn.precision<fp8>} : () -> ()

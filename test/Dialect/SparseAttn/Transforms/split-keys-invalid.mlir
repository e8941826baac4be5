// RUN: sparse-attn-opt %s -sparse-attn-split-keys=keys=100 -verify-diagnostics

// expected-error@below {{expected a multiple of 128 keys of a share, found 100}}
module {
}

# ===- families.py - One kernel of each family -----------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Kernels that differ in how they use shared memory and barriers, for tests of
the emulator's checks."""

from sparse_attn.filters import Filter

FAMILIES = {
    "dense": dict(),
    "bf16": dict(depth=128, element="bf16"),
    "causal": dict(causal=0),
    "mask": dict(mask="f16"),
    "f32": dict(element="f32"),
    "threshold": dict(rule=Filter.parse("threshold:0.05")),
    "energy": dict(rule=Filter.parse("energy:-3")),
    "recall": dict(rule=Filter.parse("recall:0.9")),
    "recall groups": dict(rule=Filter.parse("recall:0.9,tile,groups=4")),
}

# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests, the demo and the benchmarks share: a float64 reference of
filtered attention, MLIR text for one attention, and calls of the tools."""

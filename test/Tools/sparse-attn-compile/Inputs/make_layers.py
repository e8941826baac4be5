# ===- make_layers.py - A graph of many equal attentions ------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Prints a graph of as many layers as the argument says, one after the other."""

import sys

TENSOR = "tensor<1x8x1024x64xf16>"
print("#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>")
print("#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>")
print("#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>")
print("#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>")
print(f"func.func @model(%x0: {TENSOR}, %init: {TENSOR}) -> {TENSOR} {{")
count = int(sys.argv[1])
for layer in range(count):
    x = f"%x{layer}"
    print(f"  %x{layer + 1} = sparse_attn.attention ins({x}, {x}, {x} : {TENSOR}, {TENSOR}, {TENSOR})")
    print(f"      outs(%init : {TENSOR}) {{indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64}} -> {TENSOR}")
print(f"  return %x{count} : {TENSOR}")
print("}")

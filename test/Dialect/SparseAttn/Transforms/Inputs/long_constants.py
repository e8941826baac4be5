# ===- long_constants.py - A region that reads a long computation ----------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Prints an attention whose region reads a sum of as many terms as asked for."""

import sys

count = int(sys.argv[1])
sums = "\n".join(f"  %x{n + 1} = arith.addf %x{n}, %x0 : f32" for n in range(count))
print(f"""
!t = tensor<2x64x32xf16>
func.func @f(%q: !t, %k: !t, %v: !t, %o: !t) -> !t {{
  %x0 = arith.constant 0.5 : f32
{sums}
  %r = sparse_attn.attention ins(%q, %k, %v : !t, !t, !t) outs(%o : !t)
      score {{
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %y = arith.mulf %s, %x{count} : f32
        sparse_attn.yield %y : f32
      }}
      {{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>,
                        affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> (b, m, n)>],
       scale = 1.0 : f64}} -> !t
  return %r : !t
}}""")

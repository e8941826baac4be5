# ===- test_layouts.py - Tokens in another order ----------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Permutations of tokens, executed: the orders themselves, and graphs that
compute the same after permutations were assigned and propagated."""

import hashlib

import numpy as np
import pytest

from sparse_attn import tools
from test_linalg import execute


def order(layout: str, tokens: int, folder) -> np.ndarray:
    """The raster index of the token at each position."""
    tensor = f"tensor<{tokens}xf32>"
    text = f"""
func.func @main(%x: {tensor}) -> {tensor} {{
  %y = sparse_attn.permute_tokens %x by #sparse_attn.{layout} along 0 : {tensor}
  return %y : {tensor}
}}"""
    (found,) = execute(text, [np.arange(tokens, dtype=np.float32)], 1, folder)
    return found.astype("<i4")


# The orders of DFSAttn's reference implementation, as little-endian int32.
@pytest.mark.parametrize(
    "grid,digest",
    [
        ((21, 45, 80), "f1fa67d584225e5979df0f07b51fc70a1ae5dc061f3489b71d6eba9c20fd3f9d"),
        ((33, 45, 80), "f7c978597f9ba5f233e73a693b04233fc2ee6c1bb0c552aab626dc90c4214a81"),
    ],
    ids=["81 frames", "129 frames"],
)
def test_hilbert_of_videos(grid, digest, tmp_path):
    perm = order(f"hilbert<{'x'.join(map(str, grid))}>", int(np.prod(grid)), tmp_path)
    assert hashlib.sha256(perm.tobytes()).hexdigest() == digest


def test_inverse_and_tail(tmp_path):
    perm = order("gilbert<3x4x5, tail = 7>", 67, tmp_path)
    assert (perm[60:] == np.arange(60, 67)).all()
    tensor = "tensor<2x67x3xf32>"
    text = f"""
func.func @main(%x: {tensor}) -> ({tensor}, {tensor}) {{
  %y = sparse_attn.permute_tokens %x by #sparse_attn.gilbert<3x4x5, tail = 7> along 1 : {tensor}
  %z = sparse_attn.permute_tokens %x by #sparse_attn.gilbert<3x4x5, tail = 7> along 1 inverse : {tensor}
  return %y, %z : {tensor}, {tensor}
}}"""
    x = np.random.default_rng(1).normal(size=(2, 67, 3)).astype(np.float32)
    there, back = execute(text, [x], 2, tmp_path)
    assert np.array_equal(there, x[:, perm])
    assert np.array_equal(back[:, perm], x)


# Two blocks of a small transformer: positions, attention with a mask, a linear
# layer and a mean over channels on a residual stream.
BLOCK = """
  %h{n} = linalg.generic {{indexing_maps = [#tc, #t, #tc], iterator_types = ["parallel", "parallel"]}}
      ins(%x{n}, %positions : tensor<24x8xf32>, tensor<24xf32>) outs(%e : tensor<24x8xf32>) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  }} -> tensor<24x8xf32>
  %a{n} = sparse_attn.attention ins(%h{n}, %x{n}, %h{n} : tensor<24x8xf32>, tensor<24x8xf32>, tensor<24x8xf32>)
      mask(%mask : tensor<24x24xi1>) outs(%e : tensor<24x8xf32>)
      {{indexing_maps = [#q, #k, #v, #s, #o], scale = 0.5 : f64}} -> tensor<24x8xf32>
  %p{n} = linalg.matmul ins(%a{n}, %w : tensor<24x8xf32>, tensor<8x8xf32>) outs(%zeros : tensor<24x8xf32>) -> tensor<24x8xf32>
  %x{m} = arith.addf %x{n}, %p{n} : tensor<24x8xf32>
"""
GRAPH = (
    """
#t = affine_map<(t, c) -> (t)>
#tc = affine_map<(t, c) -> (t, c)>
#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#s = affine_map<(m, n, d, k) -> (m, k)>
#o = affine_map<(m, n, d, k) -> (m, n)>
func.func @main(%x0: tensor<24x8xf32>, %w: tensor<8x8xf32>, %mask: tensor<24x24xi1>) -> tensor<24x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<24x8xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<24x8xf32>) -> tensor<24x8xf32>
  %positions = arith.constant dense<["""
    + ", ".join(f"{0.5 + 0.03 * i}" for i in range(24))
    + "]> : tensor<24xf32>\n"
    + "".join(BLOCK.format(n=i, m=i + 1) for i in range(2))
    + "  return %x2 : tensor<24x8xf32>\n}\n"
)


@pytest.mark.parametrize(
    "layout", ["hilbert:2x3x4", "gilbert:2x3x4", "morton:2x2x5+4", "box:1x2x2@2x3x4"]
)
def test_same_graph(layout, tmp_path):
    random = np.random.default_rng(2)
    mask = random.random((24, 24)) < 0.7
    inputs = [random.normal(size=s).astype(np.float32) for s in ((24, 8), (8, 8))] + [mask]
    assigned = tools.call(
        "sparse-attn-opt", f"--sparse-attn-assign-layout=layout={layout}", text=GRAPH
    )
    moved = tools.call("sparse-attn-opt", "--sparse-attn-propagate-layouts", text=assigned)
    # Six for each attention; then the tokens, and both dimensions of the mask.
    assert assigned.count("permute_tokens") == 12 and moved.count("permute_tokens") == 4
    (expected,) = execute(GRAPH, inputs, 1, tmp_path)
    for text in (assigned, moved):
        (found,) = execute(text, inputs, 1, tmp_path)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)

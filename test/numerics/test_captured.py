# ===- test_captured.py - Score regions that read tensors -------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Documents, lengths, slopes and tables of biases: the region reads them by
index. Compared with float64 through the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np
import pytest

from harness import CHECKS
from sparse_attn import tools
from sparse_attn.rounding import ROUND

BATCH, HEADS, QUERIES, KEYS, WIDTH = 2, 3, 150, 170, 32

DOCUMENTS = np.sort(np.random.default_rng(1).integers(0, 5, 170))
LENGTHS = np.array([40, 129])
SLOPES = np.array([0.5, 0.03, 0.0])
TABLE = np.random.default_rng(2).normal(size=(HEADS, QUERIES + KEYS)).astype(np.float16)
SEEN = np.random.default_rng(3).random((QUERIES, KEYS)) < 0.7


@dataclass
class Case:
    type: str
    array: np.ndarray
    region: str  # yields %r
    scores: Callable  # s, b, h, q, k (arrays) -> scores
    visited: Callable = lambda b, first, last: range(KEYS)  # keys of a query tile


def masked(condition, s):
    return np.where(condition, s, -np.inf)


def documents(element: str, dtype) -> Case:
    return Case(
        f"tensor<170x{element}>",
        DOCUMENTS.astype(dtype),
        f"""%dq = tensor.extract %t[%query] : tensor<170x{element}>
        %dk = tensor.extract %t[%key] : tensor<170x{element}>
        %seen = arith.cmpi eq, %dq, %dk : {element}
        %r = arith.select %seen, %s, %ninf : f32""",
        lambda s, b, h, q, k: masked(DOCUMENTS[q] == DOCUMENTS[k], s),
    )


CASES = {
    "documents": documents("i32", np.int32),
    "documents-i64": documents("i64", np.int64),
    "lengths": Case(
        "tensor<2xi32>",
        LENGTHS.astype(np.int32),
        """%l = tensor.extract %t[%b] : tensor<2xi32>
        %length = arith.index_cast %l : i32 to index
        %seen = arith.cmpi slt, %key, %length : index
        %r = arith.select %seen, %s, %ninf : f32""",
        lambda s, b, h, q, k: masked(k < LENGTHS[b], s),
        lambda b, first, last: range(LENGTHS[b]),
    ),
    "lengths-dynamic": Case(
        "tensor<?xi64>",
        LENGTHS.astype(np.int64),
        """%l = tensor.extract %t[%b] : tensor<?xi64>
        %i = arith.index_cast %key : index to i64
        %seen = arith.cmpi slt, %i, %l : i64
        %r = arith.select %seen, %s, %ninf : f32""",
        lambda s, b, h, q, k: masked(k < LENGTHS[b], s),
        lambda b, first, last: range(LENGTHS[b]),
    ),
    "lengths-causal": Case(
        "tensor<2xi32>",
        LENGTHS.astype(np.int32),
        """%l = tensor.extract %t[%b] : tensor<2xi32>
        %length = arith.index_cast %l : i32 to index
        %short = arith.cmpi slt, %key, %length : index
        %before = arith.cmpi sle, %key, %query : index
        %seen = arith.andi %short, %before : i1
        %r = arith.select %seen, %s, %ninf : f32""",
        lambda s, b, h, q, k: masked((k < LENGTHS[b]) & (k <= q), s),
        lambda b, first, last: range(min(LENGTHS[b], last + 1)),
    ),
    "slopes": Case(
        "tensor<3xf32>",
        SLOPES.astype(np.float32),
        """%slope = tensor.extract %t[%h] : tensor<3xf32>
        %d = arith.subi %key, %query : index
        %di = arith.index_cast %d : index to i32
        %df = arith.sitofp %di : i32 to f32
        %bias = arith.mulf %slope, %df : f32
        %r = arith.addf %s, %bias : f32""",
        lambda s, b, h, q, k: s + SLOPES[h] * (k - q),
    ),
    "table": Case(
        f"tensor<{HEADS}x{QUERIES + KEYS}xf16>",
        TABLE,
        f"""%all = arith.constant {QUERIES} : index
        %d = arith.subi %key, %query : index
        %e = arith.addi %d, %all : index
        %x = tensor.extract %t[%h, %e] : tensor<{HEADS}x{QUERIES + KEYS}xf16>
        %bias = arith.extf %x : f16 to f32
        %r = arith.addf %s, %bias : f32""",
        lambda s, b, h, q, k: s + TABLE[h, k - q + QUERIES].astype(np.float64),
    ),
    "bits": Case(
        f"tensor<{QUERIES}x{KEYS}xi1>",
        SEEN,
        f"""%seen = tensor.extract %t[%query, %key] : tensor<{QUERIES}x{KEYS}xi1>
        %r = arith.select %seen, %s, %ninf : f32""",
        lambda s, b, h, q, k: masked(SEEN[q, k], s),
    ),
    # Beyond either end the tensor goes on with its last element.
    "clamped": Case(
        "tensor<3xf32>",
        SLOPES.astype(np.float32),
        """%far = arith.constant 100 : index
        %d = arith.subi %key, %far : index
        %bias = tensor.extract %t[%d] : tensor<3xf32>
        %r = arith.addf %s, %bias : f32""",
        lambda s, b, h, q, k: s + SLOPES[np.clip(k - 100, 0, 2)],
    ),
}


def module(case: Case) -> str:
    q = f"tensor<{BATCH}x{HEADS}x{QUERIES}x{WIDTH}xf16>"
    k = f"tensor<{BATCH}x{HEADS}x{KEYS}x{WIDTH}xf16>"
    return f"""
#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>
func.func @main(%q: {q}, %k: {k}, %v: {k}, %t: {case.type}) -> {q} {{
  %ninf = arith.constant 0xFF800000 : f32
  %init = tensor.empty() : {q}
  %o = sparse_attn.attention ins(%q, %k, %v : {q}, {k}, {k}) outs(%init : {q})
    score {{
    ^bb0(%s: f32, %b: index, %h: index, %query: index, %key: index):
        {case.region}
        sparse_attn.yield %r : f32
    }} {{indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64}} -> {q}
  return %o : {q}
}}
"""


@pytest.mark.parametrize("name", CASES)
def test_captured(name, tmp_path):
    case = CASES[name]
    random = np.random.default_rng(7)
    shapes = [(BATCH, HEADS, n, WIDTH) for n in (QUERIES, KEYS, KEYS)]
    q, k, v = (random.normal(size=shape).astype(np.float16) for shape in shapes)
    package = tools.compile_text(
        module(case), tmp_path / "package", "--expect-attention=1", "--ptxas=none"
    )
    inputs = {"query": q, "key": k, "value": v, "captured_0": case.array}
    run = tools.run(package, inputs, *CHECKS)

    s = 0.25 * np.einsum("bhqd,bhkd->bhqk", *(x.astype(np.float64) for x in (q, k)))
    index = np.indices(s.shape)
    s = case.scores(s, *index)
    top = s.max(-1, keepdims=True)
    p = np.exp(s - np.where(np.isneginf(top), 0, top))
    weights = p / np.maximum(p.sum(-1, keepdims=True), 1e-300)
    expected = weights @ v.astype(np.float64)
    # The same with the weights rounded as the kernel rounds them.
    rounded = ROUND["f16"](p) @ v.astype(np.float64)
    rounded = ROUND["f16"](rounded / np.maximum(p.sum(-1, keepdims=True), 1e-300))
    limit = 2 * np.abs(rounded - expected).max() + 1e-6
    error = np.abs(run.arrays["output"].astype(np.float64) - expected).max()
    assert error <= limit, f"{error} > {limit}"

    # What a length cuts off is not visited.
    rows, keys = package.kernel()["decision_tile"]
    counts = run.arrays["tile_counts"]
    for b in range(BATCH):
        for tile in range(counts.shape[2]):
            last = min((tile + 1) * rows, QUERIES) - 1
            visited = len(case.visited(b, tile * rows, last))
            assert (counts[b, :, tile, 0] == -(-visited // keys)).all()
            assert (counts[b, :, tile, 1] == 0).all()

# ===- test_shapes.py - Every length, type and layout ----------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Dense and filtered kernels on tails, cross attention, causal attention,
several heads and batches. Buffers end exactly where the tensors do, so that a
read past the end is an error of the emulator, not a poisoned number."""

import pytest

from harness import check, decision_tile
from inputs import make
from sample import name, sample
from sparse_attn.filters import Filter
from sparse_attn.modules import Attention

# (element type, precision, output type)
TYPES = [
    ("f16", None, "f16"),
    ("f16", None, "f32"),
    ("bf16", None, "bf16"),
    ("f32", "tf32x3", "f32"),
    ("f32", "tf32", "f32"),
    ("f32", "bf16", "f32"),
]
DEPTHS = [32, 64, 128]
# Lengths relative to the tile: 1, B-1, B, B+1, 2B-1.
LENGTHS = ["1", "B-1", "B", "B+1", "2B-1"]
MASKS = ["full", "causal"]


def length(text: str, block: int) -> int:
    return {"1": 1, "B-1": block - 1, "B": block, "B+1": block + 1, "2B-1": 2 * block - 1}[text]


def typed(rows, keys, depth, types, **options) -> Attention:
    element, precision, output = types
    return Attention(
        rows, keys, depth, element=element, precision=precision, output=output, **options
    )


@pytest.mark.parametrize(
    "case", sample(36, LENGTHS, LENGTHS, DEPTHS, TYPES, MASKS, seed=3), ids=name
)
def test_lengths(compiler, case):
    rows, keys, depth, types, mask = case
    causal = 0 if mask == "causal" else None
    rule = Filter.parse("recall:0.95")
    probe = typed(1, 1, depth, types, dynamic=True, rule=rule, causal=causal)
    tile_rows, tile_keys = decision_tile(compiler.package(probe))
    spec = typed(
        length(rows, tile_rows), length(keys, tile_keys), depth, types,
        dynamic=True, rule=rule, causal=causal,
    )  # fmt: skip
    check(compiler, spec, make(spec, "random", seed=hash_of(case)))


def hash_of(case) -> int:
    """A seed that does not change from run to run."""
    return sum(ord(letter) for letter in name(case))


@pytest.mark.parametrize("case", sample(6, DEPTHS, TYPES, seed=5), ids=name)
def test_static_shapes(compiler, case):
    depth, types = case
    spec = typed(130, 200, depth, types, batch=(2,))
    check(compiler, spec, make(spec, "random", seed=2))


@pytest.mark.parametrize(
    "options",
    [
        dict(batch=(2, 3)),
        dict(batch=(1, 5), dynamic=True),
        dict(batch=(2, 3), rows_first=True),
        dict(batch=(1, 4), shared=2),
        dict(batch=(2, 3), causal=0),
    ],
    ids=["heads", "heads-dynamic", "rows-first", "shared-heads", "heads-causal"],
)
@pytest.mark.parametrize("rule", ["dense", "energy:-2"])
def test_batches(compiler, options, rule):
    spec = Attention(70, 150, 64, rule=Filter.parse(rule), **options)
    check(compiler, spec, make(spec, "tiles", seed=4))


@pytest.mark.parametrize("rows,keys", [(100, 300), (300, 100)])
@pytest.mark.parametrize("causal", [0, 37, -9])
def test_causal_cross_attention(compiler, rows, keys, causal):
    # With a negative offset the first rows see no key at all: they give 0.
    spec = Attention(rows, keys, 32, causal=causal)
    verdict = check(compiler, spec, make(spec, "random", seed=6))
    assert verdict.visited < -(-rows // 64) * -(-keys // 16)


@pytest.mark.parametrize("element", ["f16", "f32"])
def test_log_sum_exp(compiler, element):
    spec = Attention(150, 200, 64, (2,), element=element, results=("log_sum_exp",), causal=-3)
    check(compiler, spec, make(spec, "random", seed=7))


@pytest.mark.parametrize("mask", ["i1", "f16"])
def test_masks(compiler, mask):
    spec = Attention(130, 150, 64, mask=mask)
    check(compiler, spec, make(spec, "random", seed=8))

# ===- test_packed_heads.py - Heads as the rows of a query tile ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Few queries of heads that share key heads: the heads become rows, and vote
as such."""

import pytest

from harness import check, packs_heads
from inputs import make
from sparse_attn.filters import Filter
from sparse_attn.modules import Attention
from test_features import alibi


@pytest.mark.parametrize("rule", ["dense", "energy:-2", "recall:0.9", "recall:0.9,tile"])
@pytest.mark.parametrize(
    "rows,options",
    [
        (1, dict(batch=(2, 8), shared=4)),
        (1, dict(batch=(6,), shared=6, causal=100)),
        (3, dict(batch=(2, 8), shared=4, causal=90)),
        (3, dict(batch=(2, 8), shared=4, rows_first=True, causal=90)),
        (1, dict(batch=(2, 8), shared=4, rows_first=True, results=("log_sum_exp", "recall_bound"))),
        (2, dict(batch=(1, 8), shared=4, mask="i1")),
        (2, dict(batch=(1, 140), shared=70, score=alibi)),
    ],
    ids=["decode", "one key head", "few queries", "rows first", "results", "mask", "two tiles"],
)
def test_packed_heads(compiler, rows, options, rule):
    """Heads that share a key head vote as the rows of one decision tile."""
    if rule == "dense" and "recall_bound" in options.get("results", ()):
        options = options | dict(results=("log_sum_exp",))
    spec = Attention(rows, 150, 32, rule=Filter.parse(rule), **options)
    arrays = make(spec, "tiles", seed=16)
    assert packs_heads(spec, compiler.package(spec).kernel())
    check(compiler, spec, arrays)


@pytest.mark.parametrize(
    "rows,options",
    [
        (4, dict(batch=(1, 4), shared=4)),  # no fewer tiles
        (1, dict(batch=(1, 4))),  # no key head is shared
        (1, dict(batch=(1, 4), shared=4, decision_tile=(64, 64))),  # the votes are settled
        (1, dict(batch=(1, 4), shared=4, dynamic=True)),
    ],
    ids=["many queries", "not shared", "tile", "dynamic"],
)
def test_heads_that_are_not_packed(compiler, rows, options):
    spec = Attention(rows, 150, 32, rule=Filter.parse("recall:0.9"), **options)
    arrays = make(spec, "tiles", seed=17)
    assert not packs_heads(spec, compiler.package(spec).kernel())
    check(compiler, spec, arrays)

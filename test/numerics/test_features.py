# ===- test_features.py - What users combine -------------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Score regions, masks, heads, lengths, types and filters together: random
combinations in which any two features meet."""

import itertools
import math
import random

import numpy as np
import pytest

from harness import check
from inputs import make
from sample import LONG, name
from sparse_attn.filters import Filter
from sparse_attn.modules import Attention
from sparse_attn.score_functions import exp2, tanh, to_float, where

TILE = (64, 32)

# ---------------------------------------------------------------------------
# Score regions, as FlexAttention's users write them
# ---------------------------------------------------------------------------


def causal(score, batch, query, key):
    return where(key <= query, score, -math.inf)


def shifted(score, batch, query, key):
    return where(key < query + 20, score, -math.inf)


def window(score, batch, query, key):
    return where((key <= query) & (query < key + 40), score, -math.inf)


def band(score, batch, query, key):
    return where((key <= query + 9) & (query <= key + 9), score, -math.inf)


def prefix(score, batch, query, key):
    return where((key < 45) | (key <= query), score, -math.inf)


def blocks(score, batch, query, key):
    return where(query // 48 == key // 48, score, -math.inf)


def strided(score, batch, query, key):
    return where((query + key) % 3 == 0, score, -math.inf)


def softcap(score, batch, query, key):
    return tanh(score / 4.0) * 4.0


def alibi(score, batch, query, key):
    slope = exp2(to_float(batch[-1]) * -1.0) * 0.25 if batch else 0.25
    return score + to_float(key - query) * slope


def heads_differ(score, batch, query, key):
    """Even heads are causal, odd ones see all."""
    if not batch:
        return causal(score, batch, query, key)
    return where((batch[-1] % 2 == 1) | (key <= query), score, -math.inf)


def sees_nothing(score, batch, query, key):
    """The first rows have no key at all."""
    return where(key + 30 <= query, score, -math.inf)


def both(first, second):
    def function(score, batch, query, key):
        return second(first(score, batch, query, key), batch, query, key)

    function.__name__ = f"{first.__name__}+{second.__name__}"
    return function


REGIONS = {
    function.__name__: function
    for function in (
        causal, shifted, window, band, prefix, blocks, strided, softcap, alibi, heads_differ,
        sees_nothing, both(softcap, window), both(softcap, causal), both(alibi, causal),
        both(alibi, window), both(softcap, prefix), both(softcap, alibi),
    )
}  # fmt: skip

FEATURES = {
    "region": [None, *REGIONS],
    "mask": [None, "bool", "bool empty rows", "bool keys", "bool batch", "f16", "f32", "f32 -inf"],
    "heads": ["one", "two", "two batches", "grouped", "many for one", "rows first", "grouped rows first"],
    "rows": ["1", "B-1", "B", "B+1", "2B-1"],
    "keys": ["1", "B-1", "B", "B+1", "2B-1", "5B+7"],
    "dynamic": [False, True],
    "types": [("f16", "f16"), ("f16", "f32"), ("bf16", "bf16"), ("f32", "f32")],
    "depth": [(64, 64), (32, 32), (128, 128), (64, 32)],
    "filter": ["dense", "threshold:0.02", "energy:-3", "recall:0.9", "recall:0.9,tile,groups=4"],
    "input": ["random", "descending", "tiles"],
}  # fmt: skip

HEADS = {
    "one": dict(),
    "two": dict(batch=(2,)),
    "two batches": dict(batch=(2, 2)),
    "grouped": dict(batch=(1, 4), shared=2),
    "many for one": dict(batch=(3,), shared=3),
    "rows first": dict(batch=(2, 2), rows_first=True),
    "grouped rows first": dict(batch=(1, 4), shared=2, rows_first=True),
}


def length(text: str, block: int) -> int:
    return {"1": 1, "B-1": block - 1, "B": block, "B+1": block + 1, "2B-1": 2 * block - 1,
            "5B+7": 5 * block + 7}[text]  # fmt: skip


def combinations(count: int) -> list:
    """At least `count` cases, and as many as it takes for every two values of
    different features to meet."""
    generator = random.Random(20)
    names = list(FEATURES)
    open_pairs = {
        (a, x, b, y)
        for a, b in itertools.combinations(names, 2)
        for x in FEATURES[a]
        for y in FEATURES[b]
    }
    cases = []
    while open_pairs or len(cases) < count:
        tried = [{n: generator.choice(FEATURES[n]) for n in names} for _ in range(30)]
        pairs = [{(a, c[a], b, c[b]) for a, b in itertools.combinations(names, 2)} for c in tried]
        best = max(range(30), key=lambda i: len(pairs[i] & open_pairs))
        if not pairs[best] & open_pairs and open_pairs:  # aim at a pair that is left
            a, x, b, y = min(open_pairs, key=str)
            tried[best] |= {a: x, b: y}
            pairs[best] = {
                (a, tried[best][a], b, tried[best][b]) for a, b in itertools.combinations(names, 2)
            }
        cases.append(tried[best])
        open_pairs -= pairs[best]
    return cases


CASES = combinations(320)


def spec_of(case: dict) -> Attention:
    element, output = case["types"]
    depth, width = case["depth"]
    options = dict(HEADS[case["heads"]])
    mask = case["mask"]
    if mask:
        options["mask"] = "i1" if mask.startswith("bool") else mask.split()[0]
        if mask == "bool keys":
            options["mask_over"] = ("k",)
        if mask == "bool batch" and options.get("batch"):
            options["mask_over"] = ("b0", "m", "k")
    # A dynamic length has to be the outermost dimension behind the batch.
    dynamic = case["dynamic"] and not options.get("rows_first")
    return Attention(
        length(case["rows"], TILE[0]), length(case["keys"], TILE[1]), depth, width=width,
        element=element, output=output, rule=Filter.parse(case["filter"]), decision_tile=TILE,
        score=REGIONS.get(case["region"]), dynamic=dynamic, **options,
    )  # fmt: skip


def arrays_of(case: dict, spec: Attention, seed: int) -> dict:
    arrays = make(spec, case["input"], seed)
    generator = np.random.default_rng(seed)
    if case["mask"] == "bool empty rows":
        arrays["mask"][generator.random(spec.rows) < 0.4] = False
    if case["mask"] == "f32 -inf":
        arrays["mask"][generator.random(arrays["mask"].shape) < 0.5] = -np.inf
    return arrays


def case_name(case: dict) -> str:
    return name(tuple(case.values())).replace(" ", "_")


def sampled() -> list:
    return CASES if LONG else random.Random(3).sample(CASES, 20)


def test_every_two_features_meet():
    assert len(CASES) >= 300
    for a, b in itertools.combinations(FEATURES, 2):
        met = {(case[a], case[b]) for case in CASES}
        assert met == set(itertools.product(FEATURES[a], FEATURES[b]))


@pytest.mark.parametrize("case", sampled(), ids=case_name)
def test_combination(compiler, case):
    spec = spec_of(case)
    check(compiler, spec, arrays_of(case, spec, seed=CASES.index(case)))

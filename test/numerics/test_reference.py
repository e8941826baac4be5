# ===- test_reference.py - The oracle against plain numpy -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The oracle is itself tested: against a softmax written out in full, against
decisions taken one row at a time, and against properties of the rules."""

import math

import numpy as np
import pytest

from sparse_attn.filters import RECALL_EPSILON, Filter
from sparse_attn.reference import (
    Problem,
    dense_attention,
    error_limit,
    filter_tile,
    filtered_attention,
    rounded_attention,
    variants,
)
from sparse_attn.rounding import multiply, to_bf16, to_f16, to_tf32

TILE = (32, 16)


def random(*shape, seed=0, sigma=1.0):
    return np.random.default_rng(seed).standard_normal(shape) * sigma


def plain(q, k, v, scale, allowed=None):
    s = scale * q @ np.swapaxes(k, -1, -2)
    if allowed is not None:
        s = np.where(allowed, s, -np.inf)
    p = np.exp(s - s.max(-1, keepdims=True))
    return (p / p.sum(-1, keepdims=True)) @ v


@pytest.mark.parametrize("rows,keys", [(1, 1), (31, 33), (32, 16), (70, 100)])
def test_dense_is_softmax(rows, keys):
    q, k, v = random(2, 3, rows, 8), random(2, 3, keys, 8, seed=1), random(2, 3, keys, 4, seed=2)
    expected = plain(q, k, v, 0.3)
    tiled = filtered_attention(q, k, v, Problem(0.3), Filter(), TILE)
    whole, lse = dense_attention(q, k, v, Problem(0.3))
    np.testing.assert_allclose(tiled.out, expected, atol=1e-12)
    np.testing.assert_allclose(whole, expected, atol=1e-12)
    np.testing.assert_allclose(tiled.lse, lse, atol=1e-12)
    assert tiled.skipped.sum() == 0 and np.all(tiled.recall_bound == 1)


def test_causal_hides_tiles_and_rows():
    q, k, v = random(40, 8), random(64, 8, seed=1), random(64, 4, seed=2)
    allowed = np.arange(64)[None, :] <= np.arange(40)[:, None]
    result = filtered_attention(q, k, v, Problem(0.3, causal=0), Filter(), TILE)
    np.testing.assert_allclose(result.out, plain(q, k, v, 0.3, allowed), atol=1e-12)
    # Rows 0..31 see keys 0..31, rows 32..39 keys 0..39.
    assert result.visited.tolist() == [2, 3]


def test_empty_rows_are_zero():
    q, k, v = random(40, 8), random(64, 8, seed=1), random(64, 4, seed=2)
    result = filtered_attention(q, k, v, Problem(0.3, causal=-5), Filter.parse("energy:-2"), TILE)
    assert np.all(result.out[:5] == 0) and np.all(result.lse[:5] == -np.inf)
    assert np.all(result.recall_bound[:5] == 1) and np.all(result.true_recall[:5] == 1)
    assert np.all(np.isfinite(result.lse[5:]))


def test_shared_heads_and_masks():
    q, k, v = random(1, 4, 20, 8), random(1, 2, 30, 8, seed=1), random(1, 2, 30, 4, seed=2)
    mask = np.random.default_rng(3).random((20, 30)) < 0.7
    result = filtered_attention(q, k, v, Problem(0.3, mask=mask), Filter(), TILE)
    for head in range(4):
        expected = plain(q[0, head], k[0, head // 2], v[0, head // 2], 0.3, mask)
        np.testing.assert_allclose(result.out[0, head], expected, atol=1e-12)
    added = filtered_attention(
        q, k, v, Problem(0.3, mask=np.where(mask, 0.0, -np.inf)), Filter(), TILE
    )
    np.testing.assert_allclose(added.out, result.out, atol=1e-12)


def decisions_by_rows(scores, rule, tile_keys):
    """The rules again, written for one row at a time in plain Python."""
    keys = scores.shape[1]
    rows = [dict(m=-math.inf, l=0.0, e=0.0) for _ in scores]
    taken = []
    for first in range(0, keys, tile_keys):
        tile = scores[:, first : first + tile_keys]
        agree, shares, bounds = True, [], []
        for row, s in zip(rows, tile):
            top = max(s)
            if row["l"] == 0:
                agree = agree and top == -math.inf
                shares.append(0.0)
                bounds.append(0.0)
                continue
            width = len(s)
            if rule.kind == "threshold":
                agree = agree and math.exp(top - row["m"]) < rule.value
                bounds.append(width * math.exp(top - row["m"]))
            elif rule.kind == "energy":
                agree = agree and top - (row["m"] + math.log(row["l"])) < rule.value
                bounds.append(width * math.exp(top - row["m"]))
            else:
                bound = sum(math.exp(x - row["m"]) for x in s)
                allowance = (1 - rule.value) / rule.value * (1 - RECALL_EPSILON)
                shares.append((row["e"] + bound) / row["l"])
                bounds.append(bound)
                if not rule.per_tile:
                    agree = agree and row["e"] + bound <= allowance * row["l"]
        if rule.kind == "recall" and rule.per_tile:
            agree = agree and sum(shares) <= len(rows) * allowance
        taken.append(agree)
        for row, s, bound in zip(rows, tile, bounds):
            if agree:
                row["e"] += bound
                continue
            top = max(row["m"], max(s))
            if top == -math.inf:
                continue
            shrink = math.exp(row["m"] - top)
            row["l"] = row["l"] * shrink + sum(math.exp(x - top) for x in s)
            row["e"] *= shrink
            row["m"] = top
    return taken, [r["l"] / (r["l"] + r["e"]) for r in rows]


@pytest.mark.parametrize(
    "spelling",
    ["threshold:0.3", "energy:-1.5", "recall:0.8", "recall:0.8,tile"],
)
@pytest.mark.parametrize("seed", range(4))
def test_decisions_row_by_row(spelling, seed):
    rule = Filter.parse(spelling)
    scores = random(6, 200, seed=seed, sigma=2.0) + random(1, 200, seed=seed + 9, sigma=3.0)
    one = filter_tile(scores, np.ones((200, 1)), rule, 16)
    taken, bounds = decisions_by_rows(scores, rule, 16)
    assert one.decisions == taken
    assert 0 < one.skipped < one.visited
    np.testing.assert_allclose(one.recall_bound, bounds, rtol=1e-12)


@pytest.mark.parametrize("spelling", ["recall:0.9", "recall:0.9,groups=4", "recall:0.7,groups=8"])
@pytest.mark.parametrize("shape", ["random", "ascending", "descending", "sharp", "flat"])
def test_recall_holds(spelling, shape):
    rule = Filter.parse(spelling)
    scores = random(8, 512, sigma=2.0)
    if shape == "ascending":
        scores = np.sort(scores, axis=1)
    elif shape == "descending":
        scores = -np.sort(-scores, axis=1)
    elif shape == "sharp":
        scores[:, 5] += 20
    elif shape == "flat":
        scores[:] = 0.25
    one = filter_tile(scores, np.ones((512, 1)), rule, 64)
    assert np.all(one.true_recall >= rule.value)
    assert np.all(one.recall_bound <= one.true_recall + 1e-12)
    assert np.all(one.recall_bound >= rule.value)
    if shape in ("descending", "sharp"):
        assert one.skipped > 0


@pytest.mark.parametrize("spelling", ["threshold:0.0", "energy:-inf", "recall:1.0"])
def test_neutral_filters_are_dense(spelling):
    q, k, v = random(40, 8), random(64, 8, seed=1), random(64, 4, seed=2)
    rule = Filter.parse(spelling)
    dense = filtered_attention(q, k, v, Problem(3.0), Filter(), TILE)
    other = filtered_attention(q, k, v, Problem(3.0), rule, TILE)
    assert other.skipped.sum() == 0 and np.array_equal(other.out, dense.out)


def test_variants_cover_both_sides_of_a_limit():
    scores = np.zeros((2, 64))
    scores[:, 32:48] = -1.0  # exactly at the limit of λ = exp(-1)
    scores[:, 48:] = -3.0
    rule = Filter("threshold", math.exp(-1.0))
    found = variants(scores, np.ones((64, 1)), rule, 16, band=1e-6)
    assert sorted(one.skipped for one in found) == [1, 2]
    assert len(variants(scores, np.ones((64, 1)), rule, 16, band=0.0)) <= 2


@pytest.mark.parametrize(
    "text",
    ["dense", "threshold:0.1", "threshold:12.5/L", "energy:-6.0", "energy:P=1.46",
     "recall:0.95", "recall:0.9,tile", "recall:0.95,groups=8"],
)  # fmt: skip
def test_spellings_round_trip(text):
    assert str(Filter.parse(text)) == text


def test_relative_limits():
    assert Filter.parse("threshold:12/L").limit(100, 16) == pytest.approx(math.log(0.12))
    assert Filter.parse("energy:P=1.46").limit(75600, 128) == pytest.approx(-6.0, abs=0.01)


def test_rounding_formats():
    x = np.float32([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-11, 1 + 2**-9, -np.inf, 65520.0])
    assert to_bf16(x)[:2].tolist() == [1.0, 1 + 2**-6]  # ties to even
    assert to_tf32(x)[2:5].tolist() == [1 + 2**-10, 1 + 2**-9, -np.inf]  # ties away
    assert to_f16(x)[5] == np.inf
    a, b = random(20, 64).astype(np.float32), random(64, 20, seed=1).astype(np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    errors = [np.abs(multiply(a, b, mode) - exact).max() for mode in ("tf32x3", "tf32", "bf16")]
    assert errors[0] < 1e-4 < errors[1] < errors[2]


@pytest.mark.parametrize("element,precision", [("f16", ""), ("bf16", ""), ("f32", "tf32x3")])
def test_rounded_reference_is_near_and_not_exact(element, precision):
    q, k, v = (random(40, 32, seed=i) for i in range(3))
    q, k, v = ((x.astype(np.float32)) for x in (q, k, v))
    rule = Filter.parse("recall:0.8")
    exact = filtered_attention(q, k, v, Problem(1.0), rule, TILE).out
    rounded = rounded_attention(q, k, v, Problem(1.0), rule, TILE, element, precision, "f32")
    error = np.abs(rounded - exact).max()
    assert 0 < error < {"f16": 2e-2, "bf16": 2e-1, "f32": 1e-5}[element]
    assert error_limit(rounded, exact, v, "f32") > error

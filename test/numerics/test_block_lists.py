# ===- test_block_lists.py - Kernels that visit listed blocks only ----------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Block lists in kernels, through the emulator, against float64: what a list
names is a mask, whatever its order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from harness import CHECKS
from sparse_attn import tools
from sparse_attn.filters import Filter
from sparse_attn.modules import print_type
from sparse_attn.reference import (
    Problem,
    error_limit,
    query_tiles,
    rounded_tile,
    tile_scores,
    variants,
)

KEY_HEADS, SHARED = 2, 2


@dataclass
class Case:
    rows: int
    keys: int
    block: tuple
    most: int = 5  # the list's length
    element: str = "f16"
    width: int = 32
    rule: str = "dense"
    order: str = "shuffled"
    dynamic: bool = False
    causal: bool = False
    mask: str = ""  # element type
    flags: bool = False
    tile: tuple = ()

    @property
    def blocks(self):
        return -(-self.rows // self.block[0]), -(-self.keys // self.block[1])


CAUSAL = """score {
      ^bb0(%s: f32, %h: index, %g: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }"""


def module(case: Case) -> str:
    sizes = (case.rows, case.keys, case.most, case.blocks[0])
    rows, keys, most, blocks = ["?"] * 4 if case.dynamic else sizes
    q = print_type((KEY_HEADS, SHARED, rows, case.width), case.element)
    k = print_type((KEY_HEADS, keys, case.width), case.element)
    counts = print_type((KEY_HEADS, SHARED, blocks), "i32")
    entry = (most, 2) if case.flags else (most,)
    indices = print_type((KEY_HEADS, SHARED, blocks, *entry), "i32")
    mask = print_type((rows, keys), case.mask or "i1")
    maps = ["#q", "#k", "#v", *(["#s"] if case.mask else []), "#o"]
    tile = f", decision_tile = array<i64: {case.tile[0]}, {case.tile[1]}>" if case.tile else ""
    return f"""
#q = affine_map<(h, g, m, n, d, k) -> (h, g, m, d)>
#k = affine_map<(h, g, m, n, d, k) -> (h, k, d)>
#v = affine_map<(h, g, m, n, d, k) -> (h, k, n)>
#s = affine_map<(h, g, m, n, d, k) -> (m, k)>
#o = affine_map<(h, g, m, n, d, k) -> (h, g, m, n)>
func.func @main(%q: {q}, %k: {k}, %v: {k}, %mask: {mask}, %counts: {counts}, %indices: {indices}, %init: {q}) -> {q} {{
  %o = sparse_attn.attention ins(%q, %k, %v : {q}, {k}, {k})
      {f"mask(%mask : {mask})" if case.mask else ""}
      blocks(%counts, %indices : {counts}, {indices}) outs(%init : {q})
      {CAUSAL if case.causal else ""}
      {{indexing_maps = [{", ".join(maps)}], scale = 0.2 : f64, filter = {Filter.parse(case.rule).attribute()},
       block_shape = array<i64: {case.block[0]}, {case.block[1]}>{tile}}} -> {q}
  return %o : {q}
}}
"""


def block_of(case: Case, query: int, key: int) -> tuple:
    return tuple(slice(x * n, (x + 1) * n) for x, n in zip((query, key), case.block))


def lists(case: Case, random) -> tuple:
    """Counts, indices, and what they show of each head's scores."""
    query_blocks, key_blocks = case.blocks
    shape = (KEY_HEADS, SHARED, query_blocks)
    counts = np.zeros(shape, np.int32)
    indices = np.full((*shape, case.most), -7, np.int32)
    seen = np.zeros((KEY_HEADS, SHARED, case.rows, case.keys), bool)
    for at in np.ndindex(*shape):
        # Beyond both ends of the keys, so far that the key would overflow, and
        # now and then nothing at all.
        names = random.permutation([*range(-1, key_blocks + 2), 2**26])
        names = names[: random.integers(case.most + 1)]
        if not any(at):  # not everywhere nothing
            names = np.arange(min(1, case.most))
        if case.order == "ascending":
            names = np.sort(names)
        counts[at] = len(names)
        indices[(*at, slice(len(names)))] = names
        for name in names[names >= 0]:
            seen[(*at[:-1], *block_of(case, at[-1], name))] = True
    counts[0, 0, 0] += 100 if counts[0, 0, 0] == case.most else 0  # ends with the list
    return counts, indices, seen


def run(case: Case, folder):
    random = np.random.default_rng(3)
    rows = (KEY_HEADS, SHARED, case.rows, case.width)
    keys = (KEY_HEADS, case.keys, case.width)
    to = np.float16 if case.element == "f16" else np.float32
    q, k, v = (random.normal(size=shape).astype(to) for shape in (rows, keys, keys))
    # Tiles of unlike weight, so that filters have something to skip.
    weights = random.choice([0.0, -6.0], size=case.keys // 16 + 1).repeat(16)
    k[..., 0] += weights[: case.keys].astype(to)
    q[..., 0] = 3.0
    counts, indices, seen = lists(case, random)
    inputs = {"query": q, "key": k, "value": v, "block_counts": counts, "block_indices": indices}
    added = np.zeros(seen.shape)
    if case.mask:
        shape = (case.rows, case.keys)
        mask = random.normal(size=shape).astype(to)
        if case.mask == "i1":
            mask = mask > -0.3
        inputs["mask"] = mask
        applied = np.ones_like(seen)
        if case.flags:
            flags = random.integers(0, 2, size=indices.shape).astype(np.int32)
            inputs["block_indices"] = np.stack([indices, flags], -1)
            for at in np.ndindex(*indices.shape):
                if not flags[at] and indices[at] >= 0:
                    applied[(*at[:2], *block_of(case, at[2], int(indices[at])))] = False
        if case.mask == "i1":
            seen = seen & (mask | ~applied)
        else:
            added = np.where(applied, mask, 0).astype(np.float64)
    allowed = np.where(seen, added, -np.inf) if added.any() else seen
    problem = Problem(0.2, 0 if case.causal else None, allowed)
    package = tools.compile_text(
        module(case), folder / "package", "--expect-attention=1", "--ptxas=none"
    )
    return q, k, v, problem, package, tools.run(package, inputs, *CHECKS)


def judge(case: Case, folder):
    q, k, v, problem, package, result = run(case, folder)
    tile = package.kernel()["decision_tile"]
    rule = Filter.parse(case.rule)
    out, counts = result.arrays["output"], result.arrays["tile_counts"]
    assert np.isfinite(out).all()
    total = [0, 0]
    for batch, number, part in query_tiles(q, tile[0]):
        scores = tile_scores(q, k[:, None].repeat(SHARED, 1), problem, batch, part)
        values = v[batch[0]]
        found = []
        for one in variants(scores, values.astype(np.float64), rule, tile[1], 1e-3):
            rounded = rounded_tile(
                q[batch][part], k[batch[0]], values, problem, batch, part.start,
                one.decisions, tile[1], case.element, "tf32x3", case.element,
            )  # fmt: skip
            error = np.abs(out[batch][part].astype(np.float64) - one.out).max()
            found.append((error, error_limit(rounded, one.out, values, case.element), one))
        best = min(found, key=lambda x: x[0] / x[1])
        assert best[0] <= best[1], f"{best[0]} > {best[1]} at {batch} {part}"
        visited, skipped = counts[(*batch, number)]
        assert visited >= best[2].visited and skipped >= best[2].skipped
        if not case.causal and case.mask != "i1":  # hidden tiles count where they are listed
            assert (visited, skipped) == (best[2].visited, best[2].skipped)
        total[0] += visited
        total[1] += skipped
    return total


CASES = {
    "dense": Case(150, 300, (64, 64)),
    "tails": Case(70, 70, (128, 64)),
    "one key": Case(1, 1, (64, 64), most=1),
    "tiles within blocks": Case(150, 300, (128, 128), most=3),
    "f32": Case(100, 200, (64, 32), element="f32"),
    "dynamic": Case(150, 300, (64, 64), dynamic=True),
    "causal": Case(150, 300, (64, 64), causal=True),
    "causal dynamic": Case(150, 300, (64, 64), causal=True, dynamic=True),
    "mask": Case(150, 300, (64, 64), mask="i1"),
    "bias": Case(150, 300, (64, 64), mask="f16"),
    "flags": Case(150, 300, (64, 64), mask="i1", flags=True),
    "flags bias causal": Case(150, 300, (64, 64), mask="f16", flags=True, causal=True),
    "flags dynamic": Case(150, 300, (64, 64), mask="i1", flags=True, dynamic=True),
    "empty list": Case(70, 100, (64, 64), most=0),
    "empty dynamic list": Case(70, 100, (64, 64), most=0, dynamic=True),
}


@pytest.mark.parametrize("name", CASES)
def test_lists(name, tmp_path):
    visited, _ = judge(CASES[name], tmp_path)
    assert visited > 0 or CASES[name].most == 0


RULES = ["threshold:0.05", "energy:-3", "recall:0.9", "recall:0.9,tile,groups=4"]
OPTIONS = {"plain": {}, "causal": dict(causal=True), "dynamic": dict(dynamic=True)}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_filters(rule, options, tmp_path):
    case = Case(
        150, 600, (64, 64), most=8, rule=rule, order="ascending", tile=(64, 32), **options
    )  # fmt: skip
    visited, skipped = judge(case, tmp_path)
    assert skipped < visited
    assert skipped or "causal" in options  # which leaves few tiles

# ===- test_block_plan.py - Plans of random conditions against their masks --===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Random conditions on indices: no tile that the plan calls empty has a pair
that is seen, no tile that it calls full has one that is not, and for lone
comparisons nothing is called partial that need not be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sample import LONG
from sparse_attn import tools

# Tiles one key wide show every range that ends one key too far.
QUERIES, KEYS, HEADS, TILE = 90, 64, 3, (8, 1)
COUNT = 1000 if LONG else 120

HEADER = """
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
"""


class Condition:
    """Lines of a region and the mask that they compute, drawn together."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.lines: list[str] = []
        self.heads, self.query, self.key = np.meshgrid(
            np.arange(HEADS), np.arange(QUERIES), np.arange(KEYS), indexing="ij"
        )
        self.comparisons = 0
        self.name, self.mask = self.condition(int(self.random.integers(0, 3)))

    def emit(self, text: str) -> str:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def constant(self, value: int) -> str:
        return self.emit(f"arith.constant {value} : index")

    def index(self, depth: int):
        """An index expression: its name and its values."""
        kind = self.random.integers(0, 9) if depth else self.random.integers(0, 3)
        if kind == 0:
            return "%query", self.query
        if kind == 1:
            return "%key", self.key
        if kind == 2:
            return "%b", self.heads
        name, values = self.index(depth - 1)
        number = int(self.random.integers(1, 70))
        if kind == 3:
            return self.emit(f"arith.addi {name}, {self.constant(number)} : index"), values + number
        if kind == 4:
            return self.emit(f"arith.subi {name}, {self.constant(number)} : index"), values - number
        if kind == 5:
            factor = int(self.random.integers(-3, 4))
            return self.emit(f"arith.muli {name}, {self.constant(factor)} : index"), values * factor
        if kind == 6:
            by = self.constant(number)
            return self.emit(f"arith.floordivsi {name}, {by} : index"), values // number
        other, others = self.index(depth - 1)
        if kind == 7:
            return self.emit(f"arith.subi {name}, {other} : index"), values - others
        return self.emit(f"arith.maxsi {name}, {other} : index"), np.maximum(values, others)

    def condition(self, depth: int):
        kind = self.random.integers(0, 4) if depth else 3
        if kind < 3:
            first, a = self.condition(depth - 1)
            second, b = self.condition(depth - 1)
            if kind == 0:
                return self.emit(f"arith.andi {first}, {second} : i1"), a & b
            if kind == 1:
                return self.emit(f"arith.ori {first}, {second} : i1"), a | b
            third, c = self.condition(0)
            return (
                self.emit(f"arith.select {third}, {first}, {second} : i1"),
                np.where(c, a, b),
            )
        self.comparisons += 1
        left, a = self.index(2)
        right, b = self.index(1)
        predicate, function = [
            ("sle", np.less_equal),
            ("slt", np.less),
            ("sge", np.greater_equal),
            ("sgt", np.greater),
            ("eq", np.equal),
            ("ne", np.not_equal),
        ][self.random.integers(0, 6)]
        return self.emit(f"arith.cmpi {predicate}, {left}, {right} : index"), function(a, b)

    def text(self, name: str) -> str:
        q = f"tensor<{HEADS}x{QUERIES}x32xf16>"
        k = f"tensor<{HEADS}x{KEYS}x32xf16>"
        body = "\n".join(self.lines)
        return f"""
func.func @{name}(%q: {q}, %k: {k}, %v: {k}, %init: {q}) -> {q} {{
  %o = sparse_attn.attention ins(%q, %k, %v : {q}, {k}, {k}) outs(%init : {q})
  score {{
  ^bb0(%s: f32, %b: index, %query: index, %key: index):
    %ninf = arith.constant 0xFF800000 : f32
    // Looks at the head whether or not the condition does: one plan for each.
    %same = arith.cmpi eq, %b, %b : index
    {body}
    %r = arith.select {self.name}, %s, %ninf : f32
    sparse_attn.yield %r : f32
  }} {{indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64,
      decision_tile = array<i64: {TILE[0]}, {TILE[1]}>}} -> {q}
  return %o : {q}
}}
"""


def tile_masks(mask: np.ndarray):
    """Whether each tile has any pair that is seen, and whether it has all."""
    rows, keys = (-(-size // tile) for size, tile in zip(mask.shape, TILE))
    some, every = np.zeros((rows, keys), bool), np.zeros((rows, keys), bool)
    for i in range(rows):
        for j in range(keys):
            part = mask[i * TILE[0] : (i + 1) * TILE[0], j * TILE[1] : (j + 1) * TILE[1]]
            some[i, j], every[i, j] = part.any(), part.all()
    return some, every


@pytest.fixture(scope="module")
def plans():
    """Condition and plan of each head, by seed."""
    conditions = {seed: Condition(seed) for seed in range(COUNT)}
    text = HEADER + "".join(c.text(f"f{seed}") for seed, c in conditions.items())
    printed = tools.call(
        "sparse-attn-opt", "-", "-sparse-attn-print-plan=max-side=90", "-o", "/dev/null", text=text
    )
    found: dict = {seed: {} for seed in conditions}
    for block in re.split(r"^// plan of ", printed, flags=re.M)[1:]:
        seed, head = re.match(r"@f(\d+), batch \((\d)\)", block).groups()
        art = [line[3:] for line in block.splitlines()[1:] if line.startswith("// ")]
        found[int(seed)][int(head)] = np.array([list(line) for line in art])
    return conditions, found


def plans_of_heads(found: dict):
    """A head without a plan of its own has the one before."""
    plan = None
    for head in range(HEADS):
        plan = found.get(head, plan)
        yield head, plan


def test_plans_are_safe(plans):
    conditions, found = plans
    for seed, condition in conditions.items():
        for head, plan in plans_of_heads(found[seed]):
            some, every = tile_masks(condition.mask[head])
            assert plan.shape == some.shape, seed
            assert not some[plan == "."].any(), f"seed {seed}: a seen tile is left out"
            assert every[plan == "#"].all(), f"seed {seed}: a masked tile is taken as full"


def test_plans_are_of_use(plans):
    """Two thirds of the tiles that have one kind only are recognised."""
    conditions, found = plans
    could = did = 0
    for seed, condition in conditions.items():
        for head, plan in plans_of_heads(found[seed]):
            some, every = tile_masks(condition.mask[head])
            could += (~some).sum() + every.sum()
            did += (plan[~some] == ".").sum() + (plan[every] == "#").sum()
    assert did > could * 2 / 3, f"{did} of {could}"

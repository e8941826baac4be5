# ===- test_graphs.py - Random graphs keep their meaning -------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Attention in random spellings is raised, all of it, and computes the same as
before; what is almost attention is left as it is, with the reason."""

import re

import pytest

from graphs.attention import AttentionGraph
from graphs.runs import compare, raise_graphs, report
from graphs.near_misses import NEAR_MISSES
from sample import LONG
from sparse_attn import tools

GRAPHS = 2000 if LONG else 100
NEAR = 504 if LONG else 112
CHUNK = 25


@pytest.mark.parametrize("first", range(0, GRAPHS, CHUNK))
def test_attention_is_raised(first):
    graphs = [AttentionGraph(seed) for seed in range(first, first + CHUNK)]
    before, after, outcomes = raise_graphs(graphs)
    faults = [
        (graph, f"{one.attentions} attentions, {one.remarks}")
        for graph, one in zip(graphs, outcomes)
        if one.attentions != 1 or one.remarks
    ]
    assert not faults, report(faults)
    faults = [case for case in zip(graphs, compare(graphs, before, after)) if case[1]]
    assert not faults, report(faults)


@pytest.mark.parametrize("kind", NEAR_MISSES, ids=lambda kind: kind.__name__)
def test_near_miss_stays(kind):
    graphs = [kind(seed) for seed in range(-(-NEAR // len(NEAR_MISSES)))]
    faults = []
    for graph, one in zip(graphs, raise_graphs(graphs)[2]):
        expected = kind.reason is None
        told = not one.remarks if expected else any(re.search(kind.reason, x) for x in one.remarks)
        if one.attentions or one.changed:
            faults.append((graph, f"{one.attentions} attentions, expected none"))
        elif not told:
            faults.append((graph, f"expected a remark like {kind.reason!r}, found {one.remarks}"))
    assert not faults, report(faults)


class Compilable(AttentionGraph):
    """Sizes of which kernels have tiles, and no operand that they refuse."""

    sizes = [1, 2, 7, 16, 33, 65, 100]

    def shape(self):
        super().shape()
        self.size["d"] = self.pick("depth", 16, 32, 64)
        self.size["n"] = self.pick("width", 16, 32, 64)
        self.dynamic &= {"m", "k"}

    def layout(self, name: str, dims, transposable: bool = False) -> tuple:
        *batch, length, last = dims
        rows_first = self.pick("rows first", False, False, True) and not self.dynamic
        if rows_first and batch:
            return (*batch[:-1], length, batch[-1], last)
        return tuple(dims)


@pytest.mark.parametrize("seed", range(400 if LONG else 10))
def test_every_stage_computes_the_same(seed, tmp_path):
    """From the random graph down to PTX, each stage executed."""
    graph = Compilable(seed)
    (tmp_path / "graph.mlir").write_text(graph.text())
    tools.call(
        "sparse-attn-compile", tmp_path / "graph.mlir", "-o", tmp_path / "package",
        "--expect-attention=1", "--check-stages", "--ptxas=none",
        graph.pick("filter", "--filter=dense", "--filter=recall:0.9", "--filter=energy:-3"),
    )  # fmt: skip


class Plain(AttentionGraph):
    """Where a wrong scale shows."""

    forced = {"element": "f32", "size k": 8, "fill": False, "index mask": None, "mask": None,
              "second mask": None}  # fmt: skip


def test_comparison_tells_a_difference():
    graphs = [Plain(seed) for seed in range(8)]
    before, after, _ = raise_graphs(graphs)
    scale = re.compile(r"scale = (\S+) : f64")
    wrong = scale.sub(lambda x: f"scale = {float(x[1]) * 1.05!r} : f64", after)
    assert len(scale.findall(after)) == len(graphs)
    assert all(compare(graphs, before, wrong))

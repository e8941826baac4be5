# ===- harness.py - One attention, compiled, executed and judged ----------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles an attention to PTX, runs it on the emulator, and compares what it
computed and what it decided with the float64 reference."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparse_attn import tools
from sparse_attn.modules import Attention, print_module
from sparse_attn.reference import (
    Problem,
    dense_attention,
    error_limit,
    filter_tile,
    query_tiles,
    rounded_tile,
    share_heads,
    softmax_value,
    tile_scores,
    variants,
)
from sparse_attn.rounding import ROUND, operand_mode

# Tests run side by side. Every kernel runs with race checking.
CHECKS = ("--jobs=1", "--check=races")
INPUT_NAMES = {"q": "query", "k": "key", "v": "value", "mask": "mask"}


class Compiler:
    """Compiles each distinct module once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.packages = {}

    def package(self, spec: Attention) -> tools.Package:
        if spec.dynamic:  # the lengths are not in the text
            spec = dataclasses.replace(spec, rows=1, keys=1)
        text = print_module(spec)
        if text not in self.packages:
            name = "package_" + hashlib.sha256(text.encode()).hexdigest()[:16]
            self.packages[text] = tools.compile_text(
                text, self.folder / name, "--expect-attention=1", "--ptxas=none"
            )
        return self.packages[text]

    def run(self, spec: Attention, arrays: dict, *flags: str) -> tools.Run:
        inputs = {INPUT_NAMES[x]: a for x, a in arrays.items()}
        return tools.run(self.package(spec), inputs, *CHECKS, *flags)


def batch_first(spec: Attention, array: np.ndarray, batch: tuple) -> np.ndarray:
    """Rows after all dimensions of `batch`."""
    if spec.rows_first and spec.batch:
        array = np.moveaxis(array, len(spec.batch) - 1, len(batch))
    return array


def operands(spec: Attention, arrays: dict) -> tuple:
    """Query, key and value with rows after the batch and heads in one."""
    q = merge_heads(spec, batch_first(spec, arrays["q"], spec.query_batch))
    return q, *(batch_first(spec, arrays[x], spec.batch) for x in "kv")


def merge_heads(spec: Attention, array: np.ndarray) -> np.ndarray:
    """The split heads of a grouped query as one dimension."""
    if spec.shared == 1:
        return array
    lead = len(spec.query_batch)
    return array.reshape(*spec.batch, *array.shape[lead:])


def problem_of(spec: Attention, arrays: dict) -> Problem:
    """What the reference computes, with the mask over all of the scores."""
    mask = arrays.get("mask")
    if mask is not None and spec.mask_over != ("m", "k"):
        names = [*(f"b{i}" for i in range(len(spec.query_batch))), "m", "k"]
        present = [names.index(d) for d in spec.mask_over]
        assert present == sorted(present), "a mask is in the order of the scores"
        mask = mask[tuple(slice(None) if d in spec.mask_over else None for d in names)]
        shape = (*spec.query_batch, spec.rows, spec.keys)
        mask = np.broadcast_to(mask, shape).reshape(*spec.batch, spec.rows, spec.keys)
    return Problem(spec.factor, spec.causal, mask, spec.score, spec.query_batch)


@dataclass(frozen=True)
class PackedHeads:
    """The scores of `problem` where a kernel takes the heads that share a key
    head as rows: a batch index ends in key head · queries + query."""

    problem: Problem
    queries: int
    shared: int

    def __getattr__(self, name: str):  # all else
        return getattr(self.problem, name)

    def finish(self, scores: np.ndarray, batch: tuple, first_row: int = 0) -> np.ndarray:
        key_head, query = divmod(batch[-1], self.queries)
        rows = [
            self.problem.finish(row[None], (*batch[:-1], key_head * self.shared + head), query)
            for head, row in enumerate(scores, first_row)
        ]
        return np.concatenate(rows)


def packs_heads(spec: Attention, kernel: dict) -> bool:
    """Whether the kernel's grid divides the heads instead of the queries."""
    queries = len(spec.batch) - 1 if spec.rows_first and spec.batch else len(spec.query_batch)
    return kernel["grid"]["x"]["of"] != [0, queries]


def pack_heads(spec: Attention, array: np.ndarray) -> np.ndarray:
    """[.., key head, head, query, ..] as [.., key head · query, head, ..]."""
    lead = len(spec.query_batch) - 2
    array = np.moveaxis(array, lead + 2, lead + 1)
    return array.reshape(*array.shape[:lead], -1, *array.shape[lead + 2 :])


@dataclass
class Verdict:
    """What the comparison found, for a test to assert on."""

    visited: int = 0
    skipped: int = 0
    branches: int = 0  # decisions inside the rounding band, both sides tried
    error: float = 0.0
    limit: float = 0.0
    lowest_recall: float = 1.0
    lowest_bound: float = 1.0

    @property
    def sparsity(self) -> float:
        return self.skipped / self.visited if self.visited else 0.0


class Judge:
    """Compares one run, query tile by query tile."""

    def __init__(
        self, spec: Attention, arrays: dict, run: tools.Run, decision_tile: tuple, packed=False
    ):
        self.spec = spec
        self.problem = problem_of(spec, arrays)
        if packed:
            self.problem = PackedHeads(self.problem, spec.rows, spec.shared)

        def in_order(array):
            array = batch_first(spec, array, spec.query_batch)
            return pack_heads(spec, array) if packed else merge_heads(spec, array)

        _, k, v = operands(spec, arrays)
        self.q = in_order(arrays["q"])
        self.k, self.v = share_heads(self.q, k), share_heads(self.q, v)
        self.out = in_order(run.arrays["output"])
        self.rows, self.keys = decision_tile
        self.stats = {
            x: in_order(run.arrays[x])
            for x in ("recall_bound", "log_sum_exp")
            if x in run.arrays
        }
        counts = run.arrays["tile_counts"]
        if packed:  # [.., key head and query in the output's order, tiles, 2]
            counts = batch_first(spec, counts, spec.query_batch[:-1])
            lead = len(spec.query_batch) - 2
            counts = counts.reshape(*counts.shape[:lead], -1, *counts.shape[lead + 2 :])
        self.stats["tile_counts"] = counts if packed else merge_heads(spec, counts)
        self.mode = operand_mode(spec.element, spec.precision or "tf32x3")
        self.verdict = Verdict()
        self.noise = 0.0

    def decision_scores(self, batch, part) -> np.ndarray:
        """Scores as the kernel sees them before f32's own rounding."""
        if self.mode not in ("tf32", "bf16"):
            return tile_scores(self.q, self.k, self.problem, batch, part)
        rounding = ROUND[self.mode]
        q, k = rounding(self.q[batch][part]), rounding(self.k[batch])
        raw = q.astype(np.float64) @ k.astype(np.float64).T
        return self.problem.finish(self.spec.factor * raw, batch, part.start)

    def band(self, scores: np.ndarray) -> float:
        """How far f32 may move a decision: a thousandth, and the rounding of
        the scores themselves where they are large."""
        finite = np.abs(scores[np.isfinite(scores)]).max(initial=0.0)
        return 1.0e-3 + 16 * 2.0**-24 * finite

    def judge(self) -> Verdict:
        assert np.all(np.isfinite(self.out)), "the output holds NaN or infinity"
        errors, exacts, roundeds = [], [], []
        for batch, tile, part in query_tiles(self.q, self.rows):
            chosen, rounded, exact = self.tile(batch, tile, part)
            found = self.out[batch][part].astype(np.float64)
            errors.append(np.abs(found - exact).max(initial=0.0))
            exacts.append(exact)
            roundeds.append(rounded)
            self.statistics(batch, part, chosen)
        verdict = self.verdict
        verdict.error = float(max(errors))
        verdict.limit = error_limit(
            np.concatenate(roundeds), np.concatenate(exacts), self.v, self.spec.output_type
        )
        verdict.limit += self.noise * float(np.abs(self.v).max())
        assert verdict.error <= verdict.limit, (
            f"error {verdict.error:.3e} is above twice the rounding error, {verdict.limit:.3e}"
        )
        return verdict

    def tile(self, batch, tile, part):
        """The reference's result with the decisions that the kernel took."""
        spec = self.spec
        scores = self.decision_scores(batch, part)
        band = self.band(scores)
        self.noise = max(self.noise, (band - 1.0e-3) / 8)
        values = self.v[batch].astype(np.float64)
        allowed = variants(scores, values, spec.rule, self.keys, band)
        self.verdict.branches += len(allowed) - 1
        exact_scores = tile_scores(self.q, self.k, self.problem, batch, part)
        found = self.out[batch][part].astype(np.float64)
        best = None
        for one in self.matching(allowed, batch, tile):
            exact = filter_tile(exact_scores, values, spec.rule, self.keys, one.decisions).out
            error = np.abs(found - exact).max(initial=0.0)
            if best is None or error < best[0]:
                best = (error, one, exact)
        _, one, exact = best
        self.verdict.visited += one.visited
        self.verdict.skipped += one.skipped
        rounded = rounded_tile(
            self.q[batch][part], self.k[batch], self.v[batch], self.problem, batch, part.start,
            one.decisions, self.keys, spec.element, spec.precision or "tf32x3", spec.output_type,
        )  # fmt: skip
        self.check_oracle(exact_scores, values, one, found)
        return one, rounded, exact

    def matching(self, allowed: list, batch, tile) -> list:
        """The allowed results whose counts are the kernel's. A kernel may look
        at tiles to find that a mask hides them whole; where it has a filter,
        it skips those."""
        visited, skipped = (int(x) for x in self.stats["tile_counts"][(*batch, tile)])
        counts = sorted({(one.visited, one.skipped) for one in allowed})
        hidden = visited - counts[0][0]
        if self.spec.score or self.spec.mask:
            visited -= hidden
            skipped -= hidden if self.spec.rule.kind != "dense" else 0
            assert 0 <= hidden <= allowed[0].empty, f"{hidden} tiles visited in vain"
        assert (visited, skipped) in counts, (
            f"tile {tile} of {batch}: expected (visited, skipped) of {counts}, "
            f"found {(visited, skipped)}"
        )
        return [one for one in allowed if one.skipped == skipped]

    def check_oracle(self, scores, values, one, found) -> None:
        """|sparse - dense| <= 2 (1 - recall) max|V|, for every row."""
        if self.mode in ("tf32", "bf16"):
            return  # the recalls are those of rounded scores
        dense, _ = softmax_value(scores, values)
        size = np.abs(values).max(initial=0.0)
        slack = {"f16": 4e-3, "bf16": 3e-2, "f32": 1e-4}[self.spec.element] + self.noise
        limit = 2.0 * (1.0 - one.true_recall) * size + slack * size
        assert np.all(np.abs(found - dense).max(axis=1) <= limit)

    def statistics(self, batch, part, one) -> None:
        """Recall bounds and log-sum-exp of the tile's rows."""
        rule, verdict = self.spec.rule, self.verdict
        verdict.lowest_recall = min(verdict.lowest_recall, float(one.true_recall.min()))
        if rule.kind == "recall" and not rule.per_tile:
            assert verdict.lowest_recall >= rule.value - 1e-12, "a row's recall is below the guarantee"
        if "recall_bound" in self.stats:
            bound = self.stats["recall_bound"][batch][part]
            verdict.lowest_bound = min(verdict.lowest_bound, float(bound.min()))
            tolerance = 1.0e-3 + 4 * self.noise
            np.testing.assert_allclose(bound, one.recall_bound, rtol=tolerance, atol=1e-6)
            assert np.all(bound <= one.true_recall + tolerance)
        if "log_sum_exp" in self.stats:
            found = self.stats["log_sum_exp"][batch][part]
            empty = np.isneginf(one.lse)
            assert np.array_equal(np.isneginf(found), empty)
            scale = 1.0 + np.abs(one.lse[~empty]).max(initial=0.0)
            np.testing.assert_allclose(found[~empty], one.lse[~empty], atol=2e-6 * scale + 1e-5)


def decision_tile(package: tools.Package) -> tuple:
    return tuple(package.kernel()["decision_tile"])


def check(compiler: Compiler, spec: Attention, arrays: dict, *flags: str) -> Verdict:
    """Compiles, runs and judges; the verdict for further assertions."""
    run = compiler.run(spec, arrays, *flags)
    kernel = compiler.package(spec).kernel()
    packed = packs_heads(spec, kernel)
    return Judge(spec, arrays, run, kernel["decision_tile"], packed).judge()


def dense_reference(spec: Attention, arrays: dict) -> np.ndarray:
    """Dense attention in float64, in the order that the judge uses."""
    return dense_attention(*operands(spec, arrays), problem_of(spec, arrays))[0]

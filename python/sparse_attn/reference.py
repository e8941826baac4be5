# ===- reference.py - Filtered attention in float64 -----------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The oracle of the numeric tests: attention in float64, with the decisions
that a kernel takes for a given decision tile and ascending visit order.

Shapes are q[B.., Lq, d], k[B.., Lk, d], v[B.., Lk, n]. Key and value may have
fewer heads (the last batch dimension) than the query; each is then shared by
as many neighbouring query heads.

A decision near its limit may fall either way in f32. `filtered_attention`
therefore gives every decision's margin, and `variants` all results of one
query tile that a rounding band allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Callable, Iterator, Optional

import numpy as np

from sparse_attn.filters import Filter, TileState, decide
from sparse_attn.rounding import EPSILON, ROUND, multiply, operand_mode, to_f32


@dataclass(frozen=True)
class Problem:
    """The scores that attention sees: scale · QKᵀ, modified and masked."""

    scale: float
    # key <= query + causal; None: every key
    causal: Optional[int] = None
    # bool keeps where true; a float is added; [B.., Lq, Lk] or [Lq, Lk]
    mask: Optional[np.ndarray] = None
    # see score_functions.py; before the mask
    modify: Optional[Callable] = None
    # the sizes that a batch index of `modify` counts in; those of the query
    # unless stated (heads that share a key head are two dimensions in IR)
    batch: Optional[tuple] = None

    def batch_index(self, batch: tuple) -> tuple:
        """`batch` in the sizes that `modify` counts in."""
        if self.batch is None or len(self.batch) == len(batch):
            return batch
        *lead, head = batch
        return (*lead, *divmod(head, self.batch[-1]))

    def finish(self, scores: np.ndarray, batch: tuple, first_row: int = 0) -> np.ndarray:
        """Modifies and masks scaled scores [rows, Lk] of batch index `batch`."""
        rows, keys = scores.shape
        query = np.arange(first_row, first_row + rows)[:, None]
        key = np.arange(keys)[None, :]
        if self.modify:
            scores = self.modify(scores, self.batch_index(batch), query, key)
        if self.causal is not None:
            scores = np.where(key <= query + self.causal, scores, -np.inf)
        if self.mask is not None:
            part = self.mask[batch] if self.mask.ndim > 2 else self.mask
            part = part[first_row : first_row + rows]
            if part.dtype == bool:
                scores = np.where(part, scores, -np.inf)
            else:
                scores = scores + part.astype(scores.dtype)
        return scores


@dataclass
class TileResult:
    """One query tile. Recalls are per row, over the keys that the mask allows."""

    out: np.ndarray
    lse: np.ndarray
    recall_bound: np.ndarray
    true_recall: np.ndarray
    visited: int = 0  # key tiles whose scores were computed
    skipped: int = 0  # of these, left out by the filter
    empty: int = 0  # key tiles that the mask hides from every row
    decisions: list = field(default_factory=list)  # per visited tile: skip
    margins: list = field(default_factory=list)  # per visited tile


@dataclass
class Result:
    """All query tiles put together; counts are [B.., query tiles]."""

    out: np.ndarray
    lse: np.ndarray
    recall_bound: np.ndarray
    true_recall: np.ndarray
    visited: np.ndarray
    skipped: np.ndarray
    margins: list

    @property
    def sparsity(self) -> float:
        """Share of the visited (query tile, key tile) pairs left out."""
        visited = int(self.visited.sum())
        return float(self.skipped.sum()) / visited if visited else 0.0


def share_heads(q: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Repeats the heads of key or value to match the query's."""
    if q.ndim < 3 or q.shape[-3] == x.shape[-3]:
        return x
    if q.shape[-3] % x.shape[-3]:
        raise ValueError(f"{q.shape[-3]} query heads do not share {x.shape[-3]} key heads")
    return np.repeat(x, q.shape[-3] // x.shape[-3], axis=-3)


def softmax_value(scores: np.ndarray, v: np.ndarray):
    """Output and log-sum-exp of rows of scores; empty rows give 0 and -inf."""
    top = scores.max(axis=1, initial=-np.inf)
    base = np.where(np.isfinite(top), top, 0.0)
    weights = np.exp(scores - base[:, None])
    total = weights.sum(axis=1)
    seen = total > 0
    out = np.where(seen[:, None], weights @ v / np.where(seen, total, 1.0)[:, None], 0.0)
    lse = np.where(seen, base + np.log(np.where(seen, total, 1.0)), -np.inf)
    return out, lse


def filter_tile(
    scores: np.ndarray,
    v: np.ndarray,
    rule: Filter,
    tile_keys: int,
    forced: Optional[list] = None,
) -> TileResult:
    """The flash loop over one query tile's valid rows. `forced` overrides the
    first decisions, one entry for each visited tile."""
    rows, keys = scores.shape
    limit = rule.limit(keys, tile_keys)
    state = TileState(np.full(rows, -np.inf), np.zeros(rows), np.zeros(rows))
    out = np.zeros((rows, v.shape[1]))
    result = TileResult(out, np.empty(0), np.empty(0), np.empty(0))
    kept = np.zeros(keys, bool)
    for first in range(0, keys, tile_keys):
        part = slice(first, min(first + tile_keys, keys))
        s = scores[:, part]
        if not np.isfinite(s).any():
            result.empty += 1
            continue
        decision = decide(rule, s, state, limit, tile_keys)
        index = result.visited
        skip = forced[index] if forced and index < len(forced) else decision.skip
        result.visited += 1
        result.decisions.append(skip)
        result.margins.append(decision.margin)
        if skip:
            result.skipped += 1
            state.skipped += decision.mass
            continue
        kept[part] = True
        top = np.maximum(state.maximum, s.max(axis=1))
        base = np.where(np.isfinite(top), top, 0.0)
        old = np.where(np.isfinite(state.maximum), state.maximum - base, -np.inf)
        rescale = np.exp(old)
        weights = np.exp(s - base[:, None])
        state.total = state.total * rescale + weights.sum(axis=1)
        state.skipped = state.skipped * rescale
        out[:] = out * rescale[:, None] + weights @ v[part]
        state.maximum = top

    seen = state.total > 0
    total = np.where(seen, state.total, 1.0)
    result.out = np.where(seen[:, None], out / total[:, None], 0.0)
    base = np.where(seen, state.maximum, 0.0)
    result.lse = np.where(seen, base + np.log(total), -np.inf)
    result.recall_bound = np.where(seen, total / (total + state.skipped), 1.0)
    result.true_recall = true_recall(scores, kept)
    return result


def true_recall(scores: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Each row's softmax mass on the `kept` keys; 1 for an empty row."""
    top = scores.max(axis=1, initial=-np.inf)
    seen = np.isfinite(top)
    mass = np.exp(scores - np.where(seen, top, 0.0)[:, None])
    total = np.where(seen, mass.sum(axis=1), 1.0)
    return np.where(seen, mass[:, kept].sum(axis=1) / total, 1.0)


def tile_scores(q, k, problem: Problem, batch: tuple, rows: slice) -> np.ndarray:
    """Float64 scores of some query rows of one batch index."""
    raw = q[batch][rows].astype(np.float64) @ k[batch].astype(np.float64).T
    return problem.finish(problem.scale * raw, batch, rows.start)


def query_tiles(q: np.ndarray, tile_rows: int) -> Iterator[tuple]:
    """Every (batch index, tile number, rows) of the query."""
    for batch in np.ndindex(*q.shape[:-2]):
        for tile, first in enumerate(range(0, q.shape[-2], tile_rows)):
            yield batch, tile, slice(first, min(first + tile_rows, q.shape[-2]))


def filtered_attention(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    problem: Problem,
    rule: Filter,
    decision_tile: tuple,
) -> Result:
    """Attention with the decisions of algorithms 1 and 2 of the dialect."""
    k, v = share_heads(q, k), share_heads(q, v)
    tile_rows, tile_keys = decision_tile
    rows = q.shape[:-1]
    tiles = (*q.shape[:-2], -(-q.shape[-2] // tile_rows))
    result = Result(
        np.zeros((*rows, v.shape[-1])), np.zeros(rows), np.zeros(rows), np.zeros(rows),
        np.zeros(tiles, np.int64), np.zeros(tiles, np.int64), [],
    )  # fmt: skip
    for batch, tile, part in query_tiles(q, tile_rows):
        scores = tile_scores(q, k, problem, batch, part)
        one = filter_tile(scores, v[batch].astype(np.float64), rule, tile_keys)
        at = (*batch, part)
        result.out[at] = one.out
        result.lse[at] = one.lse
        result.recall_bound[at] = one.recall_bound
        result.true_recall[at] = one.true_recall
        result.visited[(*batch, tile)] = one.visited
        result.skipped[(*batch, tile)] = one.skipped
        result.margins.append(one.margins)
    return result


def dense_attention(q, k, v, problem: Problem):
    """Output and log-sum-exp without any filter, in one piece."""
    k, v = share_heads(q, k), share_heads(q, v)
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    lse = np.zeros(q.shape[:-1])
    for batch in np.ndindex(*q.shape[:-2]):
        scores = tile_scores(q, k, problem, batch, slice(0, q.shape[-2]))
        out[batch], lse[batch] = softmax_value(scores, v[batch].astype(np.float64))
    return out, lse


def variants(
    scores: np.ndarray,
    v: np.ndarray,
    rule: Filter,
    tile_keys: int,
    band: float,
    most: int = 64,
) -> list[TileResult]:
    """All results that decisions within `band` of their limit allow, the exact
    one first; at most `most` of them."""
    found = [filter_tile(scores, v, rule, tile_keys)]
    pending = [(found[0], 0)]
    while pending and len(found) < most:
        result, fixed = pending.pop(0)
        for index in range(fixed, len(result.margins)):
            if abs(result.margins[index]) > band or len(found) >= most:
                continue
            forced = result.decisions[:index] + [not result.decisions[index]]
            other = filter_tile(scores, v, rule, tile_keys, forced)
            found.append(other)
            pending.append((other, index + 1))
    return found


def rounded_tile(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    problem: Problem,
    batch: tuple,
    first_row: int,
    decisions: list,
    tile_keys: int,
    element: str,
    precision: str,
    output: str,
) -> np.ndarray:
    """One query tile as a kernel computes it: operands and weights rounded to
    the tensor cores' type, everything else in f32, the given decisions."""
    mode = operand_mode(element, precision)
    keys = k.shape[0]
    scores = multiply(to_f32(q), to_f32(k).T, mode)
    if problem.modify is None and (problem.mask is None or problem.mask.dtype == bool):
        # The scale is folded into the exponential: exp2(s·c - m·c).
        factor = np.float32(problem.scale * math.log2(math.e))
        finite = problem.finish(np.zeros(scores.shape, np.float32), batch, first_row)
        scores = np.where(np.isfinite(finite), scores, np.float32(-np.inf))
    else:
        factor = np.float32(math.log2(math.e))
        scores = problem.finish(scores * np.float32(problem.scale), batch, first_row)
        scores = to_f32(scores)

    rows = scores.shape[0]
    maximum = np.full(rows, -np.inf, np.float32)
    total = np.zeros(rows, np.float32)
    out = np.zeros((rows, v.shape[1]), np.float32)
    values = to_f32(v)
    decisions = iter(decisions)
    for first in range(0, keys, tile_keys):
        part = slice(first, min(first + tile_keys, keys))
        s = scores[:, part]
        if not np.isfinite(s).any() or next(decisions):
            continue
        top = np.maximum(maximum, s.max(axis=1))
        base = np.where(np.isfinite(top), top, np.float32(0)) * factor
        old = np.where(np.isfinite(maximum), maximum * factor - base, np.float32(-np.inf))
        rescale = np.exp2(old)
        weights = np.exp2(s * factor - base[:, None])
        total = total * rescale + weights.sum(axis=1, dtype=np.float32)
        out = out * rescale[:, None] + multiply(weights, values[part], mode)
        maximum = top
    seen = total > 0
    result = np.where(seen[:, None], out / np.where(seen, total, np.float32(1))[:, None], 0)
    return ROUND[output](result)


def rounded_attention(
    q, k, v, problem: Problem, rule: Filter, decision_tile: tuple,
    element: str, precision: str = "tf32x3", output: Optional[str] = None,
) -> np.ndarray:  # fmt: skip
    """`rounded_tile` over all query tiles, with the exact decisions."""
    k, v = share_heads(q, k), share_heads(q, v)
    out = np.zeros((*q.shape[:-1], v.shape[-1]), np.float32)
    for batch, _, part in query_tiles(q, decision_tile[0]):
        scores = tile_scores(q, k, problem, batch, part)
        one = filter_tile(scores, v[batch].astype(np.float64), rule, decision_tile[1])
        out[(*batch, part)] = rounded_tile(
            q[batch][part], k[batch], v[batch], problem, batch, part.start,
            one.decisions, decision_tile[1], element, precision, output or element,
        )  # fmt: skip
    return out


def error_limit(rounded: np.ndarray, exact: np.ndarray, v: np.ndarray, output: str) -> float:
    """The largest error that is rounding: twice the rounded reference's own,
    plus half a unit in the last place of the output and f32's of the values."""
    if exact.size == 0:
        return 0.0
    own = float(np.abs(rounded - exact).max())
    unit = 0.5 * EPSILON[output] * float(np.abs(exact).max())
    return 2.0 * own + unit + 1.0e-6 * float(np.abs(v).max())

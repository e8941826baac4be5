# ===- filters.py - The filters of the dialect, in Python -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The filters `dense`, `threshold`, `energy` and `recall`: their spellings on
the command line and in IR, and the rule by which each skips a key tile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# The share of rounding that `recall` gives away (RecallFilterAttr::epsilon).
RECALL_EPSILON = 1.0e-3


def float_text(value: float) -> str:
    """A finite number as MLIR reads it: with a point in front of an exponent."""
    text = repr(float(value))
    return text if "." in text else text.replace("e", ".0e")


@dataclass(frozen=True)
class Filter:
    """One filter. `relative` marks `threshold:a/L` and `energy:P=p`; `groups`
    0 is `recall`'s exact bound."""

    kind: str = "dense"
    value: float = 0.0
    relative: bool = False
    per_tile: bool = False
    groups: int = 0

    @staticmethod
    def parse(text: str) -> "Filter":
        """Reads the spelling of `sparse-attn-compile --filter=`."""
        kind, _, rest = text.partition(":")
        if kind == "dense" and not rest:
            return Filter()
        if kind == "threshold":
            relative = rest.endswith("/L")
            return Filter(kind, float(rest[:-2] if relative else rest), relative)
        if kind == "energy":
            relative = rest.startswith("P=")
            return Filter(kind, float(rest[2:] if relative else rest), relative)
        if kind == "recall":
            value, *options = rest.split(",")
            per_tile, groups = False, 0
            for option in options:
                if option in ("row", "tile"):
                    per_tile = option == "tile"
                elif option.startswith("groups="):
                    bound = option[len("groups=") :]
                    groups = 0 if bound == "exact" else int(bound)
                else:
                    raise ValueError(f"unknown option '{option}' of recall")
            return Filter(kind, float(value), False, per_tile, groups)
        raise ValueError(f"unknown filter '{text}'")

    def __str__(self) -> str:
        """The spelling of the command line."""
        if self.kind == "dense":
            return "dense"
        if self.kind == "threshold":
            return f"threshold:{self.value!r}" + ("/L" if self.relative else "")
        if self.kind == "energy":
            return f"energy:{'P=' if self.relative else ''}{self.value!r}"
        options = ["tile"] if self.per_tile else []
        options += [f"groups={self.groups}"] if self.groups else []
        return ",".join([f"recall:{self.value!r}", *options])

    def attribute(self) -> str:
        """The spelling in IR."""
        if self.kind == "dense":
            return "#sparse_attn.dense"
        number = float_text(self.value)
        if self.kind == "threshold":
            return f"#sparse_attn.threshold<{number}{' / keys' if self.relative else ''}>"
        if self.kind == "energy":
            return f"#sparse_attn.energy<{'budget = ' if self.relative else ''}{number}>"
        options = [number]
        if self.per_tile or self.groups:
            options.append("tile" if self.per_tile else "row")
        if self.groups:
            options.append(f"groups = {self.groups}")
        return f"#sparse_attn.recall<{', '.join(options)}>"

    def limit(self, keys: int, tile_keys: int) -> float:
        """λ in natural-log units, or `recall`'s allowance (1-ρ)/ρ·(1-ε)."""
        if self.kind == "threshold":
            value = self.value / keys if self.relative else self.value
            return math.log(value) if value > 0 else -math.inf
        if self.kind == "energy":
            if not self.relative:
                return self.value
            if self.value <= 0:
                return -math.inf
            return math.log(self.value) + math.log(tile_keys / keys)
        if self.kind == "recall":
            return (1.0 - self.value) / self.value * (1.0 - RECALL_EPSILON)
        return -math.inf


def column_groups(tile_keys: int, groups: int) -> np.ndarray:
    """The group of each column of a tile, as the thread layout of an mma
    accumulator has it (see RecallAttr)."""
    column = np.arange(tile_keys)
    return column % (2 * groups) // 2


@dataclass
class TileState:
    """What a query tile knows before a key tile is merged, for each row."""

    maximum: np.ndarray  # m
    total: np.ndarray  # l
    skipped: np.ndarray  # e


@dataclass
class Decision:
    """Whether a tile may be skipped. `margin` is the distance to the limit,
    positive where the rule skips: in natural-log units for `threshold` and
    `energy`, relative to the limit for `recall`. `mass` is what a skip adds to
    `e`."""

    skip: bool
    margin: float
    mass: np.ndarray


def decide(
    rule: Filter, scores: np.ndarray, state: TileState, limit: float, tile_keys: int
) -> Decision:
    """Applies `rule` to one tile (valid rows x valid keys) of which at least
    one score is finite. `tile_keys` is the width of a whole decision tile."""
    rows, keys = scores.shape
    top = scores.max(axis=1)
    started = state.total > 0
    reached = np.isfinite(top)
    if rule.kind == "dense" or np.any(~started & reached):
        # The first tile that a row can see is never skipped.
        return Decision(False, -math.inf, np.zeros(rows))

    # exp(m̂ - m), 0 for rows that have not started (they see nothing here).
    base = np.where(started, state.maximum, 0.0)
    with np.errstate(over="ignore"):
        peak = np.where(started, np.exp(top - base), 0.0)
        if rule.kind == "recall" and not rule.groups:
            mass = np.where(started, np.exp(scores - base[:, None]).sum(axis=1), 0.0)
        elif rule.kind == "recall":
            group = column_groups(keys, rule.groups)
            mass = np.zeros(rows)
            for index in range(rule.groups):
                members = group == index
                if members.any():
                    # A group counts all its columns, existing or not.
                    mass += tile_keys / rule.groups * np.exp(scores[:, members].max(axis=1) - base)
            mass = np.where(started, mass, 0.0)
        else:
            mass = keys * peak

    if rule.kind == "recall":
        total = np.where(started, state.total, 1.0)
        share = np.where(started, (state.skipped + mass) / total, 0.0)
        worst = share.mean() if rule.per_tile else share.max()
        if limit <= 0:  # recall 1 is as dense
            return Decision(False, -math.inf, mass)
        return Decision(bool(worst <= limit), 1.0 - worst / limit, mass)

    distance = top - base
    if rule.kind == "energy":
        distance = distance - np.log(np.where(started, state.total, 1.0))
    if limit == -math.inf:
        return Decision(False, -math.inf, mass)
    # A row that has not started agrees: it sees nothing in this tile.
    margin = np.where(started, limit - distance, math.inf).min()
    return Decision(bool(margin > 0), float(margin), mass)

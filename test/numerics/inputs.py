# ===- inputs.py - Query, key and value of every difficulty ---------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Seeded inputs: random, adversarial for a skipping rule, and captured.

The adversarial kinds put a chosen score into one dimension: every query holds
`LIFT` there and key `j` the amount that makes its score `bias[j]`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import safe_open

from sparse_attn.modules import Attention, input_shapes
from sparse_attn.rounding import ROUND

LIFT = 8.0


def _bias(kind: str, keys: int, generator) -> np.ndarray:
    """The score that each key gets besides a little noise."""
    position = np.arange(keys)
    tile = position // 64
    if kind == "ascending":  # every tile holds a new maximum
        return 12.0 * position / max(keys - 1, 1)
    if kind == "descending":  # whatever comes later matters less
        return -16.0 * position / max(keys - 1, 1)
    if kind == "sink":  # the first keys take nearly all mass
        return np.where(position < 4, 6.0, -6.0)
    if kind == "sharp":  # one key far above the others
        return np.where(position == generator.integers(keys), 14.0, 0.0)
    if kind == "tiles":  # whole tiles of one height
        heights = generator.choice([0.0, -3.0, -6.0, -9.0], size=keys // 64 + 1)
        heights[0] = 0.0
        return heights[tile]
    if kind == "huge":  # far beyond what exp or a finite stand-in for -inf takes
        return generator.choice([2.5e5, 2.4e5, -2.5e5], size=keys)
    if kind == "huge-negative":  # rows of equal huge negatives
        return np.full(keys, -2.5e5)
    raise ValueError(f"unknown kind of input '{kind}'")


KINDS = ("random", "flat", "equal", "ascending", "descending", "sink", "sharp", "tiles",
         "huge", "huge-negative")  # fmt: skip


def make(spec: Attention, kind: str, seed: int) -> dict:
    """Arrays q, k, v (and mask) for `spec`, rounded to its element type."""
    generator = np.random.default_rng(seed)
    shapes = input_shapes(spec)
    arrays = {x: generator.standard_normal(shapes[x]) for x in "qkv"}
    if kind == "flat":
        arrays["q"] *= 0.02
    elif kind == "equal":
        arrays["k"][:] = arrays["k"].reshape(-1, spec.depth)[0]
    elif kind != "random":
        huge = kind.startswith("huge")
        lift = 512.0 if huge else LIFT
        arrays["q"] *= 0.0 if huge else 0.5
        arrays["q"][..., 0] = lift
        bias = _bias(kind, spec.keys, generator) / (spec.factor * lift)
        if spec.rows_first and len(shapes["k"]) > 2:
            bias = bias[:, None]
        arrays["k"][..., 0] = bias
    rounded = {x: ROUND[spec.element](a.astype(np.float32)) for x, a in arrays.items()}
    if spec.mask == "i1":
        rounded["mask"] = generator.random(shapes["mask"]) < 0.6
        if spec.mask_over == ("m", "k"):
            rounded["mask"][:, : spec.keys // 2] &= generator.random((spec.rows, 1)) < 0.9
    elif spec.mask:
        mask = generator.standard_normal(shapes["mask"]).astype(np.float32)
        rounded["mask"] = ROUND[spec.mask](mask)
    return rounded


def captured(heads: list, tiles: list) -> dict:
    """Some heads (by kind) and query tiles (0 or 1) of the captured attention."""
    path = Path(__file__).parent / "data" / "captured.safetensors"
    with safe_open(path, "np") as file:
        kinds = file.metadata()["kinds"].split(",")
        index = [kinds.index(head) for head in heads]
        arrays = {x: file.get_tensor(x)[index].astype(np.float32) for x in file.keys()}
    rows = np.concatenate([np.arange(128 * t, 128 * (t + 1)) for t in tiles])
    return {"q": arrays["query"][:, rows], "k": arrays["key"], "v": arrays["value"]}

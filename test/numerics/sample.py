# ===- sample.py - A seeded sample of a large matrix of cases --------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""`make test` runs a sample of each matrix, `make check-all` (with
SPARSE_ATTN_LONG=1 in the environment) all of it."""

import itertools
import os
import random

LONG = os.environ.get("SPARSE_ATTN_LONG", "") not in ("", "0")


def sample(count: int, *axes, seed: int = 1) -> list:
    """`count` cases of the product of `axes` in which every value of every
    axis occurs (if `count` allows), all cases in a long run."""
    cases = list(itertools.product(*axes))
    if LONG or len(cases) <= count:
        return cases
    generator = random.Random(seed)
    columns = []
    for axis in axes:
        # Each value as often as the others, in random order.
        column = (list(axis) * (count // len(axis) + 1))[: max(count, len(axis))]
        generator.shuffle(column)
        columns.append(column[:count])
    return sorted(set(zip(*columns)), key=cases.index)


def name(case) -> str:
    """A readable test id."""
    parts = case if isinstance(case, tuple) else (case,)
    return "-".join(str(part) for part in parts)

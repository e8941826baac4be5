# ===- test_schedules.py - Many orders, the same bits, no alarm ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Kernels of every family under random and adversarial schedules of the
emulator: every warp starved in turn, asynchronous data early and late. With
race checking, which must not report anything."""

import pytest

from families import FAMILIES
from inputs import make
from sample import LONG
from sparse_attn.modules import Attention

SCHEDULES = 1000 if LONG else 20


@pytest.mark.parametrize("family", FAMILIES)
def test_schedules(compiler, family):
    spec = Attention(70, 90, batch=(2,), **dict(depth=64) | FAMILIES[family])
    kind = "random" if spec.rule.kind == "dense" else "tiles"
    compiler.run(spec, make(spec, kind, seed=5), f"--schedules={SCHEDULES}")

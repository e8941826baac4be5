# ===- schedule_trials.py - Kernels under many schedules -------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Random and adversarial schedules: every warp starved in turn, asynchronous
data early and late. With race checking, which must not report anything."""

from pathlib import Path

import handwritten
from families import FAMILIES
from harness import Compiler
from inputs import make
from sparse_attn.modules import Attention

# As small as uses every barrier and every stage again.
SMALL = {
    "flash": handwritten.flash(64, 4),
    "multicast": handwritten.multicast(128, 192),
    "fp8": handwritten.fp8(40, 320),
}


def run_schedules(compiler: Compiler, name: str, count: int, folder: Path) -> None:
    """Raises a ToolError where one reports something, or the bits differ."""
    schedules = f"--schedules={count}"
    if name in FAMILIES:
        spec = Attention(70, 90, batch=(2,), **dict(depth=64) | FAMILIES[name])
        kind = "random" if spec.rule.kind == "dense" else "tiles"
        compiler.run(spec, make(spec, kind, seed=5), schedules)
    else:
        text = handwritten.text_of(name)
        wrong = handwritten.run(name, text, SMALL[name], folder, schedules, limit=3600)
        assert not wrong, wrong

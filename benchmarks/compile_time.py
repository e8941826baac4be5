#!/usr/bin/env python3
# ===- compile_time.py - How long compilation takes ------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Times sparse-attn-compile on one attention and on a graph of 30 equal layers.

Wall-clock of the whole process, the median of several runs; the goals are for
one core of a current machine that does nothing else."""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402
from sparse_attn.filters import Filter  # noqa: E402
from sparse_attn.modules import Attention, print_layers, print_module  # noqa: E402


def measure(text: str, repeat: int) -> tuple:
    """Median seconds of compiling `text`, and the kernels that came out."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(repeat):
            start = time.perf_counter()
            package = tools.compile_text(text, Path(folder) / f"package_{index}")
            seconds.append(time.perf_counter() - start)
        kernels = package.manifest["kernels"]
    return statistics.median(seconds), kernels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "compile_time.json")  # fmt: skip
    options = parser.parse_args()
    results = []
    print(f"{'graph':34}{'seconds':>9}{'goal':>7}{'kernels':>9}")
    for rule in ("dense", "recall:0.95"):
        for depth in (64, 128):
            spec = Attention(1024, 1024, depth, (1, 8), rule=Filter.parse(rule))
            cases = [(f"one attention, {rule}, d {depth}", print_module(spec), 0.5)]
            if depth == 128:
                cases.append((f"30 equal layers, {rule}, d {depth}", print_layers(spec, 30), 2.0))
            for name, text, goal in cases:
                seconds, kernels = measure(text, options.repeat)
                results.append({"graph": name, "seconds": round(seconds, 3), "goal": goal,
                                "kernels": len(kernels), "calls": kernels[0]["calls"]})  # fmt: skip
                print(f"{name:34}{seconds:>9.2f}{goal:>7}{len(kernels):>9}", flush=True)
    tools.write_results(options.json, results)
    return 0


if __name__ == "__main__":
    tools.run_main(main)

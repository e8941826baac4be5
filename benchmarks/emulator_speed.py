#!/usr/bin/env python3
# ===- emulator_speed.py - Emulated time of a tile pair --------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Milliseconds of the emulator for a 128x128 tile pair: QK^T and PV, d = 128.

Kernels for sm_80 that the compiler emits, and the hand-written one for sm_90a.
One core. What loading and starting cost is taken out: the time of a long launch
less that of a short one, by the tile pairs between them. The goals are those of
docs/Emulator.md."""

import argparse
import json
import resource
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "numerics")]

import handwritten  # noqa: E402
from sparse_attn import tools  # noqa: E402
from sparse_attn.filters import Filter  # noqa: E402
from sparse_attn.modules import Attention, print_module  # noqa: E402

QUERIES, DEPTH = 128, 128
SHORT, LONG = 1024, 5120  # keys
CHECKS = (("memory", 15.0), ("memory,races", 100.0))


def processor_time() -> float:
    """Of all children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Emitted:
    """A kernel with a filter, for sm_80."""

    def __init__(self, rule: str, folder: Path):
        self.name, self.target = rule, "sm_80"
        self.packages = {}
        for keys in (SHORT, LONG):
            spec = Attention(QUERIES, keys, DEPTH, (1, 1), rule=Filter.parse(rule))
            name = f"{rule.replace(':', '_')}_{keys}"
            self.packages[keys] = tools.compile_text(print_module(spec), folder / name)

    def run(self, keys: int, check: str) -> dict:
        """The counters of one launch."""
        random = np.random.default_rng(0)
        shapes = {"query": QUERIES, "key": keys, "value": keys}
        arrays = {name: random.standard_normal((1, 1, rows, DEPTH)).astype("f2")
                  for name, rows in shapes.items()}  # fmt: skip
        flags = ("--jobs=1", f"--check={check}")
        return tools.run(self.packages[keys], arrays, *flags).stats["emulator"]


class Handwritten:
    """The warp-specialised kernel with wgmma and tensor copies."""

    name, target = "flash", "sm_90a"

    def __init__(self, folder: Path):
        self.folder = folder / self.name
        self.text = handwritten.text_of(self.name)
        self.cases = {keys: handwritten.flash(QUERIES, keys // 128) for keys in (SHORT, LONG)}

    def run(self, keys: int, check: str) -> dict:
        stats = self.folder / "stats.json"
        wrong = handwritten.run(self.name, self.text, self.cases[keys], self.folder,
                                f"--stats={stats}", check=check)  # fmt: skip
        assert not wrong, wrong
        return json.loads(stats.read_text())["kernels"][0]["emulator"]


def measure(kernel, check: str, repeat: int) -> dict:
    """The median over `repeat` pairs of launches."""
    pairs = (LONG - SHORT) / 128
    times = []
    for _ in range(repeat):
        start = processor_time()
        few = kernel.run(SHORT, check)
        middle = processor_time()
        many = kernel.run(LONG, check)
        times.append(1000 * (processor_time() - middle - (middle - start)) / pairs)
    return {
        "kernel": kernel.name,
        "target": kernel.target,
        "check": check,
        "milliseconds": round(statistics.median(times), 2),
        "instructions": round((many["instructions"] - few["instructions"]) / pairs),
        "mma": round((many["mma"] - few["mma"]) / pairs),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "emulator_speed.json")  # fmt: skip
    options = parser.parse_args()
    results = []
    print(f"{'kernel':14}{'target':9}{'check':16}{'ms':>8}{'goal':>7}{'instructions':>14}{'mma':>7}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kernel in (Emitted("dense", folder), Emitted("recall:0.95", folder), Handwritten(folder)):
            for check, goal in CHECKS:
                row = measure(kernel, check, options.repeat)
                results.append({**row, "goal": goal})
                print(f"{row['kernel']:14}{row['target']:9}{check:16}{row['milliseconds']:>8.2f}{goal:>7.0f}"
                      f"{row['instructions']:>14}{row['mma']:>7}", flush=True)  # fmt: skip
    tools.write_results(options.json, results)
    return 0


if __name__ == "__main__":
    tools.run_main(main)

#!/usr/bin/env python3
# ===- emulator_speed.py - Emulated time of a tile pair --------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Milliseconds of the emulator for a 128x128 tile pair: QK^T and PV, d = 128.

One core. What loading and starting cost is taken out: the time of a long launch
less that of a short one, by the tile pairs between them. The goals are those of
docs/Emulator.md."""

import argparse
import resource
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402
from sparse_attn.filters import Filter  # noqa: E402
from sparse_attn.modules import Attention, print_module  # noqa: E402

QUERIES, DEPTH = 128, 128
SHORT, LONG = 1024, 5120  # keys
CHECKS = (("memory", 15.0), ("memory,races", 100.0))


def seconds(package: tools.Package, keys: int, check: str) -> tuple:
    """Processor time of one launch, and its counters."""
    random = np.random.default_rng(0)
    shapes = {"query": QUERIES, "key": keys, "value": keys}
    arrays = {name: random.standard_normal((1, 1, rows, DEPTH)).astype("f2")
              for name, rows in shapes.items()}  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = tools.run(package, arrays, "--jobs=1", f"--check={check}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, run.stats["emulator"]


def measure(rule: str, check: str, repeat: int, folder: str) -> dict:
    """The median over `repeat` pairs of launches."""
    packages = {}
    for keys in (SHORT, LONG):
        spec = Attention(QUERIES, keys, DEPTH, (1, 1), rule=Filter.parse(rule))
        name = f"{rule.replace(':', '_')}_{keys}"
        packages[keys] = tools.compile_text(print_module(spec), Path(folder) / name)
    pairs = (LONG - SHORT) / 128
    times = []
    for _ in range(repeat):
        short, few = seconds(packages[SHORT], SHORT, check)
        long, many = seconds(packages[LONG], LONG, check)
        times.append(1000 * (long - short) / pairs)
    return {
        "kernel": rule,
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
    print(f"{'kernel':14}{'check':16}{'ms':>8}{'goal':>7}{'instructions':>14}{'mma':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for rule in ("dense", "recall:0.95"):
            for check, goal in CHECKS:
                row = measure(rule, check, options.repeat, folder)
                results.append({**row, "goal": goal})
                print(f"{rule:14}{check:16}{row['milliseconds']:>8.2f}{goal:>7.0f}"
                      f"{row['instructions']:>14}{row['mma']:>7}", flush=True)  # fmt: skip
    tools.write_results(options.json, results)
    return 0


if __name__ == "__main__":
    tools.run_main(main)

#!/usr/bin/env python3
# ===- schedules.py - Many orders, the same bits, no alarm -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs every kernel under 1,000 schedules of the emulator with race checking.

Small shapes of each family and of the hand-written kernels. Fails where a
schedule gives other bits than the first, or a report."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "numerics")]

from harness import Compiler  # noqa: E402
from mutant_trials import ALL  # noqa: E402
from schedule_trials import run_schedules  # noqa: E402
from sparse_attn import tools  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "schedules.json")  # fmt: skip
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"of {', '.join(ALL)}")
    options = parser.parse_args()
    results, alarms = [], 0
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(Path(folder))
        for name in options.kernels or ALL:
            begin, alarm = time.monotonic(), ""
            try:
                run_schedules(compiler, name, options.schedules, Path(folder) / "trial")
            except tools.ToolError as error:
                alarm = error.message
            seconds = round(time.monotonic() - begin)
            count = options.schedules
            results.append({"kernel": name, "schedules": count, "alarm": alarm, "seconds": seconds})
            alarms += bool(alarm)
            print(f"{name:15}{count:>6} schedules: {alarm or 'no alarm'} ({seconds} s)", flush=True)
    tools.write_results(options.json, results)
    print(f"{len(results)} kernels under {options.schedules} schedules, {alarms} with an alarm")
    return 1 if alarms else 0


if __name__ == "__main__":
    tools.run_main(main)

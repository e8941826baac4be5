#!/usr/bin/env python3
# ===- mutation_score.py - Faults that the emulator must see ---------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Plants the catalogue's faults in every kernel and counts those that the
emulator catches.

Up to QUOTA for each operator and kernel, at seeded places; see
test/numerics/mutants.py for the operators and test/numerics/mutant_trials.py for
what counts as caught. Fails below 98 %, or where a survivor has no reason."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "numerics")]

from harness import Compiler  # noqa: E402
from mutant_trials import ALL, run_mutants, trial  # noqa: E402
from mutants import count_places  # noqa: E402
from sparse_attn import tools  # noqa: E402

QUOTA = 6
SHARE = 0.98  # at least, of all mutants


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quota", type=int, default=QUOTA)
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "mutants.json")  # fmt: skip
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"of {', '.join(ALL)}")
    options = parser.parse_args()
    results, total, caught, unexplained = [], 0, 0, 0
    columns = ("places", "not drawn", "mutants", "caught", "reports", "outputs", "endless", "s")
    print(f"{'kernel':15}" + "".join(f"{column:>10}" for column in columns))
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(Path(folder))
        for name in options.kernels or ALL:
            begin = time.monotonic()
            kernel = trial(compiler, name, Path(folder) / "trial")
            places, dead = count_places(kernel.text)
            row = run_mutants(kernel, options.quota, len(name))
            seconds = round(time.monotonic() - begin)
            row = {"kernel": name, "places": places, "not_drawn": dead, **row, "seconds": seconds}
            results.append(row)
            counts = (value for value in row.values() if isinstance(value, int))
            print(f"{name:15}" + "".join(f"{count:>10}" for count in counts), flush=True)
            for one in row["survivors"]:
                print(f"  survived: {one['mutant']} ({one['because'] or 'unexplained'})", flush=True)
                unexplained += not one["because"]
            total += row["mutants"]
            caught += row["caught"]
    tools.write_results(options.json, results)
    print(f"{caught} of {total} mutants caught, {100 * caught / total:.1f} %, {unexplained} unexplained")
    return 0 if caught >= SHARE * total and not unexplained else 1


if __name__ == "__main__":
    tools.run_main(main)

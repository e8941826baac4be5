#!/usr/bin/env python3
# ===- compare_with_gpu.py - The emulator against a GPU --------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs the same packages on the emulator and on a GPU, and compares.

One kernel of each family of the tests, and the kernels of the exporters' graphs,
on random inputs. A GPU sums products in its own order: --mma-model=hopper makes
the emulator do the same. Exit status: 0 if every output agrees, 1 if one does
not, 3 if there is no CUDA driver."""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "numerics")]

from families import FAMILIES  # noqa: E402
from sparse_attn import tools  # noqa: E402
from sparse_attn.modules import Attention, print_module  # noqa: E402

GRAPHS = ROOT / "test" / "Integration" / "Inputs" / "linalg"
NO_DRIVER = 3
UNITS = 4.0  # in the last place of the largest value: what outputs may differ by
PLACES = {"f16": 10, "bf16": 7}


def units_apart(found: np.ndarray, expected: np.ndarray, places: int) -> float:
    """The largest difference, in units of the last of `places` of the largest
    value; infinite if other elements are not finite, or counts differ."""
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(found, expected) else float("inf")
    finite = np.isfinite(expected)
    if not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return float("inf")
    if not np.all(np.isfinite(found[finite])):
        return float("inf")
    scale = np.abs(expected[finite]).max(initial=1e-6)
    apart = np.abs(found[finite] - expected[finite])
    return float(apart.max(initial=0.0)) / (2.0**-places * scale)


def packages(folder: Path, only: str):
    """Names of what is compared, and packages."""
    for name, options in FAMILIES.items():
        if only not in name:
            continue
        spec = Attention(**dict(rows=200, keys=333, depth=64, batch=(3,)) | options)
        yield name, tools.compile_text(print_module(spec), folder / name.replace(" ", "_"))
    for path in sorted(x for x in GRAPHS.glob("*.mlir") if only in x.name):
        try:
            yield path.stem, tools.compile_text(path.read_text(), folder / path.stem)
        except tools.ToolError as error:
            print(f"{path.stem}: not compiled: {error.message.splitlines()[-1]}")


def random_inputs(kernel: dict) -> dict:
    """Arrays for the inputs of a kernel whose shapes are known."""
    random = np.random.default_rng(0)
    arrays = {}
    for argument in kernel["arguments"]:
        if argument.get("role") != "input":
            continue
        shape = [int(extent) for extent in argument["shape"]]
        kind = argument["type"]
        values = random.standard_normal(shape).astype("f4")
        arrays[argument["name"]] = values > -0.5 if kind == "i1" else values
    return arrays


def compare(package: tools.Package, kernel: dict, model: str) -> dict:
    """The units by which each output of a kernel differs."""
    inputs = random_inputs(kernel)
    runs = {
        device: tools.run(package, inputs, *flags, name=kernel["name"], device=device).arrays
        for device, flags in (("cuda", ()), ("emulator", (f"--mma-model={model}",)))
    }
    # Weights are rounded to the operands' type, whatever the output's.
    types = [argument["type"] for argument in kernel["arguments"] if "type" in argument]
    places = min(PLACES.get(kind, 17) for kind in types)
    return {
        name: units_apart(runs["cuda"][name], expected, places)
        for name, expected in runs["emulator"].items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mma-model", default="ieee", choices=["ieee", "ampere", "ada", "hopper"])
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--json", type=Path, help="where the differences go")
    options = parser.parse_args()
    results, apart = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for name, package in packages(Path(folder), options.only):
            for kernel in package.manifest["kernels"]:
                try:
                    found = compare(package, kernel, options.mma_model)
                except tools.ToolError as error:
                    if "no CUDA driver" in error.message:
                        print(f"No CUDA driver was found, so nothing was compared: {error.message}")
                        return NO_DRIVER
                    raise
                worst = max(found.values())
                apart += worst > UNITS
                results.append({"graph": name, "kernel": kernel["name"], "units": found})
                remark = "  DIFFERS" if worst > UNITS else ""
                print(f"{name:36}{kernel['name']:16}{worst:8.2f}{remark}", flush=True)
    if options.json:
        tools.write_results(options.json, results)
    print(f"{len(results)} kernels compared, {apart} differ by more than {UNITS:.0f} units in the last place")
    return 1 if apart or not results else 0


if __name__ == "__main__":
    tools.run_main(main)

#!/usr/bin/env python3
# ===- iree_on_emulator.py - Stock IREE on the emulated driver --------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs graphs that stock IREE compiles for CUDA on the emulator, and compares.

Needs IREE's tools, which the project itself does not use:
  python3 -m venv /tmp/iree
  /tmp/iree/bin/pip install iree-base-compiler==3.13 iree-base-runtime==3.13
  .venv/bin/python benchmarks/iree_on_emulator.py --iree=/tmp/iree/bin

Every graph is compiled for sm_80 and for the CPU (llvm-cpu) and run on the same
random inputs: by IREE's CUDA HAL on the emulated driver, which checks memory
and races, and by IREE's CPU HAL."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402

BACKENDS = {
    "cuda": ["--iree-hal-target-device=cuda", "--iree-cuda-target=sm_80"],
    "cpu": ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
            "--iree-llvmcpu-target-cpu=host"],
}  # fmt: skip
DEVICES = {"cuda": "cuda", "cpu": "local-task"}


def to_bf16(array: np.ndarray) -> np.ndarray:
    """The bits, rounded towards zero."""
    return (array.astype("f4").view("u4") >> 16).astype("u2")


def numbers(raw: bytes, kind: str) -> np.ndarray:
    if kind == "bf16":
        return (np.frombuffer(raw, "u2").astype("u4") << 16).view("f4")
    return np.frombuffer(raw, {"f16": "f2", "f32": "f4"}[kind]).astype("f4")


def make_inputs(signature: str, folder: Path) -> list:
    """--input flags for the tensors of a function's signature."""
    random = np.random.default_rng(0)
    flags = []
    for index, (shape, kind) in enumerate(re.findall(r"tensor<([0-9x]+)x([a-z]+\d+)>", signature)):
        extents = tuple(map(int, shape.split("x")))
        if kind == "i1":
            array = (random.random(extents) < 0.7).astype("u1")
            array[..., 0] = 1  # every row sees a key
        else:
            array = random.standard_normal(extents).astype("f2" if kind == "f16" else "f4")
            array = to_bf16(array) if kind == "bf16" else array
        file = folder / f"input_{index}.bin"
        file.write_bytes(array.tobytes())
        flags.append(f"--input={shape}x{kind}=@{file}")
    return flags


def attempt(command: list, environment: dict) -> str:
    """Runs a command; the last line of its complaint, or nothing."""
    try:
        done = subprocess.run(command, env={**os.environ, **environment},
                              capture_output=True, text=True, timeout=300)  # fmt: skip
    except subprocess.TimeoutExpired:
        return "timed out"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if "rror" in line]
    return (lines or ["failed"])[0][-160:]


def run_graph(graph: Path, iree: Path, driver: Path, folder: Path) -> dict:
    text = graph.read_text()
    function, arguments, result = re.search(
        r"func\.func @(\w+)\((.*?)\) -> (tensor<[^>]*>)", text, re.S
    ).groups()
    kind = result.rstrip(">").split("x")[-1]
    inputs = make_inputs(arguments, folder)
    environment = {"LD_LIBRARY_PATH": str(driver), "SPARSE_ATTN_EMULATOR_ON_ERROR": "exit",
                   "SPARSE_ATTN_EMULATOR_CHECK": "memory,races"}  # fmt: skip
    outputs = {}
    for name, flags in BACKENDS.items():
        module, output = folder / f"{name}.vmfb", folder / f"{name}.bin"
        fault = attempt([iree / "iree-compile", graph, *flags, "-o", module], {})
        if fault:
            return {"graph": graph.stem, "outcome": f"IREE does not compile it for {name}"}
        fault = attempt(
            [iree / "iree-run-module", f"--device={DEVICES[name]}", f"--module={module}",
             f"--function={function}", f"--output=@{output}", *inputs],
            environment if name == "cuda" else {})  # fmt: skip
        if fault:
            return {"graph": graph.stem, "outcome": f"fails on {name}: {fault}"}
        outputs[name] = numbers(output.read_bytes(), kind)
    difference = float(np.abs(outputs["cuda"] - outputs["cpu"]).max())
    largest = float(np.abs(outputs["cpu"]).max())
    epsilon = {"f32": 2.0**-24, "f16": 2.0**-11, "bf16": 2.0**-8}[kind]
    agrees = difference <= 32 * epsilon * largest
    return {"graph": graph.stem, "outcome": "runs" if agrees else "differs",
            "difference": difference, "largest": largest}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--iree", type=Path, required=True, help="folder of IREE's tools")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "iree_on_emulator.json")  # fmt: skip
    options = parser.parse_args()
    driver = Path(os.environ.get("SPARSE_ATTN_BUILD", ROOT / "build")) / "lib" / "cuda-emulator"
    for needed in (options.iree / "iree-compile", options.iree / "iree-run-module",
                   driver / "libcuda.so"):  # fmt: skip
        if not needed.exists():
            raise FileNotFoundError(f"expected {needed}; --help says what is needed")
    results = []
    for graph in sorted((ROOT / "test" / "Integration" / "Inputs" / "linalg").glob("*.mlir")):
        with tempfile.TemporaryDirectory() as folder:
            row = run_graph(graph, options.iree, driver, Path(folder))
        results.append(row)
        measured = f"{row['difference']:10.1e} of {row['largest']:.2f}" if "largest" in row else ""
        print(f"{row['graph']:34}{row['outcome']:14}{measured}", flush=True)
    tools.write_results(options.json, results)
    return int(any(row["outcome"].startswith(("fails", "differs")) for row in results))


if __name__ == "__main__":
    tools.run_main(main)

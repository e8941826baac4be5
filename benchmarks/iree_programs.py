#!/usr/bin/env python3
# ===- iree_programs.py - Programs of IREE, stock and ours, against the CPU -===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs what IREE makes of exporters' graphs, by itself and with our kernels.

Every graph of test/Integration/Inputs/linalg and iree becomes three programs: of
stock IREE for CUDA (sm_80), of IREE with our kernels, and of stock IREE for the CPU.
All get the same random inputs, and the first two must give what the third gives.
FlexAttention is judged by its formula in float64, since IREE 3.13 compiles it for no
GPU, and for the CPU to other masks. CUDA is the stand-in for the driver, which checks
memory and races, or with --gpu a GPU. Exit status: 1 if a program differs, fails, or
is none although it should be ours; graphs of which stock IREE makes none are named."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "numerics")]

from iree_table import compile_ours, compile_stock, first_error  # noqa: E402
from sparse_attn import tools  # noqa: E402
from sparse_attn.iree.compiler import GENERIC  # noqa: E402
from sparse_attn.iree.installation import Installation, find  # noqa: E402
from sparse_attn.reference import Problem, dense_attention  # noqa: E402
from test_flex_attention import GRAPHS as FORMULAS  # noqa: E402

INPUTS = ROOT / "test" / "Integration" / "Inputs"
CPU = ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
       "--iree-llvmcpu-target-cpu=host"]  # fmt: skip
STAND_IN = "sparse-attn emulator"
# What a size that only the run knows is here: no multiple of a tile.
UNKNOWN = "100"
EPSILON = {"f32": 2.0**-24, "f16": 2.0**-11, "bf16": 2.0**-8}
# Programs round scores and weights at other points.
ROUNDINGS = 32


def call(command: list, environment: dict) -> str:
    try:
        done = subprocess.run(list(map(str, command)), env={**os.environ, **environment},
                              capture_output=True, text=True, timeout=300)  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{Path(command[0]).name} takes more than 300 s") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RuntimeError(first_error(done.stderr) if "error:" in done.stderr else last[:160])
    return done.stdout


def device_name(iree: Installation, environment: dict) -> str:
    """The device that IREE takes for CUDA."""
    found = re.search(r"# --device=cuda.*\n# *(.*)", call([iree.runner, "--dump_devices=cuda"], environment))  # fmt: skip
    if not found:
        raise RuntimeError("expected a CUDA device, found none")
    return found[1]


def read_signature(text: str) -> tuple:
    """The function of a graph, the types of its inputs, and that of its result."""
    if text.startswith('"builtin.module"'):
        # Functions that wait, $async ones, are called by those that users call.
        (function,) = re.findall(r'"util\.func".* sym_name = "(\w+)"', text)
        inputs = re.findall(r'"hal\.tensor\.import".* target_encoding = tensor<([^>]*)>', text)
        (result,) = re.findall(r'"hal\.tensor\.export".*source_encoding = tensor<([^>]*)>', text)
        return function, inputs, result
    function, arguments, result = re.search(
        r"func\.func @(\w+)\((.*?)\) -> tensor<([^>]*)>", text, re.S
    ).groups()
    return function, re.findall(r"tensor<([^>]*)>", arguments), result


def write_inputs(types: list, folder: Path) -> tuple:
    """Random arrays, those of bf16 as bits, and their --input flags."""
    random = np.random.default_rng(0)
    arrays, flags = [], []
    for number, kind in enumerate(types):
        kind = kind.replace("?", UNKNOWN)
        *extents, element = kind.split("x")
        shape = tuple(map(int, extents))
        if element == "i1":
            array = (random.random(shape) < 0.7).astype("u1")
            array[..., 0] = 1  # every row sees a key
        else:
            array = random.standard_normal(shape).astype("f2" if element == "f16" else "f4")
        if element == "bf16":
            array = (array.view("u4") >> 16).astype("u2")
        file = folder / f"input_{number}.bin"
        file.write_bytes(array.tobytes())
        arrays.append(array)
        flags.append(f"--input={kind}=@{file}")
    return arrays, flags


def read_result(file: Path, element: str) -> np.ndarray:
    raw = file.read_bytes()
    if element == "bf16":
        return (np.frombuffer(raw, "u2").astype("u4") << 16).view("f4")
    return np.frombuffer(raw, {"f16": "f2", "f32": "f4"}[element]).astype("f4")


class Programs:
    """The programs of one graph, each in `folder`."""

    def __init__(self, iree: Installation, graph: Path, folder: Path, environment: dict):
        self.iree, self.graph, self.folder, self.environment = iree, graph, folder, environment
        self.text = graph.read_text()
        self.function, inputs, result = read_signature(self.text)
        self.element = result.split("x")[-1]
        self.arrays, self.inputs = write_inputs(inputs, folder)
        elements = [kind.split("x")[-1] for kind in (*inputs, result)]
        self.epsilon = max(EPSILON.get(element, 0) for element in elements)

    def compile_for_cpu(self) -> str:
        """Why there is no program, or nothing. A graph that IREE took so far for CUDA
        names its device, in whose place comes the CPU."""
        source, flags = self.folder / "cpu.mlir", []
        text = self.text
        if text.startswith('"builtin.module"'):
            source.write_text("func.func @f(%a: tensor<1xf32>) -> tensor<1xf32> { return %a : tensor<1xf32> }")
            printed = call([self.iree.compiler, source, *CPU, "--compile-to=preprocessing", *GENERIC], {})
            line = re.compile(r'^.*"util\.global".*#hal\.device\.target.*$', re.M)
            device = line.search(printed)[0]
            text, flags = line.sub(lambda _: device, text), ["--compile-from=preprocessing"]
        source.write_text(text)
        command = [self.iree.compiler, source, *CPU, *flags, "-o", self.folder / "cpu.vmfb"]
        done = subprocess.run(command, capture_output=True, text=True)
        return first_error(done.stderr) if done.returncode else ""

    def compile_ours(self) -> str:
        made = compile_ours(self.iree, self.graph, self.folder)
        if "error" in made or made["left"]:
            return made.get("error") or made["left"][0]
        return "" if made["kernels_inside"] else "no attention was found"

    def run(self, name: str, device: str, kernel: str = "") -> np.ndarray:
        """The result of a program. The stand-in's log must name a `kernel`."""
        log, output = self.folder / "launches.log", self.folder / "output.bin"
        log.unlink(missing_ok=True)
        environment = self.environment if device == "cuda" else {}
        if environment:
            environment = {**environment, "SPARSE_ATTN_EMULATOR_LOG": str(log)}
        call([self.iree.runner, f"--device={device}", f"--module={self.folder / name}.vmfb",
              f"--function={self.function}", f"--output=@{output}", *self.inputs], environment)  # fmt: skip
        if environment and not re.search(rf"^{kernel}", log.read_text(), re.M):
            raise RuntimeError(f"no kernel {kernel} was launched")
        return read_result(output, self.element)

    def compare(self, name: str, reason: str, expected, kernel: str = "") -> dict:
        """What became of a program for CUDA, of which `reason` says why it is none."""
        if reason:
            return {"outcome": "no program", "reason": reason}
        try:
            found = self.run(name, "cuda", kernel)
        except RuntimeError as error:
            return {"outcome": "fails", "reason": str(error)}
        if expected is None:
            return {"outcome": "no oracle"}
        found = found.reshape(expected.shape)
        difference = float(np.abs(found - expected).max() / np.abs(expected).max())
        agrees = difference <= ROUNDINGS * self.epsilon
        return {"outcome": "agrees" if agrees else "differs", "difference": difference}

    def expect(self) -> tuple:
        """What the graph gives, if it is known, and by whom, or why not."""
        if formula := FORMULAS.get(self.graph.stem):
            q, k, v = self.arrays
            problem = Problem(np.float32(q.shape[-1] ** -0.5), modify=formula)
            return dense_attention(q, k, v, problem)[0], "formula in float64"
        reason = self.compile_for_cpu()
        if reason:
            return None, f"none: {reason}"
        return self.run("cpu", "local-task"), "IREE on the CPU"

    def measure(self) -> dict:
        expected, oracle = self.expect()
        stock = compile_stock(self.iree, self.graph, self.folder)
        return {"graph": f"{self.graph.parent.name}/{self.graph.stem}", "oracle": oracle,
                "stock": self.compare("stock", stock, expected),
                "ours": self.compare("ours", self.compile_ours(), expected, "attention_")}  # fmt: skip


def is_fault(row: dict) -> bool:
    faults = ("fails", "differs")
    return row["stock"]["outcome"] in faults or row["ours"]["outcome"] in (*faults, "no program")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpu", action="store_true", help="run on a GPU")
    parser.add_argument("--iree", type=Path, metavar="DIR",
                        help="folder of IREE's tools (default: this Python's, then PATH)")  # fmt: skip
    parser.add_argument("--filter", default="", help="only graphs whose folder/name has this")
    parser.add_argument("--json", type=Path, help="default: benchmarks/results/iree_programs.json, "
                        "with --gpu iree_programs_gpu.json")  # fmt: skip
    options = parser.parse_args()
    iree = find(options.iree)
    if not iree.runner:
        raise FileNotFoundError("expected iree-run-module: pip install iree-base-runtime==3.13.*")
    checks = {"SPARSE_ATTN_EMULATOR_CHECK": "memory,races"}
    environment = {} if options.gpu else tools.emulated_driver() | checks
    device = device_name(iree, environment)
    if options.gpu and device.startswith(STAND_IN):
        raise RuntimeError("expected a GPU, found the stand-in: LD_LIBRARY_PATH names its folder")
    print(f"On {device}; differences are parts of the largest number.\n\n"
          f"{'graph':40}{'stock IREE':20}{'ours':20}compared with")  # fmt: skip
    rows = []
    for graph in sorted([*(INPUTS / "iree").glob("*.mlir"), *(INPUTS / "linalg").glob("*.mlir")]):
        if options.filter not in f"{graph.parent.name}/{graph.name}":
            continue
        with tempfile.TemporaryDirectory() as folder:
            row = Programs(iree, graph, Path(folder), environment).measure()
        rows.append(row)
        cells = [f"{cell['outcome']:11}" + (f"{cell['difference']:.1e}" if "difference" in cell else "")
                 for cell in (row["stock"], row["ours"])]  # fmt: skip
        print(f"{row['graph']:40}{cells[0]:20}{cells[1]:20}{row['oracle']}", flush=True)
        for name in ("stock", "ours"):
            if "reason" in row[name]:
                print(f"    {name}: {row[name]['reason']}", flush=True)
    if not rows:
        raise RuntimeError(f"expected graphs with '{options.filter}' in their names, found none")
    agree = [sum(row[name]["outcome"] == "agrees" for row in rows) for name in ("stock", "ours")]
    faults = sum(map(is_fault, rows))
    print(f"\n{len(rows)} graphs: stock IREE's programs agree in {agree[0]}, ours in {agree[1]}; "
          f"{faults} faults")  # fmt: skip
    name = "iree_programs_gpu.json" if options.gpu else "iree_programs.json"
    if options.json or not options.filter:
        tools.write_results(options.json or ROOT / "benchmarks" / "results" / name,
                            {"iree": iree.version, "device": device, "graphs": rows})  # fmt: skip
    return int(faults > 0)


if __name__ == "__main__":
    tools.run_main(main)

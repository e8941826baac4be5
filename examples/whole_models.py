# ===- whole_models.py - Models through IREE, compared with their framework -===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""What the examples of whole models share: graphs whose weights are parameters are
compiled by IREE with our kernels, run on the stand-in for the CUDA driver or on a
GPU, and compared with the framework that exported them."""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402
from sparse_attn.iree import compiler  # noqa: E402
from sparse_attn.iree.installation import Installation, find  # noqa: E402

SCOPE = "model"
# Of every model here, each with one attention.
LAYERS = 2
_PARAMETER = re.compile(rf'#flow\.parameter\.named<"{SCOPE}"::"([^"]*)"> : tensor<([0-9x]*)xf32>')


@dataclass
class Model:
    """A graph as a framework exported it, and what the framework computes."""

    name: str
    graph: str
    """MLIR with a function main; weights are parameters of SCOPE"""
    inputs: list
    results: list

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.mlir").write_text(self.graph)
        arrays = {f"input.{n}": array for n, array in enumerate(self.inputs)}
        arrays |= {f"result.{n}": array for n, array in enumerate(self.results)}
        save_file(arrays, folder / f"{self.name}.safetensors")

    @staticmethod
    def read(folder: Path, name: str) -> Model:
        arrays = load_file(folder / f"{name}.safetensors")

        def numbered(kind: str) -> list:
            count = sum(key.startswith(f"{kind}.") for key in arrays)
            return [arrays[f"{kind}.{n}"] for n in range(count)]

        graph = (folder / f"{name}.mlir").read_text()
        return Model(name, graph, numbered("input"), numbered("result"))


def draw_weight(name: str, shape: tuple) -> np.ndarray:
    """A weight drawn by its name alone: NumPy never changes RandomState's numbers.
    Vectors are those of normalisations, near 1, and biases, near 0."""
    noise = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) > 1:
        return (noise * shape[-1] ** -0.5).astype("f4")
    return (0.1 * noise + name.endswith("weight")).astype("f4")


def draw_weights(graph: str) -> dict:
    """All parameters of `graph`, by name."""
    shapes = {name: tuple(map(int, kind.split("x"))) for name, kind in _PARAMETER.findall(graph)}
    return {name: draw_weight(name, shape) for name, shape in shapes.items()}


def weights_as_parameters(text: str, names: list) -> str:
    """The graph with its first arguments as parameters of an archive, by name."""
    start, signature, rest = re.fullmatch(
        r"(.*?func\.func (?:public )?@main)\((.*?)\)( ->.*)", text, re.S
    ).groups()
    arguments = re.findall(r"(%\w+): (tensor<[^>]*>)", signature)
    parameters, inputs = arguments[: len(names)], arguments[len(names) :]
    globals_ = "".join(
        f'  util.global private @weight_{n} = #flow.parameter.named<"{SCOPE}"::"{name}"> : {kind}\n'
        for n, (name, (_, kind)) in enumerate(zip(names, parameters))
    )
    loads = "".join(
        f"    {value} = util.global.load @weight_{n} : {kind}\n"
        for n, (value, kind) in enumerate(parameters)
    )
    head, body = rest.split("{\n", 1)
    module, function = start.rsplit("  func.func", 1)
    inputs = ", ".join(f"{value}: {kind}" for value, kind in inputs)
    return f"{module}{globals_}  func.func{function}({inputs}){head}{{\n{loads}{body}"


def call(command: list, environment: Optional[dict] = None) -> None:
    done = subprocess.run([str(part) for part in command], env={**os.environ, **(environment or {})},
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name}: {done.stderr.strip()[-2000:]}")


def find_iree() -> Installation:
    iree = find()
    if not iree.runner:
        raise FileNotFoundError("expected iree-run-module: pip install iree-base-runtime==3.13.*")
    return iree


def archive(iree: Installation, weights: dict, folder: Path) -> Path:
    """The weights as IREE's parameter archive."""
    output = folder / "weights.irpa"
    save_file(weights, folder / "weights.safetensors")
    call([iree.runner.parent / "iree-convert-parameters",
          f"--parameters={folder / 'weights.safetensors'}", f"--output={output}"])  # fmt: skip
    return output


def stand_in(log: Path) -> dict:
    """The environment in which the emulator takes the CUDA driver's place."""
    return tools.emulated_driver() | {"SPARSE_ATTN_EMULATOR_LOG": str(log)}


def read_launches(log: Path) -> collections.Counter:
    """Launches by kernel; none where nothing was logged, as on a GPU."""
    lines = log.read_text().splitlines() if log.exists() else []
    return collections.Counter(line.split()[0] for line in lines)


@dataclass
class Program:
    """A .vmfb on a device of IREE's, its weights in an archive."""

    iree: Installation
    file: Path
    weights: Path
    device: str = "cuda"
    environment: dict = field(default_factory=dict)

    def call(self, function: str, arrays: list, results: int) -> list:
        """The results of `function`, as many as it has."""
        folder = self.file.parent
        flags = []
        for n, array in enumerate(arrays):
            np.save(folder / f"input_{n}.npy", array)
            flags.append(f"--input=@{folder / f'input_{n}.npy'}")
        outputs = [folder / f"result_{n}.npy" for n in range(results)]
        call([self.iree.runner, f"--device={self.device}", f"--module={self.file}",
              f"--function={function}", f"--parameters={SCOPE}={self.weights}", *flags,
              *(f"--output=@{output}" for output in outputs)], self.environment)  # fmt: skip
        return [np.load(output) for output in outputs]


def run(model: Model, folder: Path, gpu: bool = False) -> dict:
    """Compiles `model`, every attention ours, and runs it: the report, launches by
    kernel, and the results."""
    iree = find_iree()
    source, file, log = (folder / f"{model.name}.{kind}" for kind in ("mlir", "vmfb", "log"))
    source.write_text(model.graph)
    request, _ = compiler.parse([str(source), "-o", str(file), "--ptxas=none", "--report=json",
                                 f"--expect-attention={LAYERS}"])  # fmt: skip
    report = json.loads(compiler.compile_module(iree, request, folder))
    became = [softmax["status"] for softmax in report["softmaxes"]]
    if became != ["compiled"] * LAYERS:
        raise RuntimeError(f"{model.name}: expected {LAYERS} softmaxes in kernels, found {became}")
    program = Program(iree, file, archive(iree, draw_weights(model.graph), folder),
                      environment={} if gpu else stand_in(log))  # fmt: skip
    results = program.call("main", model.inputs, len(model.results))
    return {"report": report, "launches": read_launches(log), "results": results}


def difference(results: list, expected: list) -> float:
    """The largest difference of a result, as a part of its largest number."""
    return max(
        float(np.abs(found - wanted).max() / np.abs(wanted).max())
        for found, wanted in zip(results, expected, strict=True)
    )


def count_ours(launches: dict) -> int:
    return sum(count for name, count in launches.items() if name.startswith("attention_"))


def main(description: str, framework: str, exporters: dict[str, Callable[[], Model]]) -> int:
    """The command line of an example: `exporters` by the names of their models."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpu", action="store_true", help="run on a GPU")
    parser.add_argument("--json", type=Path, help="write what came out there")
    parser.add_argument("--model", choices=list(exporters), help="only this one")
    parser.add_argument("--write", type=Path, metavar="FOLDER",
                        help="write graphs, inputs and results there, and run nothing")  # fmt: skip
    options = parser.parse_args()
    names = [name for name in exporters if options.model in (None, name)]
    if options.write:
        for name in names:
            exporters[name]().write(options.write)
        return 0
    print(f"{'model':20}{'attentions':12}{'launches (ours)':18}difference from {framework}")
    rows = []
    for name in names:
        model = exporters[name]()
        with tempfile.TemporaryDirectory() as folder:
            found = run(model, Path(folder), options.gpu)
        row = {"model": name, "attentions": LAYERS, "ours": count_ours(found["launches"]),
               "launches": found["launches"].total(),
               "difference": difference(found["results"], model.results)}  # fmt: skip
        rows.append(row)
        launches = "-" if options.gpu else f"{row['launches']} ({row['ours']})"
        print(f"{name:20}{LAYERS:<12}{launches:18}{row['difference']:.1e}", flush=True)
    if options.json:
        tools.write_results(options.json, rows)
    return 0

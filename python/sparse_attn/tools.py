# ===- tools.py - Calls of the project's tools ----------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles MLIR text to a kernel package and runs its kernels on arrays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


class ToolError(RuntimeError):
    """A tool that did not exit with 0: its status and what it said."""

    def __init__(self, command: list, status: int, message: str):
        super().__init__(f"{' '.join(command)}\nexit status {status}\n{message}")
        self.status = status
        self.message = message


def run_main(main: Callable[[], int]) -> None:
    """Exits with the status of `main`; 1 with one line for what may go wrong."""
    try:
        sys.exit(main())
    except (RuntimeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def write_results(path: Path, results: object) -> None:
    """Writes the raw results of a benchmark as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def find_built(folder: str, name: str) -> Path:
    """Path of a file that the build puts into `folder`."""
    build = os.environ.get("SPARSE_ATTN_BUILD")
    places = [Path(build)] if build else [Path(__file__).parent, ROOT / "build"]
    for place in places:
        if (place / folder / name).exists():
            return place / folder / name
    raise FileNotFoundError(
        f"expected {name} in {places[-1] / folder}: run `make build` first"
    )


def emulated_driver(device: str = "sm_80") -> dict:
    """The environment in which the emulator takes the CUDA driver's place; a process
    ends at the first fault of a kernel."""
    return {"LD_LIBRARY_PATH": str(find_built("lib", "cuda-emulator")),
            "SPARSE_ATTN_EMULATOR_DEVICE": device, "SPARSE_ATTN_EMULATOR_ON_ERROR": "exit"}  # fmt: skip


def tool(name: str) -> str:
    """Path of a tool in $SPARSE_ATTN_BUILD, the installed package, or build/."""
    return str(find_built("bin", name))


def call(name: str, *arguments: str, text: Optional[str] = None, limit: float = 600) -> str:
    """Runs a tool, `text` as its input; its standard output."""
    command = [tool(name), *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=limit)
    if done.returncode:
        raise ToolError(command, done.returncode, done.stderr.strip())
    return done.stdout


@dataclass
class Package:
    """A directory that sparse-attn-compile wrote."""

    path: Path
    report: str = ""

    @property
    def manifest(self) -> dict:
        return json.loads((self.path / "manifest.json").read_text())

    def kernel(self, name: Optional[str] = None) -> dict:
        """A kernel's entry in the manifest; the only one unless named."""
        kernels = self.manifest["kernels"]
        found = [k for k in kernels if name is None or k["name"] == name]
        if len(found) != 1:
            raise KeyError(f"expected one kernel {name or ''}, found {len(found)}")
        return found[0]


def compile_text(text: str, directory: Path, *flags: str, target: str = "sm_80") -> Package:
    """Compiles a module to a package in `directory`."""
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    source = directory.with_suffix(".mlir")
    source.write_text(text)
    report = call("sparse-attn-compile", source, f"--target={target}", "-o", directory, *flags)
    return Package(directory, report)


@dataclass
class Run:
    """What one launch gave: arrays by the names of the manifest's arguments,
    and the kernel's entry of stats.json."""

    arrays: dict
    stats: dict


def run(
    package: Package, inputs: dict, *flags: str, name: Optional[str] = None, limit: float = 600,
    device: str = "emulator",
) -> Run:  # fmt: skip
    """Runs a kernel; `inputs` by the arguments' names."""
    kernel = package.kernel(name)
    wanted = [a["name"] for a in kernel["arguments"] if a.get("role") in ("output", "statistic")]
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--function={kernel['name']}", f"--device={device}"]
        for key, array in inputs.items():
            np.save(f"{folder}/in_{key}.npy", array)
            arguments.append(f"--input={key}=@{folder}/in_{key}.npy")
        arguments += [f"--output={key}=@{folder}/{key}.npy" for key in wanted]
        arguments.append(f"--stats={folder}/stats.json")
        call("sparse-attn-run", package.path, *arguments, *flags, limit=limit)
        arrays = {key: np.load(f"{folder}/{key}.npy") for key in wanted}
        stats = json.loads(Path(f"{folder}/stats.json").read_text())
    return Run(arrays, stats["kernels"][0])

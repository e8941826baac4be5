# ===- programs.py - Programs of IREE, compiled and run -------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs .vmfb files by stock iree-run-module: those for CUDA on the stand-in for
the CUDA driver, which checks memory and races, others on the CPU."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sparse_attn import tools
from sparse_attn.iree import compiler
from sparse_attn.iree.installation import Installation, IreeError, find

INPUTS = tools.ROOT / "test" / "Integration" / "Inputs"
GENERATOR_SEED = 11


def installation() -> Installation:
    """The tested IREE; skips the test where it is not installed."""
    try:
        iree = find()
    except IreeError as error:
        pytest.skip(f"needs IREE: {error}")
    if not iree.runner:
        pytest.skip("needs IREE's runtime: iree-run-module is not installed")
    return iree


def compile_ours(source: Path, folder: Path, *flags: str) -> Path:
    """The program of `source` with our kernels; what lies between is in `folder`."""
    iree = installation()
    output = folder / "ours.vmfb"
    request, _ = compiler.parse([str(source), "-o", str(output), "--ptxas=none", *flags])
    compiler.compile_module(iree, request, folder)
    return output


def compile_for_cpu(source: Path, folder: Path) -> Path:
    """The program of `source` as stock IREE makes it for this machine's CPU."""
    output = folder / "cpu.vmfb"
    command = [installation().compiler, source, "--iree-hal-target-device=local",
               "--iree-hal-local-target-device-backends=llvm-cpu",
               "--iree-llvmcpu-target-cpu=host", "-o", output]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return output


def save(arrays: list, folder: Path) -> list:
    """--input flags; bf16 is given as pairs (array, "bf16")."""
    flags = []
    for number, array in enumerate(arrays):
        kind = "bf16" if isinstance(array, tuple) else None
        array = array[0] if kind else array
        if kind:
            bits = (np.ascontiguousarray(array, "f4").view("u4") >> 16).astype("u2")
            file = folder / f"input_{number}.bin"
            file.write_bytes(bits.tobytes())
            extents = "x".join(map(str, array.shape))
            flags.append(f"--input={extents}x{kind}=@{file}")
        else:
            np.save(folder / f"input_{number}.npy", array)
            flags.append(f"--input=@{folder / f'input_{number}.npy'}")
    return flags


def run_all(program: Path, function: str, flags: list, folder: Path, results: int,
            device: str = "cuda", gpu: str = "sm_80", parameters: str = "",
            check: str = "memory,races") -> tuple:  # fmt: skip
    """All `results` of `function`, and the lines of the driver's log."""
    log = folder / "launches.log"
    outputs = [folder / f"output_{number}.npy" for number in range(results)]
    log.unlink(missing_ok=True)
    environment = dict(os.environ)
    if device == "cuda":
        environment |= tools.emulated_driver(gpu) | {
            "SPARSE_ATTN_EMULATOR_CHECK": check, "SPARSE_ATTN_EMULATOR_JOBS": "1",
            "SPARSE_ATTN_EMULATOR_LOG": str(log),
        }  # fmt: skip
    command = [installation().runner, f"--device={device}", f"--module={program}",
               f"--function={function}", *flags, *(f"--output=@{file}" for file in outputs)]  # fmt: skip
    if parameters:
        command.append(f"--parameters={parameters}")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"iree-run-module: {done.stderr.strip()[-2000:]}")
    lines = log.read_text().splitlines() if log.exists() else []
    return [np.load(output) for output in outputs], lines


def run(program: Path, function: str, flags: list, folder: Path, device: str = "cuda",
        **options) -> tuple:  # fmt: skip
    """The first result of `function`, and the lines of the driver's log."""
    arrays, lines = run_all(program, function, flags, folder, 1, device, **options)
    return arrays[0], lines

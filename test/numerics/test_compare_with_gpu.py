# ===- test_compare_with_gpu.py - Whether the comparison would see it ------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""benchmarks/compare_with_gpu.py where there is no GPU: without a driver, and with
the emulator in the driver's place."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sparse_attn import tools

SCRIPT = tools.ROOT / "benchmarks" / "compare_with_gpu.py"
STAND_IN = Path(tools.tool("sparse-attn-run")).parents[1] / "lib" / "cuda-emulator"


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("compare_with_gpu", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_script(libraries: Path, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, SCRIPT, *flags], capture_output=True, text=True,
                          env=os.environ | {"LD_LIBRARY_PATH": str(libraries)})  # fmt: skip


def test_no_driver(tmp_path):
    (tmp_path / "libcuda.so.1").write_text("not a library")
    done = run_script(tmp_path, "--only=dense")
    assert done.returncode == 3, done.stderr
    assert "No CUDA driver was found, so nothing was compared" in done.stdout


def test_agrees():
    done = run_script(STAND_IN, "--only=torch_sdpa_f32")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kernels compared, 0 differ" in done.stdout


def test_other_sums_differ_little():
    done = run_script(STAND_IN, "--only=causal", "--mma-model=hopper")
    assert done.returncode == 0, done.stdout + done.stderr


def test_sees_a_difference(script, monkeypatch, capsys):
    plain = tools.run

    def broken(*arguments, device, **named):
        run = plain(*arguments, device="emulator", **named)
        if device == "cuda":
            run.arrays["output"].flat[7] += 0.25
        return run

    monkeypatch.setattr(tools, "run", broken)
    monkeypatch.setattr(sys, "argv", ["compare_with_gpu.py", "--only=torch_sdpa_f16_causal"])
    assert script.main() == 1
    assert "DIFFERS" in capsys.readouterr().out


def test_units(script):
    one = np.array([1.0, -0.5, np.inf], "f4")
    assert script.units_apart(one, one, 10) == 0
    assert script.units_apart(one + np.array([0, 2.0**-9, 0], "f4"), one, 10) == 2
    assert script.units_apart(np.array([1.0, np.nan, np.inf], "f4"), one, 10) == np.inf
    assert script.units_apart(np.array([1.0, -0.5, 2.0], "f4"), one, 10) == np.inf
    assert script.units_apart(np.array([3]), np.array([4]), 10) == np.inf

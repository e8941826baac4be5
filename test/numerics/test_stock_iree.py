# ===- test_stock_iree.py - What stock IREE embeds runs as well ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Graphs that stock IREE compiles alone, for sm_80, run on the stand-in for the
CUDA driver with race checking and give what IREE's CPU code gives. All graphs:
benchmarks/iree_programs.py."""

import re
import subprocess

import numpy as np
import pytest

import programs

# Once with streams, once with CUDA graphs.
@pytest.mark.parametrize("name, streams, epsilon", [
    ("torch_sdpa_f32", "true", 2.0**-24), ("torch_sdpa_f16_causal", "false", 2.0**-11),
])  # fmt: skip
def test_stock_iree(tmp_path, name, streams, epsilon):
    source = programs.INPUTS / "linalg" / f"{name}.mlir"
    signature = re.search(r"func\.func @(\w+)\((.*?)\) ->", source.read_text(), re.S)
    shapes = re.findall(r"tensor<([0-9x]+)x(f\d+)>", signature[2])
    random = np.random.default_rng(programs.GENERATOR_SEED)
    arrays = [random.standard_normal([int(n) for n in shape.split("x")]).astype(f"f{int(kind[1:]) // 8}")
              for shape, kind in shapes]  # fmt: skip
    flags = programs.save(arrays, tmp_path)
    program = tmp_path / "stock.vmfb"
    subprocess.run([programs.installation().compiler, source, "--iree-hal-target-device=cuda",
                    "--iree-cuda-target=sm_80", "-o", program], check=True, capture_output=True)  # fmt: skip
    found, log = programs.run(program, signature[1], [f"--cuda_use_streams={streams}", *flags], tmp_path)
    assert log, "no kernel was launched"
    cpu = programs.compile_for_cpu(source, tmp_path)
    expected, _ = programs.run(cpu, signature[1], flags, tmp_path, "local-task")
    difference = np.abs(found.astype("f8") - expected).max()
    assert difference <= 32 * epsilon * np.abs(expected).max()

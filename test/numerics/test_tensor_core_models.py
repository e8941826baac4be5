# ===- test_tensor_core_models.py - fp8 sums as tensor cores take them -----===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The emulator's models of fp8 tensor cores against sums that were measured on
GPUs (data/README.md) and, where it is installed, against `mmaemu`, a bit-exact
model of others (`scripts/setup.sh --mmaemu`)."""

import json
from pathlib import Path

import numpy as np
import pytest

from tensor_core_kernel import COLUMNS, DEPTH, multiply, rows_of

MEASURED = json.loads((Path(__file__).parent / "data" / "tensor_core_sums.json").read_text())


def codes(rows: list) -> np.ndarray:
    return np.array([list(bytes.fromhex(row)) for row in rows], "u1")


def words(texts: list, type: str) -> np.ndarray:
    return np.array([int(text, 16) for text in texts], type.replace("f", "u")).view(type)


# The H100's f32 sums were taken without an accumulator, and by warpgroups.
@pytest.mark.parametrize("format", ["e4m3", "e5m2"])
@pytest.mark.parametrize(
    "gpu, unit, result, adds",
    [("Ada", "mma", "f4", True), ("Ada", "mma", "f2", True),
     ("H100", "wgmma", "f4", False), ("H100", "mma", "f2", True)],
)  # fmt: skip
def test_measured(tmp_path, gpu, unit, result, adds, format):
    sums = MEASURED[f"{gpu} {format}"]
    a, b = codes(sums["a"]), codes(sums["b"])
    blocks, rows = len(a) // COLUMNS, rows_of(unit)
    # One sum for each element of the diagonals.
    block, place = np.divmod(np.arange(len(a)), COLUMNS)
    left = np.zeros((blocks, rows, DEPTH), "u1")
    left[block, place] = a
    start = np.zeros((blocks, rows, COLUMNS), result)
    start[block, place, place] = words(sums["c"], "f4") if adds else 0
    model = {"Ada": "ada", "H100": "hopper"}[gpu]
    found = multiply(unit, model, format, left, b.reshape(blocks, COLUMNS, DEPTH), start, tmp_path)
    expected = words(sums["f32" if result == "f4" else "f16"], result)
    np.testing.assert_array_equal(found[block, place, place], expected)
    exact = multiply(unit, "ieee", format, left, b.reshape(blocks, COLUMNS, DEPTH), start, tmp_path)
    assert np.any(exact[block, place, place] != expected), "the sums tell no model from IEEE's"


@pytest.mark.parametrize("format", ["e4m3", "e5m2"])
@pytest.mark.parametrize("unit, model", [("mma", "ada"), ("wgmma", "hopper")])
def test_mmaemu(tmp_path, unit, model, format):
    """Chains of 512 products."""
    chain = pytest.importorskip("mmaemu.model.chain", reason="mmaemu is not installed")
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(7)
    blocks, depth = 4, 512
    # Every finite magnitude of the format.
    top = {"e4m3": 0x7F, "e5m2": 0x7C}[format]
    a, b = (
        (random.integers(0, top, (blocks, n, depth)) | random.choice([0, 0x80], (blocks, n, depth)))
        .astype("u1") for n in (rows_of(unit), COLUMNS)
    )  # fmt: skip
    start = np.zeros((blocks, rows_of(unit), COLUMNS), "f4")
    found = multiply(unit, model, format, a, b, start, tmp_path)
    for block in range(blocks):
        expected = chain.chain_gemm(torch.from_numpy(a[block]), torch.from_numpy(b[block]),
                                    fmt_a=format, fmt_b=format, preset=model).numpy()  # fmt: skip
        np.testing.assert_array_equal(found[block].view("u4"), expected.view("u4"))

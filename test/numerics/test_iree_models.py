# ===- test_iree_models.py - Exported models agree with their frameworks --===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Models that JAX and PyTorch exported (examples/iree_models.py and
iree_torch_models.py wrote them, inputs and results included) go through
sparse-attn-iree-compile, and stock iree-run-module runs them on the stand-in for the
CUDA driver: every attention ours, all else IREE's, every result the framework's."""

import os
import sys

import numpy as np
import pytest

import programs
from sparse_attn import tools

sys.path.insert(0, str(tools.ROOT / "examples"))
import whole_models  # noqa: E402

FOLDER = programs.INPUTS / "models"
# IREE's kernel that writes into a cache does so from several threads, equal bytes.
SCATTERS = ("torch_llama_step",)
NAMES = sorted(path.stem for path in FOLDER.glob("*.mlir"))


def test_all_models_are_there():
    assert NAMES == ["jax_decoder", "jax_encoder", "jax_vision", "torch_bert", "torch_gpt2_step",
                     "torch_llama_prompt", "torch_llama_step", "torch_vit"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_model_agrees_with_its_framework(name, tmp_path, monkeypatch):
    programs.installation()
    if name == "torch_bert" and "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("IREE's runtime waits for an event that it never made, under ASan's allocator")
    checks = "memory" if name in SCATTERS else "memory,races"
    monkeypatch.setenv("SPARSE_ATTN_EMULATOR_CHECK", checks)
    monkeypatch.setenv("SPARSE_ATTN_EMULATOR_JOBS", "1")
    model = whole_models.Model.read(FOLDER, name)
    found = whole_models.run(model, tmp_path)
    softmaxes = [softmax["status"] for softmax in found["report"]["softmaxes"]]
    assert softmaxes == ["compiled"] * whole_models.LAYERS, found["report"]
    # Layers are equal, so they share a kernel.
    assert found["launches"]["attention_0"] == whole_models.LAYERS, found["launches"]
    assert found["launches"].total() < 100, found["launches"]
    for result, expected in zip(found["results"], model.results, strict=True):
        assert result.shape == expected.shape and np.abs(expected).max() > 0.1
        # Both round to f32 after every operation, in different orders of sums; the
        # kernel's products of three TF32 parts are as exact.
        assert np.abs(result - expected).max() <= 1e-5 * np.abs(expected).max()

# ===- test_iree_exporters.py - Exporters' decompositions in IREE ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""What torch's exporters make of attention, through sparse-attn-iree-compile and
stock iree-run-module on the stand-in for the CUDA driver, beside float64."""

import numpy as np

import programs

SCALE = float(np.float32(0.420448214)) ** 2  # half of it on the query, half on the key


def attention(q, k, v, bias=0.0):
    """In float64; rows of -inf alone give 0."""
    q, k, v = (x.astype("f8") for x in (q, k, v))
    scores = q @ k.swapaxes(2, 3) * SCALE + bias
    with np.errstate(invalid="ignore"):
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
    return np.nan_to_num(weights) @ v


def draw(generator, element, queries, keys):
    return [generator.standard_normal((2, 4, n, 32)).astype(element) for n in (queries, keys, keys)]


def test_reshapes_to_computed_sizes(tmp_path):
    """Lengths are known at run time, and reshapes take them from the inputs."""
    source = programs.INPUTS / "torch" / "sdpa_f16_dyn_decomposed.mlir"
    program = programs.compile_ours(source, tmp_path, "--expect-attention=1")
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    arrays = draw(generator, "f2", 100, 77)
    found, log = programs.run(
        program, "sdpa_f16_dyn", programs.save(arrays, tmp_path), tmp_path)  # fmt: skip
    assert [line.split()[0] for line in log] == ["attention_0"]
    expected = attention(*arrays)
    assert np.abs(found - expected).max() <= 2.0**-10 * np.abs(expected).max() + 2e-4

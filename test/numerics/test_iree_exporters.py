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
import pytest

import programs

LOWEST = float(np.finfo("f4").min)
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


def with_lengths(text, queries, keys):
    """The graph of ONNX with other lengths, in its types and in its shapes."""
    for old, new in (("64,32]", f"{queries},32]"), ("128,32]", f"{keys},32]"),
                     ("32,128]", f"32,{keys}]"), ("64,128]", f"{queries},{keys}]")):  # fmt: skip
        text = text.replace(old, new)
    old, new = (n.to_bytes(8, "little").hex().upper() for n in (128, keys))
    return text.replace(old, new)


@pytest.mark.parametrize("queries, keys", [(64, 128), (50, 77)])
@pytest.mark.parametrize("fill", [LOWEST, -np.inf])
def test_probabilities_that_are_not_numbers_become_zero(fill, queries, keys, tmp_path):
    """ONNX replaces NaN behind the softmax. Where the mask adds the lowest number,
    as exporters write it, there is none, and an empty row is a mean; with -inf it
    is 0 / 0 and becomes 0."""
    text = (programs.INPUTS / "onnx" / "torch_sdpa_f32_boolmask_op18.mlir").read_text()
    text = with_lengths(text, queries, keys)
    bits = np.float32(fill).tobytes().hex().upper()
    assert text.count("FFFF7FFF") == 1
    source = tmp_path / "mask.mlir"
    source.write_text(text.replace("FFFF7FFF", bits))
    program = programs.compile_ours(source, tmp_path, "--expect-attention=1")

    generator = np.random.default_rng(programs.GENERATOR_SEED)
    arrays = draw(generator, "f4", queries, keys)
    mask = generator.random((2, 1, queries, keys)) < 0.6
    mask[0, 0, 5] = mask[1, 0, -1] = False
    flags = programs.save([*arrays, mask], tmp_path)
    found, log = programs.run(program, "main_graph", flags, tmp_path)
    assert [line for line in log if line.startswith("attention_0 ")], log
    expected = attention(*arrays, np.where(mask, 0, fill))
    assert np.abs(expected[0, :, 5]).max() > 0.1 if fill == LOWEST else not expected[0, :, 5].any()
    assert np.abs(found - expected).max() <= 2e-6


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

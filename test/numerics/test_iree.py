# ===- test_iree.py - Our kernels inside programs of IREE -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Graphs go through sparse-attn-iree-compile, and stock iree-run-module runs the
programs on the stand-in for the CUDA driver: beside float64, and beside stock
IREE on the CPU."""

import re

import numpy as np
import pytest

import programs
import selection_reference as reference
from sparse_attn.reference import Problem, dense_attention, error_limit, rounded_attention
from sparse_attn.filters import Filter
from test_cached_lists import draw

CAUSAL = "linalg/torch_sdpa_f16_causal.mlir"


def causal(s, batch, query, key):
    return np.where(key <= query, s, -np.inf)


def band(s, batch, query, key):
    return np.where(abs(query - key) <= 64, s, -np.inf)


def plain(s, batch, query, key):
    return s


# File, function, extents of q, k and v, element, what happens to scores.
GRAPHS = {
    "sdpa_f16_causal": (CAUSAL, [(2, 4, 64, 32)] * 3, "f16", causal),
    "sdpa_f32": ("linalg/torch_sdpa_f32.mlir", [(2, 4, 64, 32)] + [(2, 4, 128, 32)] * 2,
                 "f32", plain),
    # Lengths known at run time only, and no multiples of a tile.
    "sdpa_f16_dyn": ("iree/sdpa_f16_dyn.generic.mlir", [(2, 4, 100, 32)] + [(2, 4, 77, 32)] * 2,
                     "f16", plain),
    # Stock IREE compiles no FlexAttention for CUDA.
    "flex_band_f16": ("iree/flex_band_f16.generic.mlir", [(1, 2, 256, 32)] * 3, "f16", band),
}  # fmt: skip


def arrays(shapes, element):
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    return [generator.standard_normal(shape).astype(f"f{int(element[1:]) // 8}") for shape in shapes]


def limit_and_exact(q, k, v, element, modify):
    problem = Problem(np.float32(q.shape[-1] ** -0.5), modify=modify)
    exact, _ = dense_attention(q, k, v, problem)
    rounded = rounded_attention(q, k, v, problem, Filter.parse("dense"), (64, 64), element)
    return error_limit(rounded, exact, v, element), exact


@pytest.mark.parametrize("name", GRAPHS)
def test_program_agrees_with_float64(name, tmp_path):
    file, shapes, element, modify = GRAPHS[name]
    program = programs.compile_ours(programs.INPUTS / file, tmp_path, "--expect-attention=1")
    q, k, v = arrays(shapes, element)
    found, log = programs.run(program, name, programs.save([q, k, v], tmp_path), tmp_path)
    assert [line for line in log if line.startswith("attention_0 sm_80 ")], log
    limit, exact = limit_and_exact(q, k, v, element, modify)
    assert np.abs(found.astype("f8") - exact).max() <= limit


def test_program_agrees_with_iree_on_the_cpu(tmp_path):
    file, shapes, element, modify = GRAPHS["sdpa_f16_causal"]
    flags = programs.save(arrays(shapes, element), tmp_path)
    ours = programs.compile_ours(programs.INPUTS / file, tmp_path)
    stock = programs.compile_for_cpu(programs.INPUTS / file, tmp_path)
    found, _ = programs.run(ours, "sdpa_f16_causal", flags, tmp_path)
    expected, log = programs.run(stock, "sdpa_f16_causal", flags, tmp_path, "local-task")
    assert not log
    difference = np.abs(found.astype("f8") - expected)
    # IREE rounds scores and weights to f16, the kernel only its operands.
    assert difference.max() <= 32 * 2.0**-11 * np.abs(expected).max()


# Attention is ours; the sum that follows it IREE's.
SUM = """
    func.func @sum(%q: tensor<2x64x32xf32>) -> tensor<2x64x32xf32> {
      %scale = arith.constant SCALE : f32
      %empty = tensor.empty() : tensor<2x64x32xf32>
      %o = iree_linalg_ext.attention <
          indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>,
                           affine_map<(b, m, n, d, k) -> (b, k, d)>,
                           affine_map<(b, m, n, d, k) -> (b, k, n)>,
                           affine_map<(b, m, n, d, k) -> ()>,
                           affine_map<(b, m, n, d, k) -> (b, m, n)>]>
          ins(%q, %q, %q, %scale
              : tensor<2x64x32xf32>, tensor<2x64x32xf32>, tensor<2x64x32xf32>, f32)
          outs(%empty : tensor<2x64x32xf32>) {
        ^bb0(%s: f32):
          iree_linalg_ext.yield %s : f32
      } -> tensor<2x64x32xf32>
      %r = arith.addf %o, %q : tensor<2x64x32xf32>
      return %r : tensor<2x64x32xf32>
    }
"""


def run_sum(program, scale, folder):
    """The names of the kernels that ran; the result must be right."""
    (q,) = arrays([(2, 64, 32)], "f32")
    found, log = programs.run(program, "sum", programs.save([q], folder), folder)
    scores = q.astype("f8") @ q.astype("f8").swapaxes(1, 2) * scale
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    expected = weights / weights.sum(-1, keepdims=True) @ q.astype("f8") + q
    assert np.abs(found - expected).max() <= 1e-5
    return [line.split()[0] for line in log]


def test_kernels_stand_beside_those_of_iree(tmp_path):
    source = tmp_path / "sum.mlir"
    source.write_text(SUM.replace("SCALE", "0.125"))
    program = programs.compile_ours(source, tmp_path, "--expect-attention=1")
    names = run_sum(program, 0.125, tmp_path)
    assert len(names) == 2 and names[0] == "attention_0" and names[1].startswith("sum_"), names


def test_spec_for_stock_iree(tmp_path):
    """One flag of iree-compile puts the kernel in; another scale does not match."""
    iree = programs.installation()
    for scale in ("0.125", "0.25"):
        (tmp_path / f"{scale}.mlir").write_text(SUM.replace("SCALE", scale))
    flags = ["--iree-hal-target-device=cuda", "--iree-cuda-target=sm_80"]
    dump, spec = tmp_path / "dump.mlir", tmp_path / "spec.mlir"
    programs.compiler._call([iree.compiler, tmp_path / "0.125.mlir", *flags,
                             "--compile-to=preprocessing", *programs.compiler.GENERIC,
                             "-o", dump])  # fmt: skip
    programs.tools.call("sparse-attn-compile", dump, "--emit=iree-spec", "--ptxas=none", "-o", spec)
    for scale, ours in (("0.125", True), ("0.25", False)):
        program = tmp_path / f"{scale}.vmfb"
        programs.compiler._call([iree.compiler, tmp_path / f"{scale}.mlir", *flags, "-o", program,
                                 f"--iree-preprocessing-transform-spec-filename={spec}"])  # fmt: skip
        names = run_sum(program, float(scale), tmp_path)
        assert ("attention_0" in names) == ours, names


def test_the_embedded_kernel_makes_the_result(tmp_path):
    """A logarithm in the place of the kernel's exponentials changes it."""
    file, shapes, element, modify = GRAPHS["sdpa_f16_causal"]
    flags = programs.save(arrays(shapes, element), tmp_path)
    program = programs.compile_ours(programs.INPUTS / file, tmp_path)
    right, _ = programs.run(program, "sdpa_f16_causal", flags, tmp_path)
    text = (tmp_path / "2-kernels.mlir").read_text()
    good, bad = (word.encode().hex().upper() for word in ("ex2.approx", "lg2.approx"))
    assert good in text
    planted = tmp_path / "planted.mlir"
    planted.write_text(text.replace(good, bad))
    output = tmp_path / "planted.vmfb"
    programs.compiler._call(
        [programs.installation().compiler, planted, "--compile-from=preprocessing",
         "--iree-hal-target-device=cuda", "--iree-cuda-target=sm_80", "-o", output])  # fmt: skip
    wrong, _ = programs.run(output, "sdpa_f16_causal", flags, tmp_path)
    assert np.isfinite(right).all() and not np.array_equal(right, wrong)


def test_the_device_chooses_the_target(tmp_path):
    file, shapes, element, _ = GRAPHS["sdpa_f16_dyn"]
    program = programs.compile_ours(programs.INPUTS / file, tmp_path, "--target=sm_80,sm_86")
    flags = programs.save(arrays(shapes, element), tmp_path)
    for gpu, target in (("sm_80", "sm_80"), ("sm_86", "sm_86"), ("sm_90", "sm_86")):
        _, log = programs.run(program, "sdpa_f16_dyn", flags, tmp_path, gpu=gpu)
        assert [line for line in log if line.startswith(f"attention_0 {target} ")], (gpu, log)


def test_a_device_older_than_every_target_is_refused(tmp_path):
    file, shapes, element, _ = GRAPHS["sdpa_f16_dyn"]
    program = programs.compile_ours(programs.INPUTS / file, tmp_path, "--target=sm_86")
    flags = programs.save(arrays(shapes, element), tmp_path)
    with pytest.raises(RuntimeError, match="does not support any variant of executable"):
        programs.run(program, "sdpa_f16_dyn", flags, tmp_path, gpu="sm_80")


def test_a_filter_skips_and_changes_the_result(tmp_path):
    file, shapes, element, modify = GRAPHS["sdpa_f16_dyn"]
    q, k, v = arrays([(2, 4, 256, 32)] * 3, element)
    # Keys of the first tile outweigh all others.
    k[:, :, :64] *= 4
    flags = programs.save([4 * q, k, v], tmp_path)
    results, counts = [], []
    for policy in ("dense", "energy:-4"):
        program = programs.compile_ours(programs.INPUTS / file, tmp_path, f"--filter={policy}")
        found, log = programs.run(program, "sdpa_f16_dyn", flags, tmp_path)
        results.append(found)
        counts.append(int(re.search(r"instructions (\d+)", log[0]).group(1)))
    assert not np.array_equal(*results)
    assert counts[1] < counts[0], counts


def test_large_constants_go_to_an_archive(tmp_path):
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    weights = generator.standard_normal((2, 64, 32)).astype("f4")
    source = tmp_path / "weights.mlir"
    source.write_text(f"""
    func.func @f(%q: tensor<2x64x32xf32>, %s: tensor<2xf32>) -> (tensor<2x64x32xf32>, tensor<2xf32>) {{
      %w = arith.constant dense<"0x{weights.tobytes().hex().upper()}"> : tensor<2x64x32xf32>
      %r = arith.addf %q, %w : tensor<2x64x32xf32>
      %b = arith.constant dense_resource<small> : tensor<2xf32>
      %t = arith.addf %s, %b : tensor<2xf32>
      return %r, %t : tensor<2x64x32xf32>, tensor<2xf32>
    }}
    {{-# dialect_resources: {{ builtin: {{ small: "0x040000000000803F00000040" }} }} #-}}""")
    archive = tmp_path / "weights.irpa"
    program = programs.compile_ours(
        source, tmp_path, f"--parameters=model={archive}", "--parameters-minimum=1024")  # fmt: skip
    assert archive.stat().st_size > weights.nbytes
    assert (tmp_path / "1-preprocessed.mlir").stat().st_size < weights.nbytes
    assert program.stat().st_size < weights.nbytes
    q, pair = np.ones((2, 64, 32), "f4"), np.zeros(2, "f4")
    found, _ = programs.run_all(program, "f", programs.save([q, pair], tmp_path), tmp_path, 2,
                                parameters=f"model={archive}")  # fmt: skip
    assert np.array_equal(found[0], q + weights) and np.array_equal(found[1], [1, 2])


@pytest.mark.parametrize("selection", ["top-k:0.4", "recall:0.7"])
def test_selected_blocks(selection, tmp_path):
    """Scores, lists and their certification are dispatches of the program too;
    a token that follows neighbours has its mass in few blocks."""
    rng = np.random.default_rng(4)
    shape, block, scale = (2, 600, 32), 128, 0.125
    q = (np.cumsum(rng.standard_normal(shape), axis=1) / 3).astype(np.float32)
    source = tmp_path / "sum.mlir"
    source.write_text(SUM.replace("SCALE", str(scale)).replace("2x64x32", "2x600x32"))
    program = programs.compile_ours(source, tmp_path, f"--select={selection}")
    found, log = programs.run(program, "sum", programs.save([q], tmp_path), tmp_path)
    names = [re.sub(r"_\d+$", "", line.split()[0]) for line in log]
    assert {"pool_tokens", "block_scores", "select_blocks", "attention"} <= set(names)

    wide = q.astype("f8")
    scores = reference.block_scores(wide, wide, scale, 16, (8, 8), zero_padded=True)
    if selection == "top-k:0.4":
        counts, indices = reference.select_blocks(scores, "top_k", 0.4)
        assert names.count("select_blocks") == 1
    else:
        assert {"sample_tokens", "list_recall", "certify_recall"} <= set(names)
        levels = (0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4)
        rows = draw(512, 0, 600)
        masses = reference.block_scores(wide[:, rows], wide, scale, 1, (1, block))
        lists = [reference.select_blocks(scores, "top_p", level) for level in levels]
        recalls = np.stack([reference.list_recall(masses, rows, *x, block) for x in lists])
        chosen = reference.choose_level(recalls, 0.7, 0.05)
        assert (chosen >= 0).all()
        counts, indices = (
            np.stack([lists[level][part][head] for head, level in enumerate(chosen)])
            for part in (0, 1)
        )
    assert (counts < 5).any()
    listed = reference.listed_blocks(counts, indices)
    seen = np.repeat(np.repeat(listed, block, 1), block, 2)[:, :600, :600]
    products = np.where(seen, scale * wide @ wide.swapaxes(1, 2), -np.inf)
    weights = np.exp(products - products.max(-1, keepdims=True))
    expected = weights / weights.sum(-1, keepdims=True) @ wide + wide
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()

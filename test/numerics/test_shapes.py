# ===- test_shapes.py - Every length, type and layout ----------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Dense and filtered kernels on tails, cross attention, causal attention,
several heads and batches. Buffers end exactly where the tensors do, so that a
read past the end is an error of the emulator, not a poisoned number."""

import numpy as np
import pytest

from harness import CHECKS, check, decision_tile
from inputs import make
from sample import name, sample
from sparse_attn import tools
from sparse_attn.filters import Filter
from sparse_attn.modules import Attention

# (element type, precision, output type)
TYPES = [
    ("f16", None, "f16"),
    ("f16", None, "f32"),
    ("bf16", None, "bf16"),
    ("f32", "tf32x3", "f32"),
    ("f32", "tf32", "f32"),
    ("f32", "bf16", "f32"),
]
DEPTHS = [32, 64, 128]
# Lengths relative to the tile: 1, B-1, B, B+1, 2B-1.
LENGTHS = ["1", "B-1", "B", "B+1", "2B-1"]
MASKS = ["full", "causal"]


def length(text: str, block: int) -> int:
    return {"1": 1, "B-1": block - 1, "B": block, "B+1": block + 1, "2B-1": 2 * block - 1}[text]


# (head_dim, value head_dim): multiples of 8, of 4 for f32, equal and not.
HEAD_DIMS = [(8, 8), (16, 24), (40, 40), (72, 72), (80, 96), (64, 128), (192, 128), (160, 8), (256, 256)]  # fmt: skip
F32_HEAD_DIMS = [(4, 12), (20, 20), (100, 36), (132, 64), (64, 256)]


def typed(rows, keys, depth, types, **options) -> Attention:
    element, precision, output = types
    return Attention(
        rows, keys, depth, element=element, precision=precision, output=output, **options
    )


@pytest.mark.parametrize(
    "case", sample(36, LENGTHS, LENGTHS, DEPTHS, TYPES, MASKS, seed=3), ids=name
)
def test_lengths(compiler, case):
    rows, keys, depth, types, mask = case
    causal = 0 if mask == "causal" else None
    rule = Filter.parse("recall:0.95")
    probe = typed(1, 1, depth, types, dynamic=True, rule=rule, causal=causal)
    tile_rows, tile_keys = decision_tile(compiler.package(probe))
    spec = typed(
        length(rows, tile_rows), length(keys, tile_keys), depth, types,
        dynamic=True, rule=rule, causal=causal,
    )  # fmt: skip
    check(compiler, spec, make(spec, "random", seed=hash_of(case)))


def hash_of(case) -> int:
    """A seed that does not change from run to run."""
    return sum(ord(letter) for letter in name(case))


@pytest.mark.parametrize("case", sample(6, DEPTHS, TYPES, seed=5), ids=name)
def test_static_shapes(compiler, case):
    depth, types = case
    spec = typed(130, 200, depth, types, batch=(2,))
    check(compiler, spec, make(spec, "random", seed=2))


@pytest.mark.parametrize("rule", ["dense", "recall:0.9"])
@pytest.mark.parametrize(
    "case",
    sample(11, HEAD_DIMS, TYPES, MASKS, seed=6) + sample(6, F32_HEAD_DIMS, TYPES[3:], MASKS, seed=7),
    ids=name,
)
def test_head_dims(compiler, case, rule):
    (depth, width), types, mask = case
    causal = 10 if mask == "causal" else None
    spec = typed(50, 75, depth, types, width=width, causal=causal, batch=(2,),
                 rule=Filter.parse(rule))  # fmt: skip
    check(compiler, spec, make(spec, "random", seed=9))


@pytest.mark.parametrize("rule", ["dense", "recall:0.9"])
@pytest.mark.parametrize(
    "options",
    [{}, dict(dynamic=True), dict(causal=0), dict(causal=0, dynamic=True), dict(mask="i1")],
    ids=["full", "dynamic", "causal", "causal-dynamic", "mask"],
)
def test_no_keys(compiler, rule, options):
    """Nothing to see: output 0 and log-sum-exp -inf."""
    spec = Attention(5, 0, 32, (2,), rule=Filter.parse(rule), results=("log_sum_exp",), **options)
    arrays = compiler.run(spec, make(spec, "random", seed=1)).arrays
    assert arrays["output"].shape == (2, 5, 32) and not arrays["output"].any()
    assert np.all(np.isneginf(arrays["log_sum_exp"]))
    assert arrays["tile_counts"].sum() == 0


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("rows,keys,batch", [(0, 9, (2,)), (0, 0, (2,)), (3, 9, (0, 2))])
def test_no_queries(compiler, dynamic, rows, keys, batch):
    spec = Attention(rows, keys, 32, batch, dynamic=dynamic, rule=Filter.parse("recall:0.9"))
    run = compiler.run(spec, make(spec, "random", seed=1))
    assert run.arrays["output"].shape == (*batch, rows, 32)
    assert run.stats["launches"] == 0


# Each length is read once, from the first input that has it.
DYNAMIC = """
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#s = affine_map<(b, m, n, d, k) -> (b, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
!t = tensor<?x?x32xf32>
!s = tensor<?x?xf32>
func.func @main(%q: !t, %k: !t, %v: !t, %mask: !s, %o: !t) -> !t {
  %r = sparse_attn.attention ins(%q, %k, %v : !t, !t, !t) mask(%mask : !s) outs(%o : !t)
      {indexing_maps = [#q, #k, #v, #s, #o], scale = 1.0 : f64} -> !t
  return %r : !t
}
"""


@pytest.fixture(scope="module")
def all_dynamic(tmp_path_factory):
    return tools.compile_text(DYNAMIC, tmp_path_factory.mktemp("dynamic") / "p", "--ptxas=none")


def run_all_dynamic(package, query, key, value, mask):
    shapes = dict(query=(*query, 32), key=(*key, 32), value=(*value, 32), mask=mask)
    arrays = {x: np.zeros(shape, np.float32) for x, shape in shapes.items()}
    return tools.run(package, arrays, *CHECKS)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (0, 4, 5), (2, 0, 5), (2, 4, 0), (0, 0, 0)], ids=name)
def test_dynamic_sizes(all_dynamic, sizes):
    batch, rows, keys = sizes
    run = run_all_dynamic(all_dynamic, (batch, rows), (batch, keys), (batch, keys), (batch, keys))
    assert run.arrays["output"].shape == (batch, rows, 32) and not run.arrays["output"].any()
    assert run.stats["launches"] == (batch * rows > 0)


@pytest.mark.parametrize(
    "shapes,message",
    [
        (((2, 4), (3, 5), (2, 5), (2, 5)), r"'key': expected 2 in dimension 0 .* \[3, 5, 32\]"),
        (((2, 4), (2, 5), (2, 6), (2, 5)), r"'value': expected 5 in dimension 1 .* \[2, 6, 32\]"),
        (((2, 4), (2, 5), (2, 0), (2, 5)), r"'value': expected 5 in dimension 1 .* \[2, 0, 32\]"),
        (((2, 4), (2, 5), (2, 5), (3, 5)), r"'mask': expected 2 in dimension 0 .* \[3, 5\]"),
        (((2, 4), (2, 5), (2, 5), (2, 7)), r"'mask': expected 5 in dimension 1 .* \[2, 7\]"),
    ],
)
def test_lengths_that_disagree(all_dynamic, shapes, message):
    with pytest.raises(tools.ToolError, match=message):
        run_all_dynamic(all_dynamic, *shapes)


@pytest.mark.parametrize(
    "options",
    [
        dict(batch=(2, 3)),
        dict(batch=(1, 5), dynamic=True),
        dict(batch=(2, 3), rows_first=True),
        dict(batch=(1, 4), shared=2),
        dict(batch=(2, 3), causal=0),
    ],
    ids=["heads", "heads-dynamic", "rows-first", "shared-heads", "heads-causal"],
)
@pytest.mark.parametrize("rule", ["dense", "energy:-2"])
def test_batches(compiler, options, rule):
    spec = Attention(70, 150, 64, rule=Filter.parse(rule), **options)
    check(compiler, spec, make(spec, "tiles", seed=4))


@pytest.mark.parametrize("rows,keys", [(100, 300), (300, 100)])
@pytest.mark.parametrize("causal", [0, 37, -9])
def test_causal_cross_attention(compiler, rows, keys, causal):
    # With a negative offset the first rows see no key at all: they give 0.
    spec = Attention(rows, keys, 32, causal=causal)
    verdict = check(compiler, spec, make(spec, "random", seed=6))
    assert verdict.visited < -(-rows // 64) * -(-keys // 16)


@pytest.mark.parametrize("element", ["f16", "f32"])
def test_log_sum_exp(compiler, element):
    spec = Attention(150, 200, 64, (2,), element=element, results=("log_sum_exp",), causal=-3)
    check(compiler, spec, make(spec, "random", seed=7))


@pytest.mark.parametrize("mask", ["i1", "f16"])
def test_masks(compiler, mask):
    spec = Attention(130, 150, 64, mask=mask)
    check(compiler, spec, make(spec, "random", seed=8))

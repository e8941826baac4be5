# ===- test_block_selection.py - From scores to lists to recall ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The operations around attention, as linalg on the CPU and as PTX on the
emulator, against float64."""

import numpy as np
import pytest

import selection_reference as reference
from sparse_attn import tools
from test_linalg import execute

CHECKS = ("--jobs=1", "--check=races")


def tensor(array) -> str:
    names = {"float16": "f16", "float32": "f32", "int32": "i32"}
    dims = "".join(f"{size}x" for size in array.shape)
    return f"tensor<{dims}{names[array.dtype.name]}>"


def module(op: str, inputs: dict, outputs: dict) -> str:
    """@main with `op`, whose operands are %name; outputs as %name_init."""
    arguments = ", ".join(f"%{n}: {tensor(a)}" for n, a in inputs.items())
    types = ", ".join(tensor(a) for a in outputs.values())
    inits = "\n".join(f"  %{n}_init = tensor.empty() : {tensor(a)}" for n, a in outputs.items())
    results = ", ".join(f"%{n}" for n in outputs)
    return f"""
func.func @main({arguments}) -> ({types}) {{
{inits}
  {results} = {op}
  return {results} : {types}
}}
"""


def run_both(op: str, inputs: dict, outputs: dict, folder, names: dict, **more) -> list:
    """The results on the CPU and on the emulator; `names` are those of the
    kernel's arguments where they differ."""
    text = more.get("preamble", "") + module(op, inputs, outputs)
    cpu = execute(text, list(inputs.values()), len(outputs), folder)
    package = tools.compile_text(text, folder / "package", "--ptxas=none")
    arrays = {names.get(n, n): a for n, a in inputs.items()}
    run = tools.run(package, arrays, *CHECKS)
    ptx = [run.arrays[names.get(n, n)] for n in outputs]
    for a, b, wanted in zip(cpu, ptx, outputs.values()):
        assert a.shape == b.shape == wanted.shape
    return [cpu, ptx]


def structured(rng, *shape, width=1.0):
    """Tokens that drift slowly and share directions, as those of videos do."""
    steps = rng.normal(size=shape)
    return (0.4 * np.cumsum(steps, axis=-2) / np.sqrt(4) + 0.7 * steps) * width


# --- Pooling --------------------------------------------------------------- #


@pytest.mark.parametrize("element", [np.float16, np.float32])
@pytest.mark.parametrize("shape,dim", [((2, 70, 40), 1), ((33, 3, 16), 0), ((1, 2, 16, 8), 2)])
@pytest.mark.parametrize("kind", ["", "variance", "zero_padded"])
def test_pool(element, shape, dim, kind, tmp_path):
    rng = np.random.default_rng(3)
    x = (2 + rng.normal(size=shape)).astype(element)
    moved = np.moveaxis(x.astype(np.float64), dim, -2)
    mean, variance = reference.pool_tokens(moved, 16, valid=kind != "zero_padded")
    wanted = np.moveaxis(variance if kind == "variance" else mean, -2, dim)
    out = np.empty(wanted.shape, np.float32)
    attributes = f"dim = {dim}, tile = 16" + (f", {kind}" if kind else "")
    op = f"""sparse_attn.pool_tokens ins(%source : {tensor(x)}) outs(%output_init : {tensor(out)})
      {{{attributes}}}"""
    for (found,) in run_both(op, {"source": x}, {"output": out}, tmp_path, {}):
        np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=2e-6)


# --- Scores ---------------------------------------------------------------- #

MAPS = {
    # query, key and result over (b, h, g, m, d, k)
    "bhsd": ("(b, h, m, d, k) -> (b, h, m, d)", "(b, h, m, d, k) -> (b, h, k, d)", "(b, h, m, d, k) -> (b, h, m, k)"),
    "bshd": ("(b, h, m, d, k) -> (b, m, h, d)", "(b, h, m, d, k) -> (b, k, h, d)", "(b, h, m, d, k) -> (b, h, m, k)"),
    "grouped": ("(h, g, m, d, k) -> (h, g, m, d)", "(h, g, m, d, k) -> (h, k, d)", "(h, g, m, d, k) -> (h, g, m, k)"),
}


def scores_case(layout, queries, keys, depth, element):
    """Query and key as the maps have them, and as the reference wants them."""
    rng = np.random.default_rng(queries + keys)
    if layout == "grouped":
        q, k = structured(rng, 2, 3, queries, depth), structured(rng, 2, keys, depth)
        q, k = q.astype(element), k.astype(element)
        return q, k, q, k[:, None]
    q = structured(rng, 1, 2, queries, depth).astype(element)
    k = structured(rng, 1, 2, keys, depth).astype(element)
    if layout == "bshd":
        return q.swapaxes(1, 2).copy(), k.swapaxes(1, 2).copy(), q, k
    return q, k, q, k


def scores_op(name, layout, operands, out, attributes):
    maps = ", ".join(f"#{x}" for x in "qks")
    types = ", ".join(tensor(x) for x in operands.values())
    names = ", ".join(f"%{x}" for x in operands)
    return f"""sparse_attn.{name} ins({names} : {types}) outs(%output_init : {tensor(out)})
      {{indexing_maps = [{maps}], {attributes}}}"""


def preamble(layout):
    return "".join(f"#{n} = affine_map<{m}>\n" for n, m in zip("qks", MAPS[layout]))


@pytest.mark.parametrize("layout", MAPS)
@pytest.mark.parametrize(
    "queries,keys,depth,element,block,padded",
    [
        (70, 150, 16, np.float32, (8, 8), True),
        (70, 150, 64, np.float16, (8, 8), False),
        (33, 300, 32, np.float16, (1, 128), False),
        (9, 70, 128, np.float32, (1, 64), False),
        (130, 64, 64, np.float32, (8, 16), True),
        # Several blocks share the eight columns of a fragment.
        (71, 150, 32, np.float16, (4, 4), True),
        (67, 90, 16, np.float32, (2, 2), False),
        (40, 130, 64, np.float16, (1, 4), False),
    ],
)
def test_scores(layout, queries, keys, depth, element, block, padded, tmp_path):
    q, k, rq, rk = scores_case(layout, queries, keys, depth, element)
    scale = depth**-0.5
    wanted = reference.block_scores(
        rq.astype(np.float64), rk.astype(np.float64), scale, 1, block, padded
    )
    out = np.empty(wanted.shape, np.float32)
    attributes = f"scale = {scale!r} : f64, block = array<i64: {block[0]}, {block[1]}>"
    attributes += ", zero_padded" if padded else ""
    inputs = {"query": q, "key": k}
    op = scores_op("block_scores", layout, inputs, out, attributes)
    results = run_both(op, inputs, {"output": out}, tmp_path, {}, preamble=preamble(layout))
    for (found,) in results:
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-5)


def test_pooled_scores_are_three_kernels(tmp_path):
    """DFSAttn's scores: pooled by 16, blocks of 64, padded with zeros."""
    q, k, rq, rk = scores_case("bhsd", 200, 300, 32, np.float16)
    wanted = reference.block_scores(
        rq.astype(np.float64), rk.astype(np.float64), 0.25, 16, (4, 4), True
    )
    out = np.empty(wanted.shape, np.float32)
    attributes = "scale = 0.25 : f64, tile = 16, block = array<i64: 64, 64>, zero_padded"
    op = scores_op("block_scores", "bhsd", {"query": q, "key": k}, out, attributes)
    text = preamble("bhsd") + module(op, {"query": q, "key": k}, {"output": out})
    (cpu,) = execute(text, [q, k], 1, tmp_path)
    np.testing.assert_allclose(cpu, wanted, rtol=2e-5, atol=1e-6)

    package = tools.compile_text(text, tmp_path / "package", "--ptxas=none")
    assert sorted(x["operation"] for x in package.manifest["kernels"]) == [
        "block_scores",
        "pool_tokens",
        "pool_tokens",
    ]
    pools = [x for x in package.manifest["kernels"] if x["operation"] == "pool_tokens"]
    pooled = {}
    for pool in pools:
        source = q if pool["arguments"][0]["shape"] == list(q.shape) else k
        run = tools.run(package, {"source": source}, *CHECKS, name=pool["name"])
        pooled["query" if source is q else "key"] = run.arrays["output"]
    found = tools.run(package, pooled, *CHECKS, name="block_scores_0").arrays["output"]
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("layout", MAPS)
def test_gaussian_scores(layout, tmp_path):
    q, k, rq, rk = scores_case(layout, 300, 500, 40, np.float32)
    q, k, rq, rk = (0.5 * x for x in (q, k, rq, rk))
    block, scale = 64, 40**-0.5
    wanted = reference.gaussian_scores(rq.astype(float), rk.astype(float), scale, block)
    axes = {"bhsd": (2, 2), "bshd": (1, 1), "grouped": (2, 1)}[layout]

    def moments(x, axis):
        pair = reference.pool_tokens(np.moveaxis(x.astype(float), axis, -2), block, valid=True)
        return [np.moveaxis(y, -2, axis).astype(np.float32) for y in pair]

    qm, qv = moments(q, axes[0])
    km, kv = moments(k, axes[1])
    inputs = {"query_mean": qm, "query_variance": qv, "key_mean": km, "key_variance": kv}
    out = np.empty(wanted.shape, np.float32)
    attributes = f"scale = {scale!r} : f64, keys = 500, block_keys = {block}"
    op = scores_op("gaussian_scores", layout, inputs, out, attributes)
    results = run_both(op, inputs, {"output": out}, tmp_path, {}, preamble=preamble(layout))
    for (found,) in results:
        np.testing.assert_allclose(found, wanted, rtol=3e-4, atol=1e-6)
        np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-5)


# --- Selection ------------------------------------------------------------- #

SELECTIONS = [
    ("top_k", 0.3),
    ("top_k", 0.01),
    ("top_k", 1.0),
    ("top_p", 0.9),
    ("top_p", 0.237),
    ("cutoff", 0.1),
    ("cutoff", 1e9),
]


def scores_of(kind, shape, rng):
    x = rng.exponential(size=shape).astype(np.float32)
    if kind == "ties":  # half of them equal
        x = np.round(x).astype(np.float32)
    if kind == "odd":
        x[0, 0, 0], x[0, 1, 1], x[1, 0, :] = np.nan, np.inf, 0
    return x


@pytest.mark.parametrize("rule", SELECTIONS, ids=lambda r: f"{r[0]}-{r[1]:g}")
@pytest.mark.parametrize("order", ["index", "score"])
@pytest.mark.parametrize("kind", ["ties", "plain"])
@pytest.mark.parametrize("extra", ["", "text", "runtime"])
def test_selection(rule, order, kind, extra, tmp_path):
    rng = np.random.default_rng(7)
    scores = scores_of(kind, (2, 5, 70), rng)
    name, value = rule
    options, attributes, number, inputs = {}, "", f"{value!r}", {"scores": scores}
    if extra == "text":
        options = dict(forced_from=67, dense_from=4)
        attributes = ", forced_from = 67, dense_from = 4"
    if extra == "runtime":  # one number for each entry of the batch
        value = np.array([value, min(1.0, value * 0.5)], np.float32)
        inputs["value"], number = value, "runtime"
        value = value.astype(float)
    if order == "score":
        attributes += ", by_score"
    counts = np.empty((2, 5), np.int32)
    indices = np.empty(scores.shape, np.int32)
    given = f"value(%value : {tensor(inputs['value'])})" if extra == "runtime" else ""
    op = f"""sparse_attn.select_blocks ins(%scores : {tensor(scores)}) {given}
      outs(%block_counts_init, %block_indices_init : {tensor(counts)}, {tensor(indices)})
      {{selection = #sparse_attn.{name}<{number}>{attributes}}}
      -> {tensor(counts)}, {tensor(indices)}"""
    outputs = {"block_counts": counts, "block_indices": indices}
    wanted = reference.select_blocks(scores, name, value, order=order, **options)
    for found in run_both(op, inputs, outputs, tmp_path, {}):
        for a, b in zip(found, wanted):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("rule", [("top_k", 0.3), ("top_p", 0.5), ("cutoff", 0.2)], ids=str)
def test_rows_that_are_not_finite_keep_everything(rule, tmp_path):
    """One token that is no number must not hide keys from its neighbours. A row
    of zeros keeps one block, of shares, and the rows beside are as ever."""
    scores = scores_of("odd", (2, 3, 40), np.random.default_rng(1))
    outputs = {
        "block_counts": np.empty((2, 3), np.int32),
        "block_indices": np.empty(scores.shape, np.int32),
    }
    op = f"""sparse_attn.select_blocks ins(%scores : {tensor(scores)})
      outs(%block_counts_init, %block_indices_init : tensor<2x3xi32>, tensor<2x3x40xi32>)
      {{selection = #sparse_attn.{rule[0]}<{rule[1]}>}}
      -> tensor<2x3xi32>, tensor<2x3x40xi32>"""
    usual = reference.select_blocks(np.nan_to_num(scores, posinf=9), *rule)
    for counts, indices in run_both(op, {"scores": scores}, outputs, tmp_path, {}):
        for row in [(0, 0), (0, 1)]:
            assert counts[row] == 40 and (indices[row] == np.arange(40)).all()
        for row in [(0, 2), (1, 0), (1, 1), (1, 2)]:
            assert counts[row] == usual[0][row]
            np.testing.assert_array_equal(indices[row], usual[1][row])


def test_runtime_ratios_may_be_anything(tmp_path):
    """No number and less than nothing keep one block, more than all keep all."""
    scores = scores_of("plain", (4, 3, 40), np.random.default_rng(2))
    value = np.array([np.nan, -1, 7, np.inf], np.float32)
    outputs = {
        "block_counts": np.empty((4, 3), np.int32),
        "block_indices": np.empty(scores.shape, np.int32),
    }
    op = f"""sparse_attn.select_blocks ins(%scores : {tensor(scores)}) value(%value : tensor<4xf32>)
      outs(%block_counts_init, %block_indices_init : tensor<4x3xi32>, tensor<4x3x40xi32>)
      {{selection = #sparse_attn.top_k<runtime>}} -> tensor<4x3xi32>, tensor<4x3x40xi32>"""
    inputs = {"scores": scores, "value": value}
    for counts, indices in run_both(op, inputs, outputs, tmp_path, {}):
        assert (counts.T == [1, 1, 40, 40]).all()
        assert (indices[0, :, 0] == scores[0].argmax(-1)).all()
        assert (indices[2] == np.arange(40)).all()


# --- Recall ---------------------------------------------------------------- #


@pytest.mark.parametrize("element", [np.float16, np.float32])
@pytest.mark.parametrize("dim", [0, 1])
def test_sample(element, dim, tmp_path):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 20, 34)).astype(element)
    rows = np.array([0, 7, 7, 19, 3, -1, 99], np.int32)
    wanted = np.take(x, np.clip(rows, 0, x.shape[dim] - 1), axis=dim)
    op = f"""sparse_attn.sample_tokens ins(%source, %rows : {tensor(x)}, {tensor(rows)})
      outs(%output_init : {tensor(wanted)}) {{dim = {dim}}}"""
    inputs = {"source": x, "rows": rows}
    for (found,) in run_both(op, inputs, {"output": wanted}, tmp_path, {}):
        np.testing.assert_array_equal(found, wanted)


def test_list_recall(tmp_path):
    rng = np.random.default_rng(5)
    masses = rng.dirichlet(np.full(37, 0.3), size=(2, 50)).astype(np.float32)
    rows = rng.integers(0, 300, 50).astype(np.int32)
    scores = rng.exponential(size=(2, 5, 37)).astype(np.float32)
    counts, indices = reference.select_blocks(scores, "top_p", 0.6, order="score")
    indices[0, 0, 0] = 99  # names no block
    wanted = reference.list_recall(masses.astype(float), rows, counts, np.where(indices < 37, indices, -1), 64)
    out = np.empty(wanted.shape, np.float32)
    inputs = {"masses": masses, "rows": rows, "block_counts": counts, "block_indices": indices}
    types = ", ".join(tensor(x) for x in inputs.values())
    op = f"""sparse_attn.list_recall
      ins(%masses, %rows, %block_counts, %block_indices : {types})
      outs(%output_init : {tensor(out)}) {{block_rows = 64}}"""
    for (found,) in run_both(op, inputs, {"output": out}, tmp_path, {}):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("confidence", [0.95, 0.5])
def test_certification(confidence, tmp_path):
    rng = np.random.default_rng(6)
    recalls = 1 - rng.exponential(0.05, size=(3, 2, 256)).clip(0, 1)
    recalls[2, 1] = 0.01  # nothing to certify
    recalls = recalls.astype(np.float32)
    wanted = reference.empirical_bernstein(recalls.astype(float), 1 - confidence)
    out = np.empty((3, 2), np.float32)
    op = f"""sparse_attn.certify_recall ins(%recalls : {tensor(recalls)})
      outs(%output_init : {tensor(out)}) {{confidence = {confidence} : f64}}"""
    for (found,) in run_both(op, {"recalls": recalls}, {"output": out}, tmp_path, {}):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)

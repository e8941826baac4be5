# ===- test_split_keys.py - Shares of the keys, and their merge ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Few queries on long keys: a kernel attends each share of the keys, another
one merges the shares. Each share is judged as an attention of its own, the
merge by the merge in float64, the whole by dense attention."""

import dataclasses

import numpy as np
import pytest

from harness import CHECKS, Judge, batch_first, dense_reference, merge_heads, packs_heads
from inputs import make
from sparse_attn import tools
from sparse_attn.filters import Filter
from sparse_attn.modules import Attention, print_module
from test_features import alibi, softcap
from test_linalg import execute

KEYS = 1100  # two shares, the second one is ragged
OPTIONS = {
    "one query": dict(rows=1, batch=(2,)),
    "few queries": dict(rows=3, batch=(2,), element="bf16"),
    "f32": dict(rows=2, batch=(2,), element="f32"),
    "causal": dict(rows=2, batch=(2,), causal=800),
    "later share hidden": dict(rows=2, batch=(2,), causal=300),
    "rows see nothing": dict(rows=4, batch=(2,), causal=-2),
    "mask": dict(rows=2, batch=(2,), mask="i1"),
    "bias": dict(rows=2, batch=(2,), mask="f16"),
    "region": dict(rows=2, batch=(2,), score=softcap),
    "packed heads": dict(rows=1, batch=(1, 8), shared=4),
    "rows first": dict(rows=2, batch=(1, 2), rows_first=True),
    "log_sum_exp": dict(rows=2, batch=(2,), results=("log_sum_exp",)),
}


def run_both(package, inputs: dict):
    """The run of the shares and the run of the merge."""
    first, second = sorted(k["name"] for k in package.manifest["kernels"])
    part = tools.run(package, inputs, *CHECKS, name=first)
    shapes = {a["name"]: a["shape"] for a in package.kernel(second)["arguments"]}
    merge_inputs = {x: np.zeros(shapes[x], np.float32) for x in ("query", "key")}
    merge_inputs |= {"value": part.arrays["output"], "mask": part.arrays["log_sum_exp"]}
    return part, tools.run(package, merge_inputs, *CHECKS, name=second)


def judge_share(spec, arrays, part, kernel, first: int, count: int, index: int) -> None:
    axis = -3 if spec.rows_first else -2
    keys = slice(first, first + count)
    mine = dict(arrays)
    for x in "kv":
        mine[x] = arrays[x][..., keys, :, :] if axis == -3 else arrays[x][..., keys, :]
    if "mask" in arrays:
        mine["mask"] = arrays["mask"][..., keys]
    causal = None if spec.causal is None else spec.causal - first
    one = dataclasses.replace(spec, keys=count, causal=causal, output="f32")
    axes = {"output": -2, "log_sum_exp": -1, "recall_bound": -1, "tile_counts": -3}
    found = {x: np.take(a, index, axis=axes[x]) for x, a in part.arrays.items()}
    packed = packs_heads(spec, kernel)
    Judge(one, mine, tools.Run(found, {}), kernel["decision_tile"], packed).judge()


def merged(output: np.ndarray, lse: np.ndarray):
    output, lse = output.astype(np.float64), lse.astype(np.float64)
    top = lse.max(axis=-1, keepdims=True)
    weights = np.exp(lse - np.where(np.isfinite(top), top, 0.0))
    total = weights.sum(axis=-1, keepdims=True)
    shares = weights / np.where(total > 0, total, 1.0)
    with np.errstate(divide="ignore"):
        return (shares[..., None] * output).sum(axis=-2), top[..., 0] + np.log(total[..., 0])


@pytest.mark.parametrize("rule", ["dense", "energy:-3", "recall:0.9"])
@pytest.mark.parametrize("case", OPTIONS)
def test_split(compiler, case, rule):
    options = dict(OPTIONS[case])
    spec = Attention(options.pop("rows"), KEYS, 32, rule=Filter.parse(rule), **options)
    arrays = make(spec, "tiles", seed=18)
    package = compiler.package(spec)
    inputs = {"query": arrays["q"], "key": arrays["k"], "value": arrays["v"]}
    if "mask" in arrays:
        inputs["mask"] = arrays["mask"]
    part, merge = run_both(package, inputs)

    kernel = package.kernel("attention_0")
    count = part.arrays["output"].shape[-2]
    share = -(-KEYS // count // 128) * 128
    assert count == 2 and kernel["grid"]["z"] == {"form": "constant", "value": 2}
    if case != "region":  # whose indices would count from the share's first key
        for index in range(count):
            first = index * share
            judge_share(spec, arrays, part, kernel, first, min(share, KEYS - first), index)
    if rule != "dense":
        assert part.arrays["tile_counts"][..., 1].sum() > 0 or "see" in case

    expected, lse = merged(part.arrays["output"], part.arrays["log_sum_exp"])
    found = merge.arrays["output"][..., 0, :]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    if "log_sum_exp" in merge.arrays:
        np.testing.assert_allclose(merge.arrays["log_sum_exp"][..., 0], lse, rtol=1e-5)

    # The guarantee of the whole: the kept share of the mass, from the shares'.
    dense = dense_reference(spec, arrays)
    order = merge_heads(spec, batch_first(spec, found, spec.query_batch))
    size = np.abs(arrays["v"]).max()
    error = np.abs(order - dense).max(axis=-1)
    recall = 1.0
    if rule == "recall:0.9":
        recall = 0.9
    if rule != "energy:-3":
        slack = {"f16": 4e-3, "bf16": 3e-2, "f32": 1e-4}[spec.element]
        assert np.all(error <= 2 * (1 - recall) * size + slack * size)


@pytest.mark.parametrize(
    "options",
    [
        dict(rows=1, keys=1000, batch=(2,)),  # one share only
        dict(rows=65, keys=KEYS, batch=(2,)),
        dict(rows=1, keys=KEYS, batch=(200,)),  # blocks enough
        dict(rows=1, keys=KEYS, batch=(2,), decision_tile=(64, 64)),
        dict(rows=1, keys=KEYS, batch=(2,), dynamic=True),
    ],
    ids=["short keys", "queries", "batch", "tile", "dynamic"],
)
def test_whole(compiler, options):
    spec = Attention(options.pop("rows"), options.pop("keys"), 32,
                     rule=Filter.parse("recall:0.9"), **options)  # fmt: skip
    assert len(compiler.package(spec).manifest["kernels"]) == 1


@pytest.mark.parametrize("options", [dict(), dict(causal=100), dict(score=alibi), dict(mask="i1"),
                                     dict(rows_first=True), dict(element="f16")],
                         ids=["plain", "causal", "alibi", "mask", "rows first", "f16"])  # fmt: skip
def test_graph(options, tmp_path):
    """The split graph computes what the whole one does, on the CPU."""
    options = dict(element="f32") | options
    spec = Attention(5, 300, 16, (1, 2), results=("log_sum_exp",), **options)
    arrays = make(spec, "random", seed=19)
    inputs = [arrays[x] for x in ("q", "k", "v", "mask") if x in arrays]
    text = print_module(spec)
    split = tools.call("sparse-attn-opt", "--sparse-attn-split-keys=keys=128", text=text)
    assert split.count("sparse_attn.attention ins") == 2 and "x3x16xf32>" in split
    whole = execute(text, inputs, 2, tmp_path)
    for one, other in zip(whole, execute(split, inputs, 2, tmp_path)):
        tolerance = 1e-5 if spec.element == "f32" else 2e-3
        np.testing.assert_allclose(one.astype(np.float64), other, atol=tolerance, rtol=tolerance)


ANY = 4999  # in texts, where the number of keys is dynamic


def boundaries(keys: int, count: int) -> np.ndarray:
    """Where each of `count` shares begins, and where the last ends."""
    share = -(-max(-(-keys // count), 512) // 128) * 128
    return share * np.arange(count + 1, dtype=np.int64)


@pytest.fixture(scope="module")
def cache_packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")

    def compiled(rule: str, masked: bool):
        spec = Attention(1, ANY, 32, (1, 8), shared=4, rule=Filter.parse(rule),
                         mask="i1" if masked else None)  # fmt: skip
        path = folder / f"{rule.split(':')[0]}_{masked}"
        if not path.exists():
            text = print_module(spec).replace(str(ANY), "?")
            tools.compile_text(text, path, "--expect-attention=1", "--ptxas=none")
        return spec, tools.Package(path, {})

    return compiled


@pytest.mark.parametrize("rule,masked", [("dense", False), ("recall:0.9", False), ("dense", True)])
@pytest.mark.parametrize("keys", [0, 1, 77, 512, 513, 1100, 3000])
def test_cache_that_grows(cache_packages, keys, rule, masked):
    """One package for every length: packed heads, shares that may be empty."""
    spec, package = cache_packages(rule, masked)
    spec = dataclasses.replace(spec, keys=keys)
    arrays = make(spec, "tiles", seed=20)
    kernel = package.kernel("attention_0")
    count = kernel["grid"]["z"]["value"]
    assert count == 108 and packs_heads(spec, kernel)
    inputs = {"query": arrays["q"], "key": arrays["k"], "value": arrays["v"]}
    if masked:
        inputs["mask"] = arrays["mask"]
    part, merge = run_both(package, inputs | {"captured_0": boundaries(keys, count)})
    used = np.isfinite(part.arrays["log_sum_exp"]).any(axis=(0, 1, 2, 3))
    assert used.sum() <= -(-keys // 512)
    visited = part.arrays["tile_counts"][..., 0].sum(axis=tuple(range(part.arrays["tile_counts"].ndim - 1)))
    assert visited == 2 * -(-keys // kernel["decision_tile"][1])  # of each key head

    found = merge.arrays["output"][..., 0, :]
    order = merge_heads(spec, batch_first(spec, found, spec.query_batch))
    error = np.abs(order - dense_reference(spec, arrays)).max(axis=-1, initial=0.0)
    size = np.abs(arrays["v"]).max(initial=0.0)
    recall = 0.9 if rule == "recall:0.9" else 1.0
    assert np.all(error <= (2 * (1 - recall) + 4e-3) * size)


@pytest.mark.parametrize("keys", [5, 600, 1500])
def test_graph_of_any_length(keys, tmp_path):
    """The graph computes where shares begin."""
    spec = Attention(2, ANY, 16, (1, 20), element="f32", causal=300)
    text = print_module(spec).replace(str(ANY), "?")
    split = tools.call("sparse-attn-opt", "--sparse-attn-split-keys", text=text)
    assert split.count("sparse_attn.attention ins") == 2 and "tensor<11xi64>" in split
    arrays = make(dataclasses.replace(spec, keys=keys), "random", seed=21)
    inputs = [arrays[x] for x in "qkv"]
    (whole,) = execute(text, inputs, 1, tmp_path)
    (parts,) = execute(split, inputs, 1, tmp_path)
    np.testing.assert_allclose(parts, whole, atol=1e-5, rtol=1e-5)


LISTED = """
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
!q = tensor<2x20x32xf32>
!k = tensor<2x1000x32xf32>
func.func @main(%q: !q, %k: !k, %v: !k, %c: tensor<2x2xi32>, %i: tensor<2x2x{entries}xi32>) -> !q {{
  %init = tensor.empty() : !q
  %o = sparse_attn.attention ins(%q, %k, %v : !q, !k, !k)
      blocks(%c, %i : tensor<2x2xi32>, tensor<2x2x{entries}xi32>) outs(%init : !q) {region}
      {{indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 64>{filter}}} -> !q
  return %o : !q
}}
"""
SOFT = """score {
    ^bb0(%s: f32, %b: index, %m: index, %key: index):
      %t = math.tanh %s : f32
      sparse_attn.yield %t : f32
    }"""


@pytest.mark.parametrize("region", ["", SOFT], ids=["plain", "region"])
@pytest.mark.parametrize("counts", [(16, 9, 3, 1), (5, 0, 16, 7)], ids=str)
def test_lists_are_split_by_their_entries(region, counts, tmp_path):
    """Shares of a list, empty ones too, on the CPU and by the shares' kernel;
    keys come in any order, and the last block is not whole."""
    rng = np.random.default_rng(8)
    entries = 16
    q = rng.normal(size=(2, 20, 32)).astype(np.float32)
    k, v = (rng.normal(size=(2, 1000, 32)).astype(np.float32) for _ in range(2))
    c = np.array(counts, np.int32).reshape(2, 2)
    i = np.stack([rng.permutation(16) for _ in range(4)]).reshape(2, 2, 16).astype(np.int32)
    text = LISTED.format(entries=entries, region=region, filter="")
    arrays = [q, k, v, c, i]
    (whole,) = execute(text, arrays, 1, tmp_path)

    split = tools.call("sparse-attn-opt", "--sparse-attn-split-keys=keys=384", text=text)
    assert "sparse_attn.merges_shares" in split
    (found,) = execute(split, arrays, 1, tmp_path)
    np.testing.assert_allclose(found, whole, rtol=2e-5, atol=2e-6)

    package = tools.compile_text(split, tmp_path / "package", "--ptxas=none")
    share = package.kernel("attention_0")
    shapes = {a["name"]: a["shape"] for a in share["arguments"]}
    shares, each = shapes["block_indices"][1], shapes["block_indices"][3]
    assert (shares, each) == (3, 6)
    padded = np.concatenate([i, np.full((2, 2, shares * each - 16), -7, np.int32)], -1)
    lists = {
        "block_counts": np.stack([np.clip(c - s * each, 0, each) for s in range(shares)], 1),
        "block_indices": np.stack(
            [padded[..., s * each : (s + 1) * each] for s in range(shares)], 1
        ),
    }
    inputs = {"query": q, "key": k, "value": v} | lists
    run = tools.run(package, inputs, *CHECKS, name="attention_0")
    logs = run.arrays["log_sum_exp"].astype(float)
    assert np.isneginf(logs).any()
    outputs = run.arrays["output"].astype(float)
    largest = logs.max(-1, keepdims=True)
    weights = np.exp(logs - np.where(np.isneginf(largest), 0, largest))
    total = weights.sum(-1, keepdims=True)
    merged = (weights / np.where(total, total, 1))[..., None] * outputs
    np.testing.assert_allclose(merged.sum(-2), whole, rtol=1e-4, atol=1e-5)

# ===- test_filters.py - What each filter skips, and what that costs -------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Every run is judged tile by tile: the kernel's decisions are the reference's
outside the rounding band, errors are rounding, guaranteed recalls hold."""

import numpy as np
import pytest

from harness import check, dense_reference
from inputs import KINDS, captured, make
from sample import name, sample
from sparse_attn.filters import Filter
from sparse_attn.modules import Attention

RULES = [
    "threshold:0.05",
    "threshold:40/L",
    "energy:-4",
    "energy:P=1.46",
    "recall:0.9",
    "recall:0.9,tile",
    "recall:0.9,groups=4",
    "recall:0.9,tile,groups=8",
]
# Where a filter that works must skip much of what lies behind the first tiles.
SPARSE_KINDS = ("descending", "sink")
TYPES = [("f16", 64), ("bf16", 128), ("f32", 32)]


def spec_of(types, rule: str, **options) -> Attention:
    element, depth = types
    return Attention(150, 500, depth, element=element, rule=Filter.parse(rule), **options)


@pytest.mark.parametrize("case", sample(34, RULES, KINDS, TYPES, seed=11), ids=name)
def test_decisions(compiler, case):
    rule, kind, types = case
    spec = spec_of(types, rule)
    check(compiler, spec, make(spec, kind, seed=9))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", SPARSE_KINDS)
def test_filters_skip_much(compiler, rule, kind):
    spec = spec_of(("f16", 64), rule)
    arrays = make(spec, kind, seed=10)
    verdict = check(compiler, spec, arrays)
    assert verdict.sparsity >= 0.3
    # A knob with teeth: what was skipped is missing in the output.
    out = compiler.run(spec, arrays).arrays["output"].astype(np.float64)
    assert np.abs(out - dense_reference(spec, arrays)).max() > 0


@pytest.mark.parametrize("rule", ["recall:0.9", "threshold:0.05", "energy:-4"])
@pytest.mark.parametrize("options", [dict(causal=0), dict(batch=(2, 2))], ids=["causal", "heads"])
def test_filters_compose(compiler, rule, options):
    spec = spec_of(("f16", 64), rule, **options)
    verdict = check(compiler, spec, make(spec, "descending", seed=12))
    assert verdict.skipped > 0


@pytest.mark.parametrize("neutral", ["threshold:0.0", "energy:-inf", "energy:P=0.0", "recall:1.0"])
@pytest.mark.parametrize("types", TYPES, ids=name)
def test_neutral_filters_equal_dense(compiler, neutral, types):
    dense, other = spec_of(types, "dense"), spec_of(types, neutral)
    arrays = make(dense, "sink", seed=13)
    expected = compiler.run(dense, arrays)
    found = compiler.run(other, arrays)
    assert found.arrays["tile_counts"][..., 1].sum() == 0
    assert expected.arrays["output"].tobytes() == found.arrays["output"].tobytes()


@pytest.mark.parametrize(
    "ladder",
    [
        ["threshold:0.0", "threshold:0.001", "threshold:0.05", "threshold:0.5"],
        ["energy:-12", "energy:-6", "energy:-3", "energy:P=4"],
        ["recall:1.0", "recall:0.99", "recall:0.9", "recall:0.5"],
    ],
    ids=["threshold", "energy", "recall"],
)
def test_sparsity_grows_with_the_knob(compiler, ladder):
    found = []
    for rule in ladder:
        spec = spec_of(("f16", 64), rule)
        found.append(check(compiler, spec, make(spec, "tiles", seed=14)).skipped)
    assert found == sorted(found) and found[0] < found[-1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_warp_order_changes_no_bit(compiler, seed):
    spec = spec_of(("f16", 64), "recall:0.9")
    arrays = make(spec, "tiles", seed=15)
    expected = compiler.run(spec, arrays).arrays
    found = compiler.run(spec, arrays, f"--seed={seed}").arrays
    for key, array in expected.items():
        assert array.tobytes() == found[key].tobytes()


CAPTURED_RULES = ["dense", "threshold:0.1", "energy:-6", "recall:0.95", "recall:0.8,groups=8"]


@pytest.mark.parametrize(
    "case", sample(5, CAPTURED_RULES, ["sharp", "local", "mixed", "diffuse"], seed=2), ids=name
)
def test_captured(compiler, case):
    rule, head = case
    arrays = captured([head], [0, 1])
    spec = Attention(256, 3072, 64, (1,), rule=Filter.parse(rule))
    verdict = check(compiler, spec, arrays)
    if head in ("sharp", "local") and rule != "dense":
        assert verdict.sparsity > 0.2

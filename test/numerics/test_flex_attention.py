# ===- test_flex_attention.py - IREE's FlexAttention against formulas ------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""`iree_linalg_ext.online_attention` cannot be executed without IREE, so each
graph is judged by the formula that its mask_mod and score_mod were written
from: the kernel that it becomes, run on the emulator, against float64."""

import numpy as np
import pytest

from harness import CHECKS
from sparse_attn import tools
from sparse_attn.filters import Filter
from sparse_attn.reference import Problem, dense_attention, error_limit, rounded_attention

INPUTS = tools.ROOT / "test" / "Integration" / "Inputs" / "iree"


def keep(condition):
    return lambda s, batch, query, key: np.where(condition(query, key), s, -np.inf)


def causal(query, key):
    return key <= query


# The exporter applies mask_mod before score_mod, so that a cap lets masked keys
# back in with a score of -cap.
def softcap(s, batch, query, key):
    return 30.0 * np.tanh(keep(causal)(s, batch, query, key) / 30.0)


def alibi(s, batch, query, key):
    return keep(causal)(s, batch, query, key) + np.float32(0.0625) * (key - query)


GRAPHS = {
    "flex_causal_f16.generic": keep(causal),
    "flex_band_f16.generic": keep(lambda query, key: abs(query - key) <= 64),
    "flex_blockdiag_f16.generic": keep(lambda query, key: query // 64 == key // 64),
    "flex_prefixlm_f16.generic": keep(lambda query, key: (key < 64) | causal(query, key)),
    "flex_softcap_f32.raw.generic": softcap,
    "flex_alibi_causal_f32.raw.generic": alibi,
}


def test_every_graph_has_a_formula():
    assert sorted(GRAPHS) == sorted(path.stem for path in INPUTS.glob("flex_*.mlir"))


@pytest.mark.parametrize("graph", GRAPHS)
def test_graph(graph, tmp_path):
    text = (INPUTS / f"{graph}.mlir").read_text()
    package = tools.compile_text(text, tmp_path / "package", "--expect-attention=1", "--ptxas=none")
    element = "f16" if "_f16" in graph else "f32"
    generator = np.random.default_rng(7)
    # Scores of a few units, so that a wrong cap or slope is no rounding error.
    q, k, v = generator.standard_normal((3, 1, 2, 256, 32)).astype(f"float{element[1:]}")
    q *= 4
    found = tools.run(package, {"query": q, "key": k, "value": v}, *CHECKS).arrays["output"]
    problem = Problem(np.float32(32**-0.5), modify=GRAPHS[graph])
    exact, _ = dense_attention(q, k, v, problem)
    tile = tuple(package.kernel()["decision_tile"])
    rounded = rounded_attention(q, k, v, problem, Filter.parse("dense"), tile, element)
    error = np.abs(found.astype(np.float64) - exact).max()
    limit = error_limit(rounded, exact, v, element)
    assert error <= limit, f"error {error:.3e} is above twice the rounding error, {limit:.3e}"

# ===- test_constant_masks.py - Masks that are known when compiling ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""What a constant mask becomes computes the same, by the reference lowering
before and after, and leaves out exactly the blocks that it hides."""

import numpy as np
import pytest

from sparse_attn import tools
from sparse_attn.modules import print_type
from test_linalg import execute

HEADS, ROWS, KEYS, TILE = 2, 37, 50, (16, 8)
QUERY, KEY = np.arange(ROWS)[:, None], np.arange(KEYS)[None, :]
LOWEST = np.finfo(np.float32).min


def hidden(seen, fill=-np.inf):
    return np.where(seen, np.float32(0), np.float32(fill))


def random_blocks():
    """Whole tiles that are hidden, shown, and biased."""
    random = np.random.default_rng(1)
    shape = tuple(-(-n // t) for n, t in zip((ROWS, KEYS), TILE))
    kind = random.integers(3, size=shape).repeat(TILE[0], 0).repeat(TILE[1], 1)[:ROWS, :KEYS]
    bias = random.normal(size=(ROWS, KEYS)).astype(np.float32)
    return np.where(kind == 0, np.float32(-np.inf), np.where(kind == 1, np.float32(0), bias))


MASKS = {  # and whether it is a band
    "causal": (KEY <= QUERY, True),
    "causal from the end": (KEY <= QUERY + KEYS - ROWS, True),
    "strict": (KEY < QUERY, True),
    "window": (hidden(np.abs(KEY - QUERY) < 5), True),
    "fills": (hidden(KEY <= QUERY, LOWEST), True),
    "everything": (np.ones((ROWS, KEYS), bool), True),
    "nothing": (np.zeros((ROWS, KEYS), bool), False),
    "rows of fills": (hidden(KEY < QUERY, LOWEST), False),
    "diagonal blocks": (KEY // 16 == QUERY // 16, False),
    "prefix": ((KEY < 20) | (KEY <= QUERY), False),
    "one hole": ((KEY <= QUERY) & ((KEY != 3) | (QUERY != 20)), False),
    "random blocks": (random_blocks(), False),
    "heads": (np.stack([KEY // 8 <= QUERY // 16, KEY // 8 > QUERY // 16]), False),
    "keys": ((np.arange(KEYS) // 8) % 2 == 0, False),
}


def literal(x) -> str:
    if x.ndim:
        return "[" + ", ".join(map(literal, x)) + "]"
    if x.dtype == bool:
        return "true" if x else "false"
    return f"0x{x.view(np.uint32):08X}"


def module(mask: np.ndarray) -> str:
    q = print_type((HEADS, ROWS, 8), "f32")
    k = print_type((HEADS, KEYS, 8), "f32")
    m = print_type(mask.shape, "i1" if mask.dtype == bool else "f32")
    over = ("h", "m", "k")[3 - mask.ndim :]
    return f"""
#q = affine_map<(h, m, n, d, k) -> (h, m, d)>
#k = affine_map<(h, m, n, d, k) -> (h, k, d)>
#v = affine_map<(h, m, n, d, k) -> (h, k, n)>
#s = affine_map<(h, m, n, d, k) -> ({", ".join(over)})>
#o = affine_map<(h, m, n, d, k) -> (h, m, n)>
func.func @main(%q: {q}, %k: {k}, %v: {k}) -> {q} {{
  %init = tensor.empty() : {q}
  %mask = arith.constant dense<{literal(mask)}> : {m}
  %o = sparse_attn.attention ins(%q, %k, %v : {q}, {k}, {k}) mask(%mask : {m}) outs(%init : {q})
      {{indexing_maps = [#q, #k, #v, #s, #o], scale = 0.5 : f64,
       decision_tile = array<i64: {TILE[0]}, {TILE[1]}>}} -> {q}
  return %o : {q}
}}
"""


@pytest.mark.parametrize("name", MASKS)
def test_same_attention(name, tmp_path):
    mask, band = MASKS[name]
    text = module(mask)
    (tmp_path / "in.mlir").write_text(text)
    folded = tools.call("sparse-attn-opt", tmp_path / "in.mlir", "-sparse-attn-fold-constant-masks")
    assert ("mask(" in folded) == (not band)
    assert "blocks(" not in folded or not band

    random = np.random.default_rng(2)
    inputs = [random.normal(size=(HEADS, n, 8)).astype(np.float32) for n in (ROWS, KEYS, KEYS)]
    (before,) = execute(text, inputs, 1, tmp_path)
    (after,) = execute(folded, inputs, 1, tmp_path)
    assert np.isfinite(before).all()
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
    if mask.dtype == bool and mask.all():
        return
    assert not np.array_equal(before, execute(module(np.ones_like(mask, bool)), inputs, 1, tmp_path)[0])


def kinds(mask: np.ndarray) -> str:
    """Block art of a mask, by looking at every element."""
    lines = []
    for row in range(0, ROWS, TILE[0]):
        tiles = [mask[row : row + TILE[0], key : key + TILE[1]] for key in range(0, KEYS, TILE[1])]
        hides = [(~t).all() if t.dtype == bool else np.isneginf(t).all() for t in tiles]
        shows = [t.all() if t.dtype == bool else (t == 0).all() for t in tiles]
        shows[-1] &= KEYS % TILE[1] == 0  # the end of the keys needs a look
        lines.append("// " + "".join("." if h else "#" if s else "+" for h, s in zip(hides, shows)))
    return "\n".join(lines)


@pytest.mark.parametrize("name", [x for x in MASKS if MASKS[x][0].ndim == 2 and "fills" not in x])
def test_plan(name, tmp_path):
    mask, band = MASKS[name]
    (tmp_path / "in.mlir").write_text(module(mask))
    for flags in [[], ["-sparse-attn-fold-constant-masks"]][: 1 + band]:
        text = tools.call("sparse-attn-opt", tmp_path / "in.mlir", *flags, "-sparse-attn-print-plan")
        assert kinds(mask) in text

# ===- test_cached_lists.py - Lists chosen, certified and kept ---------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Whole functions whose attentions visit lists: the lists that the passes
make, over the steps of a schedule, and what the attention gives with them."""

import numpy as np
import pytest

import selection_reference as reference
from sparse_attn import tools
from test_block_selection import structured
from test_linalg import execute

TOKENS, DEPTH, BLOCK, TILE = 200, 16, 32, 16
BLOCKS = -(-TOKENS // BLOCK)
MODEL = f"""
#q = affine_map<(h, m, n, d, k) -> (h, m, d)>
#k = affine_map<(h, m, n, d, k) -> (h, k, d)>
#v = affine_map<(h, m, n, d, k) -> (h, k, n)>
#o = affine_map<(h, m, n, d, k) -> (h, m, n)>
!t = tensor<2x{TOKENS}x{DEPTH}xf32>
func.func @main(%q: !t, %k: !t, %v: !t) -> !t {{
  %init = tensor.empty() : !t
  %o = sparse_attn.attention ins(%q, %k, %v : !t, !t, !t) outs(%init : !t)
      {{indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64}} -> !t
  return %o : !t
}}
"""


def inputs(seed: int) -> list:
    rng = np.random.default_rng(seed)
    q, k = (structured(rng, 2, TOKENS, DEPTH, width=0.7) for _ in range(2))
    return [x.astype(np.float32) for x in (q, k, rng.normal(size=(2, TOKENS, DEPTH)))]


def attention(q, k, v, counts, indices) -> np.ndarray:
    """Attention over the listed blocks, in float64."""
    scores = 0.25 * q.astype(float) @ k.astype(float).swapaxes(-1, -2)
    listed = reference.listed_blocks(counts, indices)
    seen = np.repeat(np.repeat(listed, BLOCK, -2), BLOCK, -1)[..., :TOKENS, :TOKENS]
    scores = np.where(seen, scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


def dfsattn_scores(q, k) -> np.ndarray:
    tiles = BLOCK // TILE
    return reference.block_scores(
        q.astype(float), k.astype(float), 0.25, TILE, (tiles, tiles), zero_padded=True
    )


def make_lists(selection: str, *flags: str) -> str:
    options = " ".join([f"selection={selection}", f"block={BLOCK}", f"tile={TILE}", *flags])
    return tools.call("sparse-attn-opt", f"--sparse-attn-assign-selection={options}", text=MODEL)


@pytest.mark.parametrize(
    "selection,rule",
    [
        ("top-k:0.3", ("top_k", 0.3)),
        ("top-p:0.8,order=score", ("top_p", 0.8)),
        ("cutoff:0.25", ("cutoff", 0.25)),
    ],
)
def test_selection_of_an_attention(selection, rule, tmp_path):
    arrays = inputs(1)
    (found,) = execute(make_lists(selection), arrays, 1, tmp_path)
    lists = reference.select_blocks(dfsattn_scores(*arrays[:2]), *rule)
    assert (lists[0] < BLOCKS).any()
    np.testing.assert_allclose(found, attention(*arrays, *lists), rtol=1e-4, atol=1e-5)


def draw(samples: int, seed: int, tokens: int = TOKENS) -> np.ndarray:
    """The rows of the pass: 64-bit Mersenne Twister, modulo the queries."""
    words = np.zeros(312, np.uint64)
    words[0] = seed
    with np.errstate(over="ignore"):
        for i in range(1, 312):
            last = words[i - 1]
            words[i] = np.uint64(6364136223846793005) * (last ^ (last >> np.uint64(62))) + np.uint64(i)
    out, index = [], 312
    upper, lower = np.uint64(0xFFFFFFFF80000000), np.uint64(0x7FFFFFFF)
    for _ in range(samples):
        if index == 312:
            for i in range(312):
                x = (words[i] & upper) | (words[(i + 1) % 312] & lower)
                x = (x >> np.uint64(1)) ^ (np.uint64(0xB5026F5AA96619E9) if x & np.uint64(1) else np.uint64(0))
                words[i] = words[(i + 156) % 312] ^ x
            index = 0
        x = words[index]
        index += 1
        x ^= (x >> np.uint64(29)) & np.uint64(0x5555555555555555)
        x ^= (x << np.uint64(17)) & np.uint64(0x71D67FFFEDA60000)
        x ^= (x << np.uint64(37)) & np.uint64(0xFFF7EEE000000000)
        x ^= x >> np.uint64(43)
        out.append(int(x) % tokens)
    return np.array(out, np.int32)


@pytest.mark.parametrize("target", [0.6, 0.8, 0.97])
def test_certified_selection(target, tmp_path):
    """The list of each head is the last of the levels that its sample
    certifies, and all blocks where none is."""
    levels = (0.98, 0.9, 0.7, 0.5)
    arrays = inputs(2)
    text = make_lists(
        f"recall:{target}", "samples=300", f"levels={','.join(map(str, levels))}", "seed=5"
    )
    (found,) = execute(text, arrays, 1, tmp_path)
    q, k = arrays[:2]
    rows = draw(300, 5)
    masses = reference.block_scores(
        q[:, rows].astype(float), k.astype(float), 0.25, 1, (1, BLOCK)
    )
    scores = dfsattn_scores(q, k)
    lists = [reference.select_blocks(scores, "top_p", level) for level in levels]
    recalls = np.stack([reference.list_recall(masses, rows, *x, BLOCK) for x in lists])
    chosen = reference.choose_level(recalls, target, 0.05)
    everything = reference.select_blocks(scores, "top_k", 1.0)
    counts = np.stack([(lists[c] if c >= 0 else everything)[0][h] for h, c in enumerate(chosen)])
    indices = np.stack([(lists[c] if c >= 0 else everything)[1][h] for h, c in enumerate(chosen)])
    np.testing.assert_allclose(found, attention(*arrays, counts, indices), rtol=1e-4, atol=1e-5)
    if target == 0.97:
        assert (chosen == -1).all()
    if target == 0.6:
        assert (chosen > 0).all()


# --- A cache over steps ------------------------------------------------------ #

WARMUP, INTERVAL, RATIOS = 2, 3, (0.6, 0.3)
SCHEDULE = f"warmup={WARMUP},interval={INTERVAL},ratios=0.6/0.3,steps=12"


def cached(schedule: str = SCHEDULE, selection: str = "top-k:0.5", *flags: str) -> str:
    lists = make_lists(selection, *flags)
    return tools.call("sparse-attn-opt", f"--sparse-attn-cache-lists=schedule={schedule}", text=lists)


def initial_state() -> list:
    return [
        np.zeros(2, np.int32),
        np.zeros((2, BLOCKS), np.int32),
        np.zeros((2, BLOCKS, BLOCKS), np.int32),
    ]


def everything() -> tuple:
    indices = np.broadcast_to(np.arange(BLOCKS, dtype=np.int32), (2, BLOCKS, BLOCKS))
    return np.full((2, BLOCKS), BLOCKS, np.int32), indices


def test_steps(tmp_path):
    """Warm-up, lists made in the steps of the schedule, used in between, and by
    a second branch of the same step with other inputs."""
    text = cached()
    state, lists, made = initial_state(), None, []
    for step in range(10):
        arrays = inputs(10 + step)
        if step < WARMUP:
            lists = everything()
        elif step in (2, 5):
            made.append(step)
            ratio = RATIOS[len(made) - 1]
            lists = reference.select_blocks(dfsattn_scores(*arrays[:2]), "top_k", ratio)
        for branch in range(2):
            if branch:
                arrays = inputs(100 + step)
            result = execute(text, [*arrays, np.int32(step).reshape(()), *state], 4, tmp_path)
            state = result[1:]
            np.testing.assert_allclose(
                result[0], attention(*arrays, *lists), rtol=1e-4, atol=1e-5
            )
            assert state[0][1] == step and state[0][0] != 0
            for a, b in zip(state[1:], lists):
                np.testing.assert_array_equal(a, b)
    assert made == [2, 5]
    # The next video begins with the state of the last one.
    arrays = inputs(3)
    result = execute(text, [*arrays, np.int32(0).reshape(()), *state], 4, tmp_path)
    np.testing.assert_allclose(result[0], attention(*arrays, *everything()), rtol=1e-4, atol=1e-5)


def test_foreign_state_is_refused(tmp_path):
    text = cached()
    arrays = inputs(4)
    with pytest.raises(tools.ToolError):
        execute(text, [*arrays, np.int32(3).reshape(()), *initial_state()], 4, tmp_path)
    others = [
        cached(SCHEDULE.replace("interval=3", "interval=4")),
        # Lists of as many numbers that are made otherwise.
        tools.call(
            "sparse-attn-opt",
            f"--sparse-attn-cache-lists=schedule={SCHEDULE}",
            text=make_lists("top-k:0.5").replace("tile = 16", "tile = 8"),
        ),
    ]
    first = execute(text, [*arrays, np.int32(0).reshape(()), *initial_state()], 4, tmp_path)[1:]
    for other in others:
        given = execute(other, [*arrays, np.int32(0).reshape(()), *initial_state()], 4, tmp_path)
        assert given[1][0] != first[0][0]
        with pytest.raises(tools.ToolError):
            execute(text, [*arrays, np.int32(1).reshape(()), *given[1:]], 4, tmp_path)
    for step in (-1, 12):
        with pytest.raises(tools.ToolError):
            execute(text, [*arrays, np.int32(step).reshape(()), *first], 4, tmp_path)


def test_target_makes_new_lists(tmp_path):
    """Lists whose certified recall fell below the target are made anew between
    the steps of the schedule; good ones are kept."""
    flags = ("samples=200", "levels=0.95,0.8")
    text = cached(f"{SCHEDULE},target=0.5", "recall:0.7", *flags)
    arrays = inputs(5)
    state = initial_state()
    for step in range(3):
        state = execute(text, [*arrays, np.int32(step).reshape(()), *state], 4, tmp_path)[1:]
    same = execute(text, [*arrays, np.int32(3).reshape(()), *state], 4, tmp_path)[1:]
    for a, b in zip(same[1:], state[1:]):
        np.testing.assert_array_equal(a, b)
    # Lists that name the worst block of keys alone recall next to nothing.
    worst = np.argmin(dfsattn_scores(*arrays[:2]), axis=-1).astype(np.int32)
    bad = [state[0], np.ones_like(state[1]), np.full_like(state[2], -1)]
    bad[2][..., 0] = worst
    again = execute(text, [*arrays, np.int32(3).reshape(()), *bad], 4, tmp_path)[1:]
    for a, b in zip(again[1:], state[1:]):
        np.testing.assert_array_equal(a, b)

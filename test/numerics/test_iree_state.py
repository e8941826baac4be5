# ===- test_iree_state.py - Block lists kept over calls of a program -------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Programs of IREE with --cache, called step by step on the stand-in for the CUDA
driver: what they launch, the lists that they give back, and their attention beside
float64. Both forms of IREE's functions: torch's with fences, and the others."""

import numpy as np
import pytest

import programs
import selection_reference as reference

TOKENS, DEPTH, BLOCK, TILE = 256, 32, 64, 16
SHAPE = (2, TOKENS, DEPTH)
SCALE = DEPTH**-0.5
# Warm-up in step 0, lists in steps 1 and 3.
SCHEDULE = "warmup=1,interval=2,ratios=0.5/0.25,steps=8"
MAKING = ["pool_tokens_0", "pool_tokens_0", "block_scores_0", "select_blocks_0"]

TORCH = f"""
!t = !torch.vtensor<[1,2,{TOKENS},{DEPTH}],f32>
func.func @attend(%q: !t, %k: !t, %v: !t) -> !t attributes {{torch.assume_strict_symbolic_shapes}} {{
  %none = torch.constant.none
  %zero = torch.constant.float 0.0
  %false = torch.constant.bool false
  %o = torch.aten.scaled_dot_product_attention %q, %k, %v, %none, %zero, %false, %none, %false :
    !t, !t, !t, !torch.none, !torch.float, !torch.bool, !torch.none, !torch.bool -> !t
  return %o : !t
}}
"""
LINALG = f"""
!t = tensor<1x2x{TOKENS}x{DEPTH}xf32>
func.func @attend(%q: !t, %k: !t, %v: !t) -> !t {{
  %scale = arith.constant {SCALE!r} : f32
  %init = tensor.empty() : !t
  %o = iree_linalg_ext.attention <
      indexing_maps = [affine_map<(a, b, m, n, d, k) -> (a, b, m, d)>, affine_map<(a, b, m, n, d, k) -> (a, b, k, d)>,
                       affine_map<(a, b, m, n, d, k) -> (a, b, k, n)>, affine_map<(a, b, m, n, d, k) -> ()>,
                       affine_map<(a, b, m, n, d, k) -> (a, b, m, n)>]>
      ins(%q, %k, %v, %scale : !t, !t, !t, f32) outs(%init : !t) {{
    ^bb0(%s: f32):
      iree_linalg_ext.yield %s : f32
  }} -> !t
  return %o : !t
}}
"""
FORMS = {"torch": TORCH, "linalg": LINALG}


@pytest.fixture(scope="module", params=FORMS)
def program(request, tmp_path_factory):
    return compile_text(FORMS[request.param], tmp_path_factory.mktemp(request.param))


def compile_text(text, folder, select=f"top-k:0.5,block={BLOCK}", schedule=SCHEDULE):
    source = folder / "model.mlir"
    source.write_text(text)
    return programs.compile_ours(source, folder, f"--select={select}", f"--cache={schedule}",
                                 "--expect-attention=1")  # fmt: skip


def make_inputs(seed: int) -> list:
    """Tokens that follow their neighbours: their mass is in few blocks."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_normal(SHAPE), axis=1) / 3
    return [x.astype("f4") for x in (walk, walk + rng.standard_normal(SHAPE), rng.standard_normal(SHAPE))]


def call(program, folder, inputs, step, state) -> tuple:
    """The attention, the new state, and the names of the kernels that ran."""
    arrays = [*(x[None] for x in inputs), np.int32(step), *state]
    flags = programs.save(arrays, folder)
    (result, *state), log = programs.run_all(program, "attend", flags, folder, 4)
    return result[0], state, [line.split()[0] for line in log]


def begin(program, folder) -> list:
    state, log = programs.run_all(program, "attend_initial_state", [], folder, 3)
    assert not log and not any(x.any() for x in state)
    return state


def block_scores(q, k):
    tiles = BLOCK // TILE
    return reference.block_scores(q.astype("f8"), k.astype("f8"), SCALE, TILE, (tiles, tiles), True)


def attention(q, k, v, counts, indices):
    listed = reference.listed_blocks(counts, indices)
    seen = np.repeat(np.repeat(listed, BLOCK, 1), BLOCK, 2)
    scores = np.where(seen, SCALE * q.astype("f8") @ k.astype("f8").swapaxes(1, 2), -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v.astype("f8")


def test_steps(program, tmp_path):
    state = begin(program, tmp_path)
    blocks = TOKENS // BLOCK
    lists = reference.select_blocks(np.ones((2, blocks, blocks)), "top_k", 1.0)
    ours = ("pool_tokens", "block_scores", "select_blocks", "attention")
    for step in range(5):
        inputs = make_inputs(step)
        ratio = {1: 0.5, 3: 0.25}.get(step)
        if ratio:
            lists = reference.select_blocks(block_scores(*inputs[:2]), "top_k", ratio)
            assert (lists[0] == blocks * ratio).all()
        found, state, names = call(program, tmp_path, inputs, step, state)
        wanted = attention(*inputs, *lists)
        assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()
        assert state[0][0] > 0 and state[0][1] == step
        for got, expected in zip(state[1:], lists):
            assert np.array_equal(got.reshape(expected.shape), expected)
        # Kept lists cost nothing: their kernels do not run.
        launched = [name for name in names if name.startswith(ours)]
        assert launched == [*(MAKING if ratio else []), "attention_0"], names


def test_another_state_is_refused(program, tmp_path):
    state = begin(program, tmp_path)
    with pytest.raises(RuntimeError, match="expected the state of this function's schedule"):
        call(program, tmp_path, make_inputs(0), 3, state)
    _, state, _ = call(program, tmp_path, make_inputs(0), 0, state)
    with pytest.raises(RuntimeError, match="expected a step from 0 to 7, found another one"):
        call(program, tmp_path, make_inputs(0), 8, state)


def test_certified_lists_are_made_anew_below_their_target(tmp_path):
    program = compile_text(TORCH, tmp_path, f"recall:0.7,block={BLOCK}", f"{SCHEDULE},target=0.5")
    inputs = make_inputs(3)
    _, state, _ = call(program, tmp_path, inputs, 0, begin(program, tmp_path))
    wanted, state, names = call(program, tmp_path, inputs, 1, state)
    assert "certify_recall_0" in names and (state[1] < TOKENS // BLOCK).any()
    _, kept, names = call(program, tmp_path, inputs, 2, state)
    # Good lists are measured on new queries, and stay.
    assert "certify_recall_0" in names and "select_blocks_0" not in names
    for got, expected in zip(kept[1:], state[1:]):
        assert np.array_equal(got, expected)
    # Lists of the worst block alone recall next to nothing.
    worst = np.argmin(block_scores(*inputs[:2]), axis=-1).astype("i4")
    bad = [state[0], np.ones_like(state[1]), np.full_like(state[2], -1)]
    bad[2][..., 0] = worst.reshape(bad[2].shape[:-1])
    found, again, names = call(program, tmp_path, inputs, 2, bad)
    assert "select_blocks_0" in names and np.array_equal(found, wanted)
    for got, expected in zip(again[1:], state[1:]):
        assert np.array_equal(got, expected)

# ===- selection_reference.py - Block scores, lists, recall in float64 -----===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Block scores, block lists and the recall of lists, in numpy's float64.

Dimensions: Lq query and Lk key tokens, d features, U query and V key blocks.
`...` are batch and head dimensions, which broadcast. `scale` multiplies q.k;
scores q.k are in natural-log units. A block list is a pair (counts, indices):
the first counts[..., u] entries of indices[..., u, :] are the key blocks that
query block u sees, the rest are -1. docs/BlockSelection.md derives the
formulas; where none is named, the function restates its own definition.
"""

from __future__ import annotations

import numpy as np

# The most entries of a score matrix that are held at a time.
CHUNK = 1 << 24


def pool_tokens(x, tile: int, valid: bool = False) -> tuple:
    """Mean and variance of each feature over runs of `tile` tokens.

    x [..., L, d] -> two arrays [..., ceil(L / tile), d]. The last run is padded
    with zeros, which count: both sums are divided by `tile`; with `valid`, by
    the number of tokens that there are. The variance is E[x^2] - E[x]^2.
    """
    x = np.asarray(x, np.float64)
    starts = np.arange(0, x.shape[-2], tile)
    count = _sizes(x.shape[-2], tile)[:, None] if valid else tile
    mean = np.add.reduceat(x, starts, axis=-2) / count
    square = np.add.reduceat(x * x, starts, axis=-2) / count
    # Rounding may put the difference of equal numbers below 0.
    return mean, np.maximum(square - mean * mean, 0.0)


def block_scores(q, k, scale: float, tile: int, block: tuple, zero_padded: bool = False):
    """The softmax mass between blocks, estimated from means over tiles.

    q [..., Lq, d], k [..., Lk, d] -> [..., U, V]. Tokens are pooled by `tile`;
    block = (Bq, Bk) counts *tiles*: U = ceil(ceil(Lq / tile) / Bq). Each query
    tile's softmax runs over all key tiles; a score is the sum of the entries
    of its block pair.

    With `zero_padded` (DFSAttn's rule) tokens are padded with zeros to whole
    blocks: the last run is a mean over `tile` tokens, padded key tiles have
    score 0 in every softmax, padded query tiles are uniform rows; all of them
    count, so each row of the result sums to Bq. Otherwise nothing is padded:
    the last run is a mean over the tokens there are, and rows and keys that do
    not exist count 0.

    tile = 1, block = (1, Bk): the exact mass of key blocks for each row;
    tile = 1, block = (Bq, Bk): the oracle's scores.
    """
    q, k = (pool_tokens(x, tile, valid=not zero_padded)[0] for x in (q, k))
    if zero_padded:
        q, k = (_pad(x, multiple) for x, multiple in zip((q, k), block))
    starts = np.arange(0, k.shape[-2], block[1])
    keys = np.swapaxes(k, -1, -2)
    # Whole query blocks at a time: the softmax is never held at once.
    size = np.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    rows = max(1, CHUNK // (k.shape[-2] * int(np.prod(size)) * block[0])) * block[0]
    parts = []
    for first in range(0, q.shape[-2], rows):
        s = scale * (q[..., first : first + rows, :] @ keys)
        p = np.exp(s - s.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        p = np.add.reduceat(p, starts, axis=-1)
        parts.append(np.add.reduceat(p, np.arange(0, p.shape[-2], block[0]), axis=-2))
    return np.concatenate(parts, axis=-2)


def gaussian_scores(q, k, scale: float, block):
    """The softmax mass between blocks if tokens were Gaussian within a block.

    q [..., Lq, d], k [..., Lk, d], block a number of tokens or (Bq, Bk)
    -> [..., U, V], each row summing to 1. With the mean and (diagonal) variance
    of the tokens there are in query block u and key block v of n_v keys,

        mass(u, v) ~ n_v exp(c_uv + s2_uv / 2)
        c_uv  = scale   mean_u . mean_v
        s2_uv = scale^2 sum_d (mean_u^2 + var_u) var_v + mean_v^2 var_u

    c and s2 are the mean and variance of a product of independent tokens;
    E[exp(s)] = exp(c + s2 / 2) for s Gaussian.
    """
    rows, keys = _pair(block)
    k = np.asarray(k)
    mean_q, var_q = pool_tokens(q, rows, valid=True)
    mean_k, var_k = pool_tokens(k, keys, valid=True)
    var_k, square_k, mean_k = (np.swapaxes(x, -1, -2) for x in (var_k, mean_k**2, mean_k))
    s2 = scale**2 * ((mean_q**2 + var_q) @ var_k + var_q @ square_k)
    log = np.log(_sizes(k.shape[-2], keys)) + scale * (mean_q @ mean_k) + s2 / 2
    return np.exp(log - _log_sum(log))


def select_blocks(
    scores, kind: str, value, forced_from=None, dense_from=None, order: str = "index"
) -> tuple:
    """Lists of the best blocks of each row of scores.

    scores [..., U, V], finite -> counts int32 [..., U], indices int32
    [..., U, V]. Blocks rank by falling score, the lower index first among
    equals. `value` is a number or an array over the leading dimensions.

        top_k   the best max(1, floor(r V)) blocks, r = value. In f32:
                floor(f32(r) * f32(V) + 1e-4), so that a ratio which is whole
                in decimals is (0.1 of 590 is 59); at most V.
        top_p   the fewest best blocks whose mass reaches p: a block is kept iff
                the blocks ranked before it hold less than p = value of the row.
        cutoff  the blocks with score >= value.

    At least the first block is kept. Key blocks from `forced_from` on rank
    before all others (so they count in top_k's budget and in top_p's mass) and
    are kept always; query blocks from `dense_from` on keep all blocks. Kept
    blocks are listed by rising index, or in their ranks' order ("score").
    """
    scores = np.asarray(scores, np.float64)
    if not np.isfinite(scores).all():
        raise ValueError("expected finite scores")
    if order not in ("index", "score"):
        raise ValueError(f"expected the order index or score, found {order!r}")
    queries, keys = scores.shape[-2:]
    value = np.asarray(value)[..., None, None]
    index = np.broadcast_to(np.arange(keys), scores.shape)
    forced = index >= (keys if forced_from is None else forced_from)
    ranked = np.lexsort((index, -scores, ~forced), axis=-1)
    by_rank = np.take_along_axis(scores, ranked, -1)
    if kind == "top_k":
        product = value.astype(np.float32) * np.float32(keys)
        kept = np.arange(keys) < np.floor(product + np.float32(1e-4))
    elif kind == "top_p":
        mass = np.cumsum(by_rank, axis=-1)
        before = np.concatenate([np.zeros_like(mass[..., :1]), mass[..., :-1]], axis=-1)
        kept = before < value * mass[..., -1:]
    elif kind == "cutoff":
        kept = by_rank >= value
    else:
        raise ValueError(f"expected top_k, top_p or cutoff, found {kind!r}")
    kept = kept | np.take_along_axis(forced, ranked, -1) | (np.arange(keys) == 0)
    if dense_from is not None:
        kept = kept | (np.arange(queries) >= dense_from)[:, None]
    # Kept ranks (or indices) first, what is left out behind them.
    place = np.arange(keys) if order == "score" else ranked
    listed = np.take_along_axis(ranked, np.argsort(np.where(kept, place, keys), kind="stable"), -1)
    counts = kept.sum(-1)
    listed = np.where(np.arange(keys) < counts[..., None], listed, -1)
    return counts.astype(np.int32), listed.astype(np.int32)


def listed_blocks(counts, indices):
    """Which key blocks lists name: counts [..., U], indices [..., U, V] ->
    bool [..., U, V] by key block. Entries behind a count are not read."""
    indices = np.asarray(indices)
    blocks = indices.shape[-1]
    live = np.arange(blocks) < np.asarray(counts)[..., None]
    # Entries behind the count go to a column that is cut off.
    target = np.where(live, indices, blocks)
    listed = np.zeros((*indices.shape[:-1], blocks + 1), bool)
    np.put_along_axis(listed, target, True, axis=-1)
    return listed[..., :blocks]


def list_recall(masses, rows, counts, indices, block_rows: int):
    """The recall of each sampled row: softmax mass of its listed keys / all.

    masses [..., n, V]: block_scores(q[rows], k, scale, 1, (1, Bk)); rows [n]:
    query numbers; block_rows: rows that share a list -> [..., n].
    """
    listed = listed_blocks(counts, indices)[..., np.asarray(rows) // block_rows, :]
    return (masses * listed).sum(-1) / np.sum(masses, axis=-1)


def empirical_bernstein(recalls, delta: float):
    """A lower confidence bound of the mean recall.

    recalls [..., n] in [0, 1], independent and of equal distribution -> [...].
    With probability at least 1 - delta the mean is no less than

        mean - sqrt(2 V ln(2/delta) / n) - 7 ln(2/delta) / (3 (n - 1)),

    V the unbiased sample variance (Maurer and Pontil, COLT 2009, theorem 4, on
    1 - recall). Clipped at 0.
    """
    recalls = np.asarray(recalls, np.float64)
    n = recalls.shape[-1]
    if n < 2 or not 0 < delta < 1:
        raise ValueError(f"expected 2 samples and 0 < delta < 1, found {n} and {delta}")
    log = np.log(2 / delta)
    spread = np.sqrt(2 * recalls.var(-1, ddof=1) * log / n)
    return np.maximum(recalls.mean(-1) - spread - 7 * log / (3 * (n - 1)), 0.0)


def betting_test(recalls, target: float, delta: float):
    """Whether a sample shows that the mean recall is at least `target`.

    recalls [..., n] in [0, 1], independent and of equal distribution -> bool
    [...]. True with probability at most `delta` where the mean is below the
    target: the wealth of a player who bets on X_t > target,

        W_t = prod_(s <= t) 1 + b_s (X_s - target),   0 <= b_s <= 3 / (4 target),

    b_s chosen from X_1 .. X_(s-1), has E[W_t] <= W_0 = 1 there, and reaches
    1 / delta with probability at most delta (Waudby-Smith and Ramdas, JRSS B
    2024, section 4). Bets are theirs: sqrt(2 ln(1/delta) / (n V)), V the
    variance so far with one prior draw of mean 1/2 and variance 1/4.
    """
    recalls = np.asarray(recalls, np.float64)
    n = recalls.shape[-1]
    if not 0 < delta < 1 or not 0 < target <= 1:
        raise ValueError(f"expected 0 < delta < 1 and 0 < target <= 1, found {delta} and {target}")
    drawn = np.arange(2, n + 2)
    mean = (0.5 + np.cumsum(recalls, axis=-1)) / drawn
    variance = (0.25 + np.cumsum((recalls - mean) ** 2, axis=-1)) / drawn
    before = np.concatenate([np.full_like(variance[..., :1], 0.25), variance[..., :-1]], axis=-1)
    bet = np.minimum(np.sqrt(2 * np.log(1 / delta) / (n * before)), 0.75 / target)
    wealth = np.cumsum(np.log1p(bet * (recalls - target)), axis=-1)
    return wealth.max(-1) >= np.log(1 / delta)


def choose_level(recalls, target: float, delta: float, test: str = "bernstein"):
    """The last list that certifies a mean recall of `target`.

    recalls [levels, ..., n]: the sampled rows' recalls under lists that are
    nested, from the largest to the smallest -> level int [...], -1 (dense)
    where not even the first list passes. Levels are tested in order, each at
    `delta` (by the empirical Bernstein bound or by "betting"), up to the first
    failure: the chosen list has mean recall >= target with probability at least
    1 - delta (fixed-sequence testing).
    """
    if test not in ("bernstein", "betting"):
        raise ValueError(f"expected the test bernstein or betting, found {test!r}")
    if test == "betting":
        passed = betting_test(recalls, target, delta)
    else:
        passed = empirical_bernstein(recalls, delta) >= target
    return np.cumprod(passed, axis=0).sum(0) - 1


def deterministic_recall(q, k, scale: float, counts, indices, block):
    """A lower bound of the recall of every row of each query block.

    q [..., Lq, d], k [..., Lk, d], lists for blocks of `block` tokens (a number
    or (Bq, Bk)) -> [..., U]. With centres (means), radii (largest distance from
    the centre) r_u, R_v and c_uv = scale centre_u . centre_v, Cauchy-Schwarz
    gives |scale q.k - c_uv| <= delta_uv for all rows and keys of the pair,

        delta_uv = |scale| (r_u |centre_v| + |centre_u| R_v + r_u R_v),

    so with K, D = sum of n_v exp(c_uv -+ delta_uv) over listed (-) and other
    (+) blocks, recall >= K / (K + D). In log space: it cannot overflow.
    """
    rows, keys = _pair(block)
    (mean_q, norm_q, radius_q), (mean_k, norm_k, radius_k) = (
        _balls(np.asarray(x, np.float64), size) for x, size in ((q, rows), (k, keys))
    )
    norm_q, radius_q = norm_q[..., :, None], radius_q[..., :, None]
    norm_k, radius_k = norm_k[..., None, :], radius_k[..., None, :]
    centre = scale * (mean_q @ np.swapaxes(mean_k, -1, -2))
    delta = abs(scale) * (radius_q * norm_k + norm_q * radius_k + radius_q * radius_k)
    size = np.log(_sizes(np.shape(k)[-2], keys))
    listed = listed_blocks(counts, indices)
    kept = _log_sum(np.where(listed, size + centre - delta, -np.inf))[..., 0]
    dropped = _log_sum(np.where(listed, -np.inf, size + centre + delta))[..., 0]
    # K / (K + D) = 1 / (1 + exp(log D - log K)); exp may overflow to inf, and
    # the quotient is 0 then, as it should be.
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(dropped - kept))


def _pair(block) -> tuple:
    return (block, block) if np.isscalar(block) else tuple(block)


def _sizes(tokens: int, block: int):
    """How many tokens each block holds."""
    return np.minimum(block, tokens - np.arange(0, tokens, block))


def _pad(x, multiple: int):
    """x [..., L, d] with zeros behind it up to a multiple of tokens."""
    missing = -x.shape[-2] % multiple
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, missing), (0, 0)])


def _log_sum(log):
    """log(sum(exp(log))) over the last axis, kept; -inf for all -inf."""
    top = log.max(-1, keepdims=True)
    top = np.where(np.isneginf(top), 0.0, top)
    with np.errstate(divide="ignore"):
        return top + np.log(np.exp(log - top).sum(-1, keepdims=True))


def _balls(x, block: int) -> tuple:
    """Centre [..., U, d], its norm and the radius [..., U] of each block."""
    centre, _ = pool_tokens(x, block, valid=True)
    own = np.repeat(centre, block, axis=-2)[..., : x.shape[-2], :]
    far = np.linalg.norm(x - own, axis=-1)
    radius = np.maximum.reduceat(far, np.arange(0, x.shape[-2], block), axis=-1)
    return centre, np.linalg.norm(centre, axis=-1), radius

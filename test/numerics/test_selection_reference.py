# ===- test_selection_reference.py - The references of block lists ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""selection_reference.py against sums written out, known values and theorems."""

import numpy as np
import pytest

import selection_reference as ref

SCALE = 0.25


def draw(seed: int, *shape) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def soft(s) -> np.ndarray:
    p = np.exp(s - s.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


# Pooling


@pytest.mark.parametrize("tokens,tile", [(12, 4), (13, 4), (3, 4), (5, 1)])
@pytest.mark.parametrize("valid", [False, True])
def test_pool(tokens, tile, valid):
    x = draw(1, 2, tokens, 3)
    mean, variance = ref.pool_tokens(x, tile, valid)
    for run in range(-(-tokens // tile)):
        part = x[:, run * tile : (run + 1) * tile]
        if not valid:
            part = np.concatenate([part, np.zeros((2, tile - part.shape[1], 3))], axis=1)
        np.testing.assert_allclose(mean[:, run], part.mean(1), atol=1e-14)
        np.testing.assert_allclose(variance[:, run], part.var(1), atol=1e-14)
    assert mean.shape[1] == variance.shape[1] == -(-tokens // tile)


def test_variance_is_never_negative():
    _, variance = ref.pool_tokens(np.full((7, 1), 1e8 / 3), 7, valid=True)
    assert (variance >= 0).all()


# Block scores


def scores_written_out(q, k, scale, tile, block, zero_padded) -> np.ndarray:
    """One head, entry by entry."""

    def pool(x, per_block):
        if zero_padded:
            more = -len(x) % (tile * per_block)
            x = np.concatenate([x, np.zeros((more, x.shape[1]))])
        return np.array([x[i : i + tile].mean(0) for i in range(0, len(x), tile)])

    q, k = pool(q, block[0]), pool(k, block[1])
    blocks = np.zeros((-(-len(q) // block[0]), -(-len(k) // block[1])))
    for a in range(len(q)):
        row = [np.exp(scale * np.dot(q[a], key)) for key in k]
        for b in range(len(k)):
            blocks[a // block[0], b // block[1]] += row[b] / sum(row)
    return blocks


@pytest.mark.parametrize("queries,keys", [(24, 36), (23, 37), (5, 11)])
@pytest.mark.parametrize("tile,block", [(4, (2, 3)), (1, (1, 5)), (3, (4, 1))])
@pytest.mark.parametrize("zero_padded", [False, True])
def test_block_scores(queries, keys, tile, block, zero_padded):
    q, k = draw(1, 2, 3, queries, 5), draw(2, 2, 3, keys, 5)
    found = ref.block_scores(q, k, SCALE, tile, block, zero_padded)
    for head in np.ndindex(2, 3):
        expected = scores_written_out(q[head], k[head], SCALE, tile, block, zero_padded)
        np.testing.assert_allclose(found[head], expected, rtol=1e-12)


def test_padding_counts():
    """21 keys in tiles of 4, 2 tiles a block: 6 tiles, no tile padded; 17 keys:
    5 tiles and a padded one. All scores are 0, so every tile counts equally."""
    q = np.zeros((6, 2))
    for keys, padded, plain in ((21, [1, 1, 1], [1, 1, 1]), (17, [1, 1, 1], [1.2, 1.2, 0.6])):
        k = np.ones((keys, 2))
        # 6 queries in tiles of 4: two tiles, the second short; no whole block of 3.
        found = ref.block_scores(q, k, 1.0, 4, (3, 2), True)
        np.testing.assert_allclose(found, [padded])
        found = ref.block_scores(q, k, 1.0, 4, (3, 2), False)
        np.testing.assert_allclose(found, [np.array(plain) * 2 / 3])


def test_exact_masses_and_oracle(monkeypatch):
    q, k = draw(1, 2, 70, 8), 2 * draw(2, 1, 50, 8)
    p = soft(SCALE * np.einsum("hqd,hkd->hqk", q, np.repeat(k, 2, 0)))
    # The heads share keys: dimensions broadcast. Chunks of rows change nothing.
    monkeypatch.setattr(ref, "CHUNK", 1600)
    masses = ref.block_scores(q, k, SCALE, 1, (1, 16))
    for block in range(4):
        np.testing.assert_allclose(masses[..., block], p[..., 16 * block :][..., :16].sum(-1))
    oracle = ref.block_scores(q, k, SCALE, 1, (32, 16))
    for block in range(3):
        np.testing.assert_allclose(oracle[:, block], masses[:, 32 * block :][:, :32].sum(1))


def test_large_scores_do_not_overflow():
    q = 1e3 * draw(3, 9, 4)
    assert np.isfinite(ref.block_scores(q, q, 1.0, 2, (2, 2), True)).all()
    assert np.isfinite(ref.gaussian_scores(q, q, 1.0, 4)).all()


# The Gaussian estimate


def test_gaussian_written_out():
    q, k = draw(1, 10, 3), draw(2, 11, 3)
    found = ref.gaussian_scores(q, k, SCALE, (4, 5))
    for u in range(3):
        masses = []
        for v in range(3):
            qs, ks = q[4 * u : 4 * u + 4], k[5 * v : 5 * v + 5]
            # Mean and variance of the product of independent draws, per feature.
            products = qs[:, None, :] * ks[None, :, :]
            mean, variance = products.mean((0, 1)), products.var((0, 1))
            masses.append(len(ks) * np.exp(SCALE * mean.sum() + SCALE**2 * variance.sum() / 2))
        np.testing.assert_allclose(found[u], np.array(masses) / sum(masses), rtol=1e-10)


def test_gaussian_is_exact_for_equal_tokens():
    """Blocks of equal tokens have no variance: estimate and oracle agree."""
    q, k = np.repeat(draw(1, 3, 4), 8, 0), np.repeat(draw(2, 5, 4), 8, 0)
    oracle = ref.block_scores(q, k, SCALE, 1, (8, 8)) / 8
    np.testing.assert_allclose(ref.gaussian_scores(q, k, SCALE, 8), oracle, rtol=1e-9)


def test_gaussian_of_gaussian_keys():
    """Fixed queries and many Gaussian keys: the estimate is the expectation."""
    q = np.repeat(draw(1, 1, 4), 4, 0)
    wide = np.array([0.2, 1.5])[:, None, None] * draw(2, 2, 20000, 4)
    found = ref.gaussian_scores(q, wide.reshape(-1, 4), 0.5, (4, 20000))
    oracle = ref.block_scores(q, wide.reshape(-1, 4), 0.5, 1, (4, 20000)) / 4
    np.testing.assert_allclose(found, oracle, rtol=0.02)
    assert found[0, 1] > 1.5 * found[0, 0]  # the means alone would give about half


# Lists


def lists(counts, indices) -> list:
    """The named blocks of each row, in their order; -1 behind them."""
    flat = zip(counts.reshape(-1), indices.reshape(-1, indices.shape[-1]))
    result = []
    for count, row in flat:
        assert (row[count:] == -1).all() and (row[:count] >= 0).all()
        result.append(row[:count].tolist())
    return result


ROW = np.array([[0.1, 0.3, 0.1, 0.4, 0.1]])


@pytest.mark.parametrize(
    "kind,value,options,expected",
    [
        ("top_k", 0.2, {}, [3]),
        ("top_k", 0.4, {}, [1, 3]),
        ("top_k", 0.6, {}, [0, 1, 3]),  # equals: the lower index first
        ("top_k", 0.8, {}, [0, 1, 2, 3]),
        ("top_k", 0.0, {}, [3]),
        ("top_k", 1.0, {}, [0, 1, 2, 3, 4]),
        ("top_k", 2.0, {}, [0, 1, 2, 3, 4]),
        ("top_k", 0.4, dict(order="score"), [3, 1]),
        ("top_k", 0.4, dict(forced_from=4), [3, 4]),  # in the budget
        ("top_k", 0.2, dict(forced_from=3), [3, 4]),  # beyond the budget
        ("top_k", 0.6, dict(forced_from=4, order="score"), [4, 3, 1]),
        ("top_k", 0.2, dict(dense_from=0), [0, 1, 2, 3, 4]),
        ("top_k", 0.2, dict(dense_from=1), [3]),
        ("top_k", 0.2, dict(dense_from=0, order="score"), [3, 1, 0, 2, 4]),
        ("top_p", 0.3, {}, [3]),
        ("top_p", 0.41, {}, [1, 3]),
        ("top_p", 0.75, {}, [0, 1, 3]),
        ("top_p", 1.0, {}, [0, 1, 2, 3, 4]),
        ("top_p", 0.0, {}, [3]),
        ("top_p", 0.45, dict(forced_from=4), [3, 4]),
        ("top_p", 0.55, dict(forced_from=4), [1, 3, 4]),
        ("cutoff", 0.3, {}, [1, 3]),
        ("cutoff", 0.31, {}, [3]),
        ("cutoff", 0.9, {}, [3]),
        ("cutoff", 0.35, dict(forced_from=4), [3, 4]),
    ],
)
def test_select(kind, value, options, expected):
    assert lists(*ref.select_blocks(ROW, kind, value, **options)) == [expected]


def test_top_p_stops_where_p_is_reached():
    """Exactly: the first block holds p, the second is not needed."""
    assert lists(*ref.select_blocks(np.array([[0.25, 0.5, 0.25]]), "top_p", 0.5)) == [[1]]


def test_top_p_reaches_and_is_small():
    scores = np.random.default_rng(5).random((3, 20, 31)) ** 6
    share = scores / scores.sum(-1, keepdims=True)
    for p in (0.2, 0.5, 0.9, 0.99):
        counts, indices = ref.select_blocks(scores, "top_p", p)
        listed = ref.listed_blocks(counts, indices)
        held = (share * listed).sum(-1)
        worst = np.where(listed, share, np.inf).min(-1)
        assert (held >= p - 1e-12).all()
        assert (held - worst < p).all()
        assert (np.where(listed, 0, share).max(-1) <= worst).all()


@pytest.mark.parametrize("ratio,blocks,kept", [(0.1, 590, 59), (0.3, 590, 177), (0.072, 375, 27), (0.999, 100, 99)])  # fmt: skip
def test_ratio_in_decimals(ratio, blocks, kept):
    counts, _ = ref.select_blocks(draw(1, 2, blocks), "top_k", ratio)
    assert (counts == kept).all()


def test_values_of_heads():
    counts, indices = ref.select_blocks(draw(1, 2, 3, 10), "top_k", np.array([0.2, 0.5]))
    assert counts.tolist() == [[2] * 3, [5] * 3]
    assert counts.dtype == indices.dtype == np.int32


def test_lists_grow_with_value():
    scores = np.round(np.random.default_rng(2).random((4, 6, 17)), 1)
    for kind, values in (("top_k", (0.1, 0.3, 0.7)), ("top_p", (0.1, 0.5, 0.9)), ("cutoff", (0.9, 0.5, 0.2))):  # fmt: skip
        levels = [ref.listed_blocks(*ref.select_blocks(scores, kind, x)) for x in values]
        for smaller, larger in zip(levels, levels[1:]):
            assert (smaller <= larger).all() and (smaller < larger).any()


@pytest.mark.parametrize(
    "change", [dict(kind="top"), dict(order="rank"), dict(scores=np.array([[np.nan, 1]]))]
)
def test_bad_selection(change):
    arguments = dict(scores=ROW, kind="top_k", value=0.5)
    with pytest.raises(ValueError, match="expected"):
        ref.select_blocks(**{**arguments, **change})


def test_behind_the_count_is_not_read():
    listed = ref.listed_blocks(np.array([2, 0]), np.array([[2, 0, 1], [1, -1, -1]]))
    assert listed.tolist() == [[True, False, True], [False, False, False]]


# Recall


def test_list_recall():
    q, k = draw(1, 2, 40, 4), draw(2, 2, 50, 4)
    p = soft(SCALE * q @ np.swapaxes(k, -1, -2))
    scores = ref.block_scores(q, k, SCALE, 4, (4, 2))
    counts, indices = ref.select_blocks(scores, "top_k", 0.5)
    rows = np.array([0, 39, 15, 16, 16])
    masses = ref.block_scores(q[:, rows], k, SCALE, 1, (1, 8))
    found = ref.list_recall(masses, rows, counts, indices, 16)
    for head in range(2):
        for at, row in enumerate(rows):
            kept = indices[head, row // 16, : counts[head, row // 16]]
            expected = sum(p[head, row, 8 * v : 8 * v + 8].sum() for v in kept)
            assert found[head, at] == pytest.approx(expected, rel=1e-12)


def structured(seed: int, spread: float, size: float = 3.0) -> tuple:
    """Tokens around one centre for each block of 8."""
    q, k = (np.repeat(size * draw(seed + i, n, 4), 8, 0)[: 8 * n - 3] for i, n in ((0, 3), (1, 6)))
    return q + spread * draw(seed + 2, *q.shape), k + spread * draw(seed + 3, *k.shape)


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.2, 1.0])
@pytest.mark.parametrize("scale", [0.25, -0.5, 8.0])
@pytest.mark.parametrize("size", [0.0, 3.0])
def test_deterministic_bound_holds(spread, scale, size):
    for seed in range(20):
        q, k = structured(10 * seed, spread, size)
        scores = ref.block_scores(q, k, scale, 1, (8, 8))
        lists = ref.select_blocks(scores, "top_k", 0.4)
        bound = ref.deterministic_recall(q, k, scale, *lists, 8)
        rows = np.arange(len(q))
        masses = ref.block_scores(q, k, scale, 1, (1, 8))
        recall = ref.list_recall(masses, rows, *lists, 8)
        assert (bound[rows // 8] <= recall + 1e-12).all()
        if spread == 0.0:  # nothing is lost where the tokens of a block are equal
            np.testing.assert_allclose(bound[rows // 8], recall, rtol=1e-9)


def test_deterministic_bound_by_hand():
    q, k = np.array([[1.0]]), np.array([[0.0]] * 999 + [[2.0], [0.0]])
    lists = np.array([1], np.int32), np.array([[1, -1]], np.int32)
    # Block 0: centre .002, radius 1.998; block 1: the key 0.
    bound = ref.deterministic_recall(q, k, 1.0, *lists, (1, 1000))
    assert bound[0] == pytest.approx(1 / (1 + 1000 * np.exp(2.0)))
    # All centres are 0: only the product of the radii, 1, is left.
    q, k = np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0], [0.0], [0.0]])
    lists = np.array([1], np.int32), np.array([[0, -1]], np.int32)
    assert ref.deterministic_recall(q, k, 1.0, *lists, 2)[0] == pytest.approx(1 / (1 + np.e))


def test_deterministic_ends():
    q, k = structured(1, 0.3, size=300.0)  # scores of many thousands
    counts, indices = ref.select_blocks(np.ones((3, 6)), "top_k", 1.0)
    assert (ref.deterministic_recall(q, k, 1.0, counts, indices, 8) == 1).all()
    assert (ref.deterministic_recall(q, k, 1.0, 0 * counts, indices, 8) == 0).all()
    half = ref.deterministic_recall(q, k, 1.0, counts // 2, indices, 8)
    assert np.isfinite(half).all()


# Confidence


def test_bernstein_known_values():
    # Zero variance: only the last term, 7 ln(40) / (3 * 99).
    assert ref.empirical_bernstein(np.ones(100), 0.05) == pytest.approx(0.9130567, abs=1e-7)
    # Half zeros, half ones, n = 200: V = 50 / 199.
    values = np.repeat([0.0, 1.0], 100)
    expected = 0.5 - np.sqrt(2 * 50 / 199 * np.log(40) / 200) - 7 * np.log(40) / (3 * 199)
    assert ref.empirical_bernstein(values, 0.05) == pytest.approx(expected)
    assert ref.empirical_bernstein(np.zeros((3, 4)), 0.05).tolist() == [0, 0, 0]
    for n, delta in ((1, 0.05), (9, 0.0), (9, 1.0)):
        with pytest.raises(ValueError, match="expected 2 samples"):
            ref.empirical_bernstein(np.ones(n), delta)


@pytest.mark.parametrize("a,b", [(9, 1), (0.4, 0.1), (30, 0.5), (50, 50)])
def test_bernstein_covers(a, b):
    """Of 4,000 samples at most a share delta (and three standard errors) have a
    bound above the mean; recalls of Beta distributions, one of them bimodal."""
    delta, trials = 0.2, 4000
    recalls = np.random.default_rng(1).beta(a, b, (trials, 200))
    missed = (ref.empirical_bernstein(recalls, delta) > a / (a + b)).mean()
    assert missed <= delta + 3 * np.sqrt(delta * (1 - delta) / trials)
    # It is a bound of use: within 0.15 of the mean here.
    assert ref.empirical_bernstein(recalls, delta).mean() > a / (a + b) - 0.15


def test_bernstein_is_monotone():
    recalls = np.random.default_rng(1).beta(9, 1, 4000)
    bounds = [ref.empirical_bernstein(recalls, d) for d in (0.001, 0.05, 0.5)]
    assert bounds == sorted(bounds)
    bounds = [ref.empirical_bernstein(recalls[:n], 0.05) for n in (50, 400, 4000)]
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("a,b", [(9, 1), (0.4, 0.1), (30, 0.5), (50, 50), (0.01, 0.001)])
def test_betting_covers(a, b):
    """Just below the target at most a share delta of the samples passes; and
    for the same recalls it passes where the Bernstein bound does, and oftener."""
    delta, trials, mean = 0.2, 4000, a / (a + b)
    recalls = np.random.default_rng(2).beta(a, b, (trials, 200))
    missed = ref.betting_test(recalls, mean + 1e-9, delta).mean()
    assert missed <= delta + 3 * np.sqrt(delta * (1 - delta) / trials)
    for slack in (0.03, 0.06, 0.1):
        betting = ref.betting_test(recalls, mean - slack, delta).mean()
        bernstein = (ref.empirical_bernstein(recalls, delta) >= mean - slack).mean()
        assert betting >= bernstein


def wealth_written_out(recalls, target, delta) -> list:
    wealth, drawn = [1.0], [0.5]
    squares, variance = 0.25, 0.25
    for x in recalls:
        bet = np.sqrt(2 * np.log(1 / delta) / (len(recalls) * variance))
        wealth.append(wealth[-1] * (1 + min(bet, 0.75 / target) * (x - target)))
        drawn.append(x)
        squares += (x - np.mean(drawn)) ** 2
        variance = squares / len(drawn)
    return wealth


def test_betting_written_out():
    """The same decision for many deltas, on both sides of the threshold."""
    random, passed = np.random.default_rng(4), 0
    for target in (0.1, 0.5, 0.9):
        recalls = random.beta(9 * target, 6 * (1 - target), 12)
        for delta in np.geomspace(0.01, 0.99, 150):
            expected = max(wealth_written_out(recalls, target, delta)[1:]) >= 1 / delta
            assert ref.betting_test(recalls, target, delta) == expected
            passed += expected
    assert 100 < passed < 350


def test_betting_ends():
    # Once the wealth is reached nothing is taken back.
    assert ref.betting_test(np.repeat([1.0, 0.0], [5, 20]), 0.5, 0.3)
    assert not ref.betting_test(np.repeat([0.0, 1.0], [20, 5]), 0.5, 0.3)
    for target, delta in ((0.0, 0.1), (1.1, 0.1), (0.5, 0.0)):
        with pytest.raises(ValueError, match="expected 0 < delta < 1"):
            ref.betting_test(np.ones(5), target, delta)


def test_choose_level():
    n = 400  # constant samples: the bound is 0.0216 below the recall
    recalls = np.array([[0.99, 0.90, 0.99], [0.95, 0.99, 0.97], [0.91, 0.99, 0.95]])
    recalls = np.repeat(recalls[..., None], n, -1)
    # First: falls below at the second; second: fails at once, and what follows
    # is not looked at; third: passes all.
    assert ref.choose_level(recalls, 0.928, 0.05).tolist() == [1, -1, 2]
    assert ref.choose_level(recalls[:, 0], 0.9, 0.05) == 1
    assert ref.choose_level(recalls, 0.928, 0.05, "betting").tolist() == [1, -1, 2]
    with pytest.raises(ValueError, match="expected the test bernstein or betting"):
        ref.choose_level(recalls, 0.9, 0.05, "hoeffding")


@pytest.mark.parametrize("test", ["bernstein", "betting"])
def test_chosen_level_keeps_its_promise(test):
    """Fixed-sequence testing needs no correction: over 500 samples the chosen
    list misses the target in at most delta of them (and three standard errors)."""
    delta, trials, n = 0.2, 500, 300
    true = np.linspace(0.99, 0.85, 30)[:, None, None]
    noise = np.random.default_rng(3).random((trials, n)) - 0.5
    recalls = true + np.minimum(2 * (1 - true), 0.2) * noise  # nested lists: one sample of rows
    levels = ref.choose_level(recalls, 0.9, delta, test)
    missed = (np.where(levels >= 0, true[levels, 0, 0], 1.0) < 0.9).mean()
    assert missed <= delta + 3 * np.sqrt(delta * (1 - delta) / trials)
    assert (levels >= 0).mean() > 0.9

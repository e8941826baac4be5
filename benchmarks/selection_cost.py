# ===- selection_cost.py - Work of scores and certification ----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Operations, cycles and bytes of block scores, of the Gaussian estimate and of
certification, counted from shapes and set against dense attention.

Cycles of a multiprocessor of Hopper: 4096 FLOP of matrix product (f16) or 16
exponentials each, one after the other (no overlap). What is smaller by the
number of tokens in a tile or more (means, sums to blocks, ranks) is left out of
the operations, not of the bytes."""

FLOP_PER_CYCLE = 4096
EXPONENTIALS_PER_CYCLE = 16
BLOCK, POOL = 128, 16  # tokens
# The fused score pass goes over the keys twice: once for a row's maximum and
# sum, once for the entries; so it holds no softmax.
PASSES = 2

SHAPES = (
    # name, heads, tokens, d
    ("4,096 tokens", 24, 4096, 128),
    ("Wan 1.3B 480p", 12, 32760, 128),
    ("Wan 14B 720p", 40, 75600, 128),
    ("HunyuanVideo 720p", 24, 119056, 128),
)


def cycles(flop: float, exponentials: float) -> float:
    return flop / FLOP_PER_CYCLE + exponentials / EXPONENTIALS_PER_CYCLE


def cost(name: str, heads: int, tokens: int, d: int, rows: list) -> dict:
    """The row of one shape; percentages are relative to dense attention.

    rows: numbers of sampled query rows a head."""
    blocks = -(-tokens // BLOCK)
    tiles = blocks * BLOCK // POOL
    # (FLOP, exponentials, bytes loaded and stored) of a head; f16 tensors, f32 scores.
    dense = (4 * tokens**2 * d, tokens**2, 2 * tokens * d * (2 + 2 * blocks))
    pooled = 2 * tokens * d * 2 + 4 * 2 * tiles * d
    score = (PASSES * 2 * tiles**2 * d, PASSES * tiles**2,
             pooled + PASSES * 4 * tiles * d * (1 + tiles / BLOCK) + 4 * blocks**2)  # fmt: skip
    # Three products over features: of means, and the two terms of the variance.
    gaussian = (6 * blocks**2 * d, blocks**2, 4 * 4 * blocks * d * 2 + 4 * blocks**2)
    samples = {n: (2 * n * tokens * d, n * tokens, 2 * tokens * d * -(-n // BLOCK)) for n in rows}

    def percent(part: float, index: int) -> float:
        return 100 * part / dense[index]

    row = {
        "shape": name,
        "heads": str(heads),
        "tokens": str(tokens),
        "d": str(d),
        "dense TFLOP": heads * dense[0] / 1e12,
        "score FLOP": percent(score[0], 0),
        "gaussian FLOP": percent(gaussian[0], 0),
    }
    row.update({f"n={n} FLOP": percent(part[0], 0) for n, part in samples.items()})
    for n, part in samples.items():
        flop, exponentials, moved = (sum(x) for x in zip(score, gaussian, part))
        row[f"all, n={n}: cycles"] = 100 * cycles(flop, exponentials) / cycles(*dense[:2])
    row[f"all, n={rows[-1]}: bytes"] = percent(moved, 2)
    row["scores MB"] = heads * 4 * blocks**2 / 1e6
    row["tile softmax MB"] = heads * 2 * tiles**2 / 1e6
    return row


def cost_table(captured: list, rows: list) -> list:
    """The rows of the captured shapes and of SHAPES."""
    return [cost(*shape, rows) for shape in (*captured, *SHAPES)]

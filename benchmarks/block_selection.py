#!/usr/bin/env python3
# ===- block_selection.py - Recall and size of block lists -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Block lists on captured attention: what recall they have, how small a list
certifies a recall, how loose the bounds are, and what scoring costs.

Reads every FOLDER/*.safetensors: query and key, f16 [heads, tokens, d], tokens
in raster order; metadata grid (TxHxW), heads, time, clip. All arithmetic is
float64. docs/BlockSelection.md defines the terms and quotes the tables."""

import argparse
import itertools
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "numerics")]

import selection_reference as ref  # noqa: E402
from selection_cost import cost_table  # noqa: E402
from sparse_attn import tools  # noqa: E402
from test_layouts import order  # noqa: E402

RATIOS = (0.1, 0.2, 0.3, 0.4, 0.5)
TARGETS = (0.9, 0.95)
DELTA = 0.05
POOL = 16  # tokens of a tile in DFSAttn's scores
# Levels of top_p, from the largest list to the smallest.
LEVELS = np.concatenate([[0.999, 0.995], np.arange(99, 0, -1) / 100])
# Boxes that hold one block each.
BOXES = {128: ("8x4x4", "4x4x8", "2x8x8"), 64: ("4x4x4", "1x8x8")}
SCORES = ("mean-pool", "gaussian", "oracle")
# How lists are certified, and what is recorded of them: share of block pairs
# kept, mean recall, share of samples that end dense, and whose list misses.
TESTS = ("bernstein", "betting")
CERTIFIED = ("share", "recall", "dense", "missed")


@dataclass
class Head:
    """One head of a captured attention; query and key [tokens, d], float64."""

    file: str
    name: str
    grid: tuple
    q: np.ndarray
    k: np.ndarray

    @property
    def scale(self) -> float:
        return self.q.shape[1] ** -0.5


def load(folder: Path, most: int) -> list:
    """The heads of every file in `folder`, at most `most` of each file."""
    paths = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    if not paths:
        raise FileNotFoundError(
            f"expected captured attention in {folder}/*.safetensors (query, key; see the head of "
            "benchmarks/block_selection.py), found none"
        )
    heads = []
    for path in paths:
        with safe_open(path, "np") as file:
            about = file.metadata() or {}
            if about.get("order") != "raster" or "grid" not in about or "heads" not in about:
                raise RuntimeError(
                    f"{path}: expected the metadata order=raster, grid and heads, found {about}"
                )
            q, k = (file.get_tensor(x).astype(np.float64) for x in ("query", "key"))
        grid = tuple(map(int, about["grid"].split("x")))
        if q.shape != k.shape or q.shape[1] != np.prod(grid):
            raise RuntimeError(
                f"{path}: expected {np.prod(grid)} queries and keys, found shapes {q.shape} and {k.shape}"
            )
        names = about["heads"].split(",")[:most]
        heads += [Head(path.stem, name, grid, q[i], k[i]) for i, name in enumerate(names)]
    return heads


def orders(grid: tuple, block: int) -> dict:
    """Token orders by name, from the compiler; boxes where they fit the grid."""
    size = "x".join(map(str, grid))
    texts = {name: f"{name}<{size}>" for name in ("raster", "hilbert", "gilbert", "morton")}
    for box in BOXES[block]:
        if all(n % b == 0 for n, b in zip(grid, map(int, box.split("x")))):
            texts[f"box {box}"] = f"box<{box} in {size}>"
    with tempfile.TemporaryDirectory() as folder:
        tokens = int(np.prod(grid))
        return {name: order(text, tokens, Path(folder)) for name, text in texts.items()}


def recalls(masses: np.ndarray, listed: np.ndarray, block: int) -> np.ndarray:
    """Every row's recall under several lists: masses [L, V], listed
    [lists, U, V] -> [lists, L]."""
    rows = [masses[u * block : (u + 1) * block].T for u in range(listed.shape[1])]
    return np.concatenate([listed[:, u].astype(float) @ part for u, part in enumerate(rows)], -1)


def listed_at(scores: np.ndarray, kind: str, values) -> tuple:
    """The lists of several values: counts [values, U], indices [values, U, V]."""
    values = np.asarray(values)
    return ref.select_blocks(np.broadcast_to(scores, (len(values), *scores.shape)), kind, values)


def rounded(values, digits: int = 4):
    return np.round(np.asarray(values, float), digits).tolist()


def certify(all_rows, shares, options, random) -> dict:
    """Lists that certify each target, by test and number of sampled rows: means
    over the samples of CERTIFIED's columns.

    all_rows [levels, L]: recalls; shares [levels]: kept block pairs."""
    true = all_rows.mean(-1)
    found = {}
    for target, n in itertools.product(TARGETS, options.rows):
        # Levels behind the first that misses by .05 change nothing but the time.
        near = all_rows[: int((true >= target - 0.05).sum()) + 1]
        rows = random.integers(0, all_rows.shape[1], (options.trials, n))
        for test in TESTS:
            levels = ref.choose_level(near[:, rows], target, DELTA, test)
            dense = levels < 0
            found[f"{test} {target} {n}"] = rounded(np.mean([
                np.where(dense, 1.0, shares[levels]),
                np.where(dense, 1.0, true[levels]),
                dense,
                ~dense & (true[levels] < target),
            ], axis=-1))  # fmt: skip
    return found


def bounds(head: tuple, masses, lists, estimates: dict, block: int, options, random) -> dict:
    """What bounds and estimates say of lists [ratios] and what is true."""
    q, k, scale = head
    listed = ref.listed_blocks(*lists)
    rows = recalls(masses, listed, block)
    sampled = rows[:, random.integers(0, rows.shape[1], (options.trials, options.rows[-1]))]
    certified = ref.empirical_bernstein(sampled, DELTA)
    worst = np.array([ref.deterministic_recall(q, k, scale, *one, block) for one in zip(*lists)])
    weights = np.bincount(np.arange(len(q)) // block) / len(q)
    true = rows.mean(-1)
    return {
        "true": rounded(true),
        # Bounds of rows, averaged; many are far below what 4 digits can show.
        "deterministic": [float(f"{x:.3g}") for x in worst @ weights],
        **{name: rounded((x * listed).sum(-1) @ weights) for name, x in estimates.items()},
        "certified": rounded(certified.mean(-1)),
        "missed": rounded((certified > true[:, None]).mean(-1)),
    }


def measure(head: Head, block: int, layout: str, perm, options, random) -> list:
    """The records of one head in one token order: one for each score."""
    q, k, scale = head.q[perm], head.k[perm], head.scale
    masses = ref.block_scores(q, k, scale, 1, (1, block))
    exact = np.add.reduceat(masses, np.arange(0, len(q), block), axis=0)
    gaussian = ref.gaussian_scores(q, k, scale, block)
    scores = {
        "mean-pool": ref.block_scores(q, k, scale, POOL, (block // POOL,) * 2, zero_padded=True),
        "gaussian": gaussian,
        "oracle": exact,
    }
    records = []
    for name in SCORES:
        record = {"file": head.file, "head": head.name}
        record |= {"block": block, "layout": layout, "score": name}
        lists = listed_at(scores[name], "top_k", RATIOS)
        rows = recalls(masses, ref.listed_blocks(*lists), block)
        record["mean"], record["worst"] = rounded(rows.mean(-1)), rounded(rows.min(-1))
        # Recall of all rows against size: [recalls, shares of block pairs].
        counts, indices = listed_at(scores[name], "top_p", LEVELS)
        all_rows = recalls(masses, ref.listed_blocks(counts, indices), block)
        shares = counts.mean(-1) / exact.shape[1]
        budgets = np.arange(1, exact.shape[1] + 1)
        ranked = np.take_along_axis(exact, np.argsort(-scores[name], axis=-1, kind="stable"), -1)
        record["top_p"] = [rounded(all_rows.mean(-1)), rounded(shares)]
        reached = np.cumsum(ranked.sum(0)) / len(q)
        record["top_k"] = [rounded(reached), rounded(budgets / exact.shape[1])]
        if name != "oracle":
            record["certified"] = certify(all_rows, shares, options, random)
        if name == "mean-pool":
            estimates = {"mean-pool": scores[name] * POOL / block, "gaussian": gaussian}
            record["bounds"] = bounds((q, k, scale), masses, lists, estimates, block, options, random)
        records.append(record)
    return records


def share_at(record: dict, kind: str, recall: float) -> float:
    """The size at which a head's lists of a kind reach a recall; linear between
    the sizes that there are, 1 where none reaches it."""
    found, shares = record[kind]
    return float(np.interp(recall, [0, *np.sort(found), 1], [0, *np.sort(shares), 1]))


def common_share(records: list, kind: str, recall: float) -> float:
    """The mean size if one level of top_p, or one ratio of top_k, holds for all
    heads and brings each of them to the recall."""
    if kind == "top_k":
        return max(share_at(r, kind, recall) for r in records)
    good = [all(r[kind][0][i] >= recall for r in records) for i in range(len(LEVELS))]
    passed = int(np.cumprod(good).sum())
    return float(np.mean([r[kind][1][passed - 1] for r in records])) if passed else 1.0


def spell(cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:.1e}" if 0 < abs(cell) < 1e-3 else f"{cell:.3f}"


def print_table(title: str, columns: list, rows: list) -> None:
    cells = [list(columns), *([spell(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    print(f"\n{title}")
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def groups(records: list) -> dict:
    """Records by (block, score, layout)."""
    found = {}
    for record in records:
        found.setdefault((record["block"], record["score"], record["layout"]), []).append(record)
    return dict(sorted(found.items(), key=lambda x: (-x[0][0], SCORES.index(x[0][1]))))


def print_recall(records: list) -> None:
    head = ["block", "score", "layout", *(f"{r}" for r in RATIOS), *(f"worst {r}" for r in RATIOS)]
    rows = []
    for (block, score, layout), group in groups(records).items():
        mean, worst = (np.mean([r[x] for r in group], axis=0) for x in ("mean", "worst"))
        rows.append([str(block), score, layout, *mean, *worst])
    title = "Recall at keep ratios: mean over rows and heads; worst row, mean over heads"
    print_table(title, head, rows)


def print_gain(records: list) -> None:
    """Layouts against raster order, head by head."""
    found, rows = groups([r for r in records if r["score"] == "mean-pool"]), []
    ratio = RATIOS.index(0.2)
    for (block, score, layout), group in found.items():
        if layout == "raster":
            continue
        files = np.array([r["file"] for r in group])
        own, base = (np.array([r["mean"][ratio] for r in x]) for x in (group, found[block, score, "raster"]))
        for file in (*sorted(set(files)), "all"):
            gain = (own - base)[(files == file) | (file == "all")]
            rows.append([str(block), layout, file, gain.mean(), gain.max(), gain.min(),
                         f"{(gain > 0).sum()} of {len(gain)}"])  # fmt: skip
    columns = ["block", "layout", "file", "mean", "best head", "worst head", "heads that gain"]
    print_table("Recall less that of raster order: mean-pool scores, keep ratio 0.2", columns, rows)


def print_lists(records: list, options) -> None:
    rows = []
    for (block, score, layout), group in groups(records).items():
        for target in TARGETS:
            line = [str(block), score, layout, str(target)]
            line += [np.mean([share_at(r, kind, target) for r in group]) for kind in ("top_p", "top_k")]
            line += [common_share(group, kind, target) for kind in ("top_p", "top_k")]
            if score != "oracle":
                # [tests * rows, heads, columns]; the recall [heads] of the last.
                keys = [f"{test} {target} {n}" for test in TESTS for n in options.rows]
                found = np.array([[r["certified"][key] for r in group] for key in keys])
                recall = found[-1, :, 1]
                same = np.mean([share_at(r, "top_k", x) for r, x in zip(group, recall)])
                line += [*found[..., 0].mean(-1), recall.mean(), same, found[..., 3].mean(-1).max()]
            rows.append(line)
    columns = ["block", "score", "layout", "recall", "top_p", "top_k", "one p", "one ratio",
               *(f"{test[:4]} {n}" for test in TESTS for n in options.rows),
               "its recall", "top_k, its recall", "missed"]  # fmt: skip
    rows = [row + ["-"] * (len(columns) - len(row)) for row in rows]
    title = (
        "Share of block pairs kept at a mean recall of each head: in hindsight, by a level for each head "
        f"and by one for all; and certified (delta {DELTA}) by test and sampled rows"
    )
    print_table(title, columns, rows)


def print_bounds(records: list) -> None:
    rows = []
    for (block, _, layout), group in groups([r for r in records if "bounds" in r]).items():
        for i, ratio in enumerate(RATIOS):
            true, weak, pool, model, certified, missed = (
                np.array([r["bounds"][x][i] for r in group])
                for x in ("true", "deterministic", "mean-pool", "gaussian", "certified", "missed")
            )
            logs = np.log10(np.maximum(weak, 1e-300))
            row = [str(block), layout, str(ratio), true.mean(), f"1e{np.median(logs):.0f}", weak.max()]
            for estimate in (pool, model):
                row += [estimate.mean(), np.abs(estimate - true).mean(), (estimate - true).max()]
            rows.append([*row, certified.mean(), (true - certified).max(), missed.mean()])
    columns = ["block", "layout", "ratio", "true", "deterministic", "its best", "mean-pool", "|error|", "over by",
               "gaussian", "|error|", "over by", "certified", "below by", "missed"]  # fmt: skip
    print_table("What is said of a mean-pool list's recall, and what it is", columns, rows)


def write(path: Path, options, heads: list, records: list, costs: list) -> None:
    """One record a line."""
    about = {
        "command": "benchmarks/block_selection.py " + " ".join(options.command),
        "files": sorted({h.file for h in heads}),
        "shapes": {h.file: {"grid": h.grid, "tokens": len(h.q), "d": h.q.shape[1]} for h in heads},
        "heads": len(heads),
        "ratios": RATIOS, "top_p levels": LEVELS.tolist(), "delta": DELTA,
        "rows": options.rows, "trials": options.trials, "seed": options.seed,
        "tests": TESTS, "certified": CERTIFIED,
    }  # fmt: skip
    parts = [json.dumps({**about, "costs": costs})[:-1] + ',\n"records": [']
    for record in records:  # instead of the curves, where they reach the targets
        for kind in ("top_p", "top_k"):
            record["hindsight " + kind] = [round(share_at(record, kind, x), 4) for x in TARGETS]
        del record["top_p"], record["top_k"]
    parts.append(",\n".join(json.dumps(r) for r in records) + "\n]}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds the captured attention")
    parser.add_argument("--blocks", type=int, nargs="+", default=[128, 64], choices=BOXES)
    parser.add_argument("--heads", type=int, default=1 << 30, help="at most as many of each file")
    parser.add_argument("--rows", type=int, nargs="+", default=[256, 512, 1024], help="sampled rows")
    parser.add_argument("--trials", type=int, default=20, help="samples drawn for each figure")
    parser.add_argument("--seed", type=int, default=1)
    results = ROOT / "benchmarks" / "results" / "block_selection.json"
    parser.add_argument("--json", type=Path, default=results)
    options = parser.parse_args()
    options.command = [x for x in sys.argv[1:] if x != str(options.folder)] + ["FOLDER"]
    heads, records, began = load(options.folder, options.heads), [], time.time()
    grids = sorted({h.grid for h in heads})
    perms = {(grid, block): orders(grid, block) for grid in grids for block in options.blocks}
    for at, head in enumerate(heads):
        random = np.random.default_rng([options.seed, at])
        for block in options.blocks:
            for layout, perm in perms[head.grid, block].items():
                records += measure(head, block, layout, perm, options, random)
        print(f"{head.file} head {head.name}: {time.time() - began:.0f} s", file=sys.stderr)
    print(f"{len(heads)} heads of {len({h.file for h in heads})} files, every row; "
          f"{options.trials} samples of rows for each certified figure")  # fmt: skip
    print_recall(records)
    print_gain(records)
    print_lists(records, options)
    print_bounds(records)
    one = {head.grid: head for head in heads}
    shapes = [("captured " + "x".join(map(str, g)), 1, *one[g].q.shape) for g in grids]
    costs = cost_table(shapes, options.rows)
    title = "Cost in percent of dense attention (unless the column names a unit)"
    print_table(title, list(costs[0]), [list(row.values()) for row in costs])
    write(options.json, options, heads, records, costs)
    return 0


if __name__ == "__main__":
    tools.run_main(main)

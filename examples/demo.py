#!/usr/bin/env python3
# ===- demo.py - From model graphs to executed PTX, without a GPU ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles a video transformer and a torch graph, then runs captured attention
through the kernel of each filter on the PTX emulator."""

import argparse
import gzip
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "numerics")]

from inputs import captured  # noqa: E402
from sparse_attn import tools  # noqa: E402
from sparse_attn.filters import Filter  # noqa: E402
from sparse_attn.modules import Attention, print_module  # noqa: E402
from sparse_attn.reference import Problem, dense_attention, filtered_attention  # noqa: E402

HEADS = ["sharp", "local", "mixed", "diffuse"]
FILTERS = [
    ("dense", "nothing is skipped"),
    ("threshold:0.1", "skips where a tile's maximum is 10 times below the running maximum"),
    ("energy:-4", "skips where a tile's maximum is e^4 below the energy kept so far"),
    ("recall:0.95", "every row keeps 95 %, by the tiles' exact masses"),
    ("recall:0.95,groups=8", "every row keeps 95 %, by 8 maxima a tile"),
]


class Progress:
    """One line on a terminal that the next line overwrites."""

    def __init__(self):
        self.terminal = sys.stderr.isatty()

    def show(self, text: str):
        if self.terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self):
        self.show("")


def heading(text: str):
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def compile_graph(source: Path, out: Path, attentions: int, *flags: str) -> tools.Package:
    """Compiles a graph and prints what the compiler found and chose."""
    start = time.monotonic()
    report = tools.call(
        "sparse-attn-compile", source, "--target=sm_80", "-o", out,
        f"--expect-attention={attentions}", *flags,
    )  # fmt: skip
    print(report.rstrip())
    print(f"({time.monotonic() - start:.1f} s)")
    return tools.Package(out)


def show_video_transformer(out: Path):
    heading("1. A video diffusion transformer: six attentions, found in linalg by dataflow")
    packed = ROOT / "examples" / "models" / "video_transformer_8x16x24.mlir.gz"
    source = out / "video_transformer.mlir"
    with gzip.open(packed, "rb") as text, open(source, "wb") as plain:
        shutil.copyfileobj(text, plain)
    compile_graph(source, out / "video_transformer", 6, "--filter=recall:0.95")


def show_torch_graph(out: Path):
    heading("2. torch's causal attention in f16: compiled, executed, compared with float64")
    source = ROOT / "examples" / "models" / "torch_sdpa_f16_causal.mlir"
    package = compile_graph(source, out / "torch_sdpa", 1)
    kernel = package.kernel()
    shapes = {a["name"]: a["shape"] for a in kernel["arguments"] if a.get("role") == "input"}
    generator = np.random.default_rng(0)
    arrays = {
        name: generator.standard_normal(shape).astype(np.float16) for name, shape in shapes.items()
    }
    found = tools.run(package, arrays).arrays["output"]
    q, k, v = (arrays[x].astype(np.float64) for x in ("query", "key", "value"))
    expected, _ = dense_attention(q, k, v, Problem(q.shape[-1] ** -0.5, causal=0))
    print(f"largest difference from float64: {np.abs(found - expected).max():.2e}")


def show_captured(out: Path, tiles: list) -> bool:
    heading("3. Captured attention, through the kernel of each filter on the PTX emulator")
    rows = 128 * len(tiles)
    print(
        f"{rows} query rows of {len(HEADS)} heads against 3,072 keys, f16, head_dim 64. "
        "Errors are the largest\nabsolute differences from float64: `rounding` with the same tiles "
        "skipped, `total` from dense\nattention. Recall is the share of softmax mass that a row "
        "kept: the mean row, the worst row, and\nthe least that the kernel guaranteed."
    )
    progress = Progress()
    arrays = captured(HEADS, tiles)
    problem = Problem(0.125)
    dense, _ = dense_attention(arrays["q"], arrays["k"], arrays["v"], problem)
    inputs = {"query": arrays["q"], "key": arrays["k"], "value": arrays["v"]}
    columns = f"{'head':10}{'sparsity':>10}{'rounding':>11}{'total':>11}"
    columns += f"{'mean':>12}{'worst':>9}{'guaranteed':>12}{'slack':>9}"
    good = True
    for index, (spelling, meaning) in enumerate(FILTERS):
        rule = Filter.parse(spelling)
        spec = Attention(rows, 3072, 64, (len(HEADS),), rule=rule)
        progress.show(f"compiling {spelling}")
        package = tools.compile_text(print_module(spec), out / f"captured_{index}")
        progress.show(f"running {spelling}")
        start = time.monotonic()
        run = tools.run(package, inputs)
        seconds = time.monotonic() - start
        progress.show(f"checking {spelling}")
        tile = tuple(package.kernel()["decision_tile"])
        exact = filtered_attention(arrays["q"], arrays["k"], arrays["v"], problem, rule, tile)
        progress.clear()
        print(f"\n{spelling}: {meaning} ({seconds:.1f} s)")
        print(columns)
        for number, head in enumerate(HEADS):
            good &= print_head(head, number, run, exact, dense, rule)
    return good


def print_head(head, index, run, exact, dense, rule) -> bool:
    """One line of the table; whether the guarantee of `recall` held."""
    output = run.arrays["output"][index].astype(np.float64)
    visited, skipped = run.arrays["tile_counts"][index].sum(axis=0)
    recall = exact.true_recall[index]
    bound = float(run.arrays["recall_bound"][index].min()) if "recall_bound" in run.arrays else 1.0
    slack = float(recall.min()) - bound
    slack = 0.0 if abs(slack) < 5e-5 else slack
    print(
        f"{head:10}{skipped / max(visited, 1):>9.1%} "
        f"{np.abs(output - exact.out[index]).max():>10.1e} "
        f"{np.abs(output - dense[index]).max():>10.1e} "
        f"{recall.mean():>11.4f}{recall.min():>9.4f}{bound:>12.4f}{slack:>9.4f}",
        flush=True,
    )
    return rule.kind != "recall" or recall.min() >= rule.value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="keep the packages here (build/demo)")
    parser.add_argument("--tiles", type=int, choices=(1, 2), default=2,
                        help="query tiles of 128 rows for each head (2)")  # fmt: skip
    options = parser.parse_args()
    out = options.out or Path(os.environ.get("SPARSE_ATTN_BUILD", ROOT / "build")) / "demo"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    start = time.monotonic()
    try:
        show_video_transformer(out)
        show_torch_graph(out)
        good = show_captured(out, list(range(options.tiles)))
    except (tools.ToolError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"\nThe packages are in {out} ({time.monotonic() - start:.0f} s in all).")
    if not good:
        print("error: a row's recall is below its guarantee", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

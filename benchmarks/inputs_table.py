#!/usr/bin/env python3
# ===- inputs_table.py - What becomes of the graphs of exporters -----------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles every graph below some folders and prints what becomes of each
softmax: its kernel or the reason why there is none.

Equal softmaxes of a graph share a row. Registers and spills are ptxas's."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402

INPUTS = ROOT / "test" / "Integration" / "Inputs"
# Those in linalg already; models beside them are torch's and StableHLO's.
FOLDERS = [INPUTS / name for name in ("iree", "linalg", "tiny-video-dit")]
COLUMNS = ("input", "softmaxes", "raised", "scale", "mask", "group", "dynamic", "kernel", "registers", "spills")


def compile_graph(path: Path, target: str) -> dict:
    """The report on a graph; {"error": ...} if the compiler refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            text = tools.call(
                "sparse-attn-compile", path, "-o", f"{folder}/package", "--report=json",
                f"--target={target}",
            )  # fmt: skip
        except tools.ToolError as error:
            return {"error": error.message.splitlines()[0]}
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def describe(name: str, softmax: dict, kernels: dict) -> dict:
    """The row of one softmax of the graph `name`."""
    row = {"input": name, "softmaxes": 1, "raised": softmax["status"] != "not raised"}
    if softmax["status"] != "compiled":
        row["reason"] = softmax["reason"]
    kernel = kernels.get(softmax.get("kernel"))
    if kernel:
        row.update({x: kernel[x] for x in ("scale", "group", "dynamic", "mask", "modified", "type")})
        row["kernel"] = kernel["name"]
        if "registers" in kernel:
            row["registers"] = kernel["registers"]
            row["spills"] = kernel["spill_stores"] + kernel["spill_loads"]
    return row


def spell(row: dict) -> list:
    """The cells of a row."""
    words = row.get("mask", []) + ["modified"] * row.get("modified", False)
    return [
        row["input"],
        str(row["softmaxes"]),
        "yes" if row["raised"] and "reason" not in row else row["reason"],
        f"{row['scale']:.4g}" if "scale" in row else "-",
        (",".join(words) or "none") if "mask" in row else "-",
        str(row.get("group", "-")),
        {True: "yes", False: "no"}.get(row.get("dynamic"), "-"),
        *(str(row.get(x, "-")) for x in ("kernel", "registers", "spills")),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*", default=FOLDERS)
    parser.add_argument("--target", default="sm_80")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "inputs_table.json")  # fmt: skip
    options = parser.parse_args()
    rows = []
    for folder in options.folders:
        paths = sorted(folder.rglob("*.mlir"))
        if not paths:
            raise FileNotFoundError(f"expected .mlir files in {folder}")
        for path in paths:
            name = str(path.relative_to(folder.parent))
            report = compile_graph(path, options.target)
            if "error" in report:
                rows.append({"input": name, "softmaxes": 0, "raised": False, "reason": report["error"]})
                continue
            kernels = {kernel["name"]: kernel for kernel in report["kernels"]}
            for softmax in report["softmaxes"]:
                row = describe(name, softmax, kernels)
                same = [r for r in rows if {**r, "softmaxes": 1} == row]
                if same:
                    same[0]["softmaxes"] += 1
                else:
                    rows.append(row)
            if not report["softmaxes"]:
                rows.append({"input": name, "softmaxes": 0, "raised": False, "reason": "no softmax"})
    cells = [list(COLUMNS), *map(spell, rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    tools.write_results(options.json, {"target": options.target, "rows": rows})
    return 0


if __name__ == "__main__":
    tools.run_main(main)

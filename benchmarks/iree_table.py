#!/usr/bin/env python3
# ===- iree_table.py - What IREE makes of exporters' models, and we ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles every exporter's model for CUDA: by stock IREE, and with our kernels.

Models are those of test/Integration/Inputs and, where it is there, of the folder
../shared/inputs beside this repository (--inputs). For each: whether stock
iree-compile gives a .vmfb and no error beside it, whether sparse-attn-iree-compile
does, how many attentions and kernels it found, and whether the PTX of each kernel is
in the .vmfb, by its entry point's name."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402
from sparse_attn.iree import compiler  # noqa: E402
from sparse_attn.iree.installation import Installation, IreeError, find  # noqa: E402

CUDA = ["--iree-hal-target-device=cuda", "--iree-cuda-target=sm_80"]


def first_error(text: str) -> str:
    """The first complaint, without the place that it is about."""
    lines = [line for line in text.splitlines() if "error:" in line.lower()]
    words = (lines or ["no reason given"])[0].split("error:", 1)[-1].strip()
    words = re.sub(r"[^\s']*/", "", words)
    return re.sub(r"\s+", " ", words)[:160]


def compile_stock(iree: Installation, source: Path, folder: Path) -> str:
    """Nothing, or why stock IREE gives no program."""
    if source.suffix == ".onnx":
        imported = folder / "stock.mlir"
        command = [iree.importer, source, "-o", imported]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return first_error(done.stderr)
        source = imported
    command = [iree.compiler, source, *CUDA, "-o", folder / "stock.vmfb"]
    if ".generic." in source.name:
        command.append("--compile-from=preprocessing")
    done = subprocess.run(command, capture_output=True, text=True)
    # With some errors it goes on to a program that computes something else.
    return first_error(done.stderr) if done.returncode or "error:" in done.stderr else ""


def compile_ours(iree: Installation, source: Path, folder: Path) -> dict:
    request, _ = compiler.parse([str(source), "-o", str(folder / "ours.vmfb"), "--ptxas=none",
                                 "--report=json"])  # fmt: skip
    try:
        report = json.loads(compiler.compile_module(iree, request, folder))
    except (IreeError, tools.ToolError) as error:
        message = error.message if isinstance(error, tools.ToolError) else str(error)
        return {"error": first_error(message if "error:" in message else f"error: {message}")}
    program = request.output.read_bytes()
    kernels = sorted({kernel["name"] for kernel in report["kernels"]})
    inside = [name for name in kernels if f".entry {name}(".encode() in program]
    left = [s["reason"] for s in report["softmaxes"] if s.get("reason")]
    return {"attentions": sum(s["status"] == "compiled" for s in report["softmaxes"]),
            "kernels": kernels, "kernels_inside": inside, "left": left,
            "vmfb_bytes": len(program)}  # fmt: skip


def find_models(folders: list) -> list:
    """Models as (group, path), each name of a group once."""
    found = {}
    for folder in folders:
        for path in sorted([*folder.rglob("*.mlir"), *folder.rglob("*.onnx")]):
            found.setdefault((path.parent.name, path.name), path)
    return sorted(found.items())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=Path, action="append",
                        help="folder of models, beside those of the tests")  # fmt: skip
    parser.add_argument("--filter", default="", help="only models whose group/name has this")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "iree_table.json")  # fmt: skip
    options = parser.parse_args()
    shared = ROOT.parent / "shared" / "inputs"
    extra = options.inputs or ([shared] if shared.is_dir() else [])
    iree = find()
    rows = []
    print(f"{'model':52}{'stock IREE':12}{'ours':8}{'attentions':12}PTX inside", flush=True)
    for (group, name), path in find_models([*extra, ROOT / "test" / "Integration" / "Inputs"]):
        if options.filter not in f"{group}/{name}":
            continue
        with tempfile.TemporaryDirectory() as folder:
            reason = compile_stock(iree, path, Path(folder))
            row = {"model": f"{group}/{name}", "stock": reason or "compiles",
                   **compile_ours(iree, path, Path(folder))}  # fmt: skip
        rows.append(row)
        ours = "fails" if "error" in row else "ok"
        print(f"{row['model']:52}{'fails' if reason else 'ok':12}{ours:8}"
              f"{row.get('attentions', '-'):<12}{' '.join(row.get('kernels_inside', ['-'])) or '-'}",
              flush=True)  # fmt: skip
        for complaint in [row["error"]] if "error" in row else row["left"]:
            print(f"    {complaint}", flush=True)
    stock = sum(row["stock"] == "compiles" for row in rows)
    ours = sum("error" not in row for row in rows)
    whole = sum("error" not in row and bool(row["kernels"])
                and row["kernels"] == row["kernels_inside"] and not row["left"]
                for row in rows)  # fmt: skip
    print(f"{len(rows)} models: stock IREE compiles {stock}, with our kernels {ours} compile, "
          f"in {whole} every attention is ours")  # fmt: skip
    if not options.filter:
        tools.write_results(options.json, {"iree": iree.version, "models": rows})
    return 0


if __name__ == "__main__":
    tools.run_main(main)

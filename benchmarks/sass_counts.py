#!/usr/bin/env python3
# ===- sass_counts.py - Instructions of the kernels' main loops ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles kernels to SASS and counts the instructions of their main loops.

Needs ptxas and nvdisasm (`make sass` installs them from PyPI where no CUDA
toolkit has them), not a GPU. The counts to beat are those of FlashAttention's
own sm_80 forward kernels at the same tiles, built by nvcc 13.0."""

import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402
from sparse_attn.filters import Filter  # noqa: E402
from sparse_attn.modules import Attention, print_module  # noqa: E402

# (tile, FlashAttention's count)
TILES = [((128, 64), 889), ((128, 128), 837)]
FILTERS = ["dense", "threshold:0.1", "energy:-6", "recall:0.95", "recall:0.95,groups=4"]


def find(name: str) -> str:
    """A program of NVIDIA's: on PATH, in a toolkit, or in .venv."""
    places = [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]
    places += [str(p.parent) for p in (ROOT / ".venv").glob(f"lib/**/bin/{name}")]
    path = shutil.which(name, path=os.pathsep.join(places))
    if not path:
        raise FileNotFoundError(f"expected {name}: run `make sass`, which installs it")
    return path


def assemble(ptx: Path, target: str, cubin: Path) -> dict:
    """Runs ptxas; registers, spilled bytes and shared memory that it reports."""
    command = [find("ptxas"), "-v", f"--gpu-name={target}", ptx, "-o", cubin]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ptxas: {done.stderr.strip()}")

    def number(pattern):
        found = re.search(pattern, done.stderr)
        return int(found.group(1)) if found else 0

    return {
        "registers": number(r"Used (\d+) registers"),
        "stack": number(r"(\d+) bytes stack frame"),
        "spill_stores": number(r"(\d+) bytes spill stores"),
        "spill_loads": number(r"(\d+) bytes spill loads"),
    }


def disassemble(cubin: Path) -> list:
    """Labels (`name:`) and instructions of the only function, in order."""
    text = subprocess.run([find("nvdisasm"), "-c", cubin], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    lines, inside = [], False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith(".text."):
            inside = True
        elif label := re.match(r"(\.L_x_\d+):", line):
            lines.append(label.group(1) + ":")
        elif inside and (found := re.match(r"/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;", line)):
            lines.append(found.group(1))
    return lines


def opcode(instruction: str) -> str:
    words = [w for w in instruction.split() if not w.startswith("@")]
    return words[0].split(".")[0]


def split_blocks(lines: list) -> tuple:
    """Basic blocks as lists of instructions, and the successors of each."""
    blocks, names, current = [[]], {}, 0
    for line in lines:
        if line.endswith(":"):
            if blocks[-1]:
                blocks.append([])
            names[line[:-1]] = len(blocks) - 1
            continue
        blocks[-1].append(line)
        if opcode(line) in ("BRA", "EXIT", "BSYNC", "RET"):
            blocks.append([])
    successors, joins = [], {}
    for line in lines:
        if found := re.match(r"(?:@\S+ )?BSSY\S* (B\d+), .*?(\.L_x_\d+)", line):
            joins.setdefault(found.group(1), set()).add(names[found.group(2)])
    for index, block in enumerate(blocks):
        last = block[-1] if block else "NOP"
        conditional = last.startswith("@") and not re.match(r"@!?U?PT ", last)
        after = set()
        if opcode(last) == "BRA":
            target = re.search(r"(\.L_x_\d+)", last)
            after.add(names[target.group(1)])
        elif opcode(last) == "BSYNC":
            after |= joins.get(last.split()[-1], set())
        falls = opcode(last) not in ("BRA", "EXIT", "BSYNC", "RET") or conditional
        if falls and index + 1 < len(blocks):
            after.add(index + 1)
        successors.append(after)
    return blocks, successors


def reachable(successors: list, start: int) -> set:
    """The blocks on ways of at least one step from `start`."""
    found, pending = set(), list(successors[start])
    while pending:
        block = pending.pop()
        if block not in found:
            found.add(block)
            pending += successors[block]
    return found


def main_loops(lines: list) -> list:
    """The loops that multiply matrices, in the order of the program, each as a
    list of opcodes. A loop is a strongly connected part of the control flow:
    ptxas moves the product that a filter may skip to any place, and jumps into
    loops."""
    blocks, successors = split_blocks(lines)
    reach = [reachable(successors, block) for block in range(len(blocks))]
    loops, seen = [], set()
    for block in range(len(blocks)):
        if block in seen or block not in reach[block]:
            continue
        body = {other for other in reach[block] if block in reach[other]}
        seen |= body
        codes = [opcode(x) for other in sorted(body) for x in blocks[other]]
        if "HMMA" in codes:
            loops.append(codes)
    return loops


def measure(tile: tuple, spelling: str, dynamic: bool, folder: Path) -> dict:
    """Compiles one kernel at head_dim 128, f16, and counts."""
    spec = Attention(
        rows=4096, keys=4096, depth=128, batch=(2, 16), dynamic=dynamic,
        rule=Filter.parse(spelling), decision_tile=tile,
    )  # fmt: skip
    name = re.sub(r"\W", "_", f"{spelling}_{tile[0]}x{tile[1]}_{dynamic}")
    package = tools.compile_text(print_module(spec), folder / name)
    kernel = package.kernel()
    cubin = folder / f"{name}.cubin"
    result = {"filter": spelling, "tile": list(tile), "lengths": "dynamic" if dynamic else 4096}
    result["threads"] = kernel["threads"]
    result |= {"shared_memory": kernel["shared_memory"]}
    result |= assemble(package.path / kernel["file"], kernel["target"], cubin)
    loops = main_loops(disassemble(cubin))
    # The first loop runs over the tiles that every row sees whole; the second
    # over those that a mask or the end of the keys cuts.
    loop = loops[0] if loops else []
    result["loops"] = [len(x) for x in loops]
    result["instructions"] = len(loop)
    result["mix"] = dict(collections.Counter(loop).most_common())
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "sass_sm_80.json")  # fmt: skip
    parser.add_argument("--only", choices=FILTERS, help="one filter instead of all")
    options = parser.parse_args()
    results, good = [], True
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'filter':24}{'tile':>9}{'lengths':>9}{'warps':>6}{'loop':>6}{'goal':>6}{'registers':>11}"
              f"{'spills':>8}{'shared':>8}   HMMA MUFU FFMA LDSM")  # fmt: skip
        for spelling in [options.only] if options.only else FILTERS:
            for tile, goal in TILES:
                for dynamic in (False, True):
                    one = measure(tile, spelling, dynamic, Path(folder))
                    one["goal"] = goal if spelling == "dense" and not dynamic else None
                    results.append(one)
                    good &= print_line(one)
    if not options.only:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"target": "sm_80", "kernels": results}, indent=1) + "\n")
    return 0 if good else 1


def print_line(one: dict) -> bool:
    """Prints a measurement; whether it meets its goal (dense kernels have one)."""
    goal, count = one["goal"], one["instructions"]
    good = count > 0 and (goal is None or count <= goal)
    mix = " ".join(f"{one['mix'].get(x, 0):4}" for x in ("HMMA", "MUFU", "FFMA", "LDSM"))
    print(
        f"{one['filter']:24}{one['tile'][0]:>5}x{one['tile'][1]:<3}{one['lengths']:>9}{one['threads'] // 32:>6}"
        f"{count:>6}{goal or '-':>6}{one['registers']:>11}"
        f"{one['spill_stores'] + one['spill_loads']:>8}{one['shared_memory']:>8}   {mix}"
        f"{'' if good else '   above the goal'}",
        flush=True,
    )
    return good


if __name__ == "__main__":
    tools.run_main(main)

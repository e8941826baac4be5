# ===- runs.py - Graphs before and after raising --------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Raises many generated graphs in one module, executes both modules on the
CPU, each in one process, and compares."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sparse_attn import tools

RAISE = "--convert-linalg-to-sparse-attn"


@dataclass
class Outcome:
    """What raising made of one graph."""

    attentions: int
    remarks: list = field(default_factory=list)
    changed: bool = True  # whether the function's text is another


def functions(text: str) -> dict:
    """The text of each function, by name."""
    parts = re.split(r"(?=^ *func\.func )", text, flags=re.MULTILINE)
    return {re.search(r"@(\w+)", part).group(1): part for part in parts if "func.func" in part}


def opt(text: str, *flags: str):
    """sparse-attn-opt's output and diagnostics."""
    command = [tools.tool("sparse-attn-opt"), "-", "--mlir-print-local-scope", *flags]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise tools.ToolError(command, done.returncode, done.stderr[:4000])
    return done.stdout, done.stderr


def raise_graphs(graphs: list):
    """Text before and after raising, and the outcome of each graph."""
    before, _ = opt("\n".join(graph.text() for graph in graphs))
    after, messages = opt(before, RAISE)
    old, new = functions(before), functions(after)
    outcomes = {
        name: Outcome(text.count(" sparse_attn.attention "), [], text.strip() != old[name].strip())
        for name, text in new.items()
    }
    lines = before.splitlines()
    for line, remark in re.findall(r"^<stdin>:(\d+):\d+: remark: (.*)$", messages, re.MULTILINE):
        start = next(i for i in range(int(line) - 1, -1, -1) if "func.func" in lines[i])
        outcomes[re.search(r"@(\w+)", lines[start]).group(1)].remarks.append(remark)
    return before, after, [outcomes[graph.function.name] for graph in graphs]


def with_main(module: str, graphs: list) -> str:
    """Adds a function that calls all graphs."""
    arguments, results, lines, returned = [], [], [], []
    for index, graph in enumerate(graphs):
        f = graph.function
        names = [f"%a{index}_{i}" for i in range(len(f.arguments))]
        types = [f.type_of(t) for t in f.arguments]
        arguments += [f"{n}: {t}" for n, t in zip(names, types)]
        out = [f.type_of(t) for t in graph.results]
        suffix = f":{len(out)}" if len(out) > 1 else ""
        call = f"%r{index}{suffix} = call @{f.name}({', '.join(names)}) : ({', '.join(types)})"
        lines.append(f"{call} -> ({', '.join(out)})")
        returned += [f"%r{index}#{i}" if suffix else f"%r{index}" for i in range(len(out))]
        results += out
    types = ", ".join(results)
    body = "\n    ".join([*lines, f"return {', '.join(returned)} : {types}"])
    main = f"  func.func @main({', '.join(arguments)}) -> ({types}) {{\n    {body}\n  }}\n"
    end = module.rindex("}")
    return module[:end] + main + module[end:]


def execute(module: str, graphs: list, folder: Path) -> list:
    """The results of each graph."""
    inputs, outputs = [], []
    for graph in graphs:
        for array in graph.inputs():
            inputs.append(folder / f"in_{len(inputs)}.npy")
            np.save(inputs[-1], array)
        outputs += [folder / f"out_{len(outputs) + i}.npy" for i in range(len(graph.results))]
    path = folder / "module.mlir"
    path.write_text(with_main(module, graphs))
    tools.call(
        "sparse-attn-test-cpu", "--optimize=false", path, f"--input={','.join(map(str, inputs))}",
        f"--output={','.join(map(str, outputs))}",
    )  # fmt: skip
    arrays = iter([np.load(path) for path in outputs])
    return [[next(arrays) for _ in graph.results] for graph in graphs]


def difference(graph, expected: list, found: list) -> str:
    """What is wrong with the results after raising; empty if nothing is."""
    limit = graph.tolerance(graph.inputs())
    for one, other in zip(expected, found):
        if one.shape != other.shape:
            return f"shape {one.shape} before, {other.shape} after raising"
        one, other = one.astype(np.float64), other.astype(np.float64)
        # A row without any key: 0 / 0 in the graph, 0 by definition of attention.
        empty = np.isnan(one)
        if empty.any() and not graph.has_mask():
            return "the graph itself gives NaN"
        if not np.all(other[empty] == 0):
            return "a row without keys is not 0 after raising"
        error = np.abs(np.where(empty, 0, one) - np.where(empty, 0, other)).max(initial=0.0)
        if not error <= limit:
            return f"error {error:.3g} after raising, roundings allow {limit:.3g}"
    return ""


def compare(graphs: list, before: str, after: str) -> list:
    """`difference` of each graph, executed before and after raising."""
    with tempfile.TemporaryDirectory() as folder:
        expected = execute(before, graphs, Path(folder))
        found = execute(after, graphs, Path(folder))
    return [difference(*case) for case in zip(graphs, expected, found)]


def report(faults: list) -> str:
    """All that is needed to look at the graphs that failed."""
    text = []
    for graph, fault in faults:
        replay = f".venv/bin/python test/numerics/replay_graph.py {type(graph).__name__} {graph.seed}"
        text.append(f"{type(graph).__name__} {graph.seed}: {fault} (replay: {replay})")
    return "\n".join([*text, *(graph.text() for graph, _ in faults[:3])])

# ===- test_exporters.py - Graphs of real exporters, down to PTX ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Every graph's attention is found, compiled for every target, executed after
each stage with equal results, and accepted by ptxas where that is installed.
That raising keeps a graph's meaning is tested beside the conversions."""

import json

import pytest

from sample import name
from sparse_attn import tools

INPUTS = tools.ROOT / "test" / "Integration" / "Inputs"
GRAPHS = sorted(
    path.relative_to(INPUTS)
    for folder in ("linalg", "iree")
    for path in (INPUTS / folder).glob("*.mlir")
)
VIDEO = INPUTS / "tiny-video-dit" / "dit_2x8x8.linalg.mlir"


def compile_graph(source, out, attentions: int, *flags: str):
    text = tools.call(
        "sparse-attn-compile", source, "-o", out, "--report=json",
        f"--expect-attention={attentions}", *flags,
    )  # fmt: skip
    return json.loads(text[text.index("{") : text.rindex("}") + 1]), tools.Package(out)


def check_ptx(report: dict, package: tools.Package):
    """Nothing that a driver cannot load, and ptxas accepts it."""
    for kernel in package.manifest["kernels"]:
        ptx = (package.path / kernel["file"]).read_text()
        assert ".extern .func" not in ptx, "the kernel calls a function that nobody provides"
        assert ".local" not in ptx, "the kernel keeps an array in local memory"
    if not report["ptxas"]:
        pytest.skip("ptxas is not installed; everything else passed")
    assert all(kernel["registers"] > 0 for kernel in report["kernels"])


def test_there_are_graphs():
    assert len(GRAPHS) >= 30


@pytest.mark.parametrize("graph", GRAPHS, ids=name)
def test_graph(graph, tmp_path):
    report, package = compile_graph(
        INPUTS / graph, tmp_path / "package", 1,
        "--target=sm_80,sm_86,sm_89", "--filter=recall:0.9", "--check-stages",
    )  # fmt: skip
    assert sorted(k["target"] for k in report["kernels"]) == ["sm_80", "sm_86", "sm_89"]
    check_ptx(report, package)


def test_video_transformer(tmp_path):
    report, package = compile_graph(VIDEO, tmp_path / "package", 6, "--filter=energy:-6")
    assert [kernel["calls"] for kernel in report["kernels"]] == [6]
    check_ptx(report, package)

#!/usr/bin/env python3
# ===- replay_graph.py - Looks at one random graph -------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""usage: replay_graph.py AttentionGraph|NEAR_MISS SEED

Prints the graph, what raising makes of it, and whether both compute the same."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from graphs.attention import AttentionGraph
from graphs.near_misses import NEAR_MISSES
from graphs.runs import compare, raise_graphs


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    kinds = {kind.__name__: kind for kind in (AttentionGraph, *NEAR_MISSES)}
    graph = kinds[sys.argv[1]](int(sys.argv[2]))
    print(graph.text())
    before, after, (outcome,) = raise_graphs([graph])
    print(after)
    print(f"// {outcome.attentions} attentions; remarks: {outcome.remarks}")
    print(f"// {compare([graph], before, after)[0] or 'equal results'}")


if __name__ == "__main__":
    main()

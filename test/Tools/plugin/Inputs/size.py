# ===- size.py - The plugin holds no second MLIR --------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Fails if a release build's plugin (first argument) is 1.5 MB or more: with
a second MLIR in it, it would have 15 MB."""

import sys
from pathlib import Path

plugin, build = map(Path, sys.argv[1:])
cache = (build / "CMakeCache.txt").read_text()
released = "CMAKE_BUILD_TYPE:STRING=Release" in cache
size = plugin.stat().st_size
if released and size >= 1_500_000:
    sys.exit(f"expected a plugin below 1,500,000 bytes, found {size:,}")

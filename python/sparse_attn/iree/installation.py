# ===- installation.py - Which IREE is there -------------------------------- ---===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Finds IREE's tools and checks that their version is one that was tested."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

# The bridge reads and writes IREE's dialects as text, in the form that these
# versions print and parse; every release may change it.
TESTED = ("3.13",)
INSTALL = "pip install 'iree-base-compiler==3.13.*' 'iree-base-runtime==3.13.*'"


class IreeError(RuntimeError):
    """IREE is not there, is another version, or refuses what it was given."""


@dataclass
class Installation:
    """IREE's compiler on this machine."""

    version: str
    compiler: Path
    """iree-compile"""
    importer: Optional[Path]
    """iree-import-onnx, if it is there"""
    optimizer: Optional[Path]
    """iree-opt, if it is there"""
    runner: Optional[Path]
    """iree-run-module, if it is there"""


def _folders(folder: Optional[Path]) -> list:
    """Where tools may lie, the first choice first."""
    if folder:
        return [Path(folder)]
    named = os.environ.get("SPARSE_ATTN_IREE")
    if named:
        return [Path(named)]
    folders = []
    if importlib.util.find_spec("iree") and importlib.util.find_spec("iree.compiler"):
        package = Path(importlib.util.find_spec("iree.compiler").origin).parent
        # site-packages/iree/compiler; scripts lie beside the interpreter.
        folders += [Path(os.sys.executable).parent, package / "_mlir_libs"]
    return folders


def _find(name: str, folder: Optional[Path]) -> Optional[Path]:
    for place in _folders(folder):
        if (place / name).is_file():
            return place / name
    if folder or os.environ.get("SPARSE_ATTN_IREE"):
        return None
    found = shutil.which(name)
    return Path(found) if found else None


def find(folder: Optional[Path] = None, allow_untested: bool = False) -> Installation:
    """The IREE in `folder`, in $SPARSE_ATTN_IREE, in this Python, or on PATH.

    Raises IreeError where there is none, or one whose version was not tested
    unless that is allowed."""
    compiler = _find("iree-compile", folder)
    if not compiler:
        place = folder or os.environ.get("SPARSE_ATTN_IREE")
        where = f"in '{place}'" if place else "in this Python or on PATH"
        raise IreeError(f"expected iree-compile {where}: {INSTALL}")
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True)
    match = re.search(r"IREE compiler version (\S+)", done.stdout)
    if done.returncode or not match:
        raise IreeError(f"'{compiler} --version' names no version of IREE")
    version = match.group(1)
    if not allow_untested and not re.match("|".join(map(re.escape, TESTED)) + r"(?!\d)", version):
        raise IreeError(
            f"expected IREE {' or '.join(TESTED)}, found {version} at '{compiler}': {INSTALL}, "
            "or --allow-untested-iree"
        )
    others = (_find(name, folder) for name in ("iree-import-onnx", "iree-opt", "iree-run-module"))
    return Installation(version, compiler, *others)

# ===- inputs.py - What IREE's importers do not take ------------------------ ---===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Brings models into a form that IREE imports: ONNX files are imported, and what
IREE 3.13 refuses of StableHLO and torch is said in other words."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sparse_attn.iree import text_forms
from sparse_attn.iree.installation import Installation, IreeError


def prepare(iree: Installation, source: Path, folder: Path) -> Path:
    """The file that iree-compile reads in place of `source`: itself, or a new
    one in `folder`."""
    if not source.is_file():
        raise FileNotFoundError(f"expected a model at '{source}', found no file")
    if source.suffix == ".onnx":
        source = _import_onnx(iree, source, folder)
    with source.open("rb") as file:
        # Bytecode of MLIR begins so; nothing in it is rewritten.
        if file.read(4) == b"ML\xefR":
            return source
    try:
        text = source.read_text()
    except UnicodeDecodeError as error:
        raise IreeError(f"expected MLIR as text or bytecode in '{source}'") from error
    if re.search(r'torch\.operator "onnx\.(Attention|MultiHeadAttention)"', text):
        raise IreeError(
            f"'{source}' has onnx.Attention, which IREE does not import: give the .onnx file, "
            "of which it is expanded"
        )
    rewritten = text_forms.rewrite(text)
    if rewritten == text:
        return source
    output = folder / "0-input.mlir"
    output.write_text(rewritten)
    return output


def _import_onnx(iree: Installation, source: Path, folder: Path) -> Path:
    try:
        from sparse_attn.iree import onnx_attention
    except ImportError as error:
        raise IreeError("expected the package onnx to read .onnx files: pip install onnx") from error
    if not iree.importer:
        raise IreeError(f"expected iree-import-onnx beside '{iree.compiler}'")
    expanded, output = folder / "0-expanded.onnx", folder / "0-imported.mlir"
    onnx_attention.expand_file(source, expanded)
    command = [iree.importer, expanded, f"--data-dir={source.parent}", "-o", output]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise IreeError(f"iree-import-onnx refuses '{source}': {last}")
    return output

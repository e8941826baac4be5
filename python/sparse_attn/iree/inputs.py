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

import importlib
import re
import subprocess
from pathlib import Path

from sparse_attn.iree import text_forms
from sparse_attn.iree.installation import Installation, IreeError


_ONNX_ATTENTION = re.compile(r'torch\.operator "(onnx\.(?:Attention|MultiHeadAttention))"')


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
        text = original = source.read_text()
    except UnicodeDecodeError as error:
        raise IreeError(f"expected MLIR as text or bytecode in '{source}'") from error
    if _ONNX_ATTENTION.search(text):
        text = _expand_onnx(iree, source, text, folder)
    rewritten = text_forms.rewrite(text)
    if rewritten == original:
        return source
    output = folder / "0-input.mlir"
    output.write_text(rewritten)
    return output


def _onnx_module(name: str):
    try:
        return importlib.import_module(f"sparse_attn.iree.{name}")
    except ImportError as error:
        raise IreeError("expected the package onnx to read models of ONNX: pip install onnx") from error


def _call_importer(iree: Installation, model: Path, output: Path, *flags: str) -> None:
    if not iree.importer:
        raise IreeError(f"expected iree-import-onnx beside '{iree.compiler}'")
    command = [iree.importer, model, *flags, "-o", output]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise IreeError(f"iree-import-onnx refuses '{model}': {last}")


def _import_onnx(iree: Installation, source: Path, folder: Path) -> Path:
    expanded, output = folder / "0-expanded.onnx", folder / "0-imported.mlir"
    _onnx_module("onnx_attention").expand_file(source, expanded)
    _call_importer(iree, expanded, output, f"--data-dir={source.parent}")
    return output


def _expand_onnx(iree: Installation, source: Path, text: str, folder: Path) -> str:
    """`text` with attention operators, which were imported already, expanded."""
    onnx_text = _onnx_module("onnx_text")

    def import_model(model) -> str:
        file, output = folder / "0-attention.onnx", folder / "0-attention.mlir"
        file.write_bytes(model.SerializeToString())
        _call_importer(iree, file, output)
        return output.read_text()

    text = onnx_text.expand(text, import_model)
    if match := _ONNX_ATTENTION.search(text):
        raise IreeError(f"'{source}' has {match[1]} in a form that is not expanded in MLIR: "
                        "give the .onnx file")  # fmt: skip
    return text

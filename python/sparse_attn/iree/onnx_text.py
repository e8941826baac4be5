# ===- onnx_text.py - Attention of ONNX that is in MLIR already --------------- ---===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Expands `torch.operator "onnx.Attention"` in MLIR text: each becomes a model of
its own, which is expanded, imported and called."""

from __future__ import annotations

import re
from typing import Callable

import onnx
from onnx import helper

from sparse_attn.iree import onnx_attention

_OPERATOR = re.compile(
    r'(?P<indent> *)(?P<result>%\w+) = torch\.operator "onnx\.(?P<kind>Attention|MultiHeadAttention)"'
    r"\((?P<operands>[^)]*)\)(?: \{(?P<attributes>[^{}]*)\})? : "
    r"\((?P<types>[^()]*)\) -> (?P<type>!torch\.vtensor<\S+>)"
)
_ATTRIBUTE = re.compile(r"torch\.onnx\.(\w+) = (\S+) : (si64|f32)")
_TYPES = {"f16": "FLOAT16", "bf16": "BFLOAT16", "f32": "FLOAT", "f64": "DOUBLE", "i1": "BOOL",
          "si32": "INT32", "si64": "INT64"}  # fmt: skip
_VTENSOR = re.compile(r"!torch\.vtensor<\[([0-9?,]*)\],(\w+)>")
_OPSET = re.compile(r"torch\.onnx_meta\.opset_version = (\d+)")


def _value(name: str, kind: str):
    """A value of ONNX of the type `kind`; none for types that are no tensors."""
    match = _VTENSOR.fullmatch(kind)
    if not match or match[2] not in _TYPES:
        return None
    extents = [None if e == "?" else int(e) for e in match[1].split(",") if e]
    element = getattr(onnx.TensorProto, _TYPES[match[2]])
    return helper.make_tensor_value_info(name, element, extents)


def _model(match: re.Match, opset: int):
    """A model of the operator alone; none for forms that stay."""
    kinds = match["types"].replace(">, ", ">\n").split("\n")
    inputs = [_value(f"x{n}", kind) for n, kind in enumerate(kinds)]
    output = _value("y", match["type"])
    if None in inputs or output is None:
        return None
    attributes = {
        name: int(value) if kind == "si64" else float(value)
        for name, value, kind in _ATTRIBUTE.findall(match["attributes"] or "")
    }
    domain = "" if match["kind"] == "Attention" else "com.microsoft"
    names = [value.name for value in inputs]
    node = helper.make_node(match["kind"], names, ["y"], domain=domain, **attributes)
    opsets = [helper.make_opsetid("", opset)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    graph = helper.make_graph([node], "attention", inputs, [output])
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def expand(text: str, import_model: Callable[[onnx.ModelProto], str]) -> str:
    """`text` without the attention operators that have a common form.

    `import_model` gives the MLIR of a model, with one function."""
    opset = int((_OPSET.search(text) or ["", "23"])[1])
    functions = []

    def replace(match: re.Match) -> str:
        model = _model(match, opset)
        expanded = model and onnx_attention.expand(model)
        if expanded is None or expanded.graph.node[0].op_type == match["kind"]:
            return match[0]
        name = f"onnx_attention_{len(functions)}"
        imported = import_model(expanded)
        body = imported[imported.index("  func.func") : imported.rindex("}")]
        functions.append(re.sub(r"func\.func @\w+", f"func.func private @{name}", body, count=1))
        return (f"{match['indent']}{match['result']} = func.call @{name}({match['operands']}) : "
                f"({match['types']}) -> {match['type']}")  # fmt: skip

    rewritten = _OPERATOR.sub(replace, text)
    end = rewritten.rindex("}")
    return rewritten[:end] + "".join(functions) + rewritten[end:] if functions else text

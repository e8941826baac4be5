# ===- onnx_attention.py - Attention in older words of ONNX ------------------ ---===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Expands ONNX's attention operators, which IREE 3.13 does not import, into
operators that it does: `Attention` (opset 23) and `MultiHeadAttention` of
com.microsoft.

The common forms become MatMul, Softmax, MatMul, which raising reads. `Attention`
with a cache, a soft cap or further outputs becomes the function that the
standard defines for it."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np
import onnx
from onnx import helper, inliner, numpy_helper


class _Expansion:
    """Builds the nodes that stand for one attention."""

    def __init__(self, node: onnx.NodeProto, types: dict):
        self.node = node
        self.types = types
        self.nodes = []
        self.prefix = node.name or node.output[0]

    def attribute(self, name: str, default=None):
        for attribute in self.node.attribute:
            if attribute.name == name:
                return helper.get_attribute_value(attribute)
        return default

    def input(self, number: int) -> str:
        """The name of an input; "" where it was left out."""
        return self.node.input[number] if number < len(self.node.input) else ""

    def shape(self, name: str) -> list:
        """Extents; None for those that are not known."""
        dims = self.types[name].shape.dim
        return [d.dim_value if d.HasField("dim_value") else None for d in dims]

    def dtype(self, name: str) -> np.dtype:
        return helper.tensor_dtype_to_np_dtype(self.types[name].elem_type)

    def add(self, kind: str, *inputs: str, output: Optional[str] = None, **attributes) -> str:
        output = output or f"{self.prefix}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, value) -> str:
        return self.add("Constant", value=numpy_helper.from_array(np.asarray(value)))

    def split_heads(self, name: str, heads: int) -> str:
        """[batch, tokens, heads * size] as [batch, heads, tokens, size]."""
        size = self.shape(name)[2] // heads
        split = self.add("Reshape", name, self.constant(np.array([0, 0, heads, size], "i8")))
        return self.add("Transpose", split, perm=[0, 2, 1, 3])

    def repeat_heads(self, name: str, source: list, heads: int, group: int) -> str:
        """[batch, heads, tokens, size] with each head `group` times; `source` are
        the extents of its tokens and size."""
        if group == 1:
            return name
        apart = self.add("Unsqueeze", name, self.constant(np.array([2], "i8")))
        shape = np.array([1, 1, group, 1, 1], "i8")
        apart = self.add("Expand", apart, self.constant(shape))
        shape = np.array([0, heads * group, -1, source[1]], "i8")
        return self.add("Reshape", apart, self.constant(shape))

    def positions(self, tensor: str, axis: int) -> str:
        """0, 1, ... up to the extent of `axis`."""
        size = self.add("Shape", tensor, start=axis, end=axis + 1)
        size = self.add("Squeeze", size)
        zero, one = self.constant(np.int64(0)), self.constant(np.int64(1))
        return self.add("Range", zero, size, one)

    def mask_causal(self, scores: str, query: str, key: str, hidden: str) -> str:
        row, column = self.constant(np.array([0], "i8")), self.constant(np.array([1], "i8"))
        rows = self.add("Unsqueeze", self.positions(query, 2), column)
        columns = self.add("Unsqueeze", self.positions(key, 2), row)
        seen = self.add("LessOrEqual", columns, rows)
        return self.add("Where", seen, scores, hidden)

    def attention(self, query, key, value, mask, scale: float, causal: bool, dtype, output=None):
        """softmax(query keyᵀ scale, masked) value of arrays [batch, heads, tokens, size]."""
        turned = self.add("Transpose", key, perm=[0, 1, 3, 2])
        scores = self.add("MatMul", query, turned)
        scores = self.add("Mul", scores, self.constant(np.array(scale, dtype)))
        hidden = self.constant(np.array(-np.inf, dtype))
        if causal:
            scores = self.mask_causal(scores, query, key, hidden)
        if mask and self.dtype(mask) == np.dtype(bool):
            scores = self.add("Where", mask, scores, hidden)
        elif mask:
            scores = self.add("Add", scores, mask)
        weights = self.add("Softmax", scores, axis=-1)
        return self.add("MatMul", weights, value, output=output)

    def join_heads(self, name: str, width: int, output: str) -> str:
        turned = self.add("Transpose", name, perm=[0, 2, 1, 3])
        shape = self.constant(np.array([0, 0, width], "i8"))
        return self.add("Reshape", turned, shape, output=output)


def _known(extents: list) -> bool:
    return all(extent is not None for extent in extents)


def _expand_standard(node: onnx.NodeProto, types: dict) -> Optional[list]:
    """`Attention` of the standard; None for the forms that are left to it."""
    build = _Expansion(node, types)
    plain = not any(build.input(n) for n in (4, 5)) and not any(node.output[1:])
    precision = build.attribute("softmax_precision")
    if not plain or build.attribute("softcap", 0.0) or precision or any(
        name not in types for name in node.input if name
    ):
        return None
    query, key, value = node.input[:3]
    mask = build.input(3)
    shapes = [build.shape(name) for name in (query, key, value)]
    if len({len(shape) for shape in shapes}) != 1 or len(shapes[0]) not in (3, 4):
        return None
    flat = len(shapes[0]) == 3
    if flat:
        heads, key_heads = build.attribute("q_num_heads"), build.attribute("kv_num_heads")
        widths = [shape[2] for shape in shapes]
        if not heads or not key_heads or not _known(widths):
            return None
        sizes = [widths[0] // heads, widths[1] // key_heads, widths[2] // key_heads]
        query = build.split_heads(query, heads)
        key, value = (build.split_heads(name, key_heads) for name in (key, value))
    else:
        heads, key_heads = shapes[0][1], shapes[1][1]
        sizes = [shape[3] for shape in shapes]
        if not _known([heads, key_heads, *sizes]):
            return None
    group = heads // key_heads
    key = build.repeat_heads(key, [None, sizes[1]], key_heads, group)
    value = build.repeat_heads(value, [None, sizes[2]], key_heads, group)
    scale = build.attribute("scale") or sizes[0] ** -0.5
    result = build.attention(
        query, key, value, mask, scale, bool(build.attribute("is_causal", 0)),
        build.dtype(node.input[0]), output=None if flat else node.output[0])  # fmt: skip
    if flat:
        build.join_heads(result, heads * sizes[2], node.output[0])
    return build.nodes


def _expand_microsoft(node: onnx.NodeProto, types: dict) -> Optional[list]:
    """`MultiHeadAttention` of com.microsoft on separate arrays, with or without
    an attention bias; None for other forms, which stay."""
    build = _Expansion(node, types)
    bias = build.input(5)
    absent = (3, 4, 6, 7, 8, 9)
    if any(build.input(n) for n in absent) or any(node.output[1:]) or len(node.input) < 3:
        return None
    if any(name not in types for name in node.input if name):
        return None
    shapes = [build.shape(name) for name in node.input[:3]]
    heads = build.attribute("num_heads")
    if not heads or any(len(shape) != 3 or shape[2] is None for shape in shapes):
        return None
    query, key, value = (build.split_heads(name, heads) for name in node.input[:3])
    scale = build.attribute("scale") or (shapes[0][2] // heads) ** -0.5
    result = build.attention(query, key, value, bias, scale,
                             bool(build.attribute("unidirectional", 0)),
                             build.dtype(node.input[0]))  # fmt: skip
    build.join_heads(result, shapes[2][2], node.output[0])
    return build.nodes


EXPANSIONS = {("", "Attention"): _expand_standard,
              ("com.microsoft", "MultiHeadAttention"): _expand_microsoft}  # fmt: skip


def expand(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` without attention operators that IREE does not import."""
    wanted = [n for n in model.graph.node if (n.domain, n.op_type) in EXPANSIONS]
    if not wanted:
        return model
    inferred = onnx.shape_inference.infer_shapes(model)
    values = [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]
    types = {value.name: value.type.tensor_type for value in values}
    for tensor in model.graph.initializer:
        types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims).tensor_type
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:]
    for node in model.graph.node:
        expander = EXPANSIONS.get((node.domain, node.op_type))
        result.graph.node.extend((expander and expander(node, types)) or [node])
    if any((n.domain, n.op_type) == ("", "Attention") for n in result.graph.node):
        result = inliner.inline_selected_functions(
            result, [("", "Attention")], inline_schema_functions=True
        )
    return result


def expand_file(source: Path, output: Path) -> None:
    """Expands the model in `source`; weights in other files stay there."""
    model = onnx.load(str(source), load_external_data=False)
    onnx.save(expand(model), str(output))

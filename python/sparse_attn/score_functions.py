# ===- score_functions.py - One function for the region and the reference --===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""A score modification is a Python function of (score, batch, query, key). On
numpy arrays it computes, on symbols it writes the region of
`sparse_attn.attention`:

    def window(score, batch, query, key):
        return where((key <= query) & (query - key < 32), score, -math.inf)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable

import numpy as np

from sparse_attn.filters import float_text


@dataclass(frozen=True, eq=False)
class Symbol:
    """A value of the region under construction: an index, i1 or f32."""

    writer: "_Writer"
    name: str
    type: str

    def _binary(self, other, index: str, floating: str, swap: bool = False) -> "Symbol":
        x, y = self, self.writer.lift(other, self.type)
        if swap:
            x, y = y, x
        op = {"index": index, "i1": index, "f32": floating}[self.type]
        return self.writer.op(f"arith.{op} {x.name}, {y.name} : {self.type}", self.type)

    def _compare(self, other, predicate: str) -> "Symbol":
        y = self.writer.lift(other, self.type)
        op = f"cmpf o{predicate}" if self.type == "f32" else f"cmpi {self._signed(predicate)}"
        return self.writer.op(f"arith.{op}, {self.name}, {y.name} : {self.type}", "i1")

    @staticmethod
    def _signed(predicate: str) -> str:
        return predicate if predicate in ("eq", "ne") else f"s{predicate}"

    def __add__(self, other):
        return self._binary(other, "addi", "addf")

    def __sub__(self, other):
        return self._binary(other, "subi", "subf")

    def __mul__(self, other):
        return self._binary(other, "muli", "mulf")

    def __truediv__(self, other):
        return self._binary(other, "", "divf")

    def __floordiv__(self, other):  # of what is not negative
        return self._binary(other, "divsi", "")

    def __mod__(self, other):
        return self._binary(other, "remsi", "")

    def __and__(self, other):
        return self._binary(other, "andi", "")

    def __or__(self, other):
        return self._binary(other, "ori", "")

    def __radd__(self, other):
        return self._binary(other, "addi", "addf", swap=True)

    def __rmul__(self, other):
        return self._binary(other, "muli", "mulf", swap=True)

    def __lt__(self, other):
        return self._compare(other, "lt")

    def __le__(self, other):
        return self._compare(other, "le")

    def __gt__(self, other):
        return self._compare(other, "gt")

    def __ge__(self, other):
        return self._compare(other, "ge")

    def __eq__(self, other):
        return self._compare(other, "eq")


class _Writer:
    def __init__(self):
        self.lines = []

    def op(self, text: str, type_: str) -> Symbol:
        name = f"%x{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return Symbol(self, name, type_)

    def lift(self, value, type_: str) -> Symbol:
        if isinstance(value, Symbol):
            return value
        if type_ == "f32":
            text = {math.inf: "0x7F800000", -math.inf: "0xFF800000"}.get(value) or float_text(value)
        else:
            text = str(value)
        return self.op(f"arith.constant {text} : {type_}", type_)


def where(condition, kept, otherwise):
    """`kept` where the condition holds."""
    if not isinstance(condition, Symbol):
        arrays = [x for x in (kept, otherwise) if isinstance(x, np.ndarray)]
        return np.where(condition, kept, otherwise).astype(arrays[0].dtype)
    writer = condition.writer
    type_ = next(x.type for x in (kept, otherwise) if isinstance(x, Symbol))
    kept, other = writer.lift(kept, type_), writer.lift(otherwise, type_)
    return writer.op(f"arith.select {condition.name}, {kept.name}, {other.name} : {type_}", type_)


def tanh(x):
    if isinstance(x, Symbol):
        return x.writer.op(f"math.tanh {x.name} : f32", "f32")
    return np.tanh(x)


def exp2(x):
    if isinstance(x, Symbol):
        return x.writer.op(f"math.exp2 {x.name} : f32", "f32")
    return np.exp2(x)


def to_float(x):
    """An index as a float."""
    if not isinstance(x, Symbol):
        return np.asarray(x, np.float32)
    narrow = x.writer.op(f"arith.index_cast {x.name} : index to i32", "i32")
    return x.writer.op(f"arith.sitofp {narrow.name} : i32 to f32", "f32")


def region(function: Callable, batch: list) -> list:
    """The lines of the region for batch dimensions of the given names."""
    writer = _Writer()
    score = Symbol(writer, "%s", "f32")
    indices = [Symbol(writer, f"%{name}", "index") for name in (*batch, "query", "key")]
    result = function(score, tuple(indices[:-2]), *indices[-2:])
    arguments = "".join(f", {index.name}: index" for index in indices)
    body = [f"  {line}" for line in (*writer.lines, f"sparse_attn.yield {result.name} : f32")]
    return ["score {", f"^bb0(%s: f32{arguments}):", *body, "}"]

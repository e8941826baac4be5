# ===- modules.py - MLIR text of one attention ----------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Prints a module with one `sparse_attn.attention`, for every shape, type and
option that the tests and the demo need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Optional

from sparse_attn.filters import Filter, float_text
from sparse_attn.score_functions import region, where

RESULTS = ("log_sum_exp", "recall_bound", "tile_counts")


@dataclass(frozen=True)
class Attention:
    """What the module computes. `batch` are the query's leading dimensions;
    with `shared` the last of them is split over (key heads, `shared`)."""

    rows: int
    keys: int
    depth: int
    batch: tuple = ()
    width: Optional[int] = None  # of the values; `depth` unless stated
    element: str = "f16"
    output: Optional[str] = None  # `element` unless stated
    rule: Filter = Filter()
    scale: Optional[float] = None  # 1/sqrt(depth) unless stated
    causal: Optional[int] = None  # key <= query + causal
    score: Optional[Callable] = None  # see score_functions.py; instead of `causal`
    mask: Optional[str] = None  # element type of a mask
    mask_over: tuple = ("m", "k")  # its dimensions, batch dimensions as "b0"
    precision: Optional[str] = None
    decision_tile: Optional[tuple] = None
    results: tuple = ()  # of RESULTS, in that order
    dynamic: bool = False  # lengths are `?` in the types
    rows_first: bool = False  # BSHD: rows before the heads
    shared: int = 1  # query heads for each key head

    @property
    def value_width(self) -> int:
        return self.width or self.depth

    @property
    def output_type(self) -> str:
        return self.output or self.element

    @property
    def factor(self) -> float:
        return self.depth**-0.5 if self.scale is None else self.scale

    @property
    def query_batch(self) -> tuple:
        """The batch dimensions as the IR has them."""
        if self.shared == 1:
            return self.batch
        return (*self.batch[:-1], self.batch[-1] // self.shared, self.shared)


def print_type(shape, element: str) -> str:
    return f"tensor<{''.join(f'{x}x' for x in shape)}{element}>"


class _Printer:
    def __init__(self, spec: Attention):
        self.spec = spec
        self.batch = [f"b{i}" for i in range(len(spec.query_batch))]
        key_batch = self.batch[:-1] if spec.shared > 1 else self.batch
        rows = "?" if spec.dynamic else spec.rows
        keys = "?" if spec.dynamic else spec.keys
        self.sizes = dict(zip(self.batch, spec.query_batch))
        self.sizes |= dict(m=rows, k=keys, d=spec.depth, n=spec.value_width)
        self.dims = {
            "q": self.order(self.batch, "m", "d"),
            "k": self.order(key_batch, "k", "d"),
            "v": self.order(key_batch, "k", "n"),
            "mask": list(spec.mask_over),
            "o": self.order(self.batch, "m", "n"),
            "log_sum_exp": self.order(self.batch, "m"),
            "recall_bound": self.order(self.batch, "m"),
        }

    def order(self, batch, length, *last):
        if self.spec.rows_first and batch:
            heads = len(self.spec.batch) - 1  # one dimension, or two of shared ones
            return [*batch[:heads], length, *batch[heads:], *last]
        return [*batch, length, *last]

    def type(self, name: str) -> str:
        spec = self.spec
        if name == "tile_counts":
            tiles = "?" if spec.dynamic else -(-spec.rows // spec.decision_tile[0])
            return print_type([*spec.query_batch, tiles, 2], "i32")
        element = {"o": spec.output_type, "mask": spec.mask}.get(name, spec.element)
        if name in RESULTS:
            element = "f32"
        return print_type([self.sizes[d] for d in self.dims[name]], element)

    def map(self, name: str) -> str:
        space = [*self.batch, "m", "n", "d", "k"]
        return f"affine_map<({', '.join(space)}) -> ({', '.join(self.dims[name])})>"

    def init(self, name: str) -> list:
        """Lines that make the init of an output."""
        if not self.spec.dynamic:
            return [f"%{name}_init = tensor.empty() : {self.type(name)}"]
        size = "%tiles" if name == "tile_counts" else "%rows"
        return [f"%{name}_init = tensor.empty({size}) : {self.type(name)}"]

    def lengths(self) -> list:
        if not self.spec.dynamic:
            return []
        lines = [
            f"%m_dim = arith.constant {self.dims['q'].index('m')} : index",
            f"%rows = tensor.dim %q, %m_dim : {self.type('q')}",
        ]
        if "tile_counts" in self.spec.results:
            lines += [
                f"%tile_rows = arith.constant {self.spec.decision_tile[0]} : index",
                "%tiles = arith.ceildivui %rows, %tile_rows : index",
            ]
        return lines

    def region(self) -> list:
        spec = self.spec
        if spec.score:
            return region(spec.score, self.batch)
        if spec.causal is None:
            return []
        last = spec.causal

        def causal(score, batch, query, key):
            return where(key <= (query + last if last else query), score, -math.inf)

        return region(causal, self.batch)

    def text(self) -> str:
        spec = self.spec
        inputs = ["q", "k", "v"] + (["mask"] if spec.mask else [])
        outputs = ["o", *spec.results]
        arguments = ", ".join(f"%{x}: {self.type(x)}" for x in inputs)
        types = ", ".join(self.type(x) for x in outputs)
        maps = ", ".join(self.map(x) for x in [*inputs, "o"])
        attributes = [f"indexing_maps = [{maps}]", f"scale = {float_text(spec.factor)} : f64",
                      f"filter = {spec.rule.attribute()}"]  # fmt: skip
        if spec.decision_tile:
            tile = ", ".join(map(str, spec.decision_tile))
            attributes.append(f"decision_tile = array<i64: {tile}>")
        if spec.precision:
            attributes.append(f"precision = #sparse_attn.precision<{spec.precision}>")
        lines = [*self.lengths()]
        for name in outputs:
            lines += self.init(name)
        count = f"%r:{len(outputs)}" if len(outputs) > 1 else "%r"
        lines.append(f"{count} = sparse_attn.attention")
        lines.append(f"    ins(%q, %k, %v : {', '.join(self.type(x) for x in 'qkv')})")
        if spec.mask:
            lines.append(f"    mask(%mask : {self.type('mask')})")
        lines.append(f"    outs(%o_init : {self.type('o')})")
        lines += [f"    {x}(%{x}_init : {self.type(x)})" for x in spec.results]
        lines += [f"    {line}" for line in self.region()]
        lines.append(f"    {{{', '.join(attributes)}}} -> {types}")
        names = ["%r"] if len(outputs) == 1 else [f"%r#{i}" for i in range(len(outputs))]
        lines.append(f"return {', '.join(names)} : {types}")
        body = "\n".join(f"  {line}" for line in lines)
        return f"func.func @main({arguments}) -> ({types}) {{\n{body}\n}}\n"


def print_module(spec: Attention) -> str:
    """The module's text."""
    return _Printer(spec).text()


def input_shapes(spec: Attention) -> dict:
    """The shapes of q, k, v (and mask) as the module takes them."""
    printer = _Printer(spec)
    sizes = printer.sizes | dict(m=spec.rows, k=spec.keys)
    names = ["q", "k", "v"] + (["mask"] if spec.mask else [])
    return {x: tuple(sizes[d] for d in printer.dims[x]) for x in names}


def print_layers(spec: Attention, count: int) -> str:
    """A static graph of `count` equal attentions, each the next one's query."""
    printer = _Printer(spec)
    q, kv, o = printer.type("q"), printer.type("k"), printer.type("o")
    maps = ", ".join(printer.map(x) for x in "qkvo")
    lines = []
    for layer in range(count):
        source = "%q" if layer == 0 else f"%x_{layer}"
        lines += [
            f"%init_{layer} = tensor.empty() : {o}",
            f"%x_{layer + 1} = sparse_attn.attention ins({source}, %k, %v : {q}, {kv}, {kv})",
            f"    outs(%init_{layer} : {o}) {{indexing_maps = [{maps}], "
            f"scale = {float(spec.factor)!r} : f64, filter = {spec.rule.attribute()}}} -> {o}",
        ]
    body = "\n".join(f"  {line}" for line in [*lines, f"return %x_{count} : {o}"])
    return f"func.func @main(%q: {q}, %k: {kv}, %v: {kv}) -> {o} {{\n{body}\n}}\n"

# ===- attention.py - Random spellings of attention in linalg -------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""One attention for each seed, spelled as some exporter might: layouts, ranks,
number formats, forms of products and softmax, masks, scales, lengths.

Each step is a method, so that a near miss overrides one (near_misses.py)."""

from __future__ import annotations

import math
import random

import numpy as np

from graphs.linalg_text import UNIT, Function, Tensor
from graphs.products import Products
from graphs.score_steps import INFINITY, ScoreSteps
from sparse_attn.rounding import EPSILON, ROUND

LOWEST = {"f32": -3.4028234663852886e38, "bf16": -3.3895313892515355e38, "f16": -65504.0}


class AttentionGraph(Products, ScoreSteps):
    """The function `graph_<seed>` and what it is called with."""

    # Choices that are not left to chance, by name.
    forced = {}
    sizes = [1, 1, 2, 3, 4, 5, 7, 8, 13, 16]

    def __init__(self, seed: int):
        self.seed = seed
        self.random = random.Random(f"{type(self).__name__} {seed}")
        self.choices = {}
        self.keeps = []  # i1 tensors of which each false is -inf in the scores
        self.shape()
        self.function = Function(f"graph_{seed}", self.size, self.dynamic, self.random)
        self.results = self.build()

    def pick(self, name: str, *options):
        value = self.random.choice(options)
        value = self.forced.get(name, value)
        self.choices[name] = value
        return value

    def text(self) -> str:
        choices = ", ".join(f"{k}={v}" for k, v in self.choices.items())
        return f"// seed {self.seed}: {choices}\n{self.function.text(self.results, 'private ')}"

    # -- Shapes ------------------------------------------------------------

    def shape(self):
        pick = self.pick
        self.lead = pick("lead", (), ("a",), ("a",), ("a", "b"))
        heads = pick("heads", (), ("h",), ("h",), ("h",))
        self.shared = pick("shared", False, False, True) and bool(heads)
        # Whether the query's heads are one dimension or (key head, share).
        self.split = self.shared and pick("heads split", False, True)
        self.key_heads = heads
        self.heads = (("h", "g") if self.split else ("h*g",)) if self.shared else heads
        # Repeated heads lie side by side, or the whole set is tiled.
        if self.shared and not self.split and pick("share order", "repeat", "repeat", "tile") == "tile":
            self.heads = ("g*h",)
        # A unit dimension beside the rows, as einsum lowerings leave.
        self.rows = pick("rows", ("m",), ("m",), ("m",), ("m", "u"), ("u", "m"))
        size = {d: pick(f"size {d}", *self.sizes) for d in "mkdn"}
        size |= {d: pick(f"size {d}", 1, 2, 2, 3) for d in "abhg"} | {"u": 1}
        self.size = size
        self.dynamic = set(pick("dynamic", "", "", "", "mk", "m", "k", "amk")) - set("a" if not self.lead else "")
        self.element = pick("element", "f32", "f32", "f16", "bf16")

    def query_dims(self) -> tuple:
        return (*self.lead, *self.heads, "m", "d")

    def key_dims(self, last: str) -> tuple:
        return (*self.lead, *self.key_heads, "k", last)

    def layout(self, name: str, dims, transposable: bool = False) -> tuple:
        """The order of an operand's dimensions in memory."""
        *batch, length, last = dims
        kind = self.pick(f"layout {name}", "BHSD", "BHSD", "BSHD", "random")
        if kind == "BSHD" and batch:
            return (*batch[:-1], length, batch[-1], last)
        if kind == "random":
            order = list(dims)
            self.random.shuffle(order)
            return tuple(order)
        if transposable and self.pick(f"transposed {name}", False, False, True):
            return (*batch, last, length)
        return tuple(dims)

    # -- The whole ---------------------------------------------------------

    def build(self) -> list:
        f = self.function
        q = f.argument("q", self.layout("q", self.query_dims()), self.element)
        k = f.argument("k", self.layout("k", self.key_dims("d"), True), self.element)
        v = f.argument("v", self.layout("v", self.key_dims("n")), self.element)
        self.formats()
        self.scale_value = self.pick("scale", self.size["d"] ** -0.5, 0.3, 0.5, 1.0)
        q, k, v = (f.cast(x, self.operand) for x in (q, k, v))
        self.scaled = self.pick("scaled", "query", "key", "both", "scores", "scores", "divided")
        if self.scale_value != 1.0:
            q, k = self.scale_operands(q, k)
        scores = self.product(q, k)
        scores = f.cast(scores, self.softmax_element)
        scores = self.modify(scores)
        weights = self.weights(scores)
        out = self.values(self.before_values(f.cast(weights, self.weight)), v)
        out = self.finish(out)
        return [out, *self.more_results()]

    def more_results(self) -> list:
        return []

    def formats(self):
        """The number formats of operands, sums, softmax and weights."""
        if self.element == "f32":
            choice = ("f32",) * 5
        else:
            e = self.element
            choice = self.pick(
                "formats",
                ("f32", "f32", "f32", "f32", "f32"),  # PyTorch decomposes in f32
                (e, "f32", "f32", e, "f32"),  # as tensor cores do
                (e, "f32", "f32", e, e),
                (e, e, "f32", e, e),
                (e, e, e, e, e),
            )  # fmt: skip
        self.maximum = self.pick("maximum", "reduce", "reduce", "with index", "clamped", "none")
        self.operand, self.sum, self.softmax_element, self.weight, self.value_sum = choice

    # -- Softmax -----------------------------------------------------------------

    def weights(self, s: Tensor) -> Tensor:
        f = self.function
        if self.pick("softmax", "named", *["decomposed"] * 4) == "named":
            init = f.empty(s.dims, s.element)
            text = (
                f"linalg.softmax dimension({s.dims.index(self.softmax_axis())}) "
                f"ins({s.name} : {f.type_of(s)}) outs({init.name} : {f.type_of(init)}) "
                f"-> {f.type_of(init)}"
            )
            return Tensor(f.emit(text), s.dims, s.element)
        shift = self.shift(s)
        powers = self.exponential(s, shift)
        total = self.total(powers, s)
        weights = self.quotient(powers, total)
        return self.empty_rows(s, weights) if self.safe_tail() else weights

    def softmax_axis(self) -> str:
        return "k"

    def shift(self, s: Tensor):
        """What is subtracted from the scores: the maximum, or nothing."""
        f = self.function
        form = self.maximum
        if form == "none":
            return None
        x = self.maximum_of(s)
        start = f.constant(self.pick("maximum from", -INFINITY, -INFINITY, LOWEST[s.element]), s.element)
        if form == "with index":
            return f.maximum_with_index(x, "k", start)
        op = self.pick("maximum op", "arith.maximumf", "arith.maximumf", "arith.maxnumf")
        result = f.reduce(x, self.maximum_axis(), op, start, self.pick("maximum keeps", False, True))
        if form == "clamped":
            low = self.low(s.element)
            result = f.generic([result], result.dims, s.element, lambda b, a: b.op(
                f"arith.maximumf {a}, {low} : {s.element}"))  # fmt: skip
        return result

    def maximum_of(self, s: Tensor) -> Tensor:
        return s

    def maximum_axis(self) -> str:
        return "k"

    def exponential(self, s: Tensor, shift) -> Tensor:
        f = self.function
        if shift is None:
            return f.unary("math.exp", s)
        if self.pick("fused exponential", False, True):
            def body(b, x, m):
                return b.op(f"math.exp {b.op(f'arith.subf {x}, {m} : {s.element}')} : {s.element}")

            return f.generic([s, shift], s.dims, s.element, body)
        return f.unary("math.exp", f.binary("sub", s, shift))

    def total(self, powers: Tensor, s: Tensor) -> Tensor:
        f = self.function
        zero = f.constant(0.0, powers.element)
        return f.reduce(self.summand(powers, s), self.softmax_axis(), self.total_op(), zero,
                        self.pick("sum keeps", False, True))  # fmt: skip

    def summand(self, powers: Tensor, s: Tensor) -> Tensor:
        """The exponentials; or without those that a mask makes 0."""
        if self.keeps and self.pick("sum of", "all", "all", "kept") == "kept":
            zero = self.function.constant(0.0, powers.element)
            return self.keep(self.random.choice(self.keeps), powers, zero)
        return powers

    def keep(self, mask: Tensor, x: Tensor, other: str) -> Tensor:
        return self.function.generic(
            [mask, x], x.dims, x.element,
            lambda b, c, a: b.op(f"arith.select {c}, {a}, {other} : {x.element}"),
        )  # fmt: skip

    def total_op(self) -> str:
        return "arith.addf"

    def quotient(self, powers: Tensor, total: Tensor) -> Tensor:
        f = self.function
        if self.pick("quotient", "divided", "divided", "reciprocal") == "divided":
            return f.binary("div", powers, total)
        one = f.constant(1.0, total.element)
        inverse = f.generic([total], total.dims, total.element, lambda b, a: b.op(
            f"arith.divf {one}, {a} : {total.element}"))  # fmt: skip
        return f.binary("mul", powers, inverse)

    def safe_tail(self) -> bool:
        return self.pick("safe tail", False, False, True)

    def empty_rows(self, s: Tensor, weights: Tensor) -> Tensor:
        """Rows of -inf alone get zeros, as PyTorch's safe softmax does; by one
        of the tests for them."""
        forms = ["scores", "scores", "maximum"]
        # What may overflow to NaN is another function.
        if self.maximum != "none" and not self.choices.get("alibi"):
            forms += ["not a number"] * 2
        masks = [mask for mask in self.keeps if "k" in mask.dims]
        forms += ["mask", "mask", "weights"] if masks else []
        form = self.pick("tail", *forms)
        if form == "not a number":
            return self.replace_nan(weights, weights)
        if form == "mask":
            return self.keep_rows_of(self.random.choice(masks), weights)
        if form == "weights":
            return self.keep(self.random.choice(masks), weights, self.replacement(weights))
        if form == "maximum":
            return self.replace_by_maximum(s, weights)
        f = self.function
        element = self.pick("tail compares in", s.element, "f64")
        low = self.low(element)
        empty = f.generic([s], s.dims, "i1", lambda b, x: b.op(
            f"arith.cmpf oeq, {b.cast(x, s.element, element)}, {low} : {element}"))  # fmt: skip
        true = f.emit("arith.constant true")
        every = f.reduce(empty, "k", "arith.andi", true, True)
        return self.replace(every, self.replacement(weights), weights)

    def replace_nan(self, tested: Tensor, weights: Tensor) -> Tensor:
        f = self.function
        zero, kind = self.replacement(weights), weights.element
        if tested is not weights or self.random.random() < 0.5:
            predicate = self.random.choice(["une", "uno"])
            nan = f.generic([tested, tested], weights.dims, "i1", lambda b, x, y: b.op(
                f"arith.cmpf {predicate}, {x}, {y} : {tested.element}"))  # fmt: skip
            return self.replace(nan, zero, weights)

        def body(b, x):
            number = b.op(f"arith.cmpf ord, {x}, {x} : {kind}")
            return b.op(f"arith.select {number}, {x}, {zero} : {kind}")

        return f.generic([weights], weights.dims, kind, body)

    def replace_by_maximum(self, s: Tensor, weights: Tensor) -> Tensor:
        f = self.function
        low, zero = self.low(s.element), self.replacement(weights)
        row = f.reduce(s, "k", "arith.maximumf", low, True)
        # An ordered comparison hides NaN, too.
        predicate = "une" if self.choices.get("alibi") else self.random.choice(["une", "ogt"])

        def body(b, m, w):
            full = b.op(f"arith.cmpf {predicate}, {m}, {low} : {s.element}")
            return b.op(f"arith.select {full}, {w}, {zero} : {weights.element}")

        return f.generic([row, weights], weights.dims, weights.element, body)

    def keep_rows_of(self, mask: Tensor, weights: Tensor) -> Tensor:
        """Zeros where `mask` keeps no key, told by any or by all."""
        f = self.function
        true, false = f.emit("arith.constant true"), f.emit("arith.constant false")
        zero = self.replacement(weights)
        if self.random.random() < 0.5:
            hidden = f.generic([mask], mask.dims, "i1", lambda b, c: b.op(
                f"arith.cmpi eq, {c}, {false} : i1"))  # fmt: skip
            return self.replace(f.reduce(hidden, "k", "arith.andi", true, False), zero, weights)
        return self.keep(f.reduce(mask, "k", "arith.ori", false, False), weights, zero)

    def replacement(self, weights: Tensor) -> str:
        return self.function.constant(0.0, weights.element)

    def replace(self, condition: Tensor, value: str, weights: Tensor) -> Tensor:
        return self.function.generic(
            [condition, weights], weights.dims, weights.element,
            lambda b, c, w: b.op(f"arith.select {c}, {value}, {w} : {weights.element}"),
        )  # fmt: skip

    def before_values(self, p: Tensor) -> Tensor:
        return p

    # -- The output ----------------------------------------------------------------

    def finish(self, out: Tensor) -> Tensor:
        f = self.function
        dims = (*self.lead, *self.heads, *self.rows, "n")
        out = f.transpose(out, dims)
        if self.rows != ("m",):
            merged = tuple("*".join(self.rows) if d == self.rows[0] else d for d in dims if d != self.rows[1])
            out = f.collapse(out, merged)
            out = Tensor(out.name, tuple("m" if d == "*".join(self.rows) else d for d in merged), out.element)
        late = self.pick("narrowed", "before layout", "after layout")
        to = self.pick("result", self.element, self.element, out.element)
        if late == "before layout":
            out = f.cast(out, to)
        out = f.transpose(out, self.layout("out", self.query_dims()[:-1] + ("n",)))
        return f.cast(out, to)

    # -- Execution -------------------------------------------------------------------

    def inputs(self) -> list:
        """Arrays for the arguments; bf16 as f32."""
        generator = np.random.default_rng(self.seed)
        arrays = []
        for tensor in self.function.arguments:
            shape = [self.function.size(d) for d in tensor.dims]
            if tensor.element == "i1":
                arrays.append(generator.random(shape) < 0.7)
                continue
            array = generator.uniform(-1.5, 1.5, shape).astype(np.float32)
            if tensor.name.startswith("%mask"):
                array = np.where(generator.random(shape) < 0.2, -np.inf, array).astype(np.float32)
            array = ROUND[tensor.element](array)
            arrays.append(array.astype(np.float16) if tensor.element == "f16" else array)
        return arrays

    def has_mask(self) -> bool:
        return any(self.choices.get(x) for x in ("index mask", "index fill", "mask", "second mask"))

    def tolerance(self, arrays: list) -> float:
        """What roundings of the graph, which attention does not have, may
        move an element of the result by."""
        norms = {}
        for tensor, array in zip(self.function.arguments, arrays):
            if tensor.name in ("%q", "%k"):
                squares = np.square(array.astype(np.float64)).sum(axis=tensor.dims.index("d"))
                norms[tensor.name] = math.sqrt(squares.max())
        product = norms["%q"] * norms["%k"]
        bias = 2.0 * sum(t.name.startswith("%mask") for t in self.function.arguments)
        bias += 4.0 * max(self.size["m"], self.size["k"]) if self.choices.get("alibi") else 0.0
        scores = product * max(self.scale_value, 1.0) + bias

        def unit(*elements):
            return max(EPSILON[e] for e in elements) / 2

        # A score, through its sum and the steps up to the exponential.
        moved = unit(self.operand, self.sum) * scores * (math.sqrt(self.size["d"]) + 3)
        moved += unit(self.softmax_element) * scores * 6
        # A weight, through its sum, the quotient and casts; then the output.
        moved = 2 * moved + unit(self.softmax_element) * (math.sqrt(self.size["k"]) + 6)
        moved += 2 * unit(self.weight, self.element)
        moved += unit(self.value_sum) * math.sqrt(self.size["k"]) + 2 * unit(self.element)
        largest = np.abs(arrays[2].astype(np.float64)).max(initial=0.0)
        # Roundings are independent, most are far below their largest, and a row
        # averages them: of several thousand graphs none came near a sixth.
        # But the result may end on the other side of a tie.
        return max(moved / 6, unit(self.choices["result"]) * 2) * largest + 1e-6

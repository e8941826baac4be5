# ===- score_steps.py - From the product to the softmax -------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Scale, score modifications and masks of an attention graph."""

from __future__ import annotations

from graphs.linalg_text import UNIT, Tensor
from graphs.score_conditions import INDEX_MASKS

INFINITY = float("inf")
# What JAX fills with.
FILL = {"f32": -2.3819763e38, "bf16": -2.3926e38}


class ScoreSteps:
    """A part of AttentionGraph."""

    # -- Scale ---------------------------------------------------------------

    def scale_operands(self, q: Tensor, k: Tensor):
        factor = {"query": 1.0, "key": 1.0, "both": 0.5}.get(self.scaled)
        if factor is None:
            return q, k
        value = self.scale_value**factor
        if self.scaled in ("query", "both"):
            q = self.times(q, value)
        if self.scaled in ("key", "both"):
            k = self.times(k, value)
        return q, k

    def times(self, x: Tensor, value: float, divide: bool = False) -> Tensor:
        f = self.function
        op = "arith.divf" if divide else "arith.mulf"
        value = 1 / value if divide else value
        spelled = self.pick("factor", "splat", "tensor of one", "outside", "wide")
        if spelled == "splat" and not any(f.is_dynamic(d) for d in x.dims):
            return f.binary("div" if divide else "mul", x, f.splat(value, x.dims, x.element))
        if spelled == "tensor of one":
            return f.binary("div" if divide else "mul", x, f.splat(value, (), x.element))
        if spelled == "wide":
            wide = f.constant(value, "f64")
            return f.generic([x], x.dims, x.element, lambda b, a: b.op(
                f"{op} {a}, {b.cast(wide, 'f64', x.element)} : {x.element}"))  # fmt: skip
        constant = f.constant(value, x.element)
        return f.generic([x], x.dims, x.element, lambda b, a: b.op(
            f"{op} {a}, {constant} : {x.element}"))  # fmt: skip

    # -- Between product and softmax -------------------------------------------

    def modify(self, s: Tensor) -> Tensor:
        scaled = self.scaled in ("scores", "divided") and self.scale_value != 1.0
        late = scaled and self.pick("scale", "first", "first", "last") == "last"
        if scaled and not late:
            s = self.scale_scores(s)
        if s.element == "f32" and self.pick("softcap", False, False, False, True):
            s = self.times(self.function.unary("math.tanh", self.times(s, 0.5)), 2.0)
        # A finite fill replaces what is there, so it is the first or the only
        # mask and not scaled (more is refused); the others come in any order.
        if self.can_fill(s) and not late and self.pick("fill", False, False, True):
            if self.pick("fill by", "index", "tensor") == "tensor":
                return self.mask_by_index(self.fill_by_tensor(s))
            s = self.index_mask(s, "index fill", FILL[s.element])
        steps = [self.mask_by_index, self.mask_by_tensor, self.mask_by_tensor]
        if s.element == "f32" and self.pick("alibi", False, False, False, True):
            steps.append(self.alibi)
        self.random.shuffle(steps)
        for step in steps:
            s = step(s)
        return self.scale_scores(s) if late else s

    def scale_scores(self, s: Tensor) -> Tensor:
        return self.times(s, self.scale_value, self.scaled == "divided")

    def alibi(self, s: Tensor) -> Tensor:
        """A slope (by head, where there are heads) times the distance."""
        f = self.function
        two = self.pick("slope", None, f.constant(2.0, "f32"))

        def body(b, score):
            distance = b.op(f"arith.subi {b.index('k', 'i32')}, {b.index('m', 'i32')} : i32")
            distance = b.op(f"arith.sitofp {distance} : i32 to f32")
            slope = f.constant(0.125, "f32")
            head = next((d for d in s.dims if "h" in d), None)
            if head:
                number = b.op(f"arith.sitofp {b.index(head, 'i32')} : i32 to f32")
                power = f"math.powf {two}, {number}" if two else f"math.exp2 {number}"
                slope = b.op(f"arith.mulf {slope}, {b.op(f'{power} : f32')} : f32")
            bias = b.op(f"arith.mulf {slope}, {distance} : f32")
            return b.op(f"arith.addf {score}, {bias} : f32")

        return f.generic([s], s.dims, s.element, body)

    def can_fill(self, s: Tensor) -> bool:
        # Without a maximum, a row of it alone has no softmax.
        return s.element in FILL and self.maximum != "none"

    def low(self, element: str) -> str:
        return self.function.constant(-INFINITY, element)

    def mask_by_index(self, s: Tensor) -> Tensor:
        """Causal, windows and the like: -inf where a condition on indices fails."""
        return self.index_mask(s, "index mask", -INFINITY)

    def index_mask(self, s: Tensor, name: str, low: float) -> Tensor:
        f = self.function
        condition = self.pick(name, None, None, None, *INDEX_MASKS)
        if condition is None:
            return s
        integer = self.pick(f"{name} type", "i32", "i64", "index")
        low_name = f.constant(low, s.element)
        emit = INDEX_MASKS[condition](self.random, integer)
        if self.pick(f"{name} in", "op", "tensor") == "op":
            return f.generic([s], s.dims, s.element, lambda b, x: b.op(
                f"arith.select {emit(b, 'm', 'k')}, {x}, {low_name} : {s.element}"))  # fmt: skip
        keep = f.generic([], ("m", "k"), "i1", lambda b: emit(b, "m", "k"))
        if low == -INFINITY:
            self.keeps.append(keep)
        added = low == -INFINITY and self.pick(f"{name} by", "select", "add") == "add"
        return self.apply(s, keep, low_name, added)

    def apply(self, s: Tensor, keep: Tensor, low: str, added: bool) -> Tensor:
        """Masks by an i1 tensor: a select, or 0 or -inf added."""
        f = self.function
        if added:
            zero = f.constant(0.0, s.element)
            bias = f.generic([keep], keep.dims, s.element, lambda b, c: b.op(
                f"arith.select {c}, {zero}, {low} : {s.element}"))  # fmt: skip
            return f.binary("add", s, bias)
        if self.random.random() < 0.3 and UNIT not in keep.dims:
            keep = f.copy(keep, s.dims)
        if self.random.random() < 0.3:  # true where the score goes
            true = f.emit("arith.constant true")
            drop = f.generic([keep], keep.dims, "i1", lambda b, c: b.op(
                f"arith.xori {c}, {true} : i1"))  # fmt: skip
            return f.generic([drop, s], s.dims, s.element, lambda b, c, x: b.op(
                f"arith.select {c}, {low}, {x} : {s.element}"))  # fmt: skip
        return f.generic([keep, s], s.dims, s.element, lambda b, c, x: b.op(
            f"arith.select {c}, {x}, {low} : {s.element}"))  # fmt: skip

    def mask_argument(self, element: str) -> Tensor:
        """A mask over some of the scores' dimensions."""
        dims = [*self.lead, *self.heads, "m", "k"]
        shape = self.pick("mask over", "all", "batch", "pair", "keys", "flat", "rows")
        kept = {"all": dims, "batch": [*self.lead, "m", "k"], "keys": [*self.lead, "k"],
                "rows": ["m"]}.get(shape, ["m", "k"])  # fmt: skip
        dims = kept if shape == "flat" else [d if d in kept else UNIT for d in dims]
        masks = sum(t.name.startswith("%mask") for t in self.function.arguments)
        return self.function.argument(f"mask{masks}", dims, element)

    def fill_by_tensor(self, s: Tensor) -> Tensor:
        """A boolean mask with the finite number that JAX fills with."""
        mask = self.mask_argument("i1")
        return self.apply(s, mask, self.function.constant(FILL[s.element], s.element), False)

    def mask_by_tensor(self, s: Tensor) -> Tensor:
        """A boolean mask with -inf, or an additive mask."""
        name = "second mask" if "mask" in self.choices else "mask"
        kinds = [None] * (6 if "mask" in self.choices else 2)
        kind = self.pick(name, *kinds, "bool", "bool added", "f32", "own")
        if kind is None:
            return s
        element = {"f32": "f32", "own": self.element}.get(kind, "i1")
        mask = self.mask_argument(element)
        if element == "i1":
            self.keeps.append(mask)
            return self.apply(s, mask, self.low(s.element), kind == "bool added")
        return self.function.binary("add", s, self.function.cast(mask, s.element))

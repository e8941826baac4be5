# ===- near_misses.py - Graphs that are almost attention ------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Each class changes one step of attention.AttentionGraph into another
function, which raising must leave alone. `reason` is a pattern of the remark;
none is expected where nothing is left that looks like a softmax."""

from __future__ import annotations

from graphs.attention import AttentionGraph
from graphs.linalg_text import UNIT, Tensor


class NearMiss(AttentionGraph):
    reason = None
    # Sizes at which every fault changes the result.
    sizes = [2, 3, 4, 5, 7, 8]
    needs = ()  # dimensions that must be there and larger than 1

    def shape(self):
        super().shape()
        for dim in self.needs:
            if dim in "ab" and dim not in self.lead:
                self.lead = (*self.lead, dim)
            self.size[dim] = max(self.size[dim], 2)


class Decomposed(NearMiss):
    """Near misses inside of the softmax."""

    forced = {"softmax": "decomposed", "maximum": "reduce", "sum of": "all"}


# -- The softmax's axis -------------------------------------------------------


AXIS = "over the dimension that the product with the values sums over|not divided by their sum"


class OtherAxis(NearMiss):
    """Normalised over the queries."""

    reason = AXIS

    def softmax_axis(self):
        return "m"


class MaximumOverOtherAxis(Decomposed):
    """A maximum over the queries, which is not constant along a row."""

    reason = "is not the maximum of the same scores"

    def maximum_axis(self):
        return "m"

    def exponential(self, s, shift):
        return super().exponential(s, self.function.copy(shift, s.dims))


class SumOverBatch(Decomposed):
    """The sum runs over the batch as well."""

    needs = ("a",)
    reason = AXIS

    def total(self, powers, s):
        f = self.function
        total = super().total(powers, s)
        return f.reduce(total, "a", "arith.addf", f.constant(0.0, total.element), False)


class BatchesExchanged(Decomposed):
    """The sum of another batch."""

    needs = ("a", "b")
    reason = "is not theirs"

    def shape(self):
        super().shape()
        self.lead = ("a", "b")
        self.size["b"] = self.size["a"]
        self.dynamic -= {"a"}

    def total(self, powers, s):
        total = super().total(powers, s)
        exchange = {"a": "b", "b": "a"}
        dims = tuple(exchange.get(d, d) for d in total.dims)
        return Tensor(total.name, dims, total.element)


# -- Other functions than a softmax --------------------------------------------


class Sum(Decomposed):
    """Divided by the sum of something else."""

    reason = "is not theirs"

    def summand(self, powers, s):
        return self.pick("summand", lambda: s, lambda: self.squares(powers))()

    def squares(self, powers):
        f = self.function
        return f.generic([powers], powers.dims, powers.element, lambda b, x: b.op(
            f"arith.mulf {x}, {x} : {powers.element}"))  # fmt: skip


class SumOfOtherMask(Decomposed):
    """The sum leaves out what another mask hides."""

    reason = "is not theirs"

    def summand(self, powers, s):
        f = self.function
        other = f.argument("other", s.dims, "i1")
        return self.keep(other, powers, f.constant(0.0, powers.element))


class SumFromOne(Decomposed):
    """A softmax with a silent extra key."""

    reason = "does not start at zero"

    def total(self, powers, s):
        f = self.function
        one = f.constant(1.0, powers.element)
        return f.reduce(powers, "k", "arith.addf", one, True)


class Product(Decomposed):
    """Divided by the product of the exponentials, or the largest."""

    reason = "not divided by their sum"

    def total_op(self):
        return self.pick("total", "arith.mulf", "arith.maximumf")


class Epsilon(Decomposed):
    """Divided by the sum plus something small."""

    reason = "not divided by their sum"

    def total(self, powers, s):
        f = self.function
        total = super().total(powers, s)
        small = f.constant(1.0e-3, total.element)
        return f.generic([total], total.dims, total.element, lambda b, x: b.op(
            f"arith.addf {x}, {small} : {total.element}"))  # fmt: skip


class RootOfSum(Decomposed):
    """Divided by the root of the sum."""

    reason = "not divided by their sum"

    def total(self, powers, s):
        return self.function.unary("math.sqrt", super().total(powers, s))


class Inverse(Decomposed):
    """The sum divided by the exponentials."""

    def quotient(self, powers, total):
        f = self.function
        return f.binary("div", f.copy(total, powers.dims), powers)

    reason = "no product with values uses it as its weights"


class OtherPower(Decomposed):
    """Not the exponential."""

    def exponential(self, s, shift):
        f = self.function
        op = self.pick("power", "math.exp2", "math.expm1", "math.absf", "math.tanh")
        return f.unary(op, f.binary("sub", s, shift))


class Sigmoid(NearMiss):
    """Sigmoid attention: each weight by itself."""

    def weights(self, s):
        f = self.function
        one = f.constant(1.0, s.element)

        def body(b, x):
            power = b.op(f"math.exp {b.op(f'arith.negf {x} : {s.element}')} : {s.element}")
            total = b.op(f"arith.addf {power}, {one} : {s.element}")
            return b.op(f"arith.divf {one}, {total} : {s.element}")

        return f.generic([s], s.dims, s.element, body)


class Unnormalised(Decomposed):
    """Exponentials, not divided by anything."""

    def quotient(self, powers, total):
        return powers

    reason = "no product with values uses it as its weights"


class NegatedShift(Decomposed):
    """The maximum minus the scores."""

    def exponential(self, s, shift):
        f = self.function
        return f.unary("math.exp", f.binary("sub", f.copy(shift, s.dims), s))

    reason = "is not the maximum of the same scores"


class MaximumOfOther(Decomposed):
    """Subtracts what another tensor has as its maximum."""

    reason = "is not the maximum of the same scores"

    def exponential(self, s, shift):
        f = self.function
        other = f.argument("other", s.dims, s.element)
        return f.unary("math.exp", f.binary("sub", s, other))


class LogSoftmax(Decomposed):
    """The logarithms of the weights."""

    def quotient(self, powers, total):
        return self.function.unary("math.log", super().quotient(powers, total))

    reason = "no product with values uses it as its weights"


class InParts(NearMiss):
    """A softmax over each half of the keys."""

    forced = {"rows": ("m",)}

    def shape(self):
        super().shape()
        self.size["k"] = max(4, self.size["k"] + self.size["k"] % 2)
        self.size |= {"x": self.size["k"] // 2, "y": 2}
        self.dynamic -= {"k"}

    def weights(self, s):
        f = self.function
        self.axis = "y"
        halves = f.expand(
            Tensor(s.name, tuple("x*y" if d == "k" else d for d in s.dims), s.element),
            [x for d in s.dims for x in (("x", "y") if d == "k" else (d,))],
        )
        init = f.empty(halves.dims, s.element)
        text = (
            f"linalg.softmax dimension({halves.dims.index('y')}) "
            f"ins({halves.name} : {f.type_of(halves)}) outs({init.name} : {f.type_of(init)}) "
            f"-> {f.type_of(init)}"
        )
        whole = tuple("x*y" if d == "k" else d for d in s.dims)
        p = f.collapse(Tensor(f.emit(text), halves.dims, s.element), whole)
        return Tensor(p.name, s.dims, s.element)

    reason = AXIS


# -- Between softmax and values -------------------------------------------------


class Dropout(NearMiss):
    """Some weights are dropped or changed."""

    reason = "before the product with the values|condition other than an empty row"

    def before_values(self, p):
        f = self.function
        kind = self.pick("dropout", "scaled", "replaced", "added", "constant")
        if kind == "constant":
            half = f.constant(0.5, p.element)
            return f.generic([p], p.dims, p.element, lambda b, x: b.op(
                f"arith.addf {x}, {half} : {p.element}"))  # fmt: skip
        other = f.argument("other", p.dims, "i1" if kind == "replaced" else p.element)
        if kind == "replaced":
            zero = f.constant(0.0, p.element)
            return f.generic([p, other], p.dims, p.element, lambda b, x, c: b.op(
                f"arith.select {c}, {x}, {zero} : {p.element}"))  # fmt: skip
        return f.binary("mul" if kind == "scaled" else "add", p, other)


class LateMask(NearMiss):
    """A causal mask on the weights: the rows no longer sum to 1."""

    reason = "condition other than an empty row"

    def before_values(self, p):
        f = self.function
        zero = f.constant(0.0, p.element)

        def body(b, x):
            seen = b.op(f"arith.cmpi sle, {b.index('k')}, {b.index('m')} : index")
            return b.op(f"arith.select {seen}, {x}, {zero} : {p.element}")

        return f.generic([p], p.dims, p.element, body)


class OtherTail(Decomposed):
    """Rows replaced under another condition, or by another number."""

    forced = {**Decomposed.forced, "safe tail": True}
    reason = "condition other than an empty row"

    def empty_rows(self, s, weights):
        f = self.function
        rows = tuple(UNIT if d == "k" else d for d in s.dims)
        return self.replace(f.argument("other", rows, "i1"), self.replacement(weights), weights)


class NaNOfScores(OtherTail):
    """Zeros where the scores are no numbers, which those of empty rows are."""

    def empty_rows(self, s, weights):
        return self.replace_nan(s, weights)


class NaNOfOverflow(OtherTail):
    """Large scores give NaN where the maximum is not subtracted."""

    forced = {**OtherTail.forced, "maximum": "none"}

    def empty_rows(self, s, weights):
        return self.replace_nan(weights, weights)


class RowsOfOtherMask(OtherTail):
    """Rows that another mask hides."""

    def empty_rows(self, s, weights):
        return self.keep_rows_of(self.function.argument("other", s.dims, "i1"), weights)


class OtherReplacement(Decomposed):
    """Empty rows become uniform instead of zero."""

    forced = {**Decomposed.forced, "safe tail": True}
    reason = "before the product with the values"

    def replacement(self, weights):
        return self.function.constant(0.25, weights.element)


# -- Between product and softmax --------------------------------------------------


class Squared(NearMiss):
    """The scores meet themselves: what -inf hid is no longer hidden."""

    reason = "another tensor takes part in the scores|the sum that divides|replaced by zero"

    def modify(self, s):
        s = super().modify(s)
        return self.function.generic([s], s.dims, s.element, lambda b, x: b.op(
            f"arith.mulf {x}, {x} : {s.element}"))  # fmt: skip


class MaskByScores(NearMiss):
    """Only large scores stay."""

    reason = "the mask is computed|another tensor|in a way that is no mask"

    def modify(self, s):
        s = super().modify(s)
        f = self.function
        low, limit = self.low(s.element), f.constant(0.0, s.element)

        def body(b, x):
            large = b.op(f"arith.cmpf ogt, {x}, {limit} : {s.element}")
            return b.op(f"arith.select {large}, {x}, {low} : {s.element}")

        return f.generic([s], s.dims, s.element, body)


# -- Other uses -----------------------------------------------------------------


class ScoresUsed(NearMiss):
    """The scores are a result, too."""

    reason = "has another use, by func.return"

    def modify(self, s):
        self.kept = self.pick("kept", lambda: s, lambda: None)()
        changed = super().modify(s)
        self.kept = self.kept or changed
        return changed

    def more_results(self):
        return [self.kept]


class WeightsUsed(NearMiss):
    """The weights are a result, too."""

    reason = "has another use, by func.return"

    def before_values(self, p):
        self.kept = p
        return p

    def more_results(self):
        return [self.kept]


# -- The products ----------------------------------------------------------------


class ScoresFromBias(NearMiss):
    """The product adds to something that is not zero."""

    reason = "does not start at zero"

    def zero(self, dims, element):
        f = self.function
        return f.filled(f.constant(0.5, element), dims, element)


class SumsHeads(NearMiss):
    """The product with the values sums over a batch dimension as well."""

    needs = ("a",)
    forced = {"values": "generic"}
    reason = AXIS

    def values(self, p, v):
        out = self.contraction(
            "generic", [p, self.function.cast(self.share(v), p.element)],
            tuple(d for d in (*self.lead, *self.heads, *self.rows, "n") if d != "a"),
            self.value_sum,
        )  # fmt: skip
        return self.function.copy(out, (*self.lead, *self.heads, *self.rows, "n"))


class Transposed(NearMiss):
    """The weights of the queries instead of the keys: contracts the rows."""

    reason = AXIS

    def shape(self):
        super().shape()
        self.size["m"] = self.size["k"]
        self.dynamic -= {"m", "k"}

    def before_values(self, p):
        exchange = {"m": "k", "k": "m"}
        return Tensor(p.name, tuple(exchange.get(d, d) for d in p.dims), p.element)


NEAR_MISSES = [
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, NearMiss) and kind not in (NearMiss, Decomposed)
]

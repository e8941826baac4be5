# ===- linalg_text.py - Writes functions on tensors in linalg -------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Text of one function whose tensors have named dimensions. Indexing maps,
reassociations and the sizes of dynamic tensors follow from the names.

A dimension is "m", a unit "1", or "a*h", what a reshape made of "a" and "h"."""

from __future__ import annotations

import math
from dataclasses import dataclass

UNIT = "1"


@dataclass(frozen=True)
class Tensor:
    """An SSA value."""

    name: str
    dims: tuple
    element: str


class Body:
    """The region of a linalg.generic."""

    def __init__(self, function: "Function", loops: list):
        self.function = function
        self.loops = loops
        self.lines = []

    def op(self, text: str) -> str:
        name = self.function.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def index(self, dim: str, element: str = "index") -> str:
        """The position in `dim`, as an index or an integer."""
        index = self.op(f"linalg.index {self.loops.index(dim)} : index")
        if element == "index":
            return index
        return self.op(f"arith.index_cast {index} : index to {element}")

    def cast(self, name: str, element: str, to: str) -> str:
        if element == to:
            return name
        op = "extf" if width(to) > width(element) else "truncf"
        return self.op(f"arith.{op} {name} : {element} to {to}")


def width(element: str) -> int:
    return {"f16": 16, "bf16": 16, "f32": 32, "f64": 64}[element]


def float_text(value: float, element: str) -> str:
    if math.isinf(value):
        bits = {"f16": "0xFC00", "bf16": "0xFF80", "f32": "0xFF800000", "f64": "0xFFF0000000000000"}
        assert value < 0
        return bits[element]
    return f"{value:.17e}"


class Function:
    """A function under construction. `random` chooses among spellings that
    mean the same."""

    def __init__(self, name: str, sizes: dict, dynamic: set, random):
        self.name = name
        self.sizes = {UNIT: 1, **sizes}
        self.dynamic = dynamic
        self.random = random
        self.arguments = []
        self.lines = []
        self.lengths = {}
        self.number = 0

    # -- Names, sizes and types ------------------------------------------

    def fresh(self) -> str:
        self.number += 1
        return f"%{self.number}"

    def emit(self, text: str) -> str:
        name = self.fresh()
        self.lines.append(f"{name} = {text}")
        return name

    def size(self, dim: str) -> int:
        return math.prod(self.sizes[part] for part in dim.split("*"))

    def is_dynamic(self, dim: str) -> bool:
        return any(part in self.dynamic for part in dim.split("*"))

    def type(self, dims, element: str) -> str:
        shape = "".join("?x" if self.is_dynamic(d) else f"{self.size(d)}x" for d in dims)
        return f"tensor<{shape}{element}>"

    def type_of(self, tensor: Tensor) -> str:
        return self.type(tensor.dims, tensor.element)

    def argument(self, name: str, dims, element: str) -> Tensor:
        tensor = Tensor(f"%{name}", tuple(dims), element)
        self.arguments.append(tensor)
        for position, dim in enumerate(dims):
            if dim in self.dynamic and dim not in self.lengths:
                constant = self.emit(f"arith.constant {position} : index")
                self.lengths[dim] = self.emit(
                    f"tensor.dim {tensor.name}, {constant} : {self.type_of(tensor)}"
                )
        return tensor

    def length(self, dim: str) -> str:
        """The size of a dynamic dimension as an SSA value."""
        if dim not in self.lengths:
            product = None
            for part in dim.split("*"):
                one = self.lengths.get(part) or self.emit(
                    f"arith.constant {self.size(part)} : index"
                )
                product = one if product is None else self.emit(
                    f"arith.muli {product}, {one} : index"
                )
            self.lengths[dim] = product
        return self.lengths[dim]

    def constant(self, value: float, element: str) -> str:
        return self.emit(f"arith.constant {float_text(value, element)} : {element}")

    def splat(self, value: float, dims, element: str) -> Tensor:
        """A constant tensor of one value."""
        type_ = self.type(dims, element)
        text = f"arith.constant dense<{float_text(value, element)}> : {type_}"
        return Tensor(self.emit(text), tuple(dims), element)

    def empty(self, dims, element: str) -> Tensor:
        lengths = ", ".join(self.length(d) for d in dims if self.is_dynamic(d))
        return Tensor(
            self.emit(f"tensor.empty({lengths}) : {self.type(dims, element)}"),
            tuple(dims), element,
        )  # fmt: skip

    def filled(self, value: str, dims, element: str) -> Tensor:
        init = self.empty(dims, element)
        type_ = self.type_of(init)
        text = f"linalg.fill ins({value} : {element}) outs({init.name} : {type_}) -> {type_}"
        return Tensor(self.emit(text), init.dims, element)

    # -- linalg.generic --------------------------------------------------

    def map(self, loops, dims, unit_loops: bool = False) -> str:
        def one(names):
            # A unit is the constant 0, or a loop of its own.
            units = [f"e{i}" if unit_loops else "0" for i in range(len(names))]
            return ", ".join(
                unit if d == UNIT else d.replace("*", "_") for d, unit in zip(names, units)
            )

        return f"affine_map<({', '.join(d.replace('*', '_') for d in loops)}) -> ({one(dims)})>"

    def region(self, loops, ins, init: Tensor, body):
        """The attributes, operands and region of a generic; `body` gets the
        region's builder, the inputs' and the output's element."""
        reduces = any(d not in init.dims for d in loops)
        kinds = ['"parallel"' if d in init.dims else '"reduction"' for d in loops]
        if not reduces:  # every dimension of the result has a loop
            units = [f"e{i}" for i, d in enumerate(init.dims) if d == UNIT]
            loops = [*loops, *units]
            kinds += ['"parallel"'] * len(units)
        kinds = ", ".join(kinds)
        maps = [self.map(loops, t.dims) for t in ins]
        maps = ", ".join([*maps, self.map(loops, init.dims, unit_loops=not reduces)])
        arguments = [f"{self.fresh()}" for _ in [*ins, init]]
        builder = Body(self, loops)
        result = body(builder, *arguments)
        typed = ", ".join(f"{a}: {t.element}" for a, t in zip(arguments, [*ins, init]))
        operands = ""
        if ins:
            names = ", ".join(t.name for t in ins)
            operands = f" ins({names} : {', '.join(map(self.type_of, ins))})"
        return (
            f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}{operands}"
            f" outs({init.name} : {self.type_of(init)}) {{\n  ^bb0({typed}):\n"
            + "\n".join("  " + line for line in builder.lines)
            + f"\n    linalg.yield {result} : {init.element}\n  }} -> {self.type_of(init)}"
        )

    def generic(self, ins, dims, element: str, body, init=None) -> Tensor:
        """A generic over all dimensions that occur; those not in `dims` are
        reduced. Without `init`, `body` is not given the output's element."""
        dims = tuple(dims)
        loops = [d for d in dims if d != UNIT]
        for tensor in ins:
            loops += [d for d in tensor.dims if d != UNIT and d not in loops]
        plain = init is None
        init = init or self.empty(dims, element)
        text = self.region(
            loops, ins, init, (lambda b, *a: body(b, *a[:-1])) if plain else body
        )
        return Tensor(self.emit(text), dims, element)

    # -- Reshapes and transposes -----------------------------------------

    @staticmethod
    def _groups(parts, whole) -> str:
        """The reassociation between `whole` and its `parts`."""
        groups, at = [], 0
        for dim in whole:
            wanted = dim.split("*")
            group = []
            while wanted:
                found = parts[at].split("*")
                assert wanted[: len(found)] == found, (parts, whole)
                wanted = wanted[len(found) :]
                group.append(at)
                at += 1
            groups.append(group)
        # Units that no name tells of belong to the group before.
        while at < len(parts):
            assert parts[at] == UNIT, (parts, whole)
            groups[-1].append(at)
            at += 1
        return str(groups)

    def collapse(self, x: Tensor, dims) -> Tensor:
        dims = tuple(dims)
        if dims == x.dims:
            return x
        if self.random.random() < 0.15:
            return self.reshape(x, dims)
        text = f"tensor.collapse_shape {x.name} {self._groups(x.dims, dims)} : "
        return Tensor(
            self.emit(f"{text}{self.type_of(x)} into {self.type(dims, x.element)}"), dims, x.element
        )

    def expand(self, x: Tensor, dims) -> Tensor:
        dims = tuple(dims)
        if dims == x.dims:
            return x
        if self.random.random() < 0.15:
            return self.reshape(x, dims)
        # Lengths first: they are ops of their own.
        sizes = [self.length(d) if self.is_dynamic(d) else str(self.size(d)) for d in dims]
        text = (
            f"tensor.expand_shape {x.name} {self._groups(dims, x.dims)} output_shape "
            f"[{', '.join(sizes)}] : {self.type_of(x)} into {self.type(dims, x.element)}"
        )
        return Tensor(self.emit(text), dims, x.element)

    def reshape(self, x: Tensor, dims) -> Tensor:
        """A tensor.reshape to computed sizes."""
        element = self.random.choice(["index", "i64", "i32"])
        sizes = []
        for dim in dims:
            if not self.is_dynamic(dim):
                sizes.append(self.emit(f"arith.constant {self.size(dim)} : index"))
                continue
            sizes.append(self.length(dim))
            if element != "index":
                there = self.emit(f"arith.index_cast {sizes[-1]} : index to {element}")
                sizes[-1] = self.emit(f"arith.index_cast {there} : {element} to index")
        kind = f"tensor<{len(dims)}xindex>"
        shape = self.emit(f"tensor.from_elements {', '.join(sizes)} : {kind}")
        text = f"tensor.reshape {x.name}({shape}) : ({self.type_of(x)}, {kind})"
        return Tensor(self.emit(f"{text} -> {self.type(dims, x.element)}"), dims, x.element)

    def transpose(self, x: Tensor, dims) -> Tensor:
        """Reorders the dimensions, by linalg.transpose or a generic."""
        dims = tuple(dims)
        if dims == x.dims:
            return x
        if len(set(dims)) == len(dims) and self.random.random() < 0.5:
            init = self.empty(dims, x.element)
            order = [x.dims.index(d) for d in dims]
            text = f"linalg.transpose ins({x.name} : {self.type_of(x)}) outs({init.name} : "
            return Tensor(
                self.emit(f"{text}{self.type_of(init)}) permutation = {order}"), dims, x.element
            )
        return self.copy(x, dims)

    def copy(self, x: Tensor, dims) -> Tensor:
        """A reordered or broadcast copy."""
        return self.generic([x], dims, x.element, lambda b, a: a)

    def cast(self, x: Tensor, to: str) -> Tensor:
        if x.element == to:
            return x
        return self.generic([x], x.dims, to, lambda b, a: b.cast(a, x.element, to))

    # -- Elementwise ops and reductions ----------------------------------

    NAMED = {"add": "addf", "mul": "mulf", "sub": "subf", "div": "divf", "max": "maximumf"}

    def binary(self, kind: str, x: Tensor, y: Tensor, dims=None) -> Tensor:
        """x `kind` y on the dimensions of x (or `dims`), y broadcast."""
        dims = tuple(dims or x.dims)
        if y.dims != dims and self.random.random() < 0.3:
            y = self.copy(y, dims)
        if x.dims == y.dims == dims and self.random.random() < 0.5:
            init = self.empty(dims, x.element)
            types = f"{self.type_of(x)}, {self.type_of(y)}"
            text = (
                f"linalg.{kind} ins({x.name}, {y.name} : {types}) outs({init.name} : "
                f"{self.type_of(init)}) -> {self.type_of(init)}"
            )
            return Tensor(self.emit(text), dims, x.element)
        return self.generic(
            [x, y], dims, x.element,
            lambda b, p, q: b.op(f"arith.{self.NAMED[kind]} {p}, {q} : {x.element}"),
        )  # fmt: skip

    def unary(self, op: str, x: Tensor) -> Tensor:
        """`op` is "math.exp" and the like."""
        if op == "math.exp" and self.random.random() < 0.3:
            init = self.empty(x.dims, x.element)
            type_ = self.type_of(x)
            text = f"linalg.exp ins({x.name} : {type_}) outs({init.name} : {type_}) -> {type_}"
            return Tensor(self.emit(text), x.dims, x.element)
        return self.generic([x], x.dims, x.element, lambda b, a: b.op(f"{op} {a} : {x.element}"))

    def reduce(self, x: Tensor, dim: str, combiner: str, start: str, keep: bool) -> Tensor:
        """Reduces `dim`, which becomes a unit if `keep`."""
        without = tuple(d for d in x.dims if d != dim)
        kept = tuple(UNIT if d == dim else d for d in x.dims)
        if self.random.random() < 0.4:  # linalg.reduce drops the dimension
            init = self.filled(start, without, x.element)
            text = (
                f"linalg.reduce {{ {combiner} }} ins({x.name} : {self.type_of(x)}) "
                f"outs({init.name} : {self.type_of(init)}) dimensions = [{x.dims.index(dim)}]"
            )
            result = Tensor(self.emit(text), without, x.element)
            return self.with_unit(result, kept) if keep else result
        init = self.filled(start, kept if keep else without, x.element)
        order = (lambda a, o: (a, o)) if self.random.random() < 0.5 else (lambda a, o: (o, a))
        return self.generic(
            [x], init.dims, x.element,
            lambda b, a, o: b.op("{} {}, {} : {}".format(combiner, *order(a, o), x.element)),
            init,
        )  # fmt: skip

    def with_unit(self, x: Tensor, dims) -> Tensor:
        """Inserts a unit by a reshape."""
        at = dims.index(UNIT)
        groups = [[i] for i in range(len(x.dims))]
        if not groups:
            text = "[]"
        else:
            front = at == 0
            groups = [[i if i < at else i + 1] for i in range(len(x.dims))]
            groups[0 if front else at - 1].insert(0 if front else 1, at)
            text = str(groups)
        sizes = [self.length(d) if self.is_dynamic(d) else str(self.size(d)) for d in dims]
        result = (
            f"tensor.expand_shape {x.name} {text} output_shape [{', '.join(sizes)}] : "
            f"{self.type_of(x)} into {self.type(dims, x.element)}"
        )
        return Tensor(self.emit(result), tuple(dims), x.element)

    def maximum_with_index(self, x: Tensor, dim: str, start: str) -> Tensor:
        """The maximum as exporters of torch.max write it."""
        without = tuple(d for d in x.dims if d != dim)
        zero = self.emit("arith.constant 0 : i64")
        indices = self.filled(zero, without, "i64")
        init = self.filled(start, without, x.element)
        loops = [*without, dim]
        kinds = ", ".join(['"parallel"'] * len(without) + ['"reduction"'])
        maps = ", ".join(self.map(loops, dims) for dims in (x.dims, without, without))
        a, o, i, j, k, m, c, s = (self.fresh() for _ in range(8))
        types = f"{self.type_of(init)}, {self.type_of(indices)}"
        name = self.fresh()
        self.lines.append(
            f"{name}:2 = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} "
            f"ins({x.name} : {self.type_of(x)}) outs({init.name}, {indices.name} : {types}) {{\n"
            f"  ^bb0({a}: {x.element}, {o}: {x.element}, {i}: i64):\n"
            f"    {j} = linalg.index {len(without)} : index\n"
            f"    {k} = arith.index_cast {j} : index to i64\n"
            f"    {m} = arith.maximumf {a}, {o} : {x.element}\n"
            f"    {c} = arith.cmpf ogt, {a}, {o} : {x.element}\n"
            f"    {s} = arith.select {c}, {k}, {i} : i64\n"
            f"    linalg.yield {m}, {s} : {x.element}, i64\n  }} -> ({types})"
        )
        return Tensor(f"{name}#0", without, x.element)

    # -- The whole -------------------------------------------------------

    def text(self, results, visibility: str = "") -> str:
        arguments = ", ".join(f"{t.name}: {self.type_of(t)}" for t in self.arguments)
        types = ", ".join(map(self.type_of, results))
        names = ", ".join(t.name for t in results)
        body = "\n".join(f"  {line}" for line in [*self.lines, f"return {names} : {types}"])
        return f"func.func {visibility}@{self.name}({arguments}) -> ({types}) {{\n{body}\n}}\n"

# ===- score_conditions.py - Conditions on a query and a key --------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Masks that exporters compute from positions, each in several spellings.
`INDEX_MASKS[name](random, type)` gives a function that writes the condition,
true where a score stays, into the body of a linalg.generic."""

from __future__ import annotations


class _Writer:
    def __init__(self, body, element: str, query: str, key: str):
        self.body = body
        self.element = element
        self.query = body.index(query, element)
        self.key = body.index(key, element)

    def number(self, value: int) -> str:
        return self.body.op(f"arith.constant {value} : {self.element}")

    def op(self, name: str, x: str, y) -> str:
        y = self.number(y) if isinstance(y, int) else y
        return self.body.op(f"arith.{name} {x}, {y} : {self.element}")

    def compare(self, predicate: str, x: str, y) -> str:
        return self.op(f"cmpi {predicate},", x, y)

    def both(self, a: str, b: str) -> str:
        return self.body.op(f"arith.andi {a}, {b} : i1")

    def either(self, a: str, b: str) -> str:
        return self.body.op(f"arith.ori {a}, {b} : i1")


def _causal(random, element):
    offset, spelling = random.choice([0, 0, 1, 3]), random.randrange(3)

    def emit(body, query, key):
        w = _Writer(body, element, query, key)
        if spelling == 0:
            return w.compare("sle", w.key, w.op("addi", w.query, offset))
        if spelling == 1:
            return w.compare("sge", w.op("addi", w.query, offset), w.key)
        return w.compare("sgt", w.op("addi", w.query, offset + 1), w.key)

    return emit


def _window(random, element):
    width, spelling = random.choice([1, 2, 4]), random.randrange(2)

    def emit(body, query, key):
        w = _Writer(body, element, query, key)
        seen = w.compare("sge", w.query, w.key)
        if spelling == 0:
            near = w.compare("sgt", w.op("addi", w.key, width), w.query)
        else:
            near = w.compare("slt", w.op("subi", w.query, w.key), width)
        return w.both(seen, near)

    return emit


def _band(random, element):
    width = random.choice([1, 2, 4])

    def emit(body, query, key):
        w = _Writer(body, element, query, key)
        return w.both(
            w.compare("sle", w.key, w.op("addi", w.query, width)),
            w.compare("sle", w.query, w.op("addi", w.key, width)),
        )

    return emit


def _prefix(random, element):
    length = random.choice([1, 2, 5])

    def emit(body, query, key):
        w = _Writer(body, element, query, key)
        return w.either(w.compare("slt", w.key, length), w.compare("sle", w.key, w.query))

    return emit


def _blocks(random, element):
    size = random.choice([2, 3, 4])

    def emit(body, query, key):
        w = _Writer(body, element, query, key)
        return w.compare("eq", w.op("divsi", w.query, size), w.op("divsi", w.key, size))

    return emit


INDEX_MASKS = {
    "causal": _causal,
    "window": _window,
    "band": _band,
    "prefix": _prefix,
    "blocks": _blocks,
}

# ===- mutants.py - Faults planted in PTX ----------------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The catalogue of mutation operators. Each finds its places in a kernel's
text and changes one statement, as a mistake in a kernel would."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Callable, Iterator

SHARED = re.compile(r"ldmatrix|(ld|st|atom|red)\.shared|cp\.async\.c[ag]")


@dataclass(frozen=True)
class Mutant:
    operator: str
    line: int  # 1-based, of the statement
    before: str
    text: str

    def __str__(self) -> str:
        return f"{self.operator} in line {self.line}: {self.before.strip()}"


class Kernel:
    """The lines of a kernel's text."""

    def __init__(self, text: str):
        self.lines = text.split("\n")

    def places(self, pattern: str) -> Iterator[int]:
        for i, line in enumerate(self.lines):
            if re.search(pattern, line):
                yield i

    def replaced(self, i: int, line: str) -> list:
        return self.lines[:i] + [line] + self.lines[i + 1 :]

    def moved(self, i: int, to: int) -> list:
        rest = self.lines[:i] + self.lines[i + 1 :]
        return rest[:to] + [self.lines[i]] + rest[to:]

    def next_place(self, i: int, pattern, step: int = 1) -> int | None:
        """The nearest line that matches, in the same straight piece of code."""
        i += step
        while 0 <= i < len(self.lines):
            line = self.lines[i]
            if re.search(pattern, line):
                return i
            if re.match(r"\$|.*\bbra\b|.*\bret\b|[{}]", line):
                return None
            i += step
        return None

    def orders_nothing(self, i: int) -> bool:
        """Whether no access to shared memory can follow line `i`: nothing is
        there for a barrier or a wait to order."""
        labels = {line.split(":")[0]: n for n, line in enumerate(self.lines) if ":" in line}
        seen, left = set(), [i + 1]
        while left:
            at = left.pop()
            while at not in seen and at < len(self.lines):
                seen.add(at)
                line = self.lines[at]
                if SHARED.search(line):
                    return False
                branch = re.search(r"(@!?\S+\s+)?\b(?:bra(?:\.uni)?\s+(\S+)|ret);", line)
                if branch and branch[2]:
                    left.append(labels[branch[2]])
                if branch and not branch[1]:
                    break
                at += 1
        return True


# ---------------------------------------------------------------------------
# Order
# ---------------------------------------------------------------------------

BARRIER = r"\tbar\.sync\s"
WAIT = r"cp\.async\.wait_group"
COPY = r"cp\.async\.c[ag]"
COMMIT = r"cp\.async\.commit_group"


def ordering(kernel: Kernel, pattern: str) -> Iterator[int]:
    return (i for i in kernel.places(pattern) if not kernel.orders_nothing(i))


def drop(pattern: str) -> Callable:
    def operate(kernel: Kernel):
        for i in ordering(kernel, pattern):
            yield i, kernel.replaced(i, "")

    return operate


def later(pattern: str, past) -> Callable:
    """Moves a statement behind the next one that it comes before."""

    def operate(kernel: Kernel):
        for i in ordering(kernel, pattern):
            to = kernel.next_place(i, past)
            if to is not None:
                # Accesses often span lines.
                while ";" not in kernel.lines[to]:
                    to += 1
                yield i, kernel.moved(i, to)

    return operate


def sooner(pattern: str, past) -> Callable:
    def operate(kernel: Kernel):
        for i in ordering(kernel, pattern):
            to = kernel.next_place(i, past, -1)
            if to is not None:
                yield i, kernel.moved(i, to)

    return operate


def edit(pattern: str, change: Callable) -> Callable:
    """Replaces what `pattern` matches by `change` of the match."""

    def operate(kernel: Kernel):
        for i in kernel.places(pattern):
            line = re.sub(pattern, change, kernel.lines[i], count=1)
            if line != kernel.lines[i]:
                yield i, kernel.replaced(i, line)

    return operate


def edit_order(pattern: str, change: Callable) -> Callable:
    def operate(kernel: Kernel):
        for i in ordering(kernel, pattern):
            yield i, kernel.replaced(i, re.sub(pattern, change, kernel.lines[i], count=1))

    return operate


def plus(group: int, amount: int) -> Callable:
    def change(match):
        text = match.group(0)
        begin, end = (match.start(group) - match.start(), match.end(group) - match.start())
        return text[:begin] + str(int(match.group(group)) + amount) + text[end:]

    return change


ADDRESS = r"\[(%r\w+)(?:\+(\d+))?\]"


def shift(amount: int) -> Callable:
    """Moves the last address that was matched."""

    def change(match):
        begin = match.group(0)[: match.start(1) - match.start() - 1]
        return f"{begin}[{match[1]}+{int(match[2] or 0) + amount}]"

    return change


OTHER = {"lt": "le", "le": "lt", "gt": "ge", "ge": "gt", "eq": "ne", "ne": "eq"}

OPERATORS = {
    # Order of memory.
    "drop-barrier": drop(BARRIER),
    "weaken-barrier": edit_order(r"\tbar\.sync\s+\S+;", lambda m: "\tbar.warp.sync -1;"),
    "narrow-barrier": edit_order(r"\tbar\.sync\s+(\d+);", lambda m: f"\tbar.sync {m[1]}, 32;"),
    "delay-barrier": later(BARRIER, SHARED),
    "hasten-barrier": sooner(BARRIER, SHARED.pattern + "|" + WAIT),
    "drop-wait": drop(WAIT),
    "weaken-wait": edit_order(WAIT + r"\s+(\d+)", plus(1, 1)),
    "delay-wait": later(WAIT, BARRIER),
    "hasten-wait": sooner(WAIT, COMMIT),
    "drop-commit": drop(COMMIT),
    "hasten-commit": sooner(COMMIT, COPY),
    # Bytes of copies.
    "drop-zero-fill": edit(r"(cp\.async\.c[ag].*\], 16), %r\d+;", lambda m: m[1] + ";"),
    "copy-fewer-bytes": edit(
        r"cp\.async\.c[ag](\.shared\.global \[.*\], \[.*\], )16(, %r\d+)?;",
        lambda m: f"cp.async.ca{m[1]}8;",
    ),
    "drop-copy": edit(r"^\t.*cp\.async\.c[ag].*;", lambda m: ""),
    "drop-store": edit(r"^\t.*st\.(shared|global).*;", lambda m: ""),
    # Strides, swizzles, indices.
    "copy-target": edit(r"cp\.async\.c[ag]\S* " + ADDRESS, shift(16)),
    "copy-source": edit(r"cp\.async\.c[ag]\S* \[[^]]*\], " + ADDRESS, shift(16)),
    "load-row": edit(r"(?:ldmatrix|ld\.shared|ld\.global).*" + ADDRESS, shift(16)),
    "swizzle": edit(r"\txor\.b32\s+\S+ \S+ (\d+);", plus(1, 16)),
    "stride": edit(r"\tshl\.b(?:32|64)\s+\S+ \S+ (\d+);", plus(1, 1)),
    "scale": edit(r"\t(?:mul|mad)\S*\s+\S+ \S+ (\d+)\b", plus(1, 1)),
    "advance": edit(r"\tadd\.s(?:32|64)\s+(?:\S+) \S+ (-?\d+);", plus(1, 16)),
    "store-offset": edit(r"st\.(?:shared|global)\S*\s+" + ADDRESS, shift(4)),
    "shuffle": edit(r"(shfl\S*\s+\S+ \S+) 1, 31", lambda m: m[1] + " 4, 31"),
    # Predicates and bounds.
    "negate-guard": edit(r"^\t@(!?)%p", lambda m: "\t@%p" if m[1] else "\t@!%p"),
    "drop-guard": edit(r"^\t@!?%p\d+ (?!bra)", lambda m: "\t"),
    "off-by-one": edit(
        r"\tsetp\.(lt|le|gt|ge)(\.[su]\d+)", lambda m: f"\tsetp.{OTHER[m[1]]}{m[2]}"
    ),
    "compare": edit(r"\tsetp\.(eq|ne)(\.[bsu]\d+)", lambda m: f"\tsetp.{OTHER[m[1]]}{m[2]}"),
}


def mutants_of(text: str, quota: int, seed: int = 1) -> list:
    """Up to `quota` mutants of each operator, at places drawn by `seed`."""
    kernel = Kernel(text)
    result = []
    for number, (operator, operate) in enumerate(OPERATORS.items()):
        found = list(operate(kernel))
        random.Random(seed * 1000 + number).shuffle(found)
        for i, lines in found[:quota]:
            result.append(Mutant(operator, i + 1, kernel.lines[i], "\n".join(lines)))
    return result


# ---------------------------------------------------------------------------
# Survivors
# ---------------------------------------------------------------------------


def registers_of(line: str) -> tuple:
    """The registers that a statement writes and those that it reads."""
    found = re.findall(r"%(?:rd|r|p)\d+", line)
    stores = re.match(r"\t(@!?\S+ )?(st|cp|bra|bar|ret|red)\b", line)
    return ([], found) if stores or not found else (found[:1], found[1:])


def fed_copies(kernel: Kernel, i: int) -> list | None:
    """The copies that the statement in line `i` feeds with addresses and sizes;
    None if it feeds anything else."""
    if re.search(COPY, kernel.lines[i]):
        return [i]
    if re.search(COMMIT, kernel.lines[i]):  # the copies of its group
        start = i
        while start > 0 and not re.search(COMMIT + "|" + WAIT, kernel.lines[start - 1]):
            start -= 1
        return [n for n in range(start, i) if re.search(COPY, kernel.lines[n])]
    tainted, copies = set(registers_of(kernel.lines[i])[0]), set()
    grew = bool(tainted)
    while grew:
        grew = False
        for n, line in enumerate(kernel.lines):
            writes, reads = registers_of(line)
            if n == i or not tainted & set(reads):
                continue
            if re.search(COPY, line):
                copies.add(n)
            elif not writes or not re.match(r"\t(add|mul|mad|or|shl|selp|setp|cvt|and)\b", line):
                return None
            elif not set(writes) <= tainted:
                tainted |= set(writes)
                grew = True
    return sorted(copies) or None


def explain(text: str, mutant: Mutant, survives: Callable) -> str:
    """Why no input can tell a surviving mutant from the kernel, or nothing.
    `survives` says whether a text passes all cases."""
    kernel = Kernel(text)
    i = mutant.line - 1
    if re.search(COMMIT, mutant.before):
        waits = kernel.next_place(i, WAIT)
        commits = kernel.next_place(i, COMMIT)
        if commits is not None and (waits is None or commits < waits):
            return "the wait that follows is for the next group too"
    copies = fed_copies(kernel, i)
    if copies:
        lines = list(kernel.lines)
        for n in copies:
            lines[n] = ""
        if survives("\n".join(lines)):
            return "nobody reads what these copies bring: they are for a tile that is not there"
    if mutant.operator in ("hasten-barrier", "delay-wait"):
        again = kernel.next_place(i, r"\tbar\.")
        reads = kernel.next_place(i, r"ldmatrix|ld\.shared")
        if again is not None and (reads is None or again < reads):
            return "another barrier follows before anybody reads"
    compare = re.match(r"\tsetp\.(?:ne|eq)\.b32\s+(%p\d+), (%r\d+), 0;", mutant.before)
    if compare and mutant.operator == "compare":
        lines = list(kernel.lines)
        lines[i] = f"\tsetp.ne.b32 \t{compare[1]}, 0, 0;"
        if survives("\n".join(lines)):
            return "all lanes may do it: they store one value"
    return ""

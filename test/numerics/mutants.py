# ===- mutants.py - Faults planted in PTX ----------------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The catalogue of mutation operators. Each finds its places in a kernel's
text and changes one statement, as a mistake in a kernel would.

Places where a change provably has no effect are not drawn (kernel_text.py):
barriers and waits after which nobody accesses shared memory, and barriers that
no write is near; a barrier and a wait that change places before another
barrier; commits of groups that are waited for with the next one; copies for a
pass of a loop that runs once, what computes their addresses, and equality in
the comparison of such a loop; what quotients
of negative numbers need, since lengths are not negative."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Callable

from kernel_text import BARRIER, COMMIT, COPY, SHARED, WAIT, KernelText

# Asynchronous operations of every kind.
ANY_COPY = COPY + r"|cp\.async\.bulk\.(tensor|global|shared)"
ANY_COMMIT = r"(cp\.async|cp\.async\.bulk|wgmma)\.commit_group"
ANY_WAIT = r"(cp\.async|cp\.async\.bulk|wgmma)\.wait_group(\.read)?(\.sync\.aligned)?"
ARRIVE = r"\b(bar|mbarrier)\.arrive(?!\.expect_tx)"
FENCE = r"\b(wgmma\.fence|fence|membar)\b"
USES = SHARED + "|" + ANY_COPY + r"|wgmma\.mma_async|stmatrix"


@dataclass(frozen=True)
class Mutant:
    operator: str
    line: int  # 1-based, of the statement
    before: str
    text: str

    def __str__(self) -> str:
        return f"{self.operator} in line {self.line}: {self.before.strip()}"


# ---------------------------------------------------------------------------
# Kinds of operators: functions from a kernel to places and changed lines
# ---------------------------------------------------------------------------


def drop(pattern: str) -> Callable:
    def operate(kernel: KernelText):
        for i in kernel.places(pattern):
            yield i, kernel.replaced(i, "")

    return operate


def drop_both(first: str, second: str) -> Callable:
    """Drops two statements that only make sense together."""

    def operate(kernel: KernelText):
        for i in kernel.places(first):
            if re.search(second, kernel.lines[i + 1]):
                lines = kernel.replaced(i, "")
                lines[i + 1] = ""
                yield i, lines

    return operate


def later(pattern: str, past: str) -> Callable:
    """Moves a statement behind the next one that it comes before."""

    def operate(kernel: KernelText):
        for i in kernel.places(pattern):
            to = kernel.next_place(i, past)
            if to is not None:
                # Accesses often span lines.
                while ";" not in kernel.lines[to]:
                    to += 1
                yield i, kernel.moved(i, to)

    return operate


def sooner(pattern: str, past: str) -> Callable:
    def operate(kernel: KernelText):
        for i in kernel.places(pattern):
            to = kernel.next_place(i, past, -1)
            if to is not None:
                yield i, kernel.moved(i, to)

    return operate


def edit(pattern: str, change: Callable) -> Callable:
    """Replaces what `pattern` matches by `change` of the match."""

    def operate(kernel: KernelText):
        for i in kernel.places(pattern):
            line = re.sub(pattern, change, kernel.lines[i], count=1)
            if line != kernel.lines[i]:
                yield i, kernel.replaced(i, line)

    return operate


def number(group: int, change: Callable) -> Callable:
    """Changes the number that a group matches."""

    def replace(match):
        text = match.group(0)
        begin, end = (match.start(group) - match.start(), match.end(group) - match.start())
        return text[:begin] + str(change(int(match.group(group)))) + text[end:]

    return replace


def plus(group: int, amount: int) -> Callable:
    return number(group, lambda value: value + amount)


ADDRESS = r"\[(%\w+)(?:\+(\d+))?\]"


def shift(amount: int) -> Callable:
    """Moves the last address that was matched."""

    def change(match):
        begin = match.group(0)[: match.start(1) - match.start() - 1]
        return f"{begin}[{match[1]}+{int(match[2] or 0) + amount}]"

    return change


OTHER = {"lt": "le", "le": "lt", "gt": "ge", "ge": "gt", "eq": "ne", "ne": "eq"}
DESCRIPTOR = r"\tor\.b64 \S+ \S+ (\d{17,});"


# ---------------------------------------------------------------------------
# The catalogue
# ---------------------------------------------------------------------------

OPERATORS = {
    # Barriers.
    "drop-barrier": drop(BARRIER),
    "weaken-barrier": edit(r"\tbar\.sync\s+[^;]+;", lambda m: "\tbar.warp.sync -1;"),
    "narrow-barrier": edit(r"\tbar\.sync\s+(\d+);", lambda m: f"\tbar.sync {m[1]}, 32;"),
    "delay-barrier": later(BARRIER, USES),
    "hasten-barrier": sooner(BARRIER, USES + "|" + ANY_WAIT),
    "drop-warp-barrier": drop(r"\tbar\.warp\.sync"),
    "drop-cluster-barrier": drop_both(r"barrier\.cluster\.arrive", r"barrier\.cluster\.wait"),
    "relax-cluster-barrier": edit(
        r"barrier\.cluster\.arrive\.release", lambda m: "barrier.cluster.arrive.relaxed"
    ),
    "count-of-barrier": edit(r"\tbar\.(?:sync|arrive) \S+, (\d+);", plus(1, -32)),
    # Arrivals and phases.
    "drop-arrive": drop(ARRIVE),
    "hasten-arrive": sooner(ARRIVE, ANY_WAIT + "|" + USES),
    "count-of-arrivals": edit(r"mbarrier\.init\S* \[[^]]*\], (\d+);", plus(1, 1)),
    "fewer-arrivals": edit(r"mbarrier\.init\S* \[[^]]*\], ([2-9]);", plus(1, -1)),
    "another-barrier": edit(r"mbarrier\.(?:arrive|try_wait)\S* [^[]*" + ADDRESS, shift(8)),
    "drop-init": drop(r"mbarrier\.init"),
    "drop-poll": drop(r"\t@!%\w+ bra \w*WAIT"),
    "parity": edit(r"(mbarrier\.try_wait.*, )(%parity|0);",
                   lambda m: m[1] + ("1" if m[2] == "0" else "0") + ";"),
    # Waits and groups.
    "drop-wait": drop(ANY_WAIT),
    "weaken-wait": edit(ANY_WAIT + r"\s+(\d+)", plus(4, 1)),
    "delay-wait": later(ANY_WAIT, BARRIER + "|" + ARRIVE),
    "hasten-wait": sooner(ANY_WAIT, ANY_COMMIT),
    "drop-commit": drop(ANY_COMMIT),
    "hasten-commit": sooner(ANY_COMMIT, ANY_COPY + r"|wgmma\.mma_async"),
    # Fences.
    "drop-fence": drop(FENCE),
    "weaken-fence": edit(r"fence\.proxy\.async\S*;", lambda m: "fence.acq_rel.cta;"),
    "delay-fence": later(FENCE, ANY_COPY + r"|wgmma\.mma_async"),
    # Bytes of copies.
    "drop-zero-fill": edit(r"(cp\.async\.c[ag].*\], 16), %\w+;", lambda m: m[1] + ";"),
    "copy-fewer-bytes": edit(
        r"cp\.async\.c[ag](\.shared\.global \[.*\], \[.*\], )16(, %\w+)?;",
        lambda m: f"cp.async.ca{m[1]}8;",
    ),
    "drop-copy": edit(r"^\t.*(?:" + ANY_COPY + r").*;", lambda m: ""),
    "drop-store": edit(r"^\t.*(?:st\.(?:shared|global)|\bred\.global|stmatrix).*;", lambda m: ""),
    "expect-fewer-bytes": edit(r"expect_tx.*\], (\d+);", plus(1, -16)),
    "expect-more-bytes": edit(r"expect_tx.*\], (\d+);", plus(1, 16)),
    "bulk-bytes": edit(r"cp\.async\.bulk\.(?:global|shared).*\], (\d+);", plus(1, -16)),
    "one-receiver": edit(r"(\tmov\.b16 %both, )3;", lambda m: m[1] + "1;"),
    # Strides, swizzles, indices.
    "copy-target": edit(COPY + r"\S* " + ADDRESS, shift(16)),
    "bulk-target": edit(r"cp\.async\.bulk\.tensor\S* " + ADDRESS, shift(1024)),
    "copy-source": edit(r"cp\.async\.c[ag]\S* \[[^]]*\], " + ADDRESS, shift(16)),
    "coordinate": edit(r"(cp\.async\.bulk\.tensor.*\{)(%\w+|\d+), (%\w+)\}",
                       lambda m: f"{m[1]}{m[3]}, {m[2] if m[2][0] == '%' else m[3]}}}"),
    "load-row": edit(r"(?:ldmatrix|ld\.shared|ld\.global).*" + ADDRESS, shift(16)),
    "swizzle": edit(r"\txor\.b32\s+\S+ \S+ (\d+);", plus(1, 16)),
    "swizzle-of-descriptor": edit(DESCRIPTOR, number(1, lambda value: value ^ 3 << 62)),
    "stride-of-descriptor": edit(DESCRIPTOR, plus(1, 1 << 32)),
    "step-of-descriptor": edit(r"\tadd\.u64 %\w+, %(?:queries|rd1|d\w+), (\d+);", plus(1, 2)),
    "stride": edit(r"\tsh[lr]\.[bu](?:32|64)\s+\S+ \S+ (\d+);", plus(1, 1)),
    "scale": edit(r"\t(?:mul|mad)\S*\s+\S+ \S+ (\d+)\b", plus(1, 1)),
    "advance": edit(r"\tadd\.[su](?:32|64)\s+(?:\S+) \S+ (-?\d+);", plus(1, 16)),
    "store-offset": edit(r"(?:st\.(?:shared|global)|stmatrix)\S*\s+" + ADDRESS, shift(4)),
    "shuffle": edit(r"(shfl\S*\s+\S+ \S+) 1, 31", lambda m: m[1] + " 4, 31"),
    "transpose": edit(r"(wgmma\.mma_async.*), (0|1);", lambda m: f"{m[1]}, {1 - int(m[2])};"),
    "registers": edit(r"setmaxnreg\S* (\d+);", plus(1, 8)),
    # Predicates and bounds.
    "negate-guard": edit(r"^\t@(!?)%", lambda m: "\t@%" if m[1] else "\t@!%"),
    # Empty groups do no harm.
    "drop-guard": edit(r"^\t@!?%\w+ (?!bra|\S*(commit|wait)_group)", lambda m: "\t"),
    "off-by-one": edit(
        r"\tsetp\.(lt|le|gt|ge)((?:\.or)?\.[su]\d+)", lambda m: f"\tsetp.{OTHER[m[1]]}{m[2]}"
    ),
    "compare": edit(r"\tsetp\.(eq|ne)(\.[bsu]\d+)", lambda m: f"\tsetp.{OTHER[m[1]]}{m[2]}"),
}  # fmt: skip


def is_dead(kernel: KernelText, operator: str, i: int) -> bool:
    """Whether the change provably has no effect."""
    line = kernel.lines[i]
    if operator == "relax-cluster-barrier":
        return not kernel.any_of(kernel.reach(i, kernel.followers), USES + r"|\b(ld|st|red|mbarrier)\.")
    if re.search(BARRIER, line):
        if kernel.orders_nothing(i) or operator != "narrow-barrier" and kernel.is_redundant_barrier(i):
            return True
        return operator == "hasten-barrier" and bool(
            re.search(WAIT, kernel.lines[i - 1])) and kernel.is_late_wait(i - 1)  # fmt: skip
    if re.search(WAIT, line):
        return kernel.orders_nothing(i) or operator == "delay-wait" and bool(
            re.search(BARRIER, kernel.lines[i + 1])) and kernel.is_late_wait(i)  # fmt: skip
    if re.search(COMMIT, line) and kernel.is_merged_commit(i):
        return True
    if operator == "off-by-one" and kernel.ends_single_pass(i):
        return True
    return kernel.rounds_negatives(i) or kernel.feeds_dead_copies(i)


def count_places(text: str) -> tuple:
    """How many places all operators have, and how many of them are not drawn."""
    kernel = KernelText(text)
    dead = [is_dead(kernel, operator, i) for operator, operate in OPERATORS.items()
            for i, _ in operate(kernel)]  # fmt: skip
    return len(dead), sum(dead)


def mutants_of(text: str, quota: int, seed: int = 1) -> list:
    """Up to `quota` mutants of each operator, at places drawn by `seed`."""
    kernel = KernelText(text)
    result = []
    for order, (operator, operate) in enumerate(OPERATORS.items()):
        found = list(operate(kernel))
        random.Random(seed * 1000 + order).shuffle(found)
        count = 0
        for i, lines in found:
            if count < quota and not is_dead(kernel, operator, i):
                count += 1
                result.append(Mutant(operator, i + 1, kernel.lines[i], "\n".join(lines)))
    return result

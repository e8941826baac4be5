# ===- kernel_text.py - The statements of a kernel -------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""PTX by lines: where statements are, what follows them on any path, and which
of them provably change nothing if they go."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Callable, Iterator

BARRIER = r"\tbar\.sync\s"
COPY = r"cp\.async\.c[ag]"
COMMIT = r"cp\.async\.commit_group"
WAIT = r"cp\.async\.wait_group"
# Shared memory.
READS = r"ldmatrix|ld\.shared|wgmma\.mma_async"
WRITES = r"(st|atom|red)\.shared|stmatrix|cp\.async\.bulk|" + COPY
SHARED = READS + "|" + WRITES

BRANCH = re.compile(r"\t(@!?(\S+)\s+)?(?:bra(?:\.uni)?\s+(\S+)|ret|exit);")


class KernelText:
    def __init__(self, text: str):
        # As LLVM writes it: one tab before each statement.
        self.lines = [re.sub(r"^[ \t]+", "\t", line) for line in text.split("\n")]

    def places(self, pattern: str) -> Iterator[int]:
        for i, line in enumerate(self.lines):
            if re.search(pattern, line):
                yield i

    def replaced(self, i: int, line: str) -> list:
        return self.lines[:i] + [line] + self.lines[i + 1 :]

    def moved(self, i: int, to: int) -> list:
        rest = self.lines[:i] + self.lines[i + 1 :]
        return rest[:to] + [self.lines[i]] + rest[to:]

    def without(self, places: list) -> str:
        return "\n".join("" if i in places else line for i, line in enumerate(self.lines))

    def next_place(self, i: int, pattern: str, step: int = 1) -> int | None:
        """The nearest line that matches, in the same straight piece of code."""
        i += step
        while 0 <= i < len(self.lines):
            line = self.lines[i]
            if re.search(pattern, line):
                return i
            if re.match(r"[$\w]+:|.*\b(bra|ret|exit)\b|\t?[{}]", line):
                return None
            i += step
        return None

    # -- registers --

    @cached_property
    def definitions(self) -> dict:
        """The lines that write each scalar register."""
        result = {}
        for i, line in enumerate(self.lines):
            for register in registers_of(line)[0]:
                result.setdefault(register, []).append(i)
        return result

    def never_branches(self, i: int) -> bool:
        """Whether line `i` ends a loop that runs once: from N & -s in steps of s
        below N, N + s stays in range."""
        branch = BRANCH.match(self.lines[i])
        if not branch or not branch[1]:
            return False
        tests = self.definitions.get(branch[2], [])
        test = len(tests) == 1 and re.match(
            r"\tsetp\.lt\.s32\s+\S+, (%\w+), (%\w+);", self.lines[tests[0]]
        )
        if not test:
            return False
        index, bound = test[1], test[2]
        first = [self.lines[n] for n in self.definitions.get(index, [])]
        add = len(first) == 1 and re.match(rf"\tadd\.s32\s+{index}, (%\w+), (\d+);", first[0])
        if add:  # the index of the next pass, which a mov makes this one's
            source, step = add[1], add[2]
            moved = rf"\tmov\.b32\s+{source}, {index};"
        else:
            source = index
            steps = [re.match(rf"\tadd\.s32\s+{index}, {index}, (\d+);", line) for line in first]
            step = next((one[1] for one in steps if one), None)
            moved = rf"\tadd\.s32\s+{index}, {index}, {step};"
        begin = rf"\tand\.b32\s+{source}, {bound}, -{step};"
        own = [self.lines[n] for n in self.definitions.get(source, [])]
        power = step is not None and int(step) & (int(step) - 1) == 0
        return (
            bool(power) and len(own) == 2
            and sum(bool(re.match(begin, line)) for line in own) == 1
            and sum(bool(re.match(moved, line)) for line in own) == 1
        )  # fmt: skip

    def ends_single_pass(self, i: int) -> bool:
        """Whether line `i` is the comparison of a loop that runs once: the two are
        not equal either."""
        register = registers_of(self.lines[i])[0]
        return any(
            self.never_branches(n) for n in self.places(r"\t@.*\bbra\b")
            if register and register[0] in self.lines[n].split("bra")[0]
        )  # fmt: skip

    # -- paths --

    @cached_property
    def labels(self) -> dict:
        return {line.split(":")[0].strip(): i for i, line in enumerate(self.lines)
                if re.match(r"\t?[$\w]+:", line)}  # fmt: skip

    @cached_property
    def followers(self) -> list:
        """The lines that may come next."""
        result = []
        for i, line in enumerate(self.lines):
            branch = BRANCH.match(line)
            after = [i + 1] if i + 1 < len(self.lines) else []
            if branch and not branch[1]:
                after = []
            if branch and branch[3] and not self.never_branches(i):
                after.append(self.labels[branch[3]])
            result.append(after)
        return result

    @cached_property
    def leaders(self) -> list:
        """The lines that may come before."""
        result = [[] for _ in self.lines]
        for i, after in enumerate(self.followers):
            for n in after:
                result[n].append(i)
        return result

    def reach(self, i: int, edges: list, stops: Callable = lambda line: False) -> set:
        """What lies on the paths from line `i`, up to lines that stop them."""
        seen, left = set(), list(edges[i])
        while left:
            n = left.pop()
            if n in seen:
                continue
            seen.add(n)
            if not stops(self.lines[n]):
                left += edges[n]
        return seen

    def any_of(self, places: set, pattern: str) -> bool:
        return any(re.search(pattern, self.lines[n]) for n in places)

    # -- what provably changes nothing --

    def orders_nothing(self, i: int) -> bool:
        """No access to shared memory can follow line `i`."""
        return not self.any_of(self.reach(i, self.followers), SHARED)

    def is_redundant_barrier(self, i: int) -> bool:
        """Between the barriers before and after this one, all of the whole block,
        there are only reads, and no wait for copies that others would read."""
        whole = BARRIER + r"+0;"
        if not re.search(whole, self.lines[i]):
            return False

        def stops(line):
            return re.search(whole, line)

        around = self.reach(i, self.followers, stops) | self.reach(i, self.leaders, stops)
        return not self.any_of(around, WRITES + "|" + WAIT + r"|\b(st|red|atom)\.global|mbarrier|fence")

    def is_late_wait(self, i: int) -> bool:
        """A barrier and a wait in lines `i` and its neighbour may change places:
        another barrier follows before anybody reads."""
        again = self.next_place(i + 1, r"\tbar\.")
        reads = self.next_place(i, READS)
        return again is not None and (reads is None or again < reads)

    def is_merged_commit(self, i: int) -> bool:
        """The next commit's group is waited for at the same time."""
        commit, wait = self.next_place(i, COMMIT), self.next_place(i, WAIT)
        if commit is None or (wait is not None and wait < commit):
            return False
        found = self.reach(i, self.followers, lambda line: re.search(WAIT, line))
        waits = [self.lines[n] for n in found if re.search(WAIT, self.lines[n])]
        return all(re.search(WAIT + r"\s+0;", line) for line in waits)

    def rounds_negatives(self, i: int) -> bool:
        """A shift of sign bits, which LLVM adds to divide by powers of two."""
        shift = re.match(r"\tshr\.u32\s+\S+ (%\w+), \d+;", self.lines[i])
        return bool(shift) and all(
            re.match(r"\tshr\.s32\s+\S+ \S+ 31;", self.lines[n])
            for n in self.definitions.get(shift[1], [i])
        )

    @cached_property
    def dead_copies(self) -> set:
        """Copies after whose next wait nobody reads shared memory: they are for
        a pass of a loop that runs once."""

        def is_dead(i):
            seen, left = set(), [(n, False) for n in self.followers[i]]
            while left:
                n, waited = left.pop()
                if (n, waited) in seen:
                    continue
                seen.add((n, waited))
                if waited and re.search(READS, self.lines[n]):
                    return False
                waited |= bool(re.search(WAIT, self.lines[n]))
                left += [(m, waited) for m in self.followers[n]]
            return True

        return {i for i in self.places(COPY) if is_dead(i)}

    def feeds_dead_copies(self, i: int) -> bool:
        copies = self.fed_copies(i)
        return bool(copies) and set(copies) <= self.dead_copies

    def fed_copies(self, i: int) -> list | None:
        """The copies that the statement in line `i` feeds with addresses and
        sizes, or puts into a group; None if it feeds anything else."""
        if re.search(COPY, self.lines[i]):
            return [i]
        if re.search(COMMIT, self.lines[i]):
            start = i
            while start > 0 and not re.search(COMMIT + "|" + WAIT, self.lines[start - 1]):
                start -= 1
            return [n for n in range(start, i) if re.search(COPY, self.lines[n])]
        tainted, copies = set(registers_of(self.lines[i])[0]), set()
        grew = bool(tainted)
        while grew:
            grew = False
            for n, line in enumerate(self.lines):
                writes, reads = registers_of(line)
                if n == i or not tainted & set(reads):
                    continue
                if re.search(COPY, line):
                    copies.add(n)
                elif not writes or not re.match(ADDRESSES, line):
                    return None
                elif not set(writes) <= tainted:
                    tainted |= set(writes)
                    grew = True
        return sorted(copies)


ADDRESSES = r"\t(add|mul|mad|or|shl|selp|setp|cvt|and)\b"


def registers_of(line: str) -> tuple:
    """The scalar registers that a statement writes and those that it reads."""
    found = re.findall(r"%\w+", line)
    effects = re.match(r"\t(@!?\S+ )?(st|cp|bra|bar|ret|exit|red|fence|mbarrier)\b", line)
    if effects or not found or not line.startswith("\t"):
        return [], found
    guard = bool(re.match(r"\t@", line))
    return found[guard : guard + 1], found[:guard] + found[guard + 1 :]

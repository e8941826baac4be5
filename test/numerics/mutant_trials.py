# ===- mutant_trials.py - Whether the emulator sees a planted fault --------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs mutants of a kernel (mutants.py) with all checks under four schedules. A
report, a wrong output or a kernel that does not end catches the fault."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

import handwritten
from families import FAMILIES
from harness import CHECKS, INPUT_NAMES, Compiler
from inputs import make
from kernel_text import KernelText
from mutants import Mutant, mutants_of
from sparse_attn import tools
from sparse_attn.modules import Attention

# In order and late, at random and late, one warp starved and early, at random
# and early.
SCHEDULES = 4
MANY = 32  # for what survives those
SECONDS = 60  # after which a mutant does not end, sanitizers or not

# The last tiles end in each of the pieces that one instruction copies; some tiles
# are skipped, then none.
LENGTHS = [
    (133, 137, "tiles"),
    (250, 191, "random"),
    (5, 9, "random"),
    (9, 5, "random"),
    (153, 153, "tiles"),
    (169, 169, "random"),
    (185, 50, "random"),
    (201, 20, "tiles"),
    (217, 36, "random"),
    (233, 137, "random"),
    (41, 67, "random"),
    (70, 128, "random"),
]
# A comparison of one column or row matters where the last tile ends there; that
# of a row in a filter, where one row more decides.
ENDS = [(128 + end, 64 + end % 64, "random") for end in range(128)]
ENDS += [(end, end, "random") for end in range(1, 64)]
ENDS += [(128 + end, 320, "descending") for end in range(1, 128)]


def differs(found: np.ndarray, expected: np.ndarray, element: str) -> bool:
    """Whether a test against the reference would fail: two units in the last
    place of the largest value."""
    if expected.dtype.kind != "f":
        return not np.array_equal(found, expected)
    places = {"f16": 10, "bf16": 7}.get(element, 18)
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=1.0e-6)
    close = np.isclose(found, expected, rtol=0, atol=2.0 ** (1 - places) * scale, equal_nan=True)
    return not close.all()


class ShippedTrial:
    """Mutants of what the compiler emits for a family, all lengths unknown."""

    def __init__(self, compiler: Compiler, name: str, folder: Path):
        self.compiler, self.folder = compiler, folder
        spec = Attention(1, 1, 64, batch=(2,), dynamic=True)
        self.spec = dataclasses.replace(spec, **FAMILIES[name])
        self.package = compiler.package(self.spec)
        self.file = self.package.kernel()["file"]
        self.text = (self.package.path / self.file).read_text()
        self.cases = {}

    def case(self, lengths: tuple) -> tuple:
        """Inputs and what the kernel itself makes of them."""
        if lengths not in self.cases:
            rows, keys, kind = lengths
            shaped = dataclasses.replace(self.spec, rows=rows, keys=keys)
            arrays = make(shaped, kind, seed=3)
            expected = self.compiler.run(shaped, arrays).arrays
            self.cases[lengths] = {INPUT_NAMES[x]: a for x, a in arrays.items()}, expected
        return self.cases[lengths]

    def with_text(self, text: str) -> tools.Package:
        folder = self.folder / "mutant"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.package.path, folder)
        manifest = self.package.manifest
        (folder / self.file).write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        manifest["files"][self.file] = {"bytes": len(text), "sha256": digest}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return tools.Package(folder)

    def verdict(self, text: str, schedules: int = SCHEDULES, ends: bool = False) -> str:
        """How a mutant was caught; empty if it was not. With `ends`, by the
        lengths at which one comparison matters."""
        package = self.with_text(text)
        for lengths in ENDS if ends else LENGTHS:
            inputs, expected = self.case(lengths)
            flags = [] if ends else [f"--schedules={schedules}"]
            try:
                found = tools.run(package, inputs, *CHECKS, *flags, limit=SECONDS).arrays
            except tools.ToolError as error:
                return error.message
            except subprocess.TimeoutExpired:
                return "does not end"
            for key in expected:
                element = self.spec.output_type if key == "output" else "f32"
                if differs(found[key], expected[key], element):
                    return f"wrong {key}"
        return ""


class HandwrittenTrial:
    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder
        self.text = handwritten.text_of(name)

    def verdict(self, text: str, schedules: int = SCHEDULES, ends: bool = False) -> str:
        for case in [] if ends else handwritten.CASES[self.name]:
            try:
                wrong = handwritten.run(self.name, text, case, self.folder, f"--schedules={schedules}",
                                        "--instruction-limit=4000000", limit=SECONDS)  # fmt: skip
            except tools.ToolError as error:
                return error.message
            except subprocess.TimeoutExpired:
                return "does not end"
            if wrong:
                return wrong
        return ""


ALL = [*FAMILIES, *handwritten.CASES]


def trial(compiler: Compiler, name: str, folder: Path) -> ShippedTrial | HandwrittenTrial:
    if name in FAMILIES:
        return ShippedTrial(compiler, name, folder)
    return HandwrittenTrial(name, folder)


SYNCHRONIZES = r"\b(bar|barrier|mbarrier|fence|wgmma\.fence)\b|(commit|wait)_group"


def explain(trial: ShippedTrial | HandwrittenTrial, mutant: Mutant) -> str:
    """Why nothing can tell a mutant that survived from the kernel, or nothing."""
    kernel = KernelText(trial.text)
    i = mutant.line - 1
    everyone = None
    compare = re.match(r"\tsetp\.(?:ne|eq)\.[bu]32\s+(%\w+), %\w+, 0;", mutant.before)
    if compare and mutant.operator == "compare":
        everyone = kernel.replaced(i, f"\tsetp.ne.b32 \t{compare[1]}, 0, 0;")
    if mutant.operator == "negate-guard":
        everyone = kernel.replaced(i, re.sub(r"^\t@!?%\w+ ", "\t", mutant.before))
    if everyone and not trial.verdict("\n".join(everyone)):
        return "all lanes may do it: they store one value"
    compared = re.match(r"\tsetp\.\w+\.([su]32)\s+\S+ (%\w+), (%\w+);", mutant.before)
    if compared and mutant.operator == "off-by-one":
        lines = kernel.replaced(i, f"\tsetp.eq.{compared[1]} \t%equal, {compared[2]}, {compared[3]};\n"
                                   f"\t@%equal trap;\n{mutant.before}")  # fmt: skip
        first = next(kernel.places(r"\t\.reg"))
        lines[first] = "\t.reg .pred \t%equal;\n" + lines[first]
        text = "\n".join(lines)
        if not trial.verdict(text) and not trial.verdict(text, ends=True):
            return "the two are never equal, whatever the lengths: a trap there is not reached"
    guarded = re.match(r"\tsetp\S* (%\w+),", mutant.before)
    guards = guarded and re.match(rf"\t@!?{guarded[1]} ", kernel.lines[i + 1])
    if re.search(SYNCHRONIZES, kernel.lines[i + 1] if guards else mutant.before):
        return f"all accesses are ordered as it is: no race and one result in {MANY} schedules"
    return ""


def run_mutants(trial: ShippedTrial | HandwrittenTrial, quota: int, seed: int) -> dict:
    """What became of each mutant."""
    assert not trial.verdict(trial.text), "the kernel itself is at fault"
    mutants = mutants_of(trial.text, quota, seed)
    caught, survivors = {}, []
    for mutant in mutants:
        reason = trial.verdict(mutant.text)
        if not reason and mutant.operator == "off-by-one":
            reason = trial.verdict(mutant.text, ends=True)
        if not reason and re.search(SYNCHRONIZES, mutant.before):
            reason = trial.verdict(mutant.text, MANY)
        if reason:
            caught[mutant] = reason
        else:
            survivors.append({"mutant": str(mutant), "because": explain(trial, mutant)})
    wrong = sum(reason.startswith("wrong ") for reason in caught.values())
    endless = sum(reason == "does not end" for reason in caught.values())
    operators = {}
    for mutant in mutants:
        count = operators.setdefault(mutant.operator, [0, 0])
        count[0] += 1
        count[1] += mutant in caught
    return {
        "mutants": len(mutants),
        "caught": len(caught),
        "by_report": len(caught) - wrong - endless,
        "by_wrong_output": wrong,
        "endless": endless,
        "survivors": survivors,
        "operators": {name: {"mutants": all, "caught": hit} for name, (all, hit) in operators.items()},
    }

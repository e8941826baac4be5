# ===- test_mutants.py - Faults that the emulator must see -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Plants faults in emitted kernels (mutants.py) and runs them on the emulator
with all checks. A report, a wrong output or a kernel that does not end catches
the fault. At least 98 % must be caught, not counting those that are explained.
`make test` runs a sample."""

import dataclasses
import hashlib
import json
import shutil
import subprocess

import numpy as np
import pytest

from families import FAMILIES
from harness import CHECKS, INPUT_NAMES
from inputs import make
from mutants import explain, mutants_of
from sample import LONG
from sparse_attn import tools
from sparse_attn.modules import Attention

# The last tiles end in each of the pieces that one instruction copies; some tiles
# are skipped, then none. Only what survives the first cases meets the last.
CASES = [
    (133, 137, "tiles"),
    (250, 191, "random"),
    (5, 9, "random"),
    (153, 153, "tiles"),
    (169, 169, "random"),
    (185, 50, "random"),
    (201, 20, "tiles"),
    (217, 36, "random"),
    (233, 137, "random"),
]
QUOTA = 5 if LONG else 1
SAMPLE = ["dense", "f32", "recall groups"]
# In order and late, at random and late, one warp starved and early, at random
# and early.
FLAGS = [*CHECKS, "--schedules=4"]


def write_mutant(package: tools.Package, text: str, folder) -> tools.Package:
    """The package with another PTX text."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(package.path, folder)
    manifest = package.manifest
    file = package.kernel()["file"]
    (folder / file).write_text(text)
    manifest["files"][file] = {
        "bytes": len(text),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return tools.Package(folder)


def differs(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether a test against the reference would fail."""
    if expected.dtype.kind != "f":
        return not np.array_equal(found, expected)
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=1.0e-6)
    close = np.isclose(found, expected, rtol=0, atol=2.0**-7 * scale, equal_nan=True)
    return not close.all()


def verdict(package: tools.Package, cases: list) -> str:
    """How a mutant was caught; empty if it was not."""
    for inputs, expected in cases:
        try:
            found = tools.run(package, inputs, *FLAGS, limit=20).arrays
        except tools.ToolError as error:
            return error.message
        except subprocess.TimeoutExpired:
            return "does not end"
        for key in expected:
            if differs(found[key], expected[key]):
                return f"wrong {key}"
    return ""


@pytest.mark.parametrize("name", FAMILIES if LONG else SAMPLE)
def test_mutants(compiler, tmp_path, name):
    # No length is known when compiled.
    spec = Attention(1, 1, 64, batch=(2,), dynamic=True)
    spec = dataclasses.replace(spec, **FAMILIES[name])
    package = compiler.package(spec)

    def case(rows: int, keys: int, kind: str) -> tuple:
        shaped = dataclasses.replace(spec, rows=rows, keys=keys)
        arrays = make(shaped, kind, seed=3)
        expected = compiler.run(shaped, arrays).arrays
        return {INPUT_NAMES[x]: a for x, a in arrays.items()}, expected

    cases = [case(*one) for one in CASES]
    text = (package.path / package.kernel()["file"]).read_text()
    mutants = mutants_of(text, QUOTA, len(name))

    def survives(changed: str) -> bool:
        return not verdict(write_mutant(package, changed, tmp_path / "mutant"), cases)

    survivors = [mutant for mutant in mutants if survives(mutant.text)]
    # A comparison of one column or row matters where the last tile ends there.
    ends = (case(129 + 2 * end, 64 + end, "random") for end in range(1, 64))
    bounds = {mutant: write_mutant(package, mutant.text, tmp_path / f"bound{i}")
              for i, mutant in enumerate(survivors) if mutant.operator == "off-by-one"}  # fmt: skip
    for end in ends if bounds else ():
        for mutant in [m for m, changed in bounds.items() if verdict(changed, [end])]:
            del bounds[mutant]
            survivors.remove(mutant)
    reasons = {mutant: explain(text, mutant, survives) for mutant in survivors}
    print(f"\n{name}: {len(mutants) - len(survivors)} of {len(mutants)} caught")
    for mutant, reason in reasons.items():
        print(f"  survived: {mutant} ({reason or 'unexplained'})")
    # What no input can tell from the kernel is not a fault.
    unexplained = [str(mutant) for mutant, reason in reasons.items() if not reason]
    assert len(unexplained) <= max(1, 0.02 * len(mutants)), "\n".join(unexplained)

# ===- test_mutants.py - Faults that the emulator must see -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""A sample of the mutants, one of each operator; all are a step of `make
check-all` (benchmarks/mutation_score.py). Also tests the rules for what is not drawn."""

import pytest

from kernel_text import KernelText
from mutant_trials import run_mutants, trial


@pytest.mark.parametrize("name", ["dense", "recall groups", "flash", "multicast", "fp8"])
def test_sample(compiler, tmp_path, name):
    result = run_mutants(trial(compiler, name, tmp_path / "trial"), quota=1, seed=len(name))
    unexplained = [one["mutant"] for one in result["survivors"] if not one["because"]]
    assert not unexplained
    assert result["caught"] >= result["mutants"] - 3, result["survivors"]


LOOP = """
\tand.b32 \t%r1, %r9, -64;
$L1:
\tcp.async.wait_group \t0;
\tbar.sync \t0;
\tadd.s32 \t%r2, %r1, 64;
\tmul.wide.s32 \t%rd1, %r2, 128;
\tcp.async.cg.shared.global [%rd2], [%rd1], 16;
\tcp.async.commit_group;
\tldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r5, %r6, %r7, %r8}, [%rd3];
\tsetp.lt.s32 \t%p1, %r2, BOUND;
\tmov.b32 \t%r1, %r2;
\t@%p1 bra \t$L1;
\tcp.async.wait_group \t0;
\tret;
"""


def line_of(kernel: KernelText, statement: str) -> int:
    return next(kernel.places(statement))


def test_loop_that_runs_once():
    # From N & -64 in steps of 64 below N.
    kernel = KernelText(LOOP.replace("BOUND", "%r9"))
    assert kernel.never_branches(line_of(kernel, "bra"))
    assert kernel.dead_copies == {line_of(kernel, r"cp\.async\.cg")}
    for statement in ("cp.async.cg", "mul.wide", "commit"):
        assert kernel.feeds_dead_copies(line_of(kernel, statement))
    # Whose next index is compared too.
    assert not kernel.feeds_dead_copies(line_of(kernel, "add.s32"))


@pytest.mark.parametrize("change", [("BOUND", "%r10"), ("-64;", "-32;"), ("%r1, 64;", "%r1, 32;"),
                                    ("setp.lt", "setp.le")])  # fmt: skip
def test_loop_that_may_run_again(change):
    kernel = KernelText(LOOP.replace(*change).replace("BOUND", "%r9"))
    assert not kernel.never_branches(line_of(kernel, "bra"))
    assert not kernel.dead_copies


BARRIERS = """
\tst.shared.b32 \t[%r1], %r2;
\tbar.sync \t0;
\tld.shared.b32 \t%r3, [%r4];
\tbar.sync \t0;
\tMIDDLE
\tbar.sync \t0;
\tst.shared.b32 \t[%r1], %r3;
\tret;
"""


@pytest.mark.parametrize("middle, redundant", [
    ("ld.shared.b32 %r5, [%r4];", [False, True, False]),
    ("st.shared.b32 [%r6], %r2;", [False, False, False]),
    ("cp.async.wait_group 0;", [False, False, False]),
    ("mbarrier.arrive.shared.b64 _, [%r4];", [False, False, False]),
])  # fmt: skip
def test_redundant_barriers(middle, redundant):
    kernel = KernelText(BARRIERS.replace("MIDDLE", middle))
    assert [kernel.is_redundant_barrier(i) for i in kernel.places("bar.sync")] == redundant
    assert not any(kernel.orders_nothing(i) for i in kernel.places("bar.sync"))


def test_commits():
    text = """
\tcp.async.cg.shared.global [%rd2], [%rd1], 16;
\tcp.async.commit_group;
\tcp.async.cg.shared.global [%rd3], [%rd1], 16;
\tcp.async.commit_group;
\tcp.async.wait_group \tCOUNT;
\tldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r5, %r6, %r7, %r8}, [%rd3];
\tret;
"""
    all_waited = KernelText(text.replace("COUNT", "0"))
    one_left = KernelText(text.replace("COUNT", "1"))
    assert [all_waited.is_merged_commit(i) for i in all_waited.places("commit")] == [True, False]
    assert not any(one_left.is_merged_commit(i) for i in one_left.places("commit"))

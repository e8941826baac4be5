# ===- test_schedules.py - Some orders, the same bits, no alarm ------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Every kernel under a few schedules; 1,000 are a step of `make check-all`
(benchmarks/schedules.py)."""

import pytest

from mutant_trials import ALL
from schedule_trials import run_schedules


@pytest.mark.parametrize("name", ALL)
def test_schedules(compiler, tmp_path, name):
    run_schedules(compiler, name, 20, tmp_path)

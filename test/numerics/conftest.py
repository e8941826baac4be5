# ===- conftest.py - What the numeric tests share --------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import pytest

from harness import Compiler


@pytest.fixture(scope="session")
def compiler(tmp_path_factory):
    """Packages are compiled once for each worker."""
    return Compiler(tmp_path_factory.mktemp("packages"))

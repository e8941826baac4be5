# ===- fails.py - Runs a command that must fail cleanly -------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs the command after the expected exit code and prints its standard error.

Fails unless the command exits with that code, within 20 seconds, after exactly
one line that says `error:`.
"""

import subprocess
import sys

expected, command = int(sys.argv[1]), sys.argv[2:]
run = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=sys.stdin)
print(run.stderr, end="")
errors = [line for line in run.stderr.splitlines() if "error:" in line]
if run.returncode != expected:
    sys.exit(f"expected exit code {expected}, found {run.returncode}")
if len(errors) != 1:
    sys.exit(f"expected one line with 'error:', found {len(errors)}")

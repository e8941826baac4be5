# ===- flags.py - Every line of a table is one bad command line -----------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# usage: flags.py FOLDER TABLE
#
# ===----------------------------------------------------------------------===#

import re
import subprocess
import sys

folder, table = sys.argv[1:]
with open(table) as source:
    rows = [line.rstrip("\n").split(" => ") for line in source if " => " in line]
failures = 0
for flags, words in rows:
    arguments = re.sub(r"^F\b", "--function=scale --input=@x.npy", flags).split(" ")
    # Whether the machine has a GPU must not decide what is tested.
    if not re.search("--device|--repeat|--blocks", flags):
        arguments.append("--device=emulator")
    run = subprocess.run(
        ["sparse-attn-run", "p", *arguments], capture_output=True, text=True, cwd=folder
    )
    lines = run.stderr.splitlines()
    fine = run.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: ")
    if not fine or words not in lines[0]:
        failures += 1
        print(f"{flags}: expected {words!r}, found exit code {run.returncode}, {run.stderr!r}")
print(f"{len(rows)} command lines, {failures} failures")
sys.exit(1 if failures or len(rows) < 50 else 0)

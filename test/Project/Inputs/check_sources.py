# ===- check_sources.py - Rules that every source file keeps ---------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""usage: check_sources.py ROOT"""

import re
import sys
from pathlib import Path

FOLDERS = ("include", "lib", "tools", "python", "test", "scripts", "examples", "benchmarks")
LIMIT = 1000
OPEN = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")

root = Path(sys.argv[1])
files = faults = 0
for folder in FOLDERS:
    for path in sorted((root / folder).rglob("*")):
        if path.suffix not in (".cpp", ".h", ".td", ".py", ".sh") or "__pycache__" in path.parts:
            continue
        files += 1
        text = path.read_text(encoding="utf-8")
        found = []
        if "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception" not in text:
            found.append("expected the licence header, found none")
        if text.count("\n") > LIMIT:
            found.append(f"expected at most {LIMIT} lines, found {text.count(chr(10))}")
        if match := OPEN.search(text):
            found.append(f"expected nothing left open, found {match.group(0)}")
        for fault in found:
            print(f"{path.relative_to(root)}: {fault}")
        faults += len(found)
print(f"{files} files, {faults} faults")
sys.exit(1 if faults or not files else 0)

# ===- ptx.py - The PTX in printed IR -------------------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   ptx.py IR OUT            the PTX of all gpu.binary, one after the other
#   ptx.py IR OUT --split    one file a kernel, KERNEL.ptx beside OUT
#
# ===----------------------------------------------------------------------===#

import pathlib
import re
import sys


def unescape(text):
    """What MLIR's printer escaped: backslash and two hexadecimal digits."""
    text = text.replace("\\\\", "\\5C")
    return re.sub(r"\\([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)


def main():
    ir, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = re.findall(
        r'gpu\.binary @(\w+).*?assembly = "((?:[^"\\]|\\.)*)"', ir.read_text(), re.S
    )
    if not found:
        sys.exit(f"error: expected gpu.binary operations in {ir}, found none")
    texts = {name: unescape(text).rstrip("\0") for name, text in found}
    if "--split" in sys.argv[3:]:
        for name, text in texts.items():
            (out.parent / f"{name}.ptx").write_text(text)
    else:
        out.write_text("".join(texts.values()))


main()

# ===- tensor_core_kernel.py - PTX that only multiplies fp8 ----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Chains of fp8 products on the emulator, by mma.sync or wgmma."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sparse_attn import tools

COLUMNS, DEPTH = 8, 32  # of one instruction


def rows_of(unit: str) -> int:
    return {"mma": 16, "wgmma": 64}[unit]


def registers(name: str, count: int) -> str:
    return "{" + ", ".join(f"%{name}{i}" for i in range(count)) + "}"


def kernel(unit: str, format: str, result: str, steps: int) -> str:
    """D = A * B + C for each block, of A [rows, depth] and B [8, depth], both in
    fp8, and C [rows, 8] in the type of the result."""
    depth, rows, size = DEPTH * steps, rows_of(unit), int(result[1])
    kind, count = {"f4": ("f32", 4), "f2": ("f16", 2)}[result]
    lines = [
        "ld.param.u64 %a, [k_a];", "ld.param.u64 %b, [k_b];",
        "ld.param.u64 %c, [k_c];", "ld.param.u64 %d, [k_d];",
        "mov.u32 %tid, %tid.x;", "mov.u32 %block, %ctaid.x;",
        "shr.u32 %g, %tid, 2;", "and.b32 %g, %g, 7;", "and.b32 %t, %tid, 3;",
        "shr.u32 %row, %tid, 5;", "mad.lo.u32 %row, %row, 16, %g;",
        f"mad.lo.u32 %row, %block, {rows}, %row;",
        f"mad.lo.u32 %x, %row, {depth // 4}, %t;", "mad.wide.u32 %a, %x, 4, %a;",
        "mad.lo.u32 %x, %row, 4, %t;",
        f"mad.wide.u32 %c, %x, {2 * size}, %c;", f"mad.wide.u32 %d, %x, {2 * size}, %d;",
    ]  # fmt: skip
    width = "v2.b32" if result == "f4" else "b32"
    halves = [("%d0", 0), ("%d1", 8)] if result == "f2" else [("{%d0, %d1}", 0), ("{%d2, %d3}", 8)]
    for at, row in halves:
        lines.append(f"ld.global.{width} {at}, [%c+{row * COLUMNS * size}];")
    if unit == "mma":
        lines += [f"mad.lo.u32 %x, %block, {COLUMNS}, %g;",
                  f"mad.lo.u32 %x, %x, {depth // 4}, %t;", "mad.wide.u32 %b, %x, 4, %b;"]  # fmt: skip
    else:
        # B as blocks of 8 rows of 16 bytes, two for a step.
        lines += ["mov.u32 %smem, tile;", "setp.ge.u32 %p, %tid, 64;", "@%p bra LOADED;",
                  "shr.u32 %row, %tid, 3;", "and.b32 %x, %tid, 7;",
                  f"mad.lo.u32 %y, %block, {COLUMNS}, %row;",
                  f"mad.lo.u32 %y, %y, {depth // 4}, %x;", "mad.wide.u32 %b, %y, 4, %b;",
                  "and.b32 %y, %x, 3;", "shr.u32 %x, %x, 2;", "mad.lo.u32 %x, %x, 32, %y;",
                  "mad.lo.u32 %x, %row, 4, %x;", "mad.lo.u32 %x, %x, 4, %smem;"]  # fmt: skip
        for step in range(steps):
            lines += [f"ld.global.b32 %y, [%b+{step * DEPTH}];",
                      f"st.shared.b32 [%x+{step * 256}], %y;"]  # fmt: skip
        lines += ["LOADED:", "fence.proxy.async.shared::cta;", "bar.sync 0;",
                  "setp.eq.u32 %p, %tid, %tid;", "wgmma.fence.sync.aligned;"]  # fmt: skip
    for step in range(steps):
        at = step * DEPTH
        for i, offset in enumerate((0, 8 * depth, 16, 8 * depth + 16)):
            lines.append(f"ld.global.b32 %a{i + 4 * (step % 2)}, [%a+{at + offset}];")
        a = "{" + ", ".join(f"%a{i + 4 * (step % 2)}" for i in range(4)) + "}"
        d = registers("d", count)
        if unit == "mma":
            lines += [f"ld.global.b32 %b0, [%b+{at}];", f"ld.global.b32 %b1, [%b+{at + 16}];",
                      f"mma.sync.aligned.m16n8k32.row.col.{kind}.{format}.{format}.{kind} "
                      f"{d}, {a}, {{%b0, %b1}}, {d};"]  # fmt: skip
        else:
            strides = 128 // 16 << 16 | 256 // 16 << 32
            lines += ["wgmma.fence.sync.aligned;",
                      f"add.u32 %x, %smem, {step * 256};", "shr.u32 %x, %x, 4;",
                      "cvt.u64.u32 %desc, %x;", f"or.b64 %desc, %desc, {strides};",
                      f"wgmma.mma_async.sync.aligned.m64n8k32.{kind}.{format}.{format} "
                      f"{d}, {a}, %desc, %p, 1, 1;",
                      "wgmma.commit_group.sync.aligned;", "wgmma.wait_group.sync.aligned 0;"]  # fmt: skip
    for at, row in halves:
        lines.append(f"st.global.{width} [%d+{row * COLUMNS * size}], {at};")
    target = "sm_90a" if unit == "wgmma" else "sm_89"
    shared = f".shared .align 128 .b8 tile[{256 * steps}];\n" if unit == "wgmma" else ""
    parameters = ", ".join(f".param .u64 k_{x}" for x in "abcd")
    declared = (".reg .pred %p; .reg .b32 %tid, %block, %g, %t, %row, %x, %y, %smem, %a<8>, "
                  "%b<2>, %d<4>; .reg .b64 %a, %b, %c, %d, %desc;")  # fmt: skip
    return (f".version 8.4\n.target {target}\n.address_size 64\n{shared}"
            f".visible .entry k({parameters})\n{{\n{declared}\n" + "\n".join(lines) + "\nret;\n}\n")  # fmt: skip


def multiply(unit: str, model: str, format: str, a, b, c, folder: Path) -> np.ndarray:
    """D of `a` [blocks, rows, depth] and `b` [blocks, 8, depth] (fp8 as u1), which
    start from `c` [blocks, rows, 8] (f4 or f2)."""
    text = kernel(unit, format, c.dtype.str[1:], a.shape[2] // DEPTH)
    (folder / "k.ptx").write_text(text)
    for name, array in (("a", a), ("b", b), ("c", c)):
        np.save(folder / f"{name}.npy", array)
    shape = "x".join(map(str, c.shape))
    tools.call(
        "ptx-emulate", folder / "k.ptx", f"--grid={len(a)}", f"--block={2 * rows_of(unit)}",
        f"--mma-model={model}", "--check=memory,races", *(f"--arg=@{folder}/{x}.npy" for x in "abc"),
        f"--arg=out:{c.dtype.str[1:]}:{shape}:@{folder}/d.npy",
    )  # fmt: skip
    return np.load(folder / "d.npy")

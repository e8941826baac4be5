# ===- hostile.py - Feeds the compiler what it must refuse ----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Writes hostile inputs into a folder (first argument) and compiles each.

Every one must end with exit code 1, one line that says `error:`, within a limit
of memory and of time that has room for a busy machine. Inputs of the second
kind are odd but harmless, and must end with exit code 0.
"""

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MEMORY = 4 << 30  # address space; libMLIR.so and libLLVM.so map 0.3 GB of it
SECONDS = 20


def attribute(text):
    return f'"a.b"() {{v = {text}}} : () -> ()\n'


def chain(sigil, first, step, count):
    """Aliases each of which stands for the one before."""
    lines = [f"{sigil}a0 = {first}"]
    lines += [f"{sigil}a{i + 1} = {step.replace('@', f'{sigil}a{i}')}" for i in range(count)]
    return "\n".join(lines) + "\n" + attribute(f"{sigil}a{count}")


def hostile():
    yield "empty_bytes", b"\0" * 100
    yield "noise", bytes(range(256)) * 4
    yield "bytecode", b"ML\xefR" + b"\1" * 64
    yield "unterminated_string", 'func.func @"abc'
    yield "unterminated_region", "func.func @f() {"
    yield "unknown_keyword", "this is no graph"
    yield "half_a_type", "func.func private @f(tensor<2x"
    for name, bracket in {"round": "(", "square": "[", "curly": "{", "angle": "tuple<"}.items():
        for count in (257, 1000, 100_000):
            yield f"{name}_{count}", attribute(bracket * count)
    for count in (300, 20_000):
        yield f"regions_{count}", '"a.b"() ({\n' * count + "}) : () -> ()\n" * count
        yield f"locations_{count}", '"a.b"() : () -> () loc(' + 'fused["a", ' * count + "]" * count + ")"
        yield f"type_aliases_{count}", chain("!", "i32", "tuple<@>", count)
        yield f"broken_aliases_{count}", chain("!", "i32", "\n tuple\n<@>", count)
        yield f"attribute_aliases_{count}", chain("#", "1", "[@]", count)
        yield f"minus_{count}", attribute("affine_map<(d0) -> (" + "- " * (4 * count) + "d0)>")
        yield f"plus_{count}", attribute("affine_map<(d0) -> (d0" + " + d0" * (4 * count) + ")>")
        yield f"product_{count}", attribute("affine_map<(d0) -> (d0" + " * 3" * (4 * count) + ")>")
        yield f"grouped_{count}", attribute("affine_map<(d0) -> (d0" + " + (d0)" * (4 * count) + ")>")
        yield f"set_{count}", attribute("affine_set<(d0) : (d0" + " + d0" * (4 * count) + " >= 0)>")
        dims = ", ".join(f"d{i}" for i in range(4 * count))
        yield f"dims_{count}", attribute(f"affine_map<({dims}) -> ()>")
    for count in (20, 64, 1000):
        yield f"doubling_{count}", chain("#", "1", "[@, @]", count)
        yield f"doubling_types_{count}", chain("!", "i32", "tuple<@, @>", count)
    for size in ("9223372036854775807x9223372036854775807", "4611686018427387904", "4294967296x4294967296", "1x" * 64 + "1"):
        yield f"shape_{len(size)}", f'"a.b"() : () -> tensor<{size}xf32>'
        yield f"nested_shape_{len(size)}", attribute(f"tuple<tensor<{size}xi8>>") + f"func.func private @f(tuple<memref<{size}xi8>>)"
    for size in ("18446744073709551616", "99999999999999999999999999", "-1", "0x10"):
        yield f"size_{len(size)}", f"func.func private @f(tensor<{size}xf32>, tensor<4294967296x4294967296xf32>)"
    yield "long_rank", f'"a.b"() : () -> tensor<{"1x" * 50_000}f32>'
    yield "long_name", "func.func private @" + "a" * 50_000 + "()"
    yield "long_number", attribute("1" * 50_000 + " : i64")
    yield "wide_integer", attribute("1 : i99999999999")
    yield "no_dialect_type", '"a.b"() : () -> !sparse_attn.nothing'
    yield "no_dialect_attribute", attribute("#sparse_attn.nothing")
    yield "recall_2", attribute("#sparse_attn.recall<2.0>")
    yield "recall_nan", attribute("#sparse_attn.recall<nan>")
    yield "groups_huge", attribute("#sparse_attn.recall<0.9, groups = 99999999999999999999>")
    yield "threshold_negative", attribute("#sparse_attn.threshold<-1.0>")
    yield "target_unknown", attribute('#sparse_attn.target<"sm_1">')
    attention = (
        '%q = "a.b"() : () -> {q}\n%o = sparse_attn.attention ins(%q, %q, %q : {q}, {q}, {q}) outs(%q : {q}) '
        "{{indexing_maps = [affine_map<(m, n, d, k) -> (m, d)>, affine_map<(m, n, d, k) -> (k, d)>, "
        "affine_map<(m, n, d, k) -> (k, n)>, affine_map<(m, n, d, k) -> (m, n)>], scale = {s} : f64{more}}} -> {q}\n"
    )
    good = {"q": "tensor<64x32xf16>", "s": "0.5", "more": ""}
    for name, change in {
        "rank": {"q": "tensor<64xf16>"},
        "rank_3": {"q": "tensor<1x64x32xf16>"},
        "type": {"q": "tensor<64x32xf64>"},
        "integer": {"q": "tensor<64x32xi32>"},
        "scale_nan": {"s": "0x7FF8000000000000"},
        "scale_inf": {"s": "0x7FF0000000000000"},
        "tile_zero": {"more": ", decision_tile = array<i64: 0, 64>"},
        "tile_one": {"more": ", decision_tile = array<i64: 64>"},
        "tile_negative": {"more": ", decision_tile = array<i64: -64, 64>"},
        "tile_huge": {"more": ", decision_tile = array<i64: 9223372036854775807, 9223372036854775807>"},
        "tile_odd": {"more": ", decision_tile = array<i64: 7, 5>"},
        "groups_odd": {"more": ", filter = #sparse_attn.recall<0.9, groups = 32>, decision_tile = array<i64: 64, 32>"},
        "block_shape": {"more": ", block_shape = array<i64: 64, 64>"},
        "precision": {"more": ", precision = #sparse_attn.precision<tf32>"},
    }.items():
        yield f"attention_{name}", attention.format(**{**good, **change})
    yield "kernel_empty", "func.func @f() attributes {sparse_attn.kernel} {\n  return\n}"
    yield "kernel_name", 'func.func @"../x"() attributes {sparse_attn.kernel} {\n  return\n}'
    yield "kernel_external", "func.func private @f() attributes {sparse_attn.kernel}"
    kernel = (
        "func.func @k(%q: tensor<64x32xf16>, %r: tensor<64x32xf16>, %s: tensor<64x32xf16>, %i: tensor<64x32xf16>) -> "
        "tensor<64x32xf16> attributes {{sparse_attn.kernel}} {{\n  {before}\n  %o = sparse_attn.attention ins(%q, {k}, %s "
        ": tensor<64x32xf16>, tensor<64x32xf16>, tensor<64x32xf16>) outs(%i : tensor<64x32xf16>) "
        "{{indexing_maps = [affine_map<(m, n, d, k) -> (m, d)>, affine_map<(m, n, d, k) -> (k, d)>, "
        "affine_map<(m, n, d, k) -> (k, n)>, affine_map<(m, n, d, k) -> (m, n)>], scale = 0.5 : f64}} "
        "-> tensor<64x32xf16>\n  return {o} : tensor<64x32xf16>\n}}\n"
    )
    yield "kernel_order", kernel.format(before="", k="%i", o="%o")
    yield "kernel_result", kernel.format(before="", k="%r", o="%q")
    empty = "%e = tensor.empty() : tensor<64x32xf16>"
    yield "kernel_more", kernel.format(before=empty, k="%e", o="%o")
    yield "no_callee", "sparse_attn.call_kernel @nothing() : () -> ()"


def harmless():
    yield "empty", ""
    yield "comment", "// " + "(" * 1000 + "\n"
    yield "string", attribute('"' + "(" * 1000 + '"')
    yield "brackets_200", attribute("[" * 200 + "]" * 200)
    yield "symbols", attribute("@a" + "::@a" * 1000)
    yield "operations", '"a.b"() : () -> ()\n' * 20_000


def compile(path, expected):
    command = ["sparse-attn-compile", str(path), "--ptxas=none", "-o", str(path.with_suffix(".package"))]
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        run = subprocess.run(command, capture_output=True, timeout=SECONDS, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return f"{path.name}: expected an end within {SECONDS} s, found none"
    text = run.stderr.decode(errors="replace")
    errors = sum("error:" in line for line in text.splitlines())
    if run.returncode != expected:
        return f"{path.name}: expected exit code {expected}, found {run.returncode}: {text[:500]}"
    if errors != (expected != 0):
        return f"{path.name}: expected {int(expected != 0)} lines with 'error:', found {errors}: {text[:500]}"
    return None


folder = Path(sys.argv[1])
folder.mkdir(parents=True)
jobs = []
for expected, inputs in ((1, hostile()), (0, harmless())):
    for name, text in inputs:
        path = folder / f"{expected}_{name}.mlir"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        jobs.append((path, expected))
limited = len(sys.argv) < 3 or sys.argv[2] != "--no-memory-limit"
if not limited:
    MEMORY = resource.RLIM_INFINITY
with ThreadPoolExecutor(2) as pool:
    faults = [fault for fault in pool.map(lambda job: compile(*job), jobs) if fault]
print("\n".join(faults))
print(f"{len(jobs)} inputs, {len(faults)} faults")
sys.exit(bool(faults))

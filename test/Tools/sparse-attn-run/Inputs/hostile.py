# ===- hostile.py - Bad packages and arrays end in one clear error --------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# usage: hostile.py FOLDER
#
# Every case damages a good package or a good array in one way and expects exit
# code 1, exactly one line on standard error, and the words that name the fault.
#
# ===----------------------------------------------------------------------===#

import copy
import json
import os
import shutil
import subprocess
import sys
import time

import testpackage as good

ROOT = sys.argv[1]
LIMIT_SECONDS = 20  # sanitizers are slow; without them a case takes 0.1 s
failures = []
cases = 0


def check(name, arguments, words):
    """Runs the tool, which must fail with `words` in its only line."""
    global cases
    cases += 1
    start = time.monotonic()
    run = subprocess.run(
        ["sparse-attn-run", "--device=emulator", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        errors="replace",
    )
    lines = run.stderr.splitlines()
    fine = (
        run.returncode == 1
        and len(lines) == 1
        and lines[0].startswith("error: ")
        and words in lines[0]
    )
    if not fine:
        failures.append(name)
        found = run.stderr if len(run.stderr) < 400 else run.stderr[:400] + "..."
        print(f"{name}: expected exit code 1 and {words!r} in one line, found")
        print(f"  exit code {run.returncode}, {found!r}")
    if "-v" in sys.argv:
        print(f"{name} ({time.monotonic() - start:.2f} s): {run.stderr.strip()}")


def fresh(name):
    directory = os.path.join(ROOT, name)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    return directory


def array_file(contents):
    path = os.path.join(ROOT, "array.npy")
    with open(path, "wb") as target:
        target.write(contents)
    return path


ARRAY = os.path.join(ROOT, "good.npy")


def run_package(name, manifest, files, words, extra=()):
    directory = fresh(name.replace(" ", "-"))
    good.write_package(directory, manifest, files)
    check(name, [directory, f"--input=@{ARRAY}", *extra], words)


def damaged(name, damage, words):
    """`damage` changes the manifest of a package of the kernel scale."""
    manifest, files = good.package(copy.deepcopy(good.kernels()[:1]))
    replaced = damage(manifest)
    run_package(name, replaced if isinstance(replaced, bytes) else manifest, files, words)


def field(name, path, value, words):
    """Sets the field at `path` (None removes it)."""

    def damage(manifest):
        owner = manifest
        for key in path[:-1]:
            owner = owner[key]
        if value is None:
            del owner[path[-1]]
        else:
            owner[path[-1]] = value

    damaged(name, damage, words)


K = ("kernels", 0)
A = K + ("arguments",)


def manifests():
    field("no format", ("format",), None, "format: expected 'sparse-attn-package', found nothing")
    field("other format", ("format",), "zip", "format: expected 'sparse-attn-package', found 'zip'")
    field("no version", ("version",), None, "version: expected 1, found nothing")
    field("newer version", ("version",), 2, "version: expected 1, found 2")
    field("version as text", ("version",), "1", "version: expected 1, found '1'")
    field("no producer", ("producer",), None, "producer: expected a string, found nothing")
    field("files as array", ("files",), [], "files: expected an object, found an array of 0")
    field("no files", ("files",), None, "files: expected an object, found nothing")
    field("no kernels", ("kernels",), [], "kernels: expected an array of 1 to 4096")
    field("kernels as object", ("kernels",), {}, "kernels: expected an array of 1 to 4096, found an object")
    field("kernel as number", K, 7, "kernels[0]: expected an object, found 7")
    bytes_path = ("files", "graph.mlir", "bytes")
    field("negative size", bytes_path, -1, "files['graph.mlir'].bytes: expected an integer from 0")
    field("fractional size", bytes_path, 1.5, "expected an integer from 0 to 9223372036854775807, found 1.5")
    field("wrong size", bytes_path, 11, "expected 11 bytes as the manifest says, found 10")
    sha_path = ("files", "graph.mlir", "sha256")
    field("wrong sha256", sha_path, "0" * 64, "expected the sha256 " + "0" * 64 + " as the manifest says, found")
    field("short sha256", sha_path, "ab", "sha256: expected 64 lower-case hexadecimal digits, found 'ab'")
    field("capital sha256", sha_path, "A" * 64, "expected 64 lower-case hexadecimal digits")
    for label, escape in (
        ("parent directory", "../manifest"),
        ("absolute path", "/etc/passwd"),
        ("hidden file", ".hidden"),
        ("dot dot", ".."),
        ("own manifest", "manifest.json"),
        ("capital letters", "Graph.mlir"),
        ("null byte", "graph\0.mlir"),
        ("escape codes", "\x1b[31mred"),
        ("empty name", ""),
        ("long name", "a" * 201),
    ):
        field(f"file name {label}", ("files", escape), good.entry(b""), "files: expected file names of [a-z0-9_.]+")
    field("missing file", ("files", "absent.ptx"), good.entry(b""), "absent.ptx': cannot be opened")

    field("kernel name path", K + ("name",), "../x", "kernels[0].name: expected a name of [a-z0-9_]+, found '../x'")
    field("kernel name line break", K + ("name",), "a\nb", "found 'a\\0Ab'")
    field("kernel name empty", K + ("name",), "", "expected a name of [a-z0-9_]+, found ''")
    field("kernel name long", K + ("name",), "a" * 129, "expected a name of [a-z0-9_]+")
    field("target", K + ("target",), "sm_eighty", "target: expected a target such as sm_80 or sm_90a, found 'sm_eighty'")
    field("other target", K + ("target",), "sm_86", "kernels.ptx: expected the target sm_86 as the manifest says, found 'sm_80'")
    field("unlisted file", K + ("file",), "other.ptx", "file: expected the name of one of the files, found 'other.ptx'")
    field("not PTX", K + ("file",), "graph.mlir", "error: graph.mlir:1: ")
    field("no such entry", K + ("name",), "other", "kernels.ptx: expected the entry point 'other', found")
    field("no threads", K + ("threads",), 0, "threads: expected an integer from 1 to 1024, found 0")
    field("many threads", K + ("threads",), 1025, "expected an integer from 1 to 1024, found 1025")
    field("threads overflow", K + ("threads",), 2**64 + 32, "expected an integer from 1 to 1024, found")
    field("threads as bool", K + ("threads",), True, "expected an integer from 1 to 1024, found true")
    field("shared memory", K + ("shared_memory",), 1 << 20, "shared_memory: expected an integer from 0 to 232448, found 1048576")
    field("decision tile", K + ("decision_tile",), [32], "decision_tile: expected an array of 2, found an array of 1")
    field("filter kind", K + ("filter",), {"kind": "magic"}, "filter.kind: expected dense, threshold, energy or recall, found 'magic'")
    field("filter missing", K + ("filter",), None, "filter: expected an object, found nothing")
    field("negative calls", K + ("calls",), -1, "calls: expected an integer from 0")

    grid = K + ("grid",)
    field("grid axis missing", grid + ("z",), None, "grid.z: expected an object, found nothing")
    field("grid axis unknown", grid + ("w",), good.constant(1), "grid: expected only the fields x, y, z, found 'w'")
    field("grid formula", grid + ("x",), {"form": "python", "text": "1"}, "grid.x.form: expected constant, dim, ceildiv or product, found 'python'")
    field("grid zero", grid + ("z",), good.constant(0), "grid.z.value: expected an integer from 1")
    field("grid negative", grid + ("z",), good.constant(-1), "expected an integer from 1 to 9223372036854775807, found -1")
    field("grid divisor", grid + ("x",), good.ceildiv(0, 1, 0), "grid.x.by: expected an integer from 1")
    field("grid argument", grid + ("x",), good.ceildiv(9, 1, 32), "grid.x: expected an argument index below 5, found 9")
    field("grid output", grid + ("x",), good.ceildiv(1, 1, 32), "grid.x: expected the index of an input tensor, found 1, 'y'")
    field("grid dimension", grid + ("x",), good.ceildiv(0, 2, 32), "grid.x: expected a dimension below 2, the rank of 'x', found 2")
    field("grid negative index", grid + ("x",), good.ceildiv(-1, 1, 32), "grid.x.of[0]: expected an integer from 0 to 255, found -1")
    field("grid extra field", grid + ("x",), dict(good.constant(1), add=1), "expected only the fields form, value, found 'add'")
    field("grid too large", grid + ("y",), good.constant(65536), "kernel 'scale': expected at most 65535 thread blocks along y, found 65536")
    field("grid far too large", grid + ("x",), good.constant(2**62), "thread blocks along x, found 4611686018427387904")
    field("factors", grid + ("y",), {"form": "product", "of": [[0, 1]] * 17}, "grid.y.of: expected an array of 0 to 16, found an array of 17")
    field("product", grid + ("y",), {"form": "product", "of": [[0, 1]] * 16}, "expected a product of extents below 2^63, found a larger one")

    field("no arguments", A, [], "arguments: expected an array of 1 to 256, found an array of 0")
    field("argument kind", A + (0, "kind"), "scalar", "arguments[0].kind: expected tensor or dim, found 'scalar'")
    field("argument role", A + (0, "role"), "both", "arguments[0].role: expected input, output or statistic, found 'both'")
    field("argument type", A + (0, "type"), "f64", "arguments[0].type: expected f16, bf16, f32, i1 or i32, found 'f64'")
    field("argument strides", A + (0, "strides"), [1], "arguments[0]: expected only the fields name, kind, role, type, shape, found 'strides'")
    field("argument twice", A + (1, "name"), "x", "arguments[1].name: expected a name of its own, found 'x' twice")
    field("argument rank", A + (0, "shape"), [1] * 9, "arguments[0].shape: expected an array of 0 to 8, found an array of 9")
    field("extent negative", A + (0, "shape"), [-2, -1], "arguments[0].shape[0]: expected an integer from -1")
    field("extent overflow", A + (0, "shape"), [2**63, -1], "arguments[0].shape[0]: expected an integer from -1")
    field("open output", A + (1, "shape"), [2, -1], "arguments[1].shape[1]: expected an integer from 0")
    field("huge output", A + (1, "shape"), [2**62, 2**62], "output 'y': expected at most 1073741824 bytes, found the shape [4611686018427387904, 4611686018427387904] of f32")
    field("large outputs", A + (1, "shape"), [2**28 - 1], "kernel 'scale': expected at most 1073741824 bytes in all arguments, found more with 'y'")
    field("dim of output", A + (4, "of"), [1, 0], "arguments[4].of: expected the index of an input tensor")
    field("tile counts type", A + (3, "type"), "f32", "arguments[3]: expected 'tile_counts' of type i32 with 2 as its last extent")
    field("recall bound type", A + (2, "type"), "f16", "arguments[2].type: expected f32 for 'recall_bound', found 'f16'")
    field("other rank", A + (0, "shape"), [2, -1, 4], "input 'x': expected rank 3, [2, ?, 4], found rank 2, [2, 40]")
    field("other extent", A + (0, "shape"), [3, -1], "input 'x': expected 3 in dimension 0, found [2, 40]")
    field("disagreeing extent", A + (0, "shape"), [good.dim(0, 1), -1], "input 'x': expected 40 in dimension 0 to agree with the other inputs, found [2, 40]")
    damaged("kernel twice", lambda m: m["kernels"].append(m["kernels"][0]), "kernels[1].name: expected one kernel of a name for each target, found 'scale' for sm_80 twice")

    damaged("empty", lambda m: b"", "manifest.json': expected JSON, found a fault at")
    damaged("not JSON", lambda m: b"{format}", "expected JSON, found a fault at")
    damaged("cut off", lambda m: json.dumps(m).encode()[:-9], "expected JSON, found a fault at")
    damaged("array", lambda m: b"[]", "expected an object, found an array of 0")
    damaged("bad UTF-8", lambda m: b'{"format": "\xff"}', "expected JSON, found a fault at")
    damaged("deep", lambda m: b"[" * 100000, "expected brackets at most 64 deep, found deeper ones")
    damaged("deep objects", lambda m: b'{"a":' * 100000, "expected brackets at most 64 deep, found deeper ones")
    damaged("large", lambda m: b" " * ((16 << 20) + 1), "expected at most 16777216 bytes, found 16777217")


def directories():
    check("missing", [os.path.join(ROOT, "absent")], "expected a package directory, found no such file or directory")
    check("file", [ARRAY], "expected a package directory, found a file")
    check("empty directory", [fresh("empty-directory")], "manifest.json': cannot be opened")
    manifest, files = good.package(good.kernels()[:1])
    linked = fresh("linked")
    good.write_package(linked, manifest, files)
    os.rename(os.path.join(linked, "kernels.ptx"), os.path.join(ROOT, "elsewhere.ptx"))
    os.symlink(os.path.join(ROOT, "elsewhere.ptx"), os.path.join(linked, "kernels.ptx"))
    check("linked file", [linked], "kernels.ptx': expected a regular file, found a symbolic link")
    linked = fresh("linked-manifest")
    os.symlink("/dev/zero", os.path.join(linked, "manifest.json"))
    check("linked manifest", [linked], "manifest.json': expected a regular file, found a symbolic link")
    piped = fresh("piped")
    os.mkfifo(os.path.join(piped, "manifest.json"))
    check("pipe", [piped], "manifest.json': expected a regular file, found a device or pipe")
    nested = fresh("nested")
    os.mkdir(os.path.join(nested, "manifest.json"))
    check("directory as file", [nested], "manifest.json': expected a regular file, found a directory")


def array(name, contents, words):
    directory = os.path.join(ROOT, "package")
    check(name, [directory, f"--input=@{array_file(contents)}"], words)


def arrays():
    good.write_package(os.path.join(ROOT, "package"), *good.package(good.kernels()[:1]))
    data = good.npy("f4", (2, 40))
    header = good.npy_header("<f4", (2, 40))
    array("npy empty", b"", "expected a .npy file, found an empty file")
    array("npy text", b"hello, world", "expected a .npy file, found the bytes 'hello,'")
    array("npy no version", data[:6], "expected the format's version, found the end of the file")
    array("npy version 9", data[:6] + b"\x09" + data[7:], "expected version 1, 2 or 3 of the format, found 9")
    array("npy no length", data[:9], "expected the header's length, found the end of the file")
    array("npy short header", data[:20], "expected a header of")
    array("npy huge header", data[:6] + b"\x02\x00" + b"\xff" * 4, "expected a header of at most 65536 bytes, found 4294967295")
    array("npy truncated", data[:-4], "expected 320 bytes of data for [2, 40] of f4, found 316")
    array("npy no data", header, "expected 320 bytes of data for [2, 40] of f4, found 0")
    array("npy too long", data + b"x", "expected 320 bytes of data for [2, 40] of f4, found 321")
    array("npy big-endian", good.npy_header(">f4", (2, 40)), "found '>f4', which is big-endian")
    array("npy objects", good.npy_header("|O", (2, 40)), "found '|O', which holds Python objects")
    array("npy structure", good.npy_header([("a", "<f4")], (2, 40)), "found a structured type")
    array("npy complex", good.npy_header("<c8", (2, 40)), "|u1, <u2, <u4, <u8, |b1; found '<c8'")
    array("npy text type", good.npy_header("<U4", (2, 40)), "found '<U4'")
    array("npy no order", good.npy_header("f4", (2, 40)), "found 'f4'")
    array("npy overflow", good.npy_header("<f4", (2**62, 2**62)), "expected fewer than 2^63 bytes, found the shape")
    array("npy byte overflow", good.npy_header("<f8", (2**61,)), "expected fewer than 2^63 bytes, found the shape")
    array("npy negative", good.npy_header("<f4", (-1, 40)), "expected an extent from 0 to 2^63-1 in 'shape', found '-1, 40)}")
    array("npy large extent", good.npy_header("<f4", (2**63,)), "expected an extent from 0 to 2^63-1 in 'shape'")
    array("npy many extents", good.npy_header("<f4", (1,) * 33), "expected at most 32 dimensions, found more")
    for name, text, words in (
        ("npy no header", b"", "header: expected '{', found the end of the header"),
        ("npy code", b"__import__('os')", "header: expected '{', found '__import__"),
        ("npy open", b"{'descr': '<f4'", "header: expected ',' or '}', found the end of the header"),
        ("npy open text", b"{'descr", "header: expected a key in quotes, found"),
        ("npy unknown key", b"{'strides': 1}", "expected 'descr', 'fortran_order' or 'shape', found 'strides'"),
        ("npy key twice", b"{'shape': (), 'shape': ()}", "header: expected 'shape' once, found it twice"),
        ("npy no colon", b"{'shape' ()}", "header: expected ':' after 'shape', found"),
        ("npy no shape", b"{'descr': '<f4', 'fortran_order': False}", "header: expected 'shape', found none"),
        ("npy no descr", b"{}", "header: expected 'descr', found none"),
        ("npy order word", b"{'fortran_order': Maybe}", "expected 'fortran_order' True or False, found 'Maybe}'"),
        ("npy list shape", b"{'shape': [2]}", "header: expected 'shape' in parentheses, found"),
        ("npy number shape", b"{'shape': (2)}", "header: expected ',' after the only extent of 'shape'"),
        ("npy open shape", b"{'shape': (2, ", "header: expected an extent from 0"),
        ("npy no comma", b"{'shape': (2 2)}", "header: expected ',' or ')' in 'shape', found"),
        ("npy trailing", b"{'descr': '<f4', 'fortran_order': False, 'shape': ()} + 1", "header: expected its end after '}', found '+ 1'"),
        ("npy type number", b"{'descr': 4}", "header: expected a type in quotes, found '4}'"),
    ):
        array(name, good.npy_prefix(text), words)
    array("npy integers", good.npy("i4", (2, 40)), "expected f2, f4 or f8 for an argument of type f32, found i4")
    array("npy rank", good.npy("f4", (80,)), "input 'x': expected rank 2, [2, ?], found rank 1, [80]")
    array("npy scalar", good.npy("f4", (), [1]), "input 'x': expected rank 2, [2, ?], found rank 0, []")
    directory = os.path.join(ROOT, "package")
    check("npy missing", [directory, f"--input=@{ROOT}/absent.npy"], "absent.npy': cannot be opened")
    check("npy directory", [directory, f"--input=@{ROOT}"], "expected a regular file, found a directory")
    check("npy device", [directory, "--input=@/dev/zero"], "expected a regular file, found a device or pipe")
    sparse = array_file(b"")
    os.truncate(sparse, 1 << 40)
    check("npy terabyte", [directory, f"--input=@{sparse}"], "expected at most 4294967296 bytes, found 1099511627776")
    os.truncate(sparse, 0)


os.makedirs(ROOT, exist_ok=True)
with open(ARRAY, "wb") as target:
    target.write(good.npy("f4", (2, 40)))
manifests()
directories()
arrays()
print(f"{cases} cases, {len(failures)} failures")
sys.exit(1 if failures else 0)

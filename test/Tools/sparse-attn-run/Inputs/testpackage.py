# ===- testpackage.py - Packages and arrays for the tests -----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# usage: testpackage.py package DIR
#        testpackage.py npy FILE TYPE SHAPE [VALUE...]    SHAPE as in 2x40
#        testpackage.py print FILE
#
# Writes a package of the kernels in kernels.ptx, writes an array (counting up
# from 0 when no values are given), or prints one. Needs no numpy, so that the
# reader and writer under test are compared with code of their own.
#
# ===----------------------------------------------------------------------===#

import hashlib
import json
import math
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CODES = {"f2": "e", "f4": "f", "f8": "d", "i4": "i", "i8": "q", "u1": "B", "b1": "?"}


def tensor(name, role, element, *shape):
    return {"name": name, "kind": "tensor", "role": role, "type": element, "shape": list(shape)}


def constant(value):
    return {"form": "constant", "value": value}


def dim(argument, index):
    return {"form": "dim", "of": [argument, index]}


def ceildiv(argument, index, by):
    return {"form": "ceildiv", "of": [argument, index], "by": by}


def kernel(name, threads, x, y, arguments):
    return {
        "name": name,
        "target": "sm_80",
        "file": "kernels.ptx",
        "threads": threads,
        "shared_memory": 0,
        "grid": {"x": x, "y": y, "z": constant(1)},
        "arguments": arguments,
        "decision_tile": [32, 32],
        "filter": {"kind": "recall", "recall": 0.75},
        "lists": None,
        "calls": 1,
    }


def kernels():
    rows = {"form": "product", "of": [[0, 0]]}
    length = {"name": "length", "kind": "dim", "of": [0, 1]}
    result = [
        kernel("scale", 32, ceildiv(0, 1, 32), rows, [
            tensor("x", "input", "f32", 2, -1),
            tensor("y", "output", "f32", 2, dim(0, 1)),
            tensor("recall_bound", "statistic", "f32", 2, ceildiv(0, 1, 32)),
            tensor("tile_counts", "statistic", "i32", 2, ceildiv(0, 1, 32), 2),
            length,
        ]),
        kernel("hole", 32, constant(1), constant(1), [
            tensor("x", "input", "f32", -1),
            tensor("y", "output", "i32", 32),
        ]),
        kernel("racy", 64, constant(1), constant(1), [
            tensor("x", "input", "f32", -1),
            tensor("y", "output", "i32", 1),
        ]),
        kernel("past_end", 32, constant(1), constant(1), [
            tensor("x", "input", "f32", -1),
            tensor("y", "output", "i32", 1),
            dict(length, of=[0, 0]),
        ]),
    ]
    return result


def copy_kernel(element):
    """Copies 16-bit elements: as f16 or as bf16, the bits are the same."""
    return kernel("copy", 32, ceildiv(0, 0, 32), constant(1), [
        tensor("x", "input", element, -1),
        tensor("y", "output", element, dim(0, 0)),
        {"name": "length", "kind": "dim", "of": [0, 0]},
    ])


def entry(contents):
    return {"sha256": hashlib.sha256(contents).hexdigest(), "bytes": len(contents)}


def package(all_kernels):
    """The manifest and the files of a package."""
    with open(os.path.join(HERE, "kernels.ptx"), "rb") as source:
        files = {"kernels.ptx": source.read(), "graph.mlir": b"module {}\n"}
    manifest = {
        "format": "sparse-attn-package",
        "version": 1,
        "producer": "testpackage.py",
        "files": {name: entry(contents) for name, contents in files.items()},
        "kernels": all_kernels,
    }
    return manifest, files


def write_package(directory, manifest, files):
    os.makedirs(directory, exist_ok=True)
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    for name, contents in {**files, "manifest.json": text}.items():
        with open(os.path.join(directory, name), "wb") as target:
            target.write(contents)


def npy_header(descr, shape, fortran=False, version=1):
    text = repr({"descr": descr, "fortran_order": fortran, "shape": tuple(shape)})
    return npy_prefix(text.encode() + b"\n", version)


def npy_prefix(header, version=1):
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header


def npy(element, shape, values=None, fortran=False, version=1):
    count = math.prod(shape)
    code = CODES[element]
    kind = float if element[0] == "f" else int
    if values is None:
        values = range(count)
    descr = ("|" if element[1] == "1" else "<") + element
    data = struct.pack(f"<{count}{code}", *(kind(value) for value in values))
    return npy_header(descr, shape, fortran, version) + data


def read_npy(contents):
    assert contents[:8] == b"\x93NUMPY\x01\x00" and contents.startswith(b"\x93NUMPY")
    (length,) = struct.unpack("<H", contents[8:10])
    assert (10 + length) % 64 == 0, "the data is not aligned"
    header = eval(contents[10 : 10 + length].decode(), {"__builtins__": {}})
    assert header["fortran_order"] is False
    element = header["descr"][1:]
    count = math.prod(header["shape"])
    values = struct.unpack(f"<{count}{CODES[element]}", contents[10 + length :])
    return element, header["shape"], values


def main(command, path, *rest):
    if command == "package":
        write_package(path, *package(kernels()))
        for element in ("f16", "bf16"):
            write_package(f"{path}-{element}", *package([copy_kernel(element)]))
    elif command == "npy":
        element, shape, *values = rest
        extents = [int(extent) for extent in shape.split("x")]
        with open(path, "wb") as target:
            target.write(npy(element, extents, values or None))
    else:
        with open(path, "rb") as source:
            element, shape, values = read_npy(source.read())
        print(element, list(shape), *(f"{value:g}" for value in values))


if __name__ == "__main__":
    main(*sys.argv[1:])

# ===- library.py - The project's libraries in this process ---------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles MLIR text and runs kernels over the C ABI (include/SparseAttn-c), by
ctypes: no binding depends on a version of Python."""

from __future__ import annotations

import ctypes
import functools
import json
import os
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np

from sparse_attn.rounding import to_bf16
from sparse_attn.tools import Package, Run, find_built


class LibraryError(RuntimeError):
    """What a library refused, in its words."""


class _Tensor(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("shape", POINTER(c_int64)), ("rank", c_size_t)]


class _Argument(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("role", c_int), ("type", c_char_p), ("rank", c_size_t)]


class _RunOptions(ctypes.Structure):
    _fields_ = [("seed", ctypes.c_uint64), ("check_races", c_bool), ("jobs", ctypes.c_uint),
                ("repeat", ctypes.c_uint64)]  # fmt: skip


class _CompileOptions(ctypes.Structure):
    _fields_ = [(name, c_char_p) for name in
                ("targets", "filter", "precision", "layout", "selection", "cache")]  # fmt: skip


_ROLES = ("input", "output", "statistic", "size")
_STORED = {"f16": "<f2", "bf16": "<u2", "f32": "<f4", "i1": "u1", "i32": "<i4", "i64": "<i8"}
_CURVES = {"raster": 0, "hilbert": 1, "gilbert": 2, "morton": 3}


@functools.cache
def _runtime() -> ctypes.CDLL:
    library = ctypes.CDLL(str(find_built("lib", "libsparse-attn-runtime.so")))
    handle, error = c_void_p, POINTER(c_void_p)
    signatures = {
        "PackageLoad": (c_bool, [c_char_p, POINTER(handle), error]),
        "PackageDestroy": (None, [handle]),
        "DeviceOpen": (c_bool, [c_char_p, POINTER(handle), error]),
        "DeviceDestroy": (None, [handle]),
        "KernelLoad": (c_bool, [handle, handle, c_char_p, POINTER(handle), error]),
        "KernelCountArguments": (c_size_t, [handle]),
        "KernelGetArgument": (_Argument, [handle, c_size_t]),
        "KernelDestroy": (None, [handle]),
        "KernelRun": (c_bool, [handle, POINTER(_Tensor), c_size_t, POINTER(_RunOptions),
                               POINTER(handle), error]),
        "RunGetResult": (_Tensor, [handle, c_size_t]),
        "RunGetStatistics": (c_char_p, [handle]),
        "RunDestroy": (None, [handle]),
        "KernelLaunch": (c_bool, [handle, c_void_p, POINTER(_Tensor), c_size_t, error]),
        "GetPermutation": (c_bool, [c_int, c_int64, c_int64, c_int64, c_int64, POINTER(c_int32),
                                    error]),
    }  # fmt: skip
    for name, (result, arguments) in signatures.items():
        function = getattr(library, f"sparseAttn{name}")
        function.restype, function.argtypes = result, arguments
    return library


@functools.cache
def _compiler() -> ctypes.CDLL:
    library = ctypes.CDLL(str(find_built("lib", "libsparse-attn-compiler.so")))
    library.sparseAttnCompile.restype = c_int
    library.sparseAttnCompile.argtypes = [
        c_char_p, c_size_t, POINTER(_CompileOptions), c_char_p, POINTER(c_void_p),
        POINTER(c_void_p)]  # fmt: skip
    return library


def _take(pointer: c_void_p) -> str:
    """A string that the library gave away."""
    if not pointer:
        return ""
    text = ctypes.string_at(pointer).decode()
    free = ctypes.CDLL(None).free
    free.argtypes = [c_void_p]
    free(pointer)
    return text


def _call(name: str, *arguments) -> None:
    """Calls a function that can fail; its line becomes the exception."""
    error = c_void_p()
    if not getattr(_runtime(), f"sparseAttn{name}")(*arguments, byref(error)):
        raise LibraryError(_take(error))


class _Handle:
    """An object of the runtime, destroyed with this one; `keep` lives as long."""

    def __init__(self, kind: str, maker: str, *arguments, keep=()):
        self.value, self.kind, self.keep = c_void_p(), kind, keep
        _call(maker, *arguments, byref(self.value))

    def __del__(self):
        if getattr(self, "value", None):
            getattr(_runtime(), f"sparseAttn{self.kind}Destroy")(self.value)


# ===----------------------------------------------------------------------===#
# Compiling
# ===----------------------------------------------------------------------===#


def compile_mlir(
    text: str,
    directory: Union[str, Path],
    *,
    targets: Sequence[str] = ("sm_80",),
    filter: Optional[str] = None,
    f32: Optional[str] = None,
    layout: Optional[str] = None,
    select: Optional[str] = None,
    cache: Optional[str] = None,
) -> Package:
    """Compiles a graph's MLIR text to a package in `directory`.

    The options are spelled as the flags of sparse-attn-compile. The package's
    `report` is the report as JSON. Raises LibraryError with the compiler's
    diagnostics, one a line."""

    def encode(value: Optional[str]) -> Optional[bytes]:
        return None if value is None else value.encode()

    options = _CompileOptions(
        ",".join(targets).encode(), *map(encode, (filter, f32, layout, select, cache))
    )
    data, report, messages = text.encode(), c_void_p(), c_void_p()
    status = _compiler().sparseAttnCompile(
        data, len(data), byref(options), os.fsencode(directory), byref(report), byref(messages)
    )
    said, found = _take(messages).strip(), _take(report)
    if status:
        raise LibraryError(said)
    return Package(Path(directory), found)


# ===----------------------------------------------------------------------===#
# Running
# ===----------------------------------------------------------------------===#


class Kernel:
    """A kernel of a package, loaded on a device.

    `function` may be left out where the package has one kernel. `device` is
    "emulator" or "cuda", the first GPU."""

    def __init__(self, package: Union[Package, str, Path], device: str = "emulator",
                 function: Optional[str] = None):  # fmt: skip
        path = package.path if isinstance(package, Package) else package
        loaded = _Handle("Package", "PackageLoad", os.fsencode(path))
        opened = _Handle("Device", "DeviceOpen", device.encode())
        self._handle = _Handle("Kernel", "KernelLoad", loaded.value, opened.value,
                               function.encode() if function else None, keep=(loaded, opened))  # fmt: skip
        count = _runtime().sparseAttnKernelCountArguments(self._handle.value)
        found = [
            _runtime().sparseAttnKernelGetArgument(self._handle.value, n) for n in range(count)
        ]
        self.arguments = [(a.name.decode(), _ROLES[a.role], a.type.decode()) for a in found]
        """name, role (input, output, statistic, size) and element type, in order"""

    def run(self, arrays: dict, *, check_races: bool = False, seed: int = 0, jobs: int = 0,
            repeat: int = 1) -> Run:  # fmt: skip
        """Runs on NumPy arrays by the names of inputs, to completion.

        Floating-point arrays are converted to the kernel's type; bf16 results
        are float32. Raises LibraryError for wrong names, shapes and types, and
        for what the emulator finds."""
        inputs = [argument for argument in self.arguments if argument[1] == "input"]
        names = [name for name, _, _ in inputs]
        if set(arrays) != set(names):
            raise LibraryError(f"expected the inputs {names}, found {sorted(arrays)}")
        stored = [_store(arrays[name], kind, name) for name, _, kind in inputs]
        options = _RunOptions(seed, check_races, jobs, repeat)
        done = _Handle("Run", "KernelRun", self._handle.value,
                       (_Tensor * len(stored))(*map(_describe, stored)), len(stored),
                       byref(options), keep=(self._handle,))  # fmt: skip
        results = {
            name: _load(_runtime().sparseAttnRunGetResult(done.value, number), kind)
            for number, (name, role, kind) in enumerate(self.arguments)
            if role in ("output", "statistic")
        }
        stats = json.loads(_runtime().sparseAttnRunGetStatistics(done.value))
        return Run(results, stats["kernels"][0])

    def launch(self, stream: int, tensors: Sequence[tuple]) -> None:
        """Enqueues the kernel on a CUstream of the first GPU and returns.

        `tensors` are pairs (address, shape) in GPU memory, one for each argument
        that is no size, in order."""
        kept = [(c_int64 * len(shape))(*shape) for _, shape in tensors]
        described = [_Tensor(t[0], s, len(s)) for t, s in zip(tensors, kept)]
        _call("KernelLaunch", self._handle.value, stream,
              (_Tensor * len(described))(*described), len(described))  # fmt: skip


def run(package: Union[Package, str, Path], arrays: dict, *, device: str = "emulator",
        function: Optional[str] = None, **options) -> Run:  # fmt: skip
    """Runs a kernel of `package` on `arrays`; see Kernel and Kernel.run."""
    return Kernel(package, device, function).run(arrays, **options)


def _store(array: np.ndarray, kind: str, name: str) -> np.ndarray:
    """`array` as the kernel stores it."""
    array = np.asarray(array)
    if (array.dtype.kind == "f") != (kind in ("f16", "bf16", "f32")):
        raise LibraryError(f"input '{name}': expected the type {kind}, found {array.dtype}")
    if kind == "bf16":
        bits = np.ascontiguousarray(to_bf16(array.astype("<f4"))).astype("<f4").view("<u4")
        return np.ascontiguousarray((bits >> 16).astype("<u2"))
    stored = np.ascontiguousarray(array.astype(_STORED[kind]))
    if kind.startswith("i") and not np.array_equal(stored, array):
        raise LibraryError(f"input '{name}': expected numbers that fit into {kind}")
    return stored


def _describe(array: np.ndarray) -> _Tensor:
    shape = (c_int64 * array.ndim)(*array.shape)
    return _Tensor(array.ctypes.data, shape, array.ndim)


def _load(tensor: _Tensor, kind: str) -> np.ndarray:
    """A copy of a result; bf16 becomes float32."""
    shape = tuple(tensor.shape[n] for n in range(tensor.rank))
    stored = np.empty(shape, _STORED[kind])
    if stored.nbytes:
        ctypes.memmove(stored.ctypes.data, tensor.data, stored.nbytes)
    if kind == "bf16":
        return (stored.astype("<u4") << 16).view("<f4")
    return stored.astype(bool) if kind == "i1" else stored


# ===----------------------------------------------------------------------===#
# Token orders
# ===----------------------------------------------------------------------===#


def permutation(curve: str, grid: Sequence[int], tail: int = 0) -> np.ndarray:
    """The raster position of each token of a grid (frames, rows, columns) in the
    order of `curve`: raster, hilbert, gilbert or morton. `tail` tokens stay behind.

    `x[permutation("hilbert", grid)]` puts tokens along the curve; int32."""
    if curve not in _CURVES:
        raise LibraryError(f"expected one of the curves {', '.join(_CURVES)}, found '{curve}'")
    if len(grid) != 3 or min(grid) < 1 or tail < 0:
        raise LibraryError(f"expected three extents of at least 1, found {tuple(grid)}")
    result = np.empty(int(np.prod(grid, dtype=object)) + tail, np.int32)
    _call("GetPermutation", _CURVES[curve], *grid, tail,
          result.ctypes.data_as(POINTER(c_int32)))  # fmt: skip
    return result


def hilbert_permutation(grid: Sequence[int], tail: int = 0) -> np.ndarray:
    """`permutation("hilbert", grid, tail)`."""
    return permutation("hilbert", grid, tail)

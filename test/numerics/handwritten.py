# ===- handwritten.py - The hand-written kernels and their launches --------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Kernels that the emulator's tests bring along, for instructions that the
compiler does not emit. Each runs by `ptx-emulate` on random inputs and is
compared with float64."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np

from sparse_attn import tools
from sparse_attn.rounding import ROUND

FOLDER = Path(__file__).parent / "kernels"
SHARED = {"flash": 5 * 32768 + 128, "multicast": 49408}


@dataclass
class Case:
    """Arrays to save, arguments of the launch that name them, and what each
    output must be, with its tolerance."""

    inputs: dict
    arguments: list
    expected: dict
    decode: Callable = lambda found: found


def bf16_bits(values: np.ndarray) -> np.ndarray:
    return (ROUND["bf16"](values.astype("f4")).view("u4") >> 16).astype("u2")


def bf16_values(bits: np.ndarray) -> np.ndarray:
    return (bits.astype("u4") << 16).view("f4")


def fp8_values(codes: np.ndarray) -> np.ndarray:
    """e4m3 as numbers."""
    fraction, exponent = codes & 7, codes >> 3 & 15
    magnitude = np.where(exponent > 0, np.ldexp(8.0 + fraction, exponent.astype(int) - 10),
                         np.ldexp(1.0 * fraction, -9))  # fmt: skip
    return np.where(codes & 0x80, -magnitude, magnitude)


def flash(queries: int, tiles: int, seed: int = 0) -> Case:
    """Attention of [queries, 128] on tiles of 128 keys; see FlashKernel.h."""
    random = np.random.default_rng(seed)
    lengths = dict(q=queries, k=tiles * 128, v=tiles * 128)
    bits = {x: bf16_bits(random.standard_normal((n, 128))) for x, n in lengths.items()}
    q, k, v = (bf16_values(bits[x]).astype("f8") for x in "qkv")
    scores = q @ k.T / np.sqrt(128)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    out = weights / weights.sum(axis=1, keepdims=True) @ v
    box = "map={}x64,swizzle=128:{}"
    arguments = [f"--grid={-(-queries // 128)}", "--block=384", "--arg=@{tiles}", "--arg=null"]
    arguments += ["--arg=" + box.format(128, "@{" + x + "}") for x in "qkv"]
    arguments += ["--arg=" + box.format(64, f"out:u2:{queries}x128:@{{o}}")]
    inputs = {**bits, "tiles": np.array([tiles], "u4")}
    return Case(inputs, arguments, {"o": (out, 1.5 * 2.0**-8 * np.abs(out).max())}, bf16_values)


def multicast(rows: int, depth: int, seed: int = 0) -> Case:
    """[rows, depth] times [64, depth]; see multicast.ptx."""
    random = np.random.default_rng(seed)
    a, b = (random.standard_normal((n, depth)).astype("f2") for n in (rows, 64))
    out = a.astype("f8") @ b.astype("f8").T
    arguments = [
        f"--grid={rows // 64}", "--arg=map=64x64,swizzle=128:@{a}",
        "--arg=map=32x64,swizzle=128:@{b}", f"--arg=out:f4:{rows}x64:@{{c}}",
        f"--arg={depth // 64}",
    ]  # fmt: skip
    return Case(dict(a=a, b=b), arguments, {"c": (out, 1e-5 * np.abs(out).max())})


def fp8(rows: int, depth: int, seed: int = 0) -> Case:
    """[rows, depth] times [32, depth]; see fp8.ptx."""
    random = np.random.default_rng(seed)
    a, b = (random.integers(0, 0x48, (n, depth)) | random.choice([0, 0x80], (n, depth))
            for n in (rows, 32))  # fmt: skip
    out = fp8_values(a) @ fp8_values(b).T
    largest = np.abs(out).max(keepdims=True).reshape(1)
    arguments = [
        f"--grid={-(-rows // 32)}", "--arg=@{a}", "--arg=@{b}", f"--arg=out:f4:{rows}x32:@{{c}}",
        "--arg=zeros:f4:1:@{m}", f"--arg={rows}", f"--arg={depth}",
    ]  # fmt: skip
    expected = {"c": (out, 1e-5 * largest[0]), "m": (largest, 1e-5 * largest[0])}
    return Case(dict(a=a.astype("u1"), b=b.astype("u1")), arguments, expected)


# The first cases of each catch nearly all; lengths are short, with a tail where
# the kernel knows one, and long enough to use every stage again.
CASES = {
    "flash": [flash(136, 4), flash(72, 1), flash(64, 12)],
    "multicast": [multicast(256, 320), multicast(128, 64)],
    "fp8": [fp8(40, 448, seed=1), fp8(20, 128), fp8(64, 192, seed=4)],
}


def text_of(name: str) -> str:
    if name == "flash":
        return tools.call("sparse-attn-test-flash")
    return (FOLDER / f"{name}.ptx").read_text()


def run(name: str, text: str, case: Case, folder: Path, *flags: str, limit: float = 600,
        check: str = "memory,races") -> str:  # fmt: skip
    """Runs `text` on a case: what is wrong with it, or nothing. Raises a
    ToolError where the emulator finds a fault."""
    folder.mkdir(exist_ok=True)
    (folder / "kernel.ptx").write_text(text)
    paths = {x: folder / f"{x}.npy" for x in [*case.inputs, *case.expected]}
    for x, array in case.inputs.items():
        np.save(paths[x], array)
    arguments = [argument.format(**paths) for argument in case.arguments]
    tools.call("ptx-emulate", folder / "kernel.ptx", f"--shared={SHARED.get(name, 0)}", "--jobs=1",
               f"--check={check}", *arguments, *flags, limit=limit)  # fmt: skip
    for x, (expected, tolerance) in case.expected.items():
        found = case.decode(np.load(paths[x]))
        if not np.all(np.abs(found - expected) <= tolerance):
            return f"wrong {x}"
    return ""

# ===- rounding.py - The number formats of tensor cores, in numpy ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Rounds to f16, bf16 and tf32, and multiplies as tensor cores do: products
of rounded operands, summed in f32. All arrays hold f32 values."""

from __future__ import annotations

import numpy as np


def to_bf16(x: np.ndarray) -> np.ndarray:
    """Rounds to the nearest bf16, ties to even; NaN and infinities stay."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(x), rounded.view(np.float32), x).astype(np.float32)


def to_tf32(x: np.ndarray) -> np.ndarray:
    """Rounds to 10 fraction bits, ties away from zero (cvt.rna.tf32)."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = (bits + 0x1000) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(x), rounded.view(np.float32), x).astype(np.float32)


def to_f16(x: np.ndarray) -> np.ndarray:
    """Rounds to the nearest f16, ties to even."""
    with np.errstate(over="ignore"):
        return np.asarray(x, np.float32).astype(np.float16).astype(np.float32)


def to_f32(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, np.float32)


ROUND = {"f16": to_f16, "bf16": to_bf16, "f32": to_f32, "tf32": to_tf32}

# Distance from 1 to the next number.
EPSILON = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23}


def multiply(a: np.ndarray, b: np.ndarray, mode: str) -> np.ndarray:
    """a @ b with operands in `mode` (f16, bf16, tf32, tf32x3), f32 sums."""
    if mode == "tf32x3":
        # Each operand is a sum of two tf32 numbers; the product of the two
        # small parts is below f32's own rounding and left out.
        a_high, b_high = to_tf32(a), to_tf32(b)
        a_low, b_low = to_tf32(a - a_high), to_tf32(b - b_high)
        return (a_low @ b_high + a_high @ b_low) + a_high @ b_high
    return ROUND[mode](a) @ ROUND[mode](b)


def operand_mode(element: str, precision: str) -> str:
    """How operands of type `element` enter the tensor cores."""
    return precision if element == "f32" else element

# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiler for sparse attention: compile MLIR text to a kernel package, run it
on the emulator or a GPU, and put tokens of video along a curve.

Beside this: `reference`, filtered attention in float64; `modules`, MLIR text for
one attention; `tools`, calls of the command-line tools; `iree`, whole models."""

_LIBRARY = ("Kernel", "LibraryError", "compile_mlir", "hilbert_permutation", "permutation", "run")
__all__ = [*_LIBRARY]


def __getattr__(name: str):
    # The reference needs no library, so none is loaded before it is asked for.
    if name in _LIBRARY:
        from sparse_attn import library

        return getattr(library, name)
    raise AttributeError(f"module 'sparse_attn' has no attribute '{name}'")

# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs of IREE whose attention runs in kernels of this project: the command
`sparse-attn-iree-compile` and what it consists of."""

//===- FlashKernel.h - A warp-specialised attention kernel ---- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_UNITTESTS_EMULATOR_FLASHKERNEL_H
#define SPARSEATTN_UNITTESTS_EMULATOR_FLASHKERNEL_H

#include <string>

namespace sparse_attn::emulator::test {

/// Attention of 128 queries a block with head_dim 128 in bf16, written by hand
/// in the way of FlashAttention-3 for sm_90a: a producer that loads Q, K and V
/// through tensor maps 0 to 2 into a ring of two stages, and two warpgroups of
/// consumers that take turns at issuing wgmma (P stays in registers) and store
/// the result through map 3. The input is the number of tiles of 128 keys.
std::string flashKernel();

constexpr unsigned flashSharedBytes = 5 * 32768 + 128;

} // namespace sparse_attn::emulator::test

#endif // SPARSEATTN_UNITTESTS_EMULATOR_FLASHKERNEL_H

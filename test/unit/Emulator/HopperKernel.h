//===- HopperKernel.h - The frame of sm_90a kernels ----------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_UNITTESTS_EMULATOR_HOPPERKERNEL_H
#define SPARSEATTN_UNITTESTS_EMULATOR_HOPPERKERNEL_H

#include <string>

namespace sparse_attn::emulator::test {

/// One kernel "k" for sm_90a with the parameters `in`, `out` and four tensor
/// maps: declares registers, loads the pointers to %in and %out, the addresses
/// of the maps to %map0 to %map3 and the thread index to %t, and executes
/// `body`.
std::string hopperKernel(const std::string &body,
                         const std::string &module = "",
                         const std::string &directives = "");

} // namespace sparse_attn::emulator::test

#endif // SPARSEATTN_UNITTESTS_EMULATOR_HOPPERKERNEL_H

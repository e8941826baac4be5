//===- sparse-attn-test-flash.cpp - Prints a kernel for sm_90a ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints the hand-written FlashAttention-3 class kernel of the emulator's unit
// tests, for tests and benchmarks that run it as a file.
//
//===----------------------------------------------------------------------===//
#include "../../unit/Emulator/FlashKernel.h"

#include <cstdio>

int main() {
  std::string text = sparse_attn::emulator::test::flashKernel();
  return std::fwrite(text.data(), 1, text.size(), stdout) != text.size();
}

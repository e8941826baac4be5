//===- emulate.cpp - The emulator from another project ------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Emulator/Emulator.h"
#include <cstdio>

int main() {
  sparse_attn::emulator::Error error;
  auto program = sparse_attn::emulator::Program::parse(
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".visible .entry nothing()\n{\n ret;\n}\n",
      error);
  std::printf("entries: %zu\n", program ? program->entries().size() : 0);
}

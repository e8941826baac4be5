//===- Error.cpp - Emulator diagnostics -----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Emulator/Emulator.h"

std::string sparse_attn::emulator::Error::str() const {
  return line ? "line " + std::to_string(line) + ": " + message : message;
}

//===- Modules.h - Loaded PTX --------------------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_CUDAEMULATOR_MODULES_H
#define SPARSEATTN_LIB_CUDAEMULATOR_MODULES_H

#include "Machine.h"

namespace sparse_attn::cuda_emulator {

/// A kernel; also what CUkernel points to.
struct Function {
  CUmodule module = nullptr;
  /// Work that was submitted outlives its module.
  std::shared_ptr<const emulator::Program> program;
  const emulator::EntryPoint *entry = nullptr;
  /// What the module's variables hold from launch to launch.
  std::shared_ptr<std::vector<uint8_t>> variables;
  int maxDynamicShared = 48 * 1024;
};

struct Module {
  std::shared_ptr<const emulator::Program> program;
  std::vector<Function *> functions;
};

} // namespace sparse_attn::cuda_emulator

#endif // SPARSEATTN_LIB_CUDAEMULATOR_MODULES_H

//===- ControlFlow.h - Reconvergence points ------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_CONTROLFLOW_H
#define SPARSEATTN_LIB_EMULATOR_CONTROLFLOW_H

#include "Code.h"

namespace sparse_attn::emulator {

/// Inserts a join instruction before every block that several others lead to,
/// and sets `Inst::join` of every branch to its immediate post-dominator.
void insertJoins(Kernel &kernel);

/// Handlers that control flow is recognised by.
void runBranch(Warp &warp, const Inst &inst, const uint32_t *slots);
void runBranchIndexed(Warp &warp, const Inst &inst, const uint32_t *slots);
void runExit(Warp &warp, const Inst &inst, const uint32_t *slots);
void runTrap(Warp &warp, const Inst &inst, const uint32_t *slots);
void runJoin(Warp &warp, const Inst &inst, const uint32_t *slots);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_CONTROLFLOW_H

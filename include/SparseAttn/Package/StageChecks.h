//===- StageChecks.h - Every floor computes the same ---------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel is executed after each step of its lowering, on inputs small enough
// for a CPU: the reference by linalg, tile IR by its interpreter, PTX by the
// emulator. Neighbours are compared, so a wrong pass is named and not just a
// wrong result.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_STAGECHECKS_H
#define SPARSEATTN_PACKAGE_STAGECHECKS_H

#include "SparseAttn/Package/Compiler.h"

namespace mlir::sparse_attn {

/// Checks every kernel of `compilation` that was compiled. Says in `os` which
/// stages agree; a difference is an internal error. `prepare` sees the pass
/// manager of each kernel's lowering before it runs: tests break a pass there.
Outcome checkStages(const Compilation &compilation, uint64_t seed,
                    DiagnosticCollector &diagnostics, raw_ostream &os,
                    std::function<void(PassManager &)> prepare = {});

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_STAGECHECKS_H

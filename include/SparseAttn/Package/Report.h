//===- Report.h - What a compilation found and chose ---------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_REPORT_H
#define SPARSEATTN_PACKAGE_REPORT_H

#include "SparseAttn/Package/Compiler.h"
#include "llvm/Support/JSON.h"

namespace mlir::sparse_attn {

/// Prints a table of kernels, and a line for each softmax of the graph: its
/// kernel, or the reason why there is none.
void printReport(raw_ostream &os, const Compilation &compilation,
                 bool hasPtxas);

/// The same for programs.
llvm::json::Object buildReport(const Compilation &compilation, bool hasPtxas);

/// "raise 12 ms, plan 3 ms, ptx 80 ms".
void printPhases(raw_ostream &os, const Compilation &compilation);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_REPORT_H

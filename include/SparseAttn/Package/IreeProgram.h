//===- IreeProgram.h - A compilation as a program of IREE ----- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The way back into IREE: what `iree-compile --compile-to=preprocessing` wrote
// goes on at `--compile-from=preprocessing` with our kernels in it. IREE's
// dialects are not linked; its operations are built in the generic form, which
// is the one spelling that both parsers share.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_IREEPROGRAM_H
#define SPARSEATTN_PACKAGE_IREEPROGRAM_H

#include "SparseAttn/Package/Compiler.h"

namespace mlir::sparse_attn {

/// Turns `compilation.graph` into IREE's dialects and upstream's alone. Each
/// kernel becomes a `hal.executable` with its PTX inline, one variant for each
/// target that the device is asked for at run time, and each call of it a
/// `flow.dispatch`. An attention without a kernel for every target becomes
/// linalg, with a warning that says why: IREE compiles it then.
///
/// The kernels must have been compiled without statistics.
Outcome buildIreeProgram(Compilation &compilation,
                         DiagnosticCollector &diagnostics);

/// The program as IREE's parser takes it: generic, without aliases or hex.
std::string printIreeProgram(const Compilation &compilation);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_IREEPROGRAM_H

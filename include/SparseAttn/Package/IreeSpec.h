//===- IreeSpec.h - A transform spec for stock iree-compile --- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The way without a second run: iree-compile reads the spec by
// --iree-preprocessing-transform-spec-filename and puts kernels in the place of
// the attentions that it matches. Each matched attention stands alone, with
// masks as operands: a spec sees one operation with its constants, not the
// graph around it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_IREESPEC_H
#define SPARSEATTN_PACKAGE_IREESPEC_H

#include "SparseAttn/Package/Compiler.h"

namespace mlir::sparse_attn {

/// Replaces what is in `graph` by one function for each distinct
/// `iree_linalg_ext.attention` of it, named `attention_site_N`: the operation
/// with the constants and empty tensors that it takes. Fails, after an error,
/// where there is none; a warning names each that cannot stand alone.
LogicalResult isolateAttentions(ModuleOp graph,
                                DiagnosticCollector &diagnostics);

/// Turns `compilation`, of a graph whose attentions were isolated, into a
/// transform spec: executables, functions that dispatch them, and matchers of
/// the operations in `sites`, the isolated graph before it was raised.
Outcome buildIreeSpec(Compilation &compilation, ModuleOp sites,
                      DiagnosticCollector &diagnostics);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_IREESPEC_H

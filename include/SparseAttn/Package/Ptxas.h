//===- Ptxas.h - NVIDIA's assembler, where there is one ------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_PTXAS_H
#define SPARSEATTN_PACKAGE_PTXAS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>

namespace mlir::sparse_attn {

/// What ptxas says of one kernel.
struct PtxasUsage {
  unsigned registers = 0;
  /// Bytes of stores and loads that spilled registers cost.
  unsigned spillStores = 0, spillLoads = 0;
  unsigned stackBytes = 0;
  /// Shared memory that the PTX itself declares; dynamic memory is not in it.
  unsigned sharedBytes = 0;
};

/// The path of ptxas: $SPARSE_ATTN_PTXAS ("none" hides it), PATH, and
/// /usr/local/cuda/bin, in this order. Nothing where there is none.
std::optional<std::string> findPtxas();

/// Parses what `ptxas -v` prints for a module of one kernel.
std::optional<PtxasUsage> parsePtxasOutput(llvm::StringRef text);

/// Assembles the PTX in `file` and throws the result away. An error holds what
/// ptxas printed.
llvm::Expected<PtxasUsage> runPtxas(llvm::StringRef ptxas, llvm::StringRef chip,
                                    llvm::StringRef file);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_PTXAS_H

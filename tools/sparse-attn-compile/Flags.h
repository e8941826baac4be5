//===- Flags.h - The command line of sparse-attn-compile ------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TOOLS_SPARSEATTNCOMPILE_FLAGS_H
#define SPARSEATTN_TOOLS_SPARSEATTNCOMPILE_FLAGS_H

#include "SparseAttn/Package/Compiler.h"

namespace mlir::sparse_attn {

enum class Emit { Package, Ptx, Mlir, Iree, IreeSpec };

struct Flags {
  std::string input;
  std::string output;
  Emit emit = Emit::Package;
  bool jsonReport = false;
  bool checkStages = false;
  /// Seed of the inputs of stage checks.
  uint64_t seed = 0;
  std::optional<unsigned> expectedAttentions;
  CompileOptions compile;

  /// Whether IREE goes on with what is written.
  bool isForIree() const {
    return emit == Emit::Iree || emit == Emit::IreeSpec;
  }
  bool toStdout() const { return output == "-"; }
};

/// Parses the command line; prints one error and returns an exit code where
/// that fails or where nothing is left to do.
std::optional<int> parseFlags(int argc, char **argv, Flags &flags);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_TOOLS_SPARSEATTNCOMPILE_FLAGS_H

//===- CommandLine.h - Flags of the tools -----------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_RUNTIME_COMMANDLINE_H
#define SPARSEATTN_RUNTIME_COMMANDLINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace sparse_attn::runtime {

/// Parses the flags of `tool` with LLVM's parser. `names` are the tool's own
/// flags, which `registerFlags` creates: flags of LLVM's library with such
/// names are moved aside before, all of them are hidden from --help. Prints
/// and exits for --help and --version.
llvm::Error parseCommandLine(int argc, char **argv, llvm::StringRef tool,
                             llvm::StringRef overview,
                             llvm::function_ref<void()> registerFlags,
                             llvm::ArrayRef<llvm::StringRef> names);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_COMMANDLINE_H

//===- CommandLine.h - Flags of the tools -----------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_RUNTIME_COMMANDLINE_H
#define SPARSEATTN_RUNTIME_COMMANDLINE_H

#include "SparseAttn/Emulator/Emulator.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/CommandLine.h"
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

/// Reads a number from `minimum` to `maximum` where the flag is given.
llvm::Error readInteger(const llvm::cl::opt<std::string> &flag,
                        uint64_t minimum, uint64_t maximum, uint64_t &result);

/// Reads the words of --check, and that --jobs does not contradict them.
llvm::Error readChecks(llvm::ArrayRef<llvm::StringRef> kinds, unsigned jobs,
                       bool &races);

/// Reads --mma-model where it is given.
llvm::Error readMmaModel(const llvm::cl::opt<std::string> &flag,
                         emulator::MmaModel &result);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_COMMANDLINE_H

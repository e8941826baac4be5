//===- Bindings.h - Files for a kernel's arguments --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matches the files of the command line with the arguments of a kernel, and
// reads and writes them.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TOOLS_RUN_BINDINGS_H
#define SPARSEATTN_TOOLS_RUN_BINDINGS_H

#include "Options.h"

namespace sparse_attn::run {

/// The file for each argument of the kernel; empty for none.
using ArgumentFiles = std::vector<std::string>;

struct Bindings {
  ArgumentFiles inputs;
  ArgumentFiles outputs;
  ArgumentFiles expected;
};

/// Every input must have a file; outputs and expected values may.
llvm::Expected<Bindings> bindArguments(const Options &options,
                                       const runtime::Kernel &kernel);

/// Reads and converts the inputs; one entry for each argument. Values that
/// become infinite are noted on standard error.
llvm::Expected<std::vector<runtime::Tensor>>
readInputs(const Bindings &bindings, const runtime::Kernel &kernel,
           uint64_t byteLimit);

/// Writes the outputs that have a file. Elements that no thread block computed
/// are noted on standard error.
llvm::Error writeOutputs(const Bindings &bindings,
                         const runtime::Kernel &kernel,
                         const runtime::KernelRun &run);

/// Compares the outputs that have expected values. `largest` receives the
/// largest difference.
llvm::Error compareOutputs(const Options &options, const Bindings &bindings,
                           const runtime::Kernel &kernel,
                           const runtime::KernelRun &run, double &largest);

} // namespace sparse_attn::run

#endif // SPARSEATTN_TOOLS_RUN_BINDINGS_H

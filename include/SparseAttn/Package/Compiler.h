//===- Compiler.h - From the text of a graph to PTX ----------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The steps of sparse-attn-compile, in process: raise, plan, lower, assemble.
// The tool adds files and words around them.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_COMPILER_H
#define SPARSEATTN_PACKAGE_COMPILER_H

#include "SparseAttn/Package/Diagnostics.h"
#include "SparseAttn/Package/InputLimits.h"
#include "SparseAttn/Package/PackageWriter.h"
#include "SparseAttn/Package/Ptxas.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlir::sparse_attn {

/// How a compilation ended; the values are exit codes.
enum class Outcome { Success = 0, UserError = 1, InternalError = 2 };

struct CompileOptions {
  InputLimits limits;
  /// Chips that TargetInfo knows, each once.
  std::vector<std::string> targets;
  /// As the flags spell them; empty leaves unstated what the IR leaves so.
  std::string filter, precision, layout, selection, cache;
  /// Whether kernels give what monitors a filter beside what the graph asks.
  bool statistics = true;
  /// Folder for the IR after each step and each pass; none if empty.
  std::string dumpDirectory;
  /// ptxas to ask about each kernel.
  std::optional<std::string> ptxas;
  /// Applied to the graph once it is parsed; says itself what is wrong with it.
  std::function<LogicalResult(ModuleOp)> prepare;
  /// Applied to every pass manager before it runs.
  std::function<LogicalResult(PassManager &)> configure;
};

/// An attention of the input.
struct FoundAttention {
  /// "file:line:col", if it has one.
  std::string place;
  /// Its kernel; empty if it stays in the graph.
  std::string kernel;
};

/// A kernel for one target.
struct CompiledKernel {
  std::string name;
  /// The attention with schedule and statistics; owned by the target's module.
  func::FuncOp function;
  std::string ptx;
  int64_t threads = 0, sharedMemory = 0;
  /// Why there is no PTX; empty if there is.
  std::string refusal;
  std::optional<PtxasUsage> usage;

  /// The name of its file in a package.
  std::string fileName(StringRef target) const {
    return name + "." + target.str() + ".ptx";
  }
};

struct CompiledTarget {
  std::string chip;
  /// The scheduled kernel functions.
  OwningOpRef<ModuleOp> module;
  std::vector<CompiledKernel> kernels;
};

struct Compilation {
  /// The input with calls of kernels in place of attentions.
  OwningOpRef<ModuleOp> graph;
  std::vector<FoundAttention> attentions;
  /// How often the graph calls each kernel.
  llvm::StringMap<int64_t> calls;
  std::vector<CompiledTarget> targets;
  /// Softmaxes and attentions that stay in the graph, with reasons.
  std::vector<Refusal> notRaised, notOutlined;
  /// Milliseconds by step, in order.
  std::vector<std::pair<std::string, double>> phases;

  /// How often the graph calls `kernel`.
  int64_t countCalls(StringRef kernel) const;
};

/// Registers what compilation needs: dialects, interfaces, passes.
void registerCompilerDialects(DialectRegistry &registry);

/// Runs the steps on the text in `input`. Diagnostics go to `diagnostics`.
Outcome compile(MLIRContext &context, std::unique_ptr<llvm::MemoryBuffer> input,
                const CompileOptions &options, DiagnosticCollector &diagnostics,
                Compilation &result);

/// The graph as text that parses again.
std::string printGraph(const Compilation &compilation);

/// The files and the manifest of a package.
void buildPackage(const Compilation &compilation,
                  std::vector<PackageFile> &files, std::string &manifest);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_COMPILER_H

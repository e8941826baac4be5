//===- sparse-attn-compile.cpp - From a model graph to a kernel package -- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Flags.h"
#include "SparseAttn/InitAll.h"
#include "SparseAttn/Package/IreeProgram.h"
#include "SparseAttn/Package/IreeSpec.h"
#include "SparseAttn/Package/Report.h"
#include "SparseAttn/Package/StageChecks.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Writes `text` to `path`, all of it or nothing.
static Outcome writeText(StringRef path, StringRef text,
                         DiagnosticCollector &diagnostics) {
  llvm::Error error = llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << text;
    return llvm::Error::success();
  });
  if (!error)
    return Outcome::Success;
  diagnostics.error("cannot write '" + path +
                    "': " + llvm::toString(std::move(error)));
  return Outcome::UserError;
}

/// All kernels of a target as one PTX module: what the modules declare alike
/// (version, target, shared memory) stays once.
static std::string joinPtx(const CompiledTarget &target) {
  std::string text;
  llvm::StringSet<> directives;
  for (const CompiledKernel &kernel : target.kernels) {
    SmallVector<StringRef> lines;
    StringRef(kernel.ptx).split(lines, '\n');
    for (StringRef line : lines) {
      bool atModule =
          line.starts_with(".version") || line.starts_with(".target") ||
          line.starts_with(".address_size") || line.starts_with(".extern");
      if (atModule && !directives.insert(line).second)
        continue;
      text += line.str() + '\n';
    }
  }
  return StringRef(text).rtrim('\n').str() + "\n";
}

/// The file for `chip`, from `-o` and the number of targets.
static std::string ptxPath(const Flags &flags, StringRef chip) {
  if (flags.compile.targets.size() == 1)
    return flags.output;
  StringRef extension = llvm::sys::path::extension(flags.output);
  StringRef stem = StringRef(flags.output).drop_back(extension.size());
  return (stem + "." + chip + extension).str();
}

static Outcome write(const Flags &flags, Compilation &compilation,
                     ModuleOp sites, DiagnosticCollector &diagnostics) {
  switch (flags.emit) {
  case Emit::Iree:
  case Emit::IreeSpec:
    if (Outcome outcome = sites ? buildIreeSpec(compilation, sites, diagnostics)
                                : buildIreeProgram(compilation, diagnostics);
        outcome != Outcome::Success)
      return outcome;
    return writeText(flags.output, printIreeProgram(compilation), diagnostics);
  case Emit::Mlir:
    return writeText(flags.output, printGraph(compilation), diagnostics);
  case Emit::Ptx:
    for (const CompiledTarget &target : compilation.targets)
      if (Outcome outcome = writeText(ptxPath(flags, target.chip),
                                      joinPtx(target), diagnostics);
          outcome != Outcome::Success)
        return outcome;
    return Outcome::Success;
  case Emit::Package: {
    std::vector<PackageFile> files;
    std::string manifest;
    buildPackage(compilation, files, manifest);
    llvm::Error error = writePackage(flags.output, files, manifest);
    if (!error)
      return Outcome::Success;
    diagnostics.error(llvm::toString(std::move(error)));
    return Outcome::UserError;
  }
  }
  llvm_unreachable("all kinds are written");
}

/// Whether what was compiled is worth writing; says why if not.
static Outcome judge(const Flags &flags, const Compilation &compilation,
                     DiagnosticCollector &diagnostics) {
  size_t found = compilation.attentions.size();
  if (flags.expectedAttentions && *flags.expectedAttentions != found) {
    diagnostics.error("expected " + Twine(*flags.expectedAttentions) +
                      " attentions, found " + Twine(found));
    return Outcome::UserError;
  }
  // IREE compiles what has no kernel.
  if (found == 0 || flags.emit == Emit::Mlir || flags.isForIree())
    return Outcome::Success;
  for (const CompiledTarget &target : compilation.targets) {
    if (llvm::any_of(target.kernels, [](const CompiledKernel &kernel) {
          return !kernel.ptx.empty();
        }))
      continue;
    std::string reason;
    if (!target.kernels.empty())
      reason = target.kernels.front().refusal;
    else if (!compilation.notOutlined.empty())
      reason = compilation.notOutlined.front().reason;
    diagnostics.error("no attention could be compiled for " +
                      Twine(target.chip) + ": " + reason);
    return Outcome::UserError;
  }
  return Outcome::Success;
}

static Outcome run(Flags &flags) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry);
  context.allowUnregisteredDialects();
  context.printOpOnDiagnostic(false);
  DiagnosticCollector diagnostics(&context, llvm::errs());

  InputFault fault;
  auto input = readInput(flags.input, flags.compile.limits, fault);
  if (!input) {
    diagnostics.error(fault.message);
    return Outcome::UserError;
  }
  // The graph is all that is asked for.
  if (flags.emit == Emit::Mlir)
    flags.compile.targets.clear();
  // Programs of IREE have no place for what their graph does not ask for.
  flags.compile.statistics = !flags.isForIree();
  OwningOpRef<ModuleOp> sites;
  if (flags.emit == Emit::IreeSpec)
    flags.compile.prepare = [&](ModuleOp graph) {
      if (failed(isolateAttentions(graph, diagnostics)))
        return failure();
      sites = graph.clone();
      return success();
    };
  Compilation compilation;
  Outcome outcome = compile(context, std::move(input), flags.compile,
                            diagnostics, compilation);
  if (outcome != Outcome::Success)
    return outcome;
  outcome = judge(flags, compilation, diagnostics);

  llvm::raw_ostream &os = flags.toStdout() ? llvm::errs() : llvm::outs();
  bool hasPtxas = flags.compile.ptxas.has_value();
  if (flags.jsonReport)
    os << llvm::formatv("{0:2}\n",
                        llvm::json::Value(buildReport(compilation, hasPtxas)));
  else
    printReport(os, compilation, hasPtxas);
  os.flush();
  printPhases(llvm::errs(), compilation);
  if (outcome != Outcome::Success)
    return outcome;

  bool hasKernels = !compilation.targets.empty() &&
                    !compilation.targets.front().kernels.empty();
  if (compilation.attentions.empty() && !hasKernels &&
      flags.emit != Emit::Mlir && !flags.isForIree()) {
    llvm::errs() << "nothing written: no attention was found in '"
                 << flags.input << "'\n";
    return Outcome::Success;
  }
  if (flags.checkStages)
    if (Outcome checked = checkStages(compilation, flags.seed, diagnostics, os);
        checked != Outcome::Success)
      return checked;
  return write(flags, compilation, sites ? *sites : ModuleOp(), diagnostics);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  sparse_attn::registerAllPasses();
  Flags flags;
  if (std::optional<int> code = parseFlags(argc, argv, flags))
    return *code;
  return static_cast<int>(run(flags));
}

//===- Compiler.cpp - From the text of a graph to a package, from C ------ ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn-c/Compiler.h"
#include "SparseAttn/Package/Compiler.h"
#include "SparseAttn/Package/Report.h"
#include "SparseAttn/Target/TargetInfo.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace mlir;
using namespace mlir::sparse_attn;

static StringRef orEmpty(const char *text) { return text ? text : ""; }

/// The options as the compiler takes them; says what is wrong with them.
static LogicalResult takeOptions(const SparseAttnCompileOptions *given,
                                 CompileOptions &options,
                                 DiagnosticCollector &diagnostics) {
  SparseAttnCompileOptions none = {};
  const SparseAttnCompileOptions &flags = given ? *given : none;
  SmallVector<StringRef> targets;
  StringRef names = flags.targets ? flags.targets : "sm_80";
  names.split(targets, ',');
  for (StringRef name : targets) {
    if (!TargetInfo::lookup(name)) {
      diagnostics.error("expected one of the targets " + TargetInfo::names() +
                        ", found '" + name + "'");
      return failure();
    }
    if (llvm::is_contained(options.targets, name)) {
      diagnostics.error("expected each target once, found '" + name +
                        "' again");
      return failure();
    }
    options.targets.push_back(name.str());
  }
  options.filter = orEmpty(flags.filter).str();
  options.precision = orEmpty(flags.precision).str();
  options.layout = orEmpty(flags.layout).str();
  options.selection = orEmpty(flags.selection).str();
  options.cache = orEmpty(flags.cache).str();
  return success();
}

static Outcome compileTo(StringRef text, const SparseAttnCompileOptions *given,
                         StringRef directory, raw_ostream &messages,
                         std::string &report) {
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry);
  context.allowUnregisteredDialects();
  context.printOpOnDiagnostic(false);
  DiagnosticCollector diagnostics(&context, messages);
  CompileOptions options;
  if (failed(takeOptions(given, options, diagnostics)))
    return Outcome::UserError;
  Compilation compilation;
  Outcome outcome =
      compile(context, llvm::MemoryBuffer::getMemBufferCopy(text, "text"),
              options, diagnostics, compilation);
  if (outcome != Outcome::Success)
    return outcome;
  if (compilation.attentions.empty()) {
    diagnostics.error("expected a graph with attention, found none");
    return Outcome::UserError;
  }
  std::vector<PackageFile> files;
  std::string manifest;
  buildPackage(compilation, files, manifest);
  if (llvm::Error error = writePackage(directory, files, manifest)) {
    diagnostics.error(llvm::toString(std::move(error)));
    return Outcome::UserError;
  }
  report = llvm::formatv("{0:2}", llvm::json::Value(buildReport(
                                      compilation, /*hasPtxas=*/false)))
               .str();
  return Outcome::Success;
}

int sparseAttnCompile(const char *text, size_t length,
                      const SparseAttnCompileOptions *options,
                      const char *directory, char **report, char **messages) {
  std::string said, found;
  llvm::raw_string_ostream stream(said);
  Outcome outcome =
      compileTo(StringRef(text, length), options, directory, stream, found);
  *report = outcome == Outcome::Success ? strdup(found.c_str()) : nullptr;
  *messages = strdup(said.c_str());
  return static_cast<int>(outcome);
}

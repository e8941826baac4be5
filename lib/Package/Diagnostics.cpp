//===- Diagnostics.cpp - What a compilation has to say ------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparse_attn;

std::string sparse_attn::formatPlace(Location loc) {
  std::string text;
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    llvm::raw_string_ostream(text) << file.getFilename().getValue() << ':'
                                   << file.getLine() << ':' << file.getColumn();
  return text;
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context,
                                         raw_ostream &errs)
    : context(context), errs(errs) {
  id = context->getDiagEngine().registerHandler(
      [this](Diagnostic &diagnostic) { handle(diagnostic); });
}

DiagnosticCollector::~DiagnosticCollector() {
  context->getDiagEngine().eraseHandler(id);
}

static void print(raw_ostream &errs, Location loc, StringRef severity,
                  StringRef text) {
  std::string place = formatPlace(loc);
  if (!place.empty())
    errs << place << ": ";
  errs << severity << ": " << text << '\n';
}

void DiagnosticCollector::error(const Twine &message) {
  if (hasError())
    return;
  firstError = message.str();
  errs << "error: " << firstError << '\n';
}

void DiagnosticCollector::warning(const Twine &message) {
  errs << "warning: " << message << '\n';
}

void DiagnosticCollector::note(const Twine &message) {
  errs << "note: " << message << '\n';
}

void DiagnosticCollector::handle(Diagnostic &diagnostic) {
  std::string text = diagnostic.str();
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Remark: {
    StringRef reason = text;
    if (reason.consume_front("not raised: "))
      notRaised.push_back({diagnostic.getLocation(), reason.str()});
    else if (reason.consume_front("not compiled: "))
      notCompiled.push_back({diagnostic.getLocation(), reason.str()});
    return;
  }
  case DiagnosticSeverity::Error:
    if (hasError())
      return;
    firstError = text;
    print(errs, diagnostic.getLocation(), "error", text);
    break;
  case DiagnosticSeverity::Warning:
    print(errs, diagnostic.getLocation(), "warning", text);
    break;
  case DiagnosticSeverity::Note:
    print(errs, diagnostic.getLocation(), "note", text);
    break;
  }
  for (Diagnostic &note : diagnostic.getNotes())
    print(errs, note.getLocation(), "note", note.str());
}

//===- Diagnostics.h - What a compilation has to say ---------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_DIAGNOSTICS_H
#define SPARSEATTN_PACKAGE_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include <string>
#include <vector>

namespace mlir::sparse_attn {

/// "file:line:col" of the first place in `loc` that has one, else "".
std::string formatPlace(Location loc);

/// A remark of a pass about something that stays as it is.
struct Refusal {
  Location loc;
  /// Without the words "not raised: " or "not compiled: " before it.
  std::string reason;
};

/// Prints errors and warnings as `file:line:col: error: ...` and keeps the
/// remarks of passes that left something alone. Only the first error is
/// printed: those that follow it mostly follow from it.
class DiagnosticCollector {
public:
  DiagnosticCollector(MLIRContext *context, raw_ostream &errs);
  ~DiagnosticCollector();

  /// Softmaxes and attentions that no pass raised.
  std::vector<Refusal> notRaised;
  /// Attentions that no kernel was made for, since the last `takeNotCompiled`.
  std::vector<Refusal> notCompiled;
  std::vector<Refusal> takeNotCompiled() { return std::move(notCompiled); }

  /// Whether an error was printed, and its text.
  bool hasError() const { return !firstError.empty(); }
  StringRef getFirstError() const { return firstError; }

  /// Prints "error: `message`" if it is the first one.
  void error(const Twine &message);
  /// Prints "warning: `message`".
  void warning(const Twine &message);
  /// Prints "note: `message`".
  void note(const Twine &message);

private:
  void handle(Diagnostic &diagnostic);

  MLIRContext *context;
  raw_ostream &errs;
  DiagnosticEngine::HandlerID id;
  std::string firstError;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_DIAGNOSTICS_H

//===- InputLimits.h - What untrusted text may hold ----------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's parser and printer promise nothing about hostile input: they recurse
// over brackets, aliases and affine operators until the stack ends. So text is
// scanned before it is parsed, and shapes are checked before any arithmetic on
// them.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_INPUTLIMITS_H
#define SPARSEATTN_PACKAGE_INPUTLIMITS_H

#include "mlir/IR/Operation.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <optional>
#include <string>

namespace mlir::sparse_attn {

struct InputLimits {
  uint64_t maxBytes = uint64_t(256) << 20;
  /// MLIR's bytecode is refused unless asked for: its reader is not hardened.
  bool allowBytecode = false;
  /// Nesting of brackets, those inside the aliases that are used included.
  unsigned maxDepth = 256;
  /// Uses of aliases that one alias stands for, all levels together, and those
  /// of the whole text.
  uint64_t maxAliasUses = uint64_t(1) << 16;
  uint64_t maxTotalAliasUses = uint64_t(1) << 26;
  /// Operators of one affine expression, and dimensions of one affine map.
  unsigned maxOperators = 1024;
  unsigned maxAffineDims = 1024;
  /// Characters of one number, shape or name outside quotes.
  unsigned maxWord = 16384;
};

/// What is wrong with a text, and where (from 1; 0 when it is nowhere).
struct InputFault {
  unsigned line = 0, column = 0;
  std::string message;
};

/// Reads `path`, or standard input for "-", but never more than the limit.
/// Returns null and fills `fault` where that fails.
std::unique_ptr<llvm::MemoryBuffer>
readInput(StringRef path, const InputLimits &limits, InputFault &fault);

/// The first thing in `text` that exceeds `limits`. Takes linear time.
std::optional<InputFault> findInputFault(StringRef text,
                                         const InputLimits &limits);

/// Checks that the number of elements and of bytes of every shaped type below
/// `root` stays below 2^62, and the rank at most 64. Reports the first fault.
LogicalResult verifyShapeSizes(Operation *root);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_INPUTLIMITS_H

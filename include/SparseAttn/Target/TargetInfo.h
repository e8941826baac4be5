//===- TargetInfo.h - What each GPU architecture has -----------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one place that knows architectures by name; passes ask for features.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TARGET_TARGETINFO_H
#define SPARSEATTN_TARGET_TARGETINFO_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace mlir::sparse_attn {

struct TargetInfo {
  /// Name as ptxas and LLVM spell it.
  llvm::StringRef chip;
  /// LLVM feature string that selects the PTX version.
  llvm::StringRef features;
  /// Dynamic shared memory that one thread block may ask for, in bytes.
  int64_t maxSharedBytes;
  /// Shared memory of one multiprocessor, in bytes.
  int64_t multiprocessorSharedBytes;

  /// The compute capability, times ten.
  unsigned getCapability() const;
  /// Whether no other architecture, not even a newer one, runs its PTX.
  bool isOnlyForItself() const { return chip.ends_with("a"); }

  /// The description of `chip`, null if unknown.
  static const TargetInfo *lookup(llvm::StringRef chip);
  /// All descriptions, oldest architecture first.
  static llvm::ArrayRef<TargetInfo> all();
  /// The names of all targets for a message: "sm_80, sm_86, sm_89".
  static std::string names();
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_TARGET_TARGETINFO_H

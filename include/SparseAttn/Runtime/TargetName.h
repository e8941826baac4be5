//===- TargetName.h - The spelling of a GPU target --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// "sm_80", "sm_90a": the compute capability that PTX was written for, and
// whether it runs on that one alone. All that the runtime knows of targets.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_TARGETNAME_H
#define SPARSEATTN_RUNTIME_TARGETNAME_H

#include "llvm/ADT/StringRef.h"

#include <optional>

namespace sparse_attn::runtime {

struct TargetName {
  /// Ten times the major version plus the minor one: 80 for sm_80.
  unsigned capability = 0;
  /// Runs on this capability only (a trailing letter, as in sm_90a).
  bool exact = false;

  static std::optional<TargetName> parse(llvm::StringRef text);

  /// Whether a device of `device` capability can run PTX for this target.
  bool runsOn(unsigned device) const {
    return exact ? device == capability : device >= capability;
  }
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_TARGETNAME_H

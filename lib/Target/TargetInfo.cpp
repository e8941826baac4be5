//===- TargetInfo.cpp - What each GPU architecture has --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Target/TargetInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::sparse_attn;

// Sizes: CUDA C++ Programming Guide, technical specifications per compute
// capability (one KiB of each block's shared memory is reserved).
static constexpr TargetInfo targets[] = {
    {"sm_80", "+ptx80", 163 * 1024, 164 * 1024},
    {"sm_86", "+ptx80", 99 * 1024, 100 * 1024},
    {"sm_89", "+ptx80", 99 * 1024, 100 * 1024},
};

llvm::ArrayRef<TargetInfo> TargetInfo::all() { return targets; }

const TargetInfo *TargetInfo::lookup(llvm::StringRef chip) {
  const TargetInfo *found = llvm::find_if(
      targets, [&](const TargetInfo &t) { return t.chip == chip; });
  return found == std::end(targets) ? nullptr : found;
}

unsigned TargetInfo::getCapability() const {
  unsigned number = 0;
  llvm::StringRef digits = chip;
  digits.consume_front("sm_");
  digits.consumeInteger(10, number);
  return number;
}

std::string TargetInfo::names() {
  return llvm::join(
      llvm::map_range(targets, [](const TargetInfo &t) { return t.chip; }),
      ", ");
}

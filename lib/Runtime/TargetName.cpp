//===- TargetName.cpp - The spelling of a GPU target ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/TargetName.h"

using namespace llvm;

namespace sparse_attn::runtime {

std::optional<TargetName> TargetName::parse(StringRef text) {
  TargetName target;
  if (!text.consume_front("sm_"))
    return std::nullopt;
  target.exact = text.consume_back("a");
  if (text.size() < 2 || text.size() > 3 ||
      text.getAsInteger(10, target.capability))
    return std::nullopt;
  return target;
}

} // namespace sparse_attn::runtime

//===- TargetCheck.cpp - Instructions that a target lacks ---------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// From the "Target ISA Notes" of the instructions in the PTX ISA, for what came
// after sm_80.
//
//===----------------------------------------------------------------------===//

#include "Syntax.h"

#include <algorithm>
#include <charconv>

using namespace sparse_attn::emulator;

static bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// The first target that has an instruction; "" for sm_80 and before.
static const char *firstTarget(const Statement &statement) {
  std::string_view base = statement.base;
  auto has = [&](std::string_view wanted) {
    const auto &found = statement.modifiers;
    return std::find(found.begin(), found.end(), wanted) != found.end();
  };
  if (base == "wgmma" || base == "setmaxnreg")
    return "sm_90a";
  for (const char *sm90 :
       {"elect", "mapa", "getctarank", "griddepcontrol", "stmatrix"})
    if (base == sm90)
      return "sm_90";
  bool isCopy = base == "cp" || base == "st" || base == "red";
  if ((isCopy && (has("bulk") || (base != "cp" && has("async")))) ||
      (base == "mbarrier" &&
       (has("try_wait") || has("expect_tx") || has("complete_tx"))) ||
      (base == "fence" && (has("async") || has("mbarrier_init"))) ||
      has("shared::cluster") || has("cluster"))
    return "sm_90";
  for (std::string_view modifier : statement.modifiers)
    if (startsWith(modifier, "e4m3") || startsWith(modifier, "e5m2"))
      return "sm_89";
  return "";
}

unsigned sparse_attn::emulator::targetNumber(std::string_view target) {
  unsigned number = 0;
  if (startsWith(target, "sm_"))
    std::from_chars(target.data() + 3, target.data() + target.size(), number);
  return number;
}

std::string sparse_attn::emulator::checkTarget(const Statement &statement,
                                               std::string_view target) {
  std::string_view needed = firstTarget(statement);
  if (needed.empty() || !startsWith(target, "sm_"))
    return {};
  // Targets with an 'a' have what no later one need have.
  bool isSpecific = needed.back() == 'a';
  if (isSpecific ? target == needed
                 : targetNumber(target) >= targetNumber(needed))
    return {};
  return "needs " + std::string(needed) + (isSpecific ? "" : " or later") +
         ", found " + std::string(target);
}

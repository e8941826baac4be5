//===- AccessHistory.cpp - Who accessed which bytes -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "AccessHistory.h"

using namespace sparse_attn::emulator;

void AccessHistory::add(uint32_t &head, const Access &access) {
  uint32_t index = firstFree;
  if (index) {
    firstFree = entries[index].next;
  } else {
    index = static_cast<uint32_t>(entries.size());
    entries.emplace_back();
  }
  entries[index] = {access, head};
  head = index;
}

void AccessHistory::remove(uint32_t &link) {
  uint32_t index = link;
  link = entries[index].next;
  entries[index].next = firstFree;
  firstFree = index;
}

void AccessHistory::clear() {
  for (auto &[number, page] : pages)
    page->fill(0);
  entries.resize(1);
  firstFree = 0;
}

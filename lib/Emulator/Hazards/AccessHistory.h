//===- AccessHistory.h - Who accessed which bytes ------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_HAZARDS_ACCESSHISTORY_H
#define SPARSEATTN_LIB_EMULATOR_HAZARDS_ACCESSHISTORY_H

#include "../Code.h"

#include <memory>
#include <unordered_map>

namespace sparse_attn::emulator {

/// An access to some of the 16 bytes of a cell by lanes of one row of agents
/// (see Clock.h). Lanes share an entry where all else is equal.
struct Access {
  uint32_t epoch = 0;
  uint32_t lanes = 0;
  uint32_t pc = 0;
  uint32_t block = 0;
  uint16_t bytes = 0; // bit i: byte i of the cell
  uint16_t row = 0;
  uint16_t issuer = 0; // a thread of the cluster, for messages
  bool isWrite : 1;
  bool isStrong : 1;   // morally strong with other strong ones in its scope
  bool isAsync : 1;    // through the async proxy
  bool isSame : 1;     // writes what is there already
  bool isReadOnly : 1; // reads what nobody writes during the launch
  Scope scope : 2;

  Access()
      : isWrite(false), isStrong(false), isAsync(false), isSame(false),
        isReadOnly(false), scope(Scope::Cta) {}
};

/// The accesses to a state space that may still matter, for each 16 bytes.
class AccessHistory {
public:
  static constexpr unsigned cellBytes = 16;

  /// The head of the list of a cell; 0 ends a list.
  uint32_t &cell(uint64_t address) {
    uint64_t page = address / pageBytes;
    if (page != lastPage || !lastCells) {
      std::unique_ptr<Page> &cells = pages[page];
      if (!cells)
        cells = std::make_unique<Page>();
      lastPage = page;
      lastCells = cells.get();
    }
    return (*lastCells)[address % pageBytes / cellBytes];
  }

  struct Entry {
    Access access;
    uint32_t next = 0;
  };
  Entry &entry(uint32_t index) { return entries[index]; }
  void add(uint32_t &head, const Access &access);
  /// Unlinks the entry that `link` leads to.
  void remove(uint32_t &link);
  void clear();

private:
  static constexpr uint64_t pageBytes = 1 << 14;
  using Page = std::array<uint32_t, pageBytes / cellBytes>;

  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages;
  uint64_t lastPage = 0;
  Page *lastCells = nullptr;
  std::vector<Entry> entries = std::vector<Entry>(1); // the first is unused
  uint32_t firstFree = 0;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_HAZARDS_ACCESSHISTORY_H

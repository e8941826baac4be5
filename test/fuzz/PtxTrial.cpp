//===- PtxTrial.cpp - Hostile PTX for the emulator ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "PtxTrial.h"

#include "SparseAttn/Emulator/Emulator.h"

#include <cctype>
#include <cstring>
#include <random>

using namespace sparse_attn::emulator;

TrialResult sparse_attn::emulator::tryPtx(std::string_view text,
                                          uint64_t seed) {
  TrialResult result;
  Error error;
  std::unique_ptr<Program> program = Program::parse(text, error);
  if (!program)
    return result;
  result.parsed = true;
  for (const std::string &name : program->entries()) {
    const EntryPoint &entry = *program->entry(name);
    if (result.launches == 8)
      break;
    Launch launch;
    launch.entry = name;
    launch.grid = {2, 1, 1};
    launch.block = {32u << (seed % 3), 1, 1};
    if (entry.requiredThreads[0])
      launch.block = entry.requiredThreads;
    launch.dynamicSharedBytes = seed % 5 ? 16384 : 0;
    launch.seed = seed % 7;
    launch.checkRaces = seed % 2;
    launch.hostThreads = 1;
    launch.instructionLimit = 4096;
    GlobalMemory memory;
    launch.parameters.resize(entry.parameterBytes);
    for (size_t i = 0; i < entry.parameters.size(); ++i) {
      const Parameter &parameter = entry.parameters[i];
      uint64_t value = 40;
      if (parameter.bytes == 8) {
        std::vector<uint8_t> contents(16384, uint8_t(seed + i));
        value = memory.allocate(contents.size());
        if (i != 1)
          memory.write(value, contents.data(), contents.size());
      }
      std::memcpy(&launch.parameters[parameter.offset], &value,
                  parameter.bytes < 8 ? parameter.bytes : 8);
    }
    Counters counters;
    ++result.launches;
    result.succeeded += !execute(*program, memory, launch, &counters);
  }
  return result;
}

namespace {

/// Text in pieces: each a word, one other character, or white space.
std::vector<std::string> split(std::string_view text) {
  auto isWord = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           c == '%' || c == '.' || c == '$';
  };
  std::vector<std::string> pieces;
  for (char c : text) {
    bool joins = !pieces.empty() && isWord(c) && isWord(pieces.back().back());
    if (joins)
      pieces.back() += c;
    else
      pieces.emplace_back(1, c);
  }
  return pieces;
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> result(1);
  for (char c : text) {
    result.back() += c;
    if (c == '\n')
      result.emplace_back();
  }
  return result;
}

template <class T>
std::string joined(const T &parts) {
  std::string result;
  for (const std::string &part : parts)
    result += part;
  return result;
}

} // namespace

std::string sparse_attn::emulator::mutatePtx(std::string_view text,
                                             uint64_t seed) {
  constexpr const char *numbers[] = {
      "0",          "1",   "-1",         "31",
      "32",         "33",  "4096",       "16",
      "2147483647", "255", "4294967296", "0x8000000000000000",
      "0f7F800000", "-2",  "1048576",    "7"};
  std::mt19937_64 random(seed);
  auto below = [&](size_t count) { return size_t(random() % count); };
  std::string result(text);
  for (size_t i = 0, count = 1 + below(3); i < count && !result.empty(); ++i) {
    unsigned what = unsigned(below(8));
    if (what < 3) {
      std::vector<std::string> all = lines(result);
      size_t a = below(all.size()), b = below(all.size());
      if (what == 0)
        all.erase(all.begin() + a);
      else if (what == 1)
        all.insert(all.begin() + a, std::string(all[b]));
      else
        std::swap(all[a], all[b]);
      result = joined(all);
      continue;
    }
    std::vector<std::string> pieces = split(result);
    size_t a = below(pieces.size()), b = below(pieces.size());
    switch (what) {
    case 3:
      pieces[a] = pieces[b];
      break;
    case 4:
      std::swap(pieces[a], pieces[b]);
      break;
    case 5:
      pieces[a] = std::string(1, char(below(256)));
      break;
    default:
      // The next number from here on.
      while (a < pieces.size() &&
             !std::isdigit(static_cast<unsigned char>(pieces[a][0])))
        ++a;
      if (a < pieces.size())
        pieces[a] = numbers[below(std::size(numbers))];
    }
    result = joined(pieces);
  }
  return result;
}

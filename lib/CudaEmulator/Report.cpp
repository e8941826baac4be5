//===- Report.cpp - What was launched -------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Machine.h"

#include <cstdio>
#include <cstdlib>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

namespace {

std::string triple(const std::array<uint32_t, 3> &shape) {
  return std::to_string(shape[0]) + "x" + std::to_string(shape[1]) + "x" +
         std::to_string(shape[2]);
}

/// Sums for each kernel, in the order of their first launch.
struct Entry {
  std::string name, target;
  uint64_t launches = 0;
  emulator::Counters counters;
};

std::mutex mutex;
std::vector<Entry> &entries() {
  static auto *all = new std::vector<Entry>;
  return *all;
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + '"';
}

void logLine(const std::string &line) {
  const std::string &path = settings().log;
  static std::FILE *file = path == "-" ? stderr : std::fopen(path.c_str(), "w");
  if (!file)
    return;
  std::fprintf(file, "%s\n", line.c_str());
  std::fflush(file);
}

} // namespace

void cuda_emulator::reportLaunch(const std::string &target,
                                 const emulator::Launch &launch,
                                 const emulator::Counters &counters,
                                 bool failed) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!settings().log.empty())
    logLine(launch.entry + " " + target + " grid " + triple(launch.grid) +
            " block " + triple(launch.block) + " shared " +
            std::to_string(launch.dynamicSharedBytes) + " instructions " +
            std::to_string(counters.instructions) + (failed ? " failed" : ""));
  if (settings().stats.empty())
    return;
  static bool registered = std::atexit(writeStats) == 0;
  (void)registered;
  for (Entry &entry : entries())
    if (entry.name == launch.entry && entry.target == target) {
      ++entry.launches;
      entry.counters += counters;
      return;
    }
  entries().push_back({launch.entry, target, 1, counters});
}

void cuda_emulator::writeStats() {
  const std::string &path = settings().stats;
  if (path.empty())
    return;
  std::lock_guard<std::mutex> lock(mutex);
  std::FILE *file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
  if (!file)
    return complain("cannot write '" + path + "'");
  std::string text = "{\n  \"device\": \"emulator\",\n  \"kernels\": [";
  const char *separator = "\n";
  for (const Entry &entry : entries()) {
    text += separator;
    text += "    {\n      \"name\": " + quoted(entry.name) +
            ",\n      \"target\": " + quoted(entry.target) +
            ",\n      \"launches\": " + std::to_string(entry.launches) +
            ",\n      \"emulator\": {";
    const char *comma = "\n";
    for (const auto &[name, count] : entry.counters.named()) {
      text += comma;
      text += "        " + quoted(name) + ": " + std::to_string(count);
      comma = ",\n";
    }
    text += "\n      }\n    }";
    separator = ",\n";
  }
  text += "\n  ]\n}\n";
  std::fwrite(text.data(), 1, text.size(), file);
  if (file != stdout)
    std::fclose(file);
}

//===- Settings.cpp - What environment variables say ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Settings.h"

#include <cstdlib>
#include <cstring>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

namespace {
class Reader {
public:
  explicit Reader(Settings &settings) : settings(settings) {}

  const char *text(const char *name) {
    const char *value = std::getenv((prefix + name).c_str());
    return value && *value ? value : nullptr;
  }

  template <class T>
  void number(const char *name, uint64_t low, uint64_t high, T &result) {
    const char *value = text(name);
    if (!value)
      return;
    char *end = nullptr;
    unsigned long long number = std::strtoull(value, &end, 10);
    if (*end || value[0] == '-' || number < low || number > high)
      return fail(name,
                  "an integer from " + std::to_string(low) + " to " +
                      std::to_string(high),
                  value);
    result = static_cast<T>(number);
  }

  /// One of two words; tells whether it is the second.
  template <class F>
  void choice(const char *name, std::array<const char *, 2> words, F set) {
    const char *value = text(name);
    if (!value)
      return;
    if (std::strcmp(value, words[0]) != 0 && std::strcmp(value, words[1]) != 0)
      return fail(name, std::string(words[0]) + " or " + words[1], value);
    set(std::strcmp(value, words[1]) == 0);
  }

  void fail(const char *name, const std::string &expected, const char *value) {
    if (settings.fault.empty())
      settings.fault =
          prefix + name + ": expected " + expected + ", found '" + value + "'";
  }

private:
  const std::string prefix = "SPARSE_ATTN_EMULATOR_";
  Settings &settings;
};

Settings read() {
  Settings settings;
  Reader reader(settings);
  if (const char *device = reader.text("DEVICE")) {
    std::string name = device;
    unsigned known = 0;
    for (unsigned capability : {80, 86, 87, 89, 90})
      if (name == "sm_" + std::to_string(capability))
        known = capability;
    if (known)
      settings.capability = known;
    else
      reader.fail("DEVICE", "sm_80, sm_86, sm_87, sm_89 or sm_90", device);
  }
  uint64_t mebibytes = settings.memoryBytes >> 20;
  reader.number("MEMORY", 1, 1 << 20, mebibytes);
  settings.memoryBytes = mebibytes << 20;
  reader.number("SEED", 0, UINT32_MAX, settings.launch.seed);
  reader.number("JOBS", 1, 1024, settings.launch.hostThreads);
  reader.number("INSTRUCTION_LIMIT", 1, uint64_t(1) << 40,
                settings.launch.instructionLimit);
  reader.choice("ARRIVAL", {"latest", "earliest"}, [&](bool earliest) {
    settings.launch.arrival =
        earliest ? emulator::Arrival::Earliest : emulator::Arrival::Latest;
  });
  reader.choice("ON_ERROR", {"report", "exit"},
                [&](bool exits) { settings.exitOnError = exits; });
  reader.choice("CHECK", {"memory", "memory,races"},
                [&](bool races) { settings.launch.checkRaces = races; });
  if (const char *stats = reader.text("STATS"))
    settings.stats = stats;
  if (const char *log = reader.text("LOG"))
    settings.log = log;
  return settings;
}
} // namespace

const Settings &cuda_emulator::settings() {
  static const Settings result = read();
  return result;
}

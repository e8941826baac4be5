//===- ptx-emulate.cpp - Executes PTX without a GPU ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs one entry point of any PTX file on the emulator, on .npy arrays and
// numbers.
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "Options.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace llvm;
using namespace sparse_attn;
using namespace sparse_attn::runtime;
using namespace sparse_attn::emulate;

static constexpr uint64_t ptxLimit = uint64_t(256) << 20;

static std::string dimensions(const std::array<uint32_t, 3> &shape) {
  return std::to_string(shape[0]) + "x" + std::to_string(shape[1]) + "x" +
         std::to_string(shape[2]);
}

/// "kernels.ptx:12: message".
static Error faultIn(StringRef file, const emulator::Error &error) {
  if (error.line == 0)
    return fail(file + ": " + error.message);
  return fail(file + ":" + Twine(error.line) + ": " + error.message);
}

static void list(raw_ostream &os, const emulator::Program &program) {
  os << "target " << program.target() << '\n';
  for (const std::string &name : program.entries()) {
    const emulator::EntryPoint &entry = *program.entry(name);
    os << name << '\n';
    for (size_t i = 0; i < entry.parameters.size(); ++i)
      os << "  parameter " << describeParameter(entry, i) << '\n';
    os << "  shared memory: " << entry.staticSharedBytes << " bytes"
       << (entry.usesDynamicShared ? " and what --shared gives\n" : "\n");
    if (entry.requiredThreads[0])
      os << "  threads: " << dimensions(entry.requiredThreads) << '\n';
    else if (entry.maxThreads[0])
      os << "  threads: at most " << dimensions(entry.maxThreads) << '\n';
    if (entry.requiredCluster[0])
      os << "  cluster: " << dimensions(entry.requiredCluster) << '\n';
  }
}

static Expected<const emulator::EntryPoint *>
selectEntry(const Options &options, const emulator::Program &program) {
  std::vector<std::string> names = program.entries();
  if (options.entry.empty() && names.size() == 1)
    return program.entry(names[0]);
  if (const emulator::EntryPoint *entry = program.entry(options.entry))
    return entry;
  return fail("--entry: expected a name out of " +
              (names.empty() ? std::string("none") : join(names, ", ")) +
              "; found " +
              (options.entry.empty() ? "none" : inQuotes(options.entry)));
}

namespace {
/// What one run left in the buffers, one entry an argument.
struct Result {
  std::vector<std::vector<uint8_t>> buffers;
  std::vector<uint64_t> unwritten; // elements
  emulator::Counters counters;
};
} // namespace

/// Runs the kernel once, on fresh memory.
static Expected<Result> runOnce(const Options &options,
                                const emulator::Program &program,
                                emulator::Launch &launch,
                                const emulator::EntryPoint &entry,
                                std::vector<Argument> &arguments) {
  emulator::GlobalMemory memory;
  launch.parameters.assign(entry.parameterBytes, 0);
  std::vector<uint64_t> addresses;
  for (auto [argument, parameter] : zip(arguments, entry.parameters)) {
    uint64_t address = 0;
    if (argument.isBuffer) {
      const std::vector<uint8_t> &data = argument.array.data;
      address = memory.allocate(data.size());
      if (argument.initialised)
        memory.write(address, data.data(), data.size());
      if (Error error = argument.place(address))
        return std::move(error);
    }
    addresses.push_back(address);
    std::memcpy(&launch.parameters[parameter.offset], argument.value.data(),
                argument.value.size());
  }
  Result result;
  if (std::optional<emulator::Error> error =
          emulator::execute(program, memory, launch, &result.counters))
    return faultIn(options.file, *error);
  for (auto [argument, address] : zip(arguments, addresses)) {
    std::vector<uint8_t> &bytes =
        result.buffers.emplace_back(argument.array.data.size());
    unsigned width = npyTypeBytes(argument.array.type);
    uint64_t &missing = result.unwritten.emplace_back(0);
    if (!memory.read(address, bytes.data(), bytes.size()))
      for (uint64_t at = 0; at < bytes.size(); at += width)
        missing += !memory.read(address + at, &bytes[at], width);
  }
  return std::move(result);
}

/// Where two runs differ, if they do.
static Error compareRuns(const Result &first, const Result &other,
                         ArrayRef<Argument> arguments, uint64_t firstSeed,
                         uint64_t seed) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::vector<uint8_t> &a = first.buffers[i], &b = other.buffers[i];
    size_t at = std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
    if (at != a.size())
      return fail("argument " + Twine(i + 1) + ": expected the bits of seed " +
                  Twine(firstSeed) +
                  " under every schedule, found other ones with --seed=" +
                  Twine(seed) + ", the first in element " +
                  Twine(at / npyTypeBytes(arguments[i].array.type)));
  }
  return Error::success();
}

static Error writeStats(const Options &options,
                        const emulator::Program &program,
                        const emulator::Launch &launch, const Result &result) {
  std::string text;
  raw_string_ostream os(text);
  json::OStream json(os, /*IndentSize=*/2);
  auto shape = [&](StringRef name, const std::array<uint32_t, 3> &values) {
    json.attributeArray(name, [&] {
      for (uint32_t value : values)
        json.value(value);
    });
  };
  json.object([&] {
    json.attribute("device", "emulator");
    json.attributeArray("kernels", [&] {
      json.object([&] {
        json.attribute("name", launch.entry);
        json.attribute("target", program.target());
        shape("grid", launch.grid);
        shape("block", launch.block);
        json.attribute("launches", options.schedules);
        json.attributeObject("emulator", [&] {
          for (const auto &[name, count] : result.counters.named())
            json.attribute(name, count);
        });
      });
    });
  });
  os << '\n';
  return writeFile(options.stats, text);
}

static Error run(const Options &options, const emulator::Program &program) {
  Expected<const emulator::EntryPoint *> entry = selectEntry(options, program);
  if (!entry)
    return entry.takeError();
  Expected<std::vector<Argument>> arguments =
      parseArguments(options.arguments, **entry, options.memoryLimit);
  if (!arguments)
    return arguments.takeError();
  bool sized = options.block || (*entry)->requiredThreads[0];
  if (!sized)
    return fail("--block: expected the threads of a block, found none, and "
                "'" +
                (*entry)->name + "' has no .reqntid");
  emulator::Launch launch;
  launch.entry = (*entry)->name;
  launch.grid = options.grid.value_or(launch.grid);
  launch.block = options.block.value_or((*entry)->requiredThreads);
  launch.dynamicSharedBytes = options.sharedBytes;
  launch.cluster = options.cluster.value_or(launch.cluster);
  launch.mmaModel = options.mmaModel;
  launch.arrival = options.arrival;
  launch.checkRaces = options.checkRaces;
  launch.hostThreads = options.jobs;
  launch.instructionLimit = options.instructionLimit;

  std::optional<Result> first;
  for (uint64_t i = 0; i < options.schedules; ++i) {
    launch.seed = options.seed + i;
    Expected<Result> result =
        runOnce(options, program, launch, **entry, *arguments);
    if (!result)
      return options.schedules == 1
                 ? result.takeError()
                 : fail(toString(result.takeError()) +
                        " (--seed=" + Twine(launch.seed) + " replays it)");
    if (!first)
      first = std::move(*result);
    else if (Error error = compareRuns(*first, *result, *arguments,
                                       options.seed, launch.seed))
      return error;
  }

  for (size_t i = 0; i < arguments->size(); ++i) {
    Argument &argument = (*arguments)[i];
    if (argument.writeTo.empty())
      continue;
    argument.array.data = std::move(first->buffers[i]);
    if (Error error = writeNpyFile(argument.writeTo, argument.array))
      return error;
    if (uint64_t missing = first->unwritten[i])
      WithColor::warning() << "argument " << i + 1 << ": the kernel never "
                           << "wrote " << missing << " elements; "
                           << quotedPath(argument.writeTo)
                           << " holds 0 for them\n";
  }
  if (!options.stats.empty())
    if (Error error = writeStats(options, program, launch, *first))
      return error;
  if (options.stats == "-")
    return Error::success();
  outs() << launch.entry << " for " << program.target() << ": grid "
         << dimensions(launch.grid) << ", block " << dimensions(launch.block)
         << ", " << first->counters.instructions << " warp instructions";
  if (options.schedules > 1)
    outs() << ", the same bits under " << options.schedules << " schedules";
  outs() << '\n';
  return Error::success();
}

static Error runTool(const Options &options) {
  Expected<std::unique_ptr<MemoryBuffer>> file =
      readRegularFile(options.file, ptxLimit);
  if (!file)
    return file.takeError();
  emulator::Error error;
  StringRef text = (*file)->getBuffer();
  std::unique_ptr<emulator::Program> program =
      emulator::Program::parse({text.data(), text.size()}, error);
  if (!program)
    return faultIn(options.file, error);
  if (!options.list)
    return run(options, *program);
  list(outs(), *program);
  return Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  Expected<Options> options = parseOptions(argc, argv);
  Error error = options ? runTool(*options) : options.takeError();
  if (!error)
    return 0;
  WithColor::error() << oneLine(toString(std::move(error))) << '\n';
  return 1;
}

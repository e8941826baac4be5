//===- Options.cpp - Command line of sparse-attn-run ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Options.h"

#include "SparseAttn/Runtime/CommandLine.h"
#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <set>

using namespace llvm;
using sparse_attn::runtime::fail;
using sparse_attn::runtime::inQuotes;
using sparse_attn::runtime::quotedPath;
using sparse_attn::runtime::readInteger;

namespace sparse_attn::run {

static constexpr char overview[] =
    "Runs a kernel of a package on arrays: on a GPU, or on the PTX emulator "
    "where there is none.\n\n"
    "Examples:\n"
    "  sparse-attn-run out --input=@q.npy --input=@k.npy --input=@v.npy "
    "--output=@o.npy\n"
    "  sparse-attn-run out --input=query=@q.npy --input=key=@k.npy "
    "--input=value=@v.npy \\\n"
    "      --output=recall_bound=@r.npy --stats=stats.json\n"
    "  sparse-attn-run out --device=emulator --blocks=0,9-12 ...   a part of a "
    "large grid\n"
    "  sparse-attn-run out --schedules=20 ...   the same bits whatever the "
    "order of warps\n";

namespace {
/// The flags as LLVM's parser fills them. Numbers arrive as text, so that this
/// file words the errors.
struct Flags {
  cl::OptionCategory category{"Options"};
  cl::opt<std::string> directory{cl::Positional, cl::desc("package directory"),
                                 cl::cat(category)};
  cl::opt<std::string> device{
      "device",
      cl::desc("where to run: cuda where a driver is found, else cpu where the "
               "package has CPU code, else emulator"),
      cl::value_desc("cpu|emulator|cuda"), cl::cat(category)};
  cl::opt<std::string> function{
      "function", cl::desc("which kernel, when the package has several"),
      cl::value_desc("name"), cl::cat(category)};
  cl::opt<std::string> target{
      "target", cl::desc("which target, when the kernel was built for several"),
      cl::value_desc("sm_80"), cl::cat(category)};
  cl::list<std::string> inputs{
      "input",
      cl::desc("an input: in order, or by name; may be f4 whatever "
               "the kernel's type"),
      cl::value_desc("[name=]@file.npy"), cl::cat(category)};
  cl::list<std::string> outputs{
      "output",
      cl::desc("where an output goes: in order, or by name; statistics by name "
               "(bf16 is written as f4)"),
      cl::value_desc("[name=]@file.npy"), cl::cat(category)};
  cl::list<std::string> expected{
      "expected_output", cl::desc("compare an output: in order, or by name"),
      cl::value_desc("[name=]@file.npy"), cl::cat(category)};
  cl::opt<std::string> absolute{
      "expected_atol",
      cl::desc("largest absolute difference (f16 1e-3, bf16 1e-2, f32 1e-4)"),
      cl::value_desc("x"), cl::cat(category)};
  cl::opt<std::string> relative{
      "expected_rtol",
      cl::desc("allowed besides, relative to the expected "
               "value (0)"),
      cl::value_desc("x"), cl::cat(category)};
  cl::opt<std::string> stats{
      "stats",
      cl::desc("write tiles visited and skipped, recall bound, time "
               "(- for standard output)"),
      cl::value_desc("stats.json"), cl::cat(category)};
  cl::opt<std::string> repeat{
      "repeat", cl::desc("cuda: launches whose median time is reported (1)"),
      cl::value_desc("n"), cl::cat(category)};
  cl::opt<std::string> schedules{
      "schedules",
      cl::desc("emulator: run with n seeds, which must give equal bits (1)"),
      cl::value_desc("n"), cl::cat(category)};
  cl::opt<std::string> seed{
      "seed", cl::desc("emulator: the order of warps; 0 is in turn (0)"),
      cl::value_desc("s"), cl::cat(category)};
  cl::opt<std::string> blocks{
      "blocks",
      cl::desc("emulator: run only these thread blocks, x counted fastest"),
      cl::value_desc("0,5,9-12"), cl::cat(category)};
  cl::opt<std::string> jobs{"jobs",
                            cl::desc("emulator: worker threads (one per core)"),
                            cl::value_desc("n"), cl::cat(category)};
  cl::opt<std::string> check{
      "check", cl::desc("emulator: what to check; memory is always checked"),
      cl::value_desc("memory,races"), cl::cat(category)};
  cl::opt<std::string> mmaModel{
      "mma-model", cl::desc("emulator: arithmetic of tensor cores (ieee)"),
      cl::value_desc("ieee|ampere|ada|hopper"), cl::cat(category)};
  cl::opt<std::string> memoryLimit{
      "memory-limit",
      cl::desc("MiB for all arguments (emulator 1024, cuda 65536)"),
      cl::value_desc("n"), cl::cat(category)};
};

/// Turns flags into options, one error at a time.
class Reader {
public:
  explicit Reader(const Flags &flags) : flags(flags) {}
  Expected<Options> read();

private:
  Error checkRepetitions();
  Error readDevice();
  Error readFiles();
  Error readNumbers();
  Error readBlocks();
  Error checkEmulatorFlags();
  Error checkContradictions();
  Error checkTargets();

  const Flags &flags;
  Options options;
};
} // namespace

static bool given(const cl::Option &flag) {
  return flag.getNumOccurrences() > 0;
}

static Error readTolerance(const cl::opt<std::string> &flag, double &result) {
  if (StringRef(flag).getAsDouble(result) || !std::isfinite(result) ||
      result < 0)
    return fail("--" + flag.ArgStr +
                ": expected a number of at least 0, found " + inQuotes(flag));
  return Error::success();
}

static Error readBindings(const cl::list<std::string> &flag,
                          std::vector<FileBinding> &result) {
  for (StringRef text : flag) {
    FileBinding binding;
    StringRef path = text;
    if (!path.starts_with("@")) {
      StringRef name;
      std::tie(name, path) = text.split('=');
      binding.name = name.str();
    }
    bool named =
        path.size() == text.size() || runtime::isValidName(binding.name);
    if (!path.consume_front("@") || path.empty() || !named)
      return fail("--" + flag.ArgStr +
                  ": expected @file.npy or name=@file.npy, found " +
                  inQuotes(text));
    binding.path = path.str();
    result.push_back(std::move(binding));
  }
  return Error::success();
}

/// LLVM's parser lets the last one win.
Error Reader::checkRepetitions() {
  for (const cl::opt<std::string> *flag :
       {&flags.device, &flags.function, &flags.target, &flags.absolute,
        &flags.relative, &flags.stats, &flags.repeat, &flags.schedules,
        &flags.seed, &flags.blocks, &flags.jobs, &flags.check, &flags.mmaModel,
        &flags.memoryLimit})
    if (flag->getNumOccurrences() > 1)
      return fail("--" + flag->ArgStr + ": expected it once, found it " +
                  Twine(flag->getNumOccurrences()) + " times");
  return Error::success();
}

Error Reader::readDevice() {
  if (flags.directory.empty())
    return fail(
        "expected a package directory, found none; --help has examples");
  options.directory = flags.directory;
  options.function = flags.function;
  options.target = flags.target;
  if (!given(flags.device))
    return Error::success();
  std::optional<DeviceChoice> choice =
      StringSwitch<std::optional<DeviceChoice>>(flags.device)
          .Case("cpu", DeviceChoice::Cpu)
          .Case("emulator", DeviceChoice::Emulator)
          .Case("cuda", DeviceChoice::Cuda)
          .Default(std::nullopt);
  if (!choice)
    return fail("--device: expected cpu, emulator or cuda, found " +
                inQuotes(flags.device));
  options.device = *choice;
  return Error::success();
}

Error Reader::readFiles() {
  if (Error error = readBindings(flags.inputs, options.inputs))
    return error;
  if (Error error = readBindings(flags.outputs, options.outputs))
    return error;
  if (Error error = readBindings(flags.expected, options.expected))
    return error;
  if (given(flags.stats) && flags.stats.empty())
    return fail("--stats: expected a file name or -, found nothing");
  options.stats = flags.stats;
  return Error::success();
}

Error Reader::readNumbers() {
  uint64_t jobs = 0, mebibytes = 0;
  for (auto [flag, minimum, maximum, result] :
       {std::tuple(&flags.schedules, uint64_t(1), uint64_t(1000000),
                   &options.run.schedules),
        std::tuple(&flags.repeat, uint64_t(1), uint64_t(1000000),
                   &options.run.repeat),
        std::tuple(&flags.seed, uint64_t(0), uint64_t(UINT32_MAX),
                   &options.run.seed),
        std::tuple(&flags.jobs, uint64_t(1), uint64_t(1024), &jobs),
        std::tuple(&flags.memoryLimit, uint64_t(1), uint64_t(1) << 20,
                   &mebibytes)})
    if (Error error = readInteger(*flag, minimum, maximum, *result))
      return error;
  options.run.jobs = unsigned(jobs);
  if (given(flags.memoryLimit))
    options.memoryLimit = mebibytes << 20;
  if (given(flags.absolute)) {
    if (Error error =
            readTolerance(flags.absolute, options.absoluteTolerance.emplace()))
      return error;
  }
  if (given(flags.relative))
    return readTolerance(flags.relative, options.relativeTolerance);
  return Error::success();
}

Error Reader::readBlocks() {
  if (!given(flags.blocks))
    return Error::success();
  SmallVector<StringRef> parts;
  StringRef(flags.blocks).split(parts, ',');
  for (StringRef part : parts) {
    auto [first, last] = part.split('-');
    runtime::BlockRange range;
    bool bad = first.getAsInteger(10, range.first);
    range.last = range.first;
    if (part.contains('-'))
      bad |= last.getAsInteger(10, range.last);
    if (bad || range.first > range.last)
      return fail("--blocks: expected numbers and ascending ranges such as "
                  "0,5,9-12, found " +
                  inQuotes(flags.blocks));
    options.run.blocks.push_back(range);
  }
  return Error::success();
}

Error Reader::checkEmulatorFlags() {
  if (given(flags.check)) {
    SmallVector<StringRef> kinds;
    StringRef(flags.check).split(kinds, ',');
    if (Error error = runtime::readChecks(kinds, options.run.jobs,
                                          options.run.checkRaces))
      return error;
  }
  return runtime::readMmaModel(flags.mmaModel, options.run.mmaModel);
}

Error Reader::checkContradictions() {
  const cl::Option *emulatorOnly = nullptr;
  for (const cl::Option *flag : std::initializer_list<const cl::Option *>{
           &flags.blocks, &flags.schedules, &flags.seed, &flags.jobs,
           &flags.check, &flags.mmaModel})
    if (given(*flag) && !emulatorOnly)
      emulatorOnly = flag;
  if (emulatorOnly && given(flags.repeat))
    return fail("expected --" + emulatorOnly->ArgStr +
                ", which is for the emulator, or --repeat, which is for cuda; "
                "found both");
  if (emulatorOnly && options.device != DeviceChoice::Default &&
      options.device != DeviceChoice::Emulator)
    return fail("--" + emulatorOnly->ArgStr +
                ": expected --device=emulator, found --device=" + flags.device);
  if (given(flags.repeat) && options.device == DeviceChoice::Emulator)
    return fail("--repeat: expected --device=cuda, found --device=emulator, "
                "which measures no time");
  if ((given(flags.absolute) || given(flags.relative)) &&
      options.expected.empty())
    return fail(
        "--" +
        (given(flags.absolute) ? flags.absolute : flags.relative).ArgStr +
        ": expected --expected_output, found none");
  // A flag that only one device understands chooses that device.
  if (emulatorOnly)
    options.device = DeviceChoice::Emulator;
  else if (given(flags.repeat))
    options.device = DeviceChoice::Cuda;
  return Error::success();
}

/// Before the kernel runs, which may take long: everything that is written has
/// a place of its own.
Error Reader::checkTargets() {
  std::vector<std::string> paths;
  for (const FileBinding &output : options.outputs)
    paths.push_back(output.path);
  if (!options.stats.empty())
    paths.push_back(options.stats);
  std::set<std::string> seen;
  for (const std::string &path : paths) {
    if (!seen.insert(path).second)
      return fail("expected files of their own for outputs and statistics, "
                  "found " +
                  quotedPath(path) + " twice");
    if (path == "-")
      continue;
    if (sys::fs::is_directory(path))
      return fail(quotedPath(path) +
                  ": expected a file to write, found a directory");
    StringRef parent = sys::path::parent_path(path);
    if (!parent.empty() && !sys::fs::is_directory(parent))
      return fail(quotedPath(path) +
                  ": expected an existing directory, found " +
                  (sys::fs::exists(parent) ? "a file" : "none"));
  }
  return Error::success();
}

Expected<Options> Reader::read() {
  for (auto step :
       {&Reader::checkRepetitions, &Reader::readDevice, &Reader::readFiles,
        &Reader::readNumbers, &Reader::readBlocks, &Reader::checkEmulatorFlags,
        &Reader::checkContradictions, &Reader::checkTargets})
    if (Error error = (this->*step)())
      return std::move(error);
  return std::move(options);
}

bool Options::writesToStandardOutput() const {
  return stats == "-" || any_of(outputs, [](const FileBinding &output) {
           return output.path == "-";
         });
}

Expected<Options> parseOptions(int argc, char **argv) {
  // Registered for the whole life of the process, as LLVM's own are.
  static Flags *flags = nullptr;
  if (Error error = runtime::parseCommandLine(
          argc, argv, "sparse-attn-run", overview, [] { flags = new Flags; },
          {"device", "function", "target", "input", "output", "expected_output",
           "expected_atol", "expected_rtol", "stats", "repeat", "schedules",
           "seed", "blocks", "jobs", "check", "mma-model", "memory-limit"}))
    return std::move(error);
  return Reader(*flags).read();
}

} // namespace sparse_attn::run

//===- CommandLine.cpp - Flags of the tools -------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/CommandLine.h"

#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace sparse_attn::runtime {

/// LLVM's library registers flags of its own, some of them (-stats) only while
/// it parses. Has it register all, hides them from --help, and moves those
/// aside whose names the tool uses.
static void hideLibraryFlags(char *program, ArrayRef<StringRef> names) {
  const char *nothing[] = {program};
  cl::ParseCommandLineOptions(1, nothing);
  cl::ResetAllOptionOccurrences();
  // Renaming changes the map, so the flags are collected first.
  std::vector<cl::Option *> registered;
  for (auto &entry : cl::getRegisteredOptions())
    registered.push_back(entry.second);
  for (cl::Option *flag : registered) {
    if (is_contained({"help", "help-hidden", "version"}, flag->ArgStr))
      continue;
    flag->setHiddenFlag(flag->getOptionHiddenFlag() == cl::ReallyHidden
                            ? cl::ReallyHidden
                            : cl::Hidden);
    if (is_contained(names, flag->ArgStr)) {
      // The flag keeps a reference to its name.
      static std::vector<std::unique_ptr<std::string>> kept;
      kept.push_back(
          std::make_unique<std::string>("llvm-" + flag->ArgStr.str()));
      flag->setArgStr(*kept.back());
    }
  }
}

Error parseCommandLine(int argc, char **argv, StringRef tool,
                       StringRef overview, function_ref<void()> registerFlags,
                       ArrayRef<StringRef> names) {
  hideLibraryFlags(argv[0], names);
  std::string version = (tool + " " + SPARSE_ATTN_VERSION).str();
  cl::SetVersionPrinter([=](raw_ostream &os) { os << version << '\n'; });
  registerFlags();
  std::string faults;
  raw_string_ostream os(faults);
  if (cl::ParseCommandLineOptions(argc, argv, overview, &os))
    return Error::success();
  // "program: Message!" and perhaps a second line with a suggestion.
  StringRef message = StringRef(os.str()).split('\n').first;
  message.consume_front((sys::path::filename(argv[0]) + ": ").str());
  message = message.split(".  Try").first;
  return fail(oneLine(message.take_front().lower()) +
              oneLine(message.drop_front()) + "; --help lists the flags");
}

Error readInteger(const cl::opt<std::string> &flag, uint64_t minimum,
                  uint64_t maximum, uint64_t &result) {
  if (flag.getNumOccurrences() == 0)
    return Error::success();
  if (StringRef(flag).getAsInteger(10, result) || result < minimum ||
      result > maximum)
    return fail("--" + flag.ArgStr + ": expected an integer from " +
                Twine(minimum) + " to " + Twine(maximum) + ", found " +
                inQuotes(flag));
  return Error::success();
}

Error readChecks(ArrayRef<StringRef> kinds, unsigned jobs, bool &races) {
  for (StringRef kind : kinds)
    if (kind == "races")
      races = true;
    else if (kind != "memory")
      return fail("--check: expected memory or races, found " + inQuotes(kind));
  if (races && jobs > 1)
    return fail("--jobs: expected 1 with --check=races, which runs one block "
                "after another, found " +
                Twine(jobs));
  return Error::success();
}

Error readMmaModel(const cl::opt<std::string> &flag,
                   emulator::MmaModel &result) {
  using emulator::MmaModel;
  if (flag.getNumOccurrences() == 0)
    return Error::success();
  auto model = StringSwitch<std::optional<MmaModel>>(flag)
                   .Case("ieee", MmaModel::Ieee)
                   .Case("ampere", MmaModel::Ampere)
                   .Case("ada", MmaModel::Ada)
                   .Case("hopper", MmaModel::Hopper)
                   .Default(std::nullopt);
  if (!model)
    return fail("--mma-model: expected ieee, ampere, ada or hopper, found " +
                inQuotes(flag));
  result = *model;
  return Error::success();
}

} // namespace sparse_attn::runtime

//===- Options.cpp - Command line of ptx-emulate ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Options.h"

#include "SparseAttn/Runtime/CommandLine.h"
#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/SmallVector.h"

using namespace llvm;
using sparse_attn::runtime::fail;
using sparse_attn::runtime::inQuotes;
using sparse_attn::runtime::readInteger;

namespace sparse_attn::emulate {

static constexpr char overview[] =
    "Executes a kernel of a PTX file on the CPU and reports what a GPU would "
    "do silently wrong.\n\n"
    "Examples:\n"
    "  ptx-emulate kernels.ptx --list\n"
    "  ptx-emulate kernels.ptx --entry=saxpy --grid=8 --block=128 \\\n"
    "      --arg=@x.npy --arg=@y.npy:write --arg=2.5 --arg=1000\n"
    "  ptx-emulate kernels.ptx --entry=gemm --grid=4,4 --block=16,8 "
    "--shared=65536 \\\n"
    "      --arg=@a.npy --arg=@b.npy --arg=out:f4:512x512:@c.npy "
    "--schedules=20\n\n"
    "One --arg for each parameter, in the order of the file:\n"
    "  @x.npy                a pointer to a buffer that holds the array\n"
    "  @x.npy:write          the same; the file is replaced afterwards\n"
    "  out:f4:4x128:@y.npy   a pointer to a new array, written to the file; "
    "reading an\n"
    "                        element before the kernel wrote it is an error\n"
    "  zeros:i4:64[:@y.npy]  the same, but all elements begin as 0\n"
    "  map=64x32[,swizzle=64]:@x.npy   a tensor map of one of these arrays, by "
    "boxes of 64x32\n"
    "  null                  a null pointer\n"
    "  5, -1.5, 0x10         a number of the parameter's type\n"
    "  i32:5, f16:1.5        a number of this type, as wide as the parameter\n"
    "  bytes:@x.npy          the bytes of the array themselves\n"
    "Types of arrays are NumPy's: f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1.\n";

namespace {
/// The flags as LLVM's parser fills them. Numbers arrive as text, so that this
/// file words the errors.
struct Flags {
  cl::OptionCategory category{"Options"};
  cl::list<std::string> file{cl::Positional, cl::desc("FILE.ptx"),
                             cl::cat(category)};
  cl::opt<bool> list{"list",
                     cl::desc("print the entry points and their parameters"),
                     cl::cat(category)};
  cl::opt<std::string> entry{
      "entry", cl::desc("which kernel, when the file has several"),
      cl::value_desc("name"), cl::cat(category)};
  cl::opt<std::string> grid{"grid", cl::desc("thread blocks (1)"),
                            cl::value_desc("x[,y[,z]]"), cl::cat(category)};
  cl::opt<std::string> block{
      "block", cl::desc("threads of a block (what .reqntid says)"),
      cl::value_desc("x[,y[,z]]"), cl::cat(category)};
  cl::opt<std::string> cluster{
      "cluster",
      cl::desc(
          "thread blocks of a cluster (what .reqnctapercluster says, or 1)"),
      cl::value_desc("x[,y[,z]]"), cl::cat(category)};
  cl::opt<std::string> shared{"shared",
                              cl::desc("bytes of dynamic shared memory (0)"),
                              cl::value_desc("bytes"), cl::cat(category)};
  cl::list<std::string> arguments{"arg", cl::desc("an argument, see above"),
                                  cl::value_desc("value"), cl::cat(category)};
  cl::opt<std::string> check{
      "check", cl::desc("what to check; memory is always checked"),
      cl::value_desc("memory,races"), cl::cat(category)};
  cl::opt<std::string> seed{"seed",
                            cl::desc("the order of warps; 0 is in turn (0)"),
                            cl::value_desc("s"), cl::cat(category)};
  cl::opt<std::string> schedules{
      "schedules", cl::desc("run with n seeds, which must give equal bits (1)"),
      cl::value_desc("n"), cl::cat(category)};
  cl::opt<std::string> arrival{
      "arrival",
      cl::desc("when the data of asynchronous operations move: when somebody "
               "waits for them, or when they are issued (by the seed)"),
      cl::value_desc("latest|earliest"), cl::cat(category)};
  cl::opt<std::string> mmaModel{
      "mma-model", cl::desc("arithmetic of tensor cores (ieee)"),
      cl::value_desc("ieee|ampere|ada|hopper"), cl::cat(category)};
  cl::opt<std::string> stats{"stats",
                             cl::desc("write counters (- for standard output)"),
                             cl::value_desc("stats.json"), cl::cat(category)};
  cl::opt<std::string> jobs{"jobs", cl::desc("worker threads (one per core)"),
                            cl::value_desc("n"), cl::cat(category)};
  cl::opt<std::string> instructionLimit{
      "instruction-limit",
      cl::desc("warp instructions after which a block counts as endless"),
      cl::value_desc("n"), cl::cat(category)};
  cl::opt<std::string> memoryLimit{"memory-limit",
                                   cl::desc("MiB for all buffers (1024)"),
                                   cl::value_desc("n"), cl::cat(category)};
};
} // namespace

static Error readShape(const cl::opt<std::string> &flag,
                       std::optional<std::array<uint32_t, 3>> &result) {
  if (flag.getNumOccurrences() == 0)
    return Error::success();
  SmallVector<StringRef> parts;
  StringRef(flag).split(parts, ',');
  result = {1, 1, 1};
  bool bad = parts.size() > 3;
  for (size_t i = 0; i < parts.size() && !bad; ++i)
    bad = parts[i].getAsInteger(10, (*result)[i]) || (*result)[i] == 0;
  if (bad)
    return fail("--" + flag.ArgStr +
                ": expected one to three positive integers such as 8,4, "
                "found " +
                inQuotes(flag));
  return Error::success();
}

static Expected<Options> read(const Flags &flags) {
  Options options;
  if (flags.file.size() != 1)
    return fail("expected one PTX file, found " +
                (flags.file.empty() ? std::string("none")
                                    : std::to_string(flags.file.size())) +
                "; --help has examples");
  options.file = flags.file[0];
  options.list = flags.list;
  options.entry = flags.entry;
  options.arguments.assign(flags.arguments.begin(), flags.arguments.end());
  options.stats = flags.stats;
  if (flags.stats.getNumOccurrences() && flags.stats.empty())
    return fail("--stats: expected a file name or -, found nothing");
  for (auto [flag, shape] : {std::pair(&flags.grid, &options.grid),
                             {&flags.block, &options.block},
                             {&flags.cluster, &options.cluster}})
    if (Error error = readShape(*flag, *shape))
      return std::move(error);
  uint64_t shared = 0, jobs = 0, mebibytes = 1024;
  for (auto [flag, minimum, maximum, result] :
       {std::tuple(&flags.shared, uint64_t(0), uint64_t(1) << 20, &shared),
        std::tuple(&flags.seed, uint64_t(0), uint64_t(UINT32_MAX),
                   &options.seed),
        std::tuple(&flags.schedules, uint64_t(1), uint64_t(1000000),
                   &options.schedules),
        std::tuple(&flags.jobs, uint64_t(1), uint64_t(1024), &jobs),
        std::tuple(&flags.instructionLimit, uint64_t(1), uint64_t(1) << 40,
                   &options.instructionLimit),
        std::tuple(&flags.memoryLimit, uint64_t(1), uint64_t(1) << 20,
                   &mebibytes)})
    if (Error error = readInteger(*flag, minimum, maximum, *result))
      return std::move(error);
  options.sharedBytes = uint32_t(shared);
  options.jobs = unsigned(jobs);
  options.memoryLimit = mebibytes << 20;
  if (flags.arrival == "earliest")
    options.arrival = emulator::Arrival::Earliest;
  else if (flags.arrival == "latest")
    options.arrival = emulator::Arrival::Latest;
  else if (flags.arrival.getNumOccurrences())
    return fail("--arrival: expected latest or earliest, found " +
                inQuotes(flags.arrival));
  if (Error error = runtime::readMmaModel(flags.mmaModel, options.mmaModel))
    return std::move(error);
  SmallVector<StringRef> checks;
  StringRef(flags.check).split(checks, ',', -1, false);
  if (Error error =
          runtime::readChecks(checks, options.jobs, options.checkRaces))
    return std::move(error);
  return std::move(options);
}

Expected<Options> parseOptions(int argc, char **argv) {
  // Registered for the whole life of the process, as LLVM's own are.
  static Flags *flags = nullptr;
  if (Error error = runtime::parseCommandLine(
          argc, argv, "ptx-emulate", overview, [] { flags = new Flags; },
          {"list", "entry", "grid", "block", "cluster", "mma-model", "shared",
           "arg", "check", "seed", "schedules", "arrival", "stats", "jobs",
           "instruction-limit", "memory-limit"}))
    return std::move(error);
  return read(*flags);
}

} // namespace sparse_attn::emulate

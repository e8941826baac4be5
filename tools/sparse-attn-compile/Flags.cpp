//===- Flags.cpp - The command line of sparse-attn-compile --------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Flags.h"
#include "SparseAttn/Target/TargetInfo.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace mlir::sparse_attn;

static cl::OptionCategory category("sparse-attn-compile options");

namespace {
struct Options {
  cl::opt<std::string> input{cl::Positional, cl::desc("<input .mlir, or ->"),
                             cl::init(""), cl::cat(category)};
  cl::list<std::string> targets{
      "target", cl::CommaSeparated, cl::value_desc("chip"),
      cl::desc("What to compile for, one or several (default sm_80)"),
      cl::cat(category)};
  cl::opt<std::string> output{"o", cl::value_desc("path"),
                              cl::desc("Where to write; - is standard output"),
                              cl::cat(category)};
  cl::opt<Emit> emit{
      "emit", cl::desc("What to write"), cl::init(Emit::Package),
      cl::values(
          clEnumValN(Emit::Package, "package",
                     "a directory with manifest, PTX and graph (default)"),
          clEnumValN(Emit::Ptx, "ptx", "PTX, one file for each target"),
          clEnumValN(Emit::Mlir, "mlir", "the graph, with calls of kernels"),
          clEnumValN(Emit::Iree, "iree",
                     "the graph with the kernels inside, for iree-compile "
                     "--compile-from=preprocessing"),
          clEnumValN(Emit::IreeSpec, "iree-spec",
                     "a transform spec with the kernels inside, for "
                     "iree-compile "
                     "--iree-preprocessing-transform-spec-filename")),
      cl::cat(category)};
  cl::opt<std::string> filter{
      "filter", cl::value_desc("policy"),
      cl::desc("Filter of attentions that state none: dense, threshold:0.1, "
               "threshold:12.5/L, energy:-6, energy:P=1.46, "
               "recall:0.95[,row|tile][,groups=8|exact]"),
      cl::cat(category)};
  cl::opt<std::string> precision{
      "f32", cl::value_desc("precision"),
      cl::desc("How f32 attentions that state none run on tensor cores: "
               "3xtf32 (default), tf32 or bf16"),
      cl::cat(category)};
  cl::opt<std::string> layout{
      "layout", cl::value_desc("order"),
      cl::desc("Order of the tokens inside the graph: raster, hilbert, gilbert "
               "or morton with :TxHxW[+TAIL], box:AxBxC@TxHxW[+TAIL]"),
      cl::cat(category)};
  cl::opt<std::string> selection{
      "select", cl::value_desc("rule"),
      cl::desc("Blocks of keys to visit, by their scores: none, top-k:r, "
               "top-p:p, cutoff:c or recall:\u03c1 (certified by sampled "
               "queries), each with ,order=score to visit the best first "
               "and ,block=N (128)"),
      cl::cat(category)};
  cl::opt<std::string> cache{
      "cache", cl::value_desc("schedule"),
      cl::desc("Keep the lists of --select as state over denoising steps: "
               "warmup=12,interval=12,ratios=0.3/0.2/0.1,steps=50"
               "[,target=\u03c1][,dense=0/3]"),
      cl::cat(category)};
  cl::opt<std::string> report{
      "report", cl::value_desc("text|json"),
      cl::desc("Form of what is printed of the kernels (default text)"),
      cl::init("text"), cl::cat(category)};
  cl::opt<unsigned> expectAttention{
      "expect-attention", cl::value_desc("N"),
      cl::desc("Fail unless exactly N attentions are found"),
      cl::cat(category)};
  cl::opt<bool> checkStages{
      "check-stages",
      cl::desc("Execute each kernel after each step on small inputs, and fail "
               "naming the step that changes the result"),
      cl::cat(category)};
  cl::opt<uint64_t> seed{"seed", cl::value_desc("S"),
                         cl::desc("Seed of the inputs of --check-stages"),
                         cl::init(0), cl::cat(category)};
  cl::opt<std::string> dumpTo{
      "dump-to", cl::value_desc("dir"),
      cl::desc("Write the IR after each step and each pass there"),
      cl::cat(category)};
  cl::opt<bool> allowBytecode{
      "allow-bytecode",
      cl::desc("Accept MLIR bytecode, from a source that you trust"),
      cl::cat(category)};
  cl::opt<uint64_t> maxInputBytes{
      "max-input-bytes", cl::value_desc("N"),
      cl::desc("Refuse larger inputs (default 256 MiB)"),
      cl::init(InputLimits().maxBytes), cl::cat(category)};
  cl::opt<std::string> ptxas{
      "ptxas", cl::value_desc("path"),
      cl::desc("NVIDIA's assembler, to report registers and spills; none hides "
               "it (default $SPARSE_ATTN_PTXAS, then PATH, then "
               "/usr/local/cuda/bin)"),
      cl::cat(category)};
  cl::extrahelp examples{
      "\nEXAMPLES:\n"
      "  sparse-attn-compile model.mlir -o model.package\n"
      "  sparse-attn-compile model.mlir --filter=recall:0.95 "
      "--target=sm_80,sm_89 -o model.package\n"
      "  sparse-attn-compile model.mlir --emit=ptx -o - | less\n\n"
      "Exit codes: 0 success, 1 an error in what was given, 2 an error of the "
      "compiler itself.\n"};
};
} // namespace

static int fail(const Twine &message) {
  errs() << "error: " << message << '\n';
  return static_cast<int>(Outcome::UserError);
}

/// Checks the targets; an empty list becomes the default.
static std::optional<int> takeTargets(ArrayRef<std::string> names,
                                      std::vector<std::string> &targets) {
  StringSet<> seen;
  for (const std::string &name : names) {
    if (!TargetInfo::lookup(name))
      return fail("expected one of the targets " + TargetInfo::names() +
                  ", found '" + name + "'");
    if (!seen.insert(name).second)
      return fail("expected each target once, found '" + name + "' again");
    targets.push_back(name);
  }
  if (targets.empty())
    targets.push_back("sm_80");
  return std::nullopt;
}

/// What `-o` is when it is not given: a name made from the input's.
static std::string defaultOutput(StringRef input, Emit emit) {
  StringRef stem = sys::path::stem(input);
  switch (emit) {
  case Emit::Package:
    return (stem + ".package").str();
  case Emit::Ptx:
    return (stem + ".ptx").str();
  case Emit::Mlir:
    return (stem + ".compiled.mlir").str();
  case Emit::Iree:
    return (stem + ".iree.mlir").str();
  case Emit::IreeSpec:
    return (stem + ".spec.mlir").str();
  }
  llvm_unreachable("all kinds have a name");
}

std::optional<int> mlir::sparse_attn::parseFlags(int argc, char **argv,
                                                 Flags &flags) {
  Options options;
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](raw_ostream &os) {
    os << "sparse-attn " SPARSE_ATTN_VERSION << '\n';
  });
  std::string messages;
  raw_string_ostream stream(messages);
  if (!cl::ParseCommandLineOptions(
          argc, argv,
          "sparse-attn-compile: finds the attention of a model graph and "
          "compiles it to PTX kernels\n",
          &stream)) {
    StringRef first = StringRef(messages).split('\n').first;
    first.consume_front(sys::path::filename(argv[0]));
    first.consume_front(argv[0]);
    first.consume_front(": ");
    // Options print what they think of their values themselves.
    return fail(first.empty() ? "the command line cannot be taken, see above"
                              : first);
  }

  if (options.input.empty())
    return fail("expected an input, '-' for standard input; --help shows how");
  flags.input = options.input;
  flags.emit = options.emit;
  if (std::optional<int> code = takeTargets(
          ArrayRef(&*options.targets.begin(), options.targets.size()),
          flags.compile.targets))
    return code;
  if (options.emit == Emit::Mlir && options.targets.getNumOccurrences())
    return fail("expected no --target beside --emit=mlir: the graph is the "
                "same for all");
  if (options.emit == Emit::Mlir && options.checkStages)
    return fail("expected no --check-stages beside --emit=mlir, which lowers "
                "nothing");
  if (options.seed.getNumOccurrences() && !options.checkStages)
    return fail("expected --check-stages beside --seed");
  flags.seed = options.seed;
  flags.checkStages = options.checkStages;

  if (options.output.getNumOccurrences() && options.output.empty())
    return fail("expected a path after -o, found ''");
  flags.output = options.output;
  if (flags.output.empty() && flags.input == "-")
    return fail("expected -o beside an input from standard input");
  if (flags.output.empty())
    flags.output = defaultOutput(flags.input, flags.emit);
  if (flags.toStdout() && flags.emit == Emit::Package)
    return fail("expected a directory as -o of --emit=package, found '-'");
  if (flags.toStdout() && flags.emit == Emit::Ptx &&
      flags.compile.targets.size() > 1)
    return fail("expected one target to write PTX to standard output, found " +
                Twine(flags.compile.targets.size()));

  if (options.report != "text" && options.report != "json")
    return fail("expected 'text' or 'json' as --report, found '" +
                options.report + "'");
  flags.jsonReport = options.report == "json";
  if (options.expectAttention.getNumOccurrences())
    flags.expectedAttentions = options.expectAttention;

  // An empty spelling would silently mean "not given".
  if (options.filter.getNumOccurrences() && options.filter.empty())
    return fail("expected a filter after --filter=, found ''");
  if (options.precision.getNumOccurrences() && options.precision.empty())
    return fail("expected a precision after --f32=, found ''");
  flags.compile.filter = options.filter;
  flags.compile.precision = options.precision;
  if (options.layout.getNumOccurrences() && options.layout.empty())
    return fail("expected a layout after --layout=, found ''");
  flags.compile.layout = options.layout;
  if (options.selection.getNumOccurrences() && options.selection.empty())
    return fail("expected a selection after --select=, found ''");
  flags.compile.selection = options.selection;
  if (options.cache.getNumOccurrences() && options.cache.empty())
    return fail("expected a schedule after --cache=, found ''");
  flags.compile.cache = options.cache;
  if (options.dumpTo.getNumOccurrences() && options.dumpTo.empty())
    return fail("expected a directory after --dump-to=, found ''");
  flags.compile.dumpDirectory = options.dumpTo;
  flags.compile.limits.allowBytecode = options.allowBytecode;
  flags.compile.limits.maxBytes = options.maxInputBytes;
  if (!options.ptxas.getNumOccurrences())
    flags.compile.ptxas = findPtxas();
  else if (options.ptxas != "none")
    flags.compile.ptxas = options.ptxas;
  if (flags.compile.ptxas && !sys::fs::can_execute(*flags.compile.ptxas))
    return fail("expected ptxas at '" + *flags.compile.ptxas +
                "', found no program");
  flags.compile.configure = [](mlir::PassManager &pm) {
    return mlir::applyPassManagerCLOptions(pm);
  };
  return std::nullopt;
}

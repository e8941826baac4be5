//===- Compiler.cpp - From the text of a graph to PTX -------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Compiler.h"
#include "Backend.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// Adds the time of its scope to a phase.
class Stopwatch {
public:
  Stopwatch(Compilation &compilation, StringRef phase)
      : compilation(compilation), phase(phase),
        start(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    double passed = std::chrono::duration<double, std::milli>(
                        std::chrono::steady_clock::now() - start)
                        .count();
    for (auto &[name, time] : compilation.phases)
      if (name == phase) {
        time += passed;
        return;
      }
    compilation.phases.emplace_back(phase, passed);
  }

private:
  Compilation &compilation;
  StringRef phase;
  std::chrono::steady_clock::time_point start;
};

class Compiler {
public:
  Compiler(MLIRContext &context, const CompileOptions &options,
           DiagnosticCollector &diagnostics, Compilation &result)
      : context(context), options(options), diagnostics(diagnostics),
        result(result) {}

  Outcome run(std::unique_ptr<llvm::MemoryBuffer> input);

private:
  Outcome parse(std::unique_ptr<llvm::MemoryBuffer> input);
  Outcome raise();
  Outcome plan();
  Outcome schedule(StringRef chip);
  Outcome lower(CompiledTarget &target);
  Outcome assemble(CompiledTarget &target);

  /// Runs `pm`; a failure is the program's own and leaves a reproducer, unless
  /// `userError`.
  Outcome runPasses(PassManager &pm, Operation *op, StringRef step,
                    bool userError = false);
  Outcome dump(StringRef name, function_ref<void(raw_ostream &)> print);
  Outcome dump(StringRef name, Operation *op);

  MLIRContext &context;
  const CompileOptions &options;
  DiagnosticCollector &diagnostics;
  Compilation &result;
};
} // namespace

//===----------------------------------------------------------------------===//
// Passes and dumps
//===----------------------------------------------------------------------===//

Outcome Compiler::dump(StringRef name,
                       function_ref<void(raw_ostream &)> print) {
  if (options.dumpDirectory.empty())
    return Outcome::Success;
  SmallString<128> path(options.dumpDirectory);
  llvm::sys::path::append(path, name);
  std::error_code code =
      llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path));
  if (!code) {
    llvm::raw_fd_ostream stream(path, code);
    if (!code) {
      print(stream);
      stream.close();
      code = stream.error();
      stream.clear_error();
    }
  }
  if (!code)
    return Outcome::Success;
  diagnostics.error("cannot write '" + path + "': " + code.message());
  return Outcome::UserError;
}

Outcome Compiler::dump(StringRef name, Operation *op) {
  return dump(name, [&](raw_ostream &os) { os << *op << '\n'; });
}

Outcome Compiler::runPasses(PassManager &pm, Operation *op, StringRef step,
                            bool userError) {
  SmallString<128> reproducer;
  if (!userError) {
    if (options.dumpDirectory.empty()) {
      llvm::sys::fs::createUniquePath("sparse-attn-" + step + "-%%%%%%.mlir",
                                      reproducer, /*MakeAbsolute=*/true);
    } else {
      reproducer = options.dumpDirectory;
      llvm::sys::path::append(reproducer, "reproducer-" + step + ".mlir");
    }
    pm.enableCrashReproducerGeneration(reproducer);
  }
  if (!options.dumpDirectory.empty()) {
    SmallString<128> tree(options.dumpDirectory);
    llvm::sys::path::append(tree, step + "-passes");
    pm.enableIRPrintingToFileTree([](Pass *, Operation *) { return false; },
                                  [](Pass *, Operation *) { return true; },
                                  /*printModuleScope=*/false,
                                  /*printAfterOnlyOnChange=*/true,
                                  /*printAfterOnlyOnFailure=*/false, tree);
  }
  if (options.configure && failed(options.configure(pm))) {
    diagnostics.error("cannot configure the passes");
    return Outcome::UserError;
  }
  if (succeeded(pm.run(op)))
    return Outcome::Success;
  if (userError)
    return Outcome::UserError;
  diagnostics.error("internal: the step '" + step + "' failed");
  diagnostics.note("the reproducer is '" + reproducer +
                   "'; run: sparse-attn-opt --run-reproducer " + reproducer);
  return Outcome::InternalError;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Outcome Compiler::parse(std::unique_ptr<llvm::MemoryBuffer> input) {
  Stopwatch watch(result, "parse");
  StringRef text = input->getBuffer();
  if (std::optional<InputFault> fault = findInputFault(text, options.limits)) {
    if (fault->line)
      emitError(FileLineColLoc::get(&context, input->getBufferIdentifier(),
                                    fault->line, fault->column))
          << fault->message;
    else
      diagnostics.error(fault->message);
    return Outcome::UserError;
  }
  auto sources = std::make_shared<llvm::SourceMgr>();
  std::string name = input->getBufferIdentifier().str();
  sources->AddNewSourceBuffer(std::move(input), SMLoc());
  ParserConfig config(&context);
  result.graph = parseSourceFile<ModuleOp>(sources, config);
  if (!result.graph) {
    // The parser always says why; this is for a reader that does not.
    diagnostics.error("cannot parse '" + Twine(name) + "'");
    return Outcome::UserError;
  }
  if (failed(verifyShapeSizes(*result.graph)))
    return Outcome::UserError;
  if (options.prepare && failed(options.prepare(*result.graph)))
    return Outcome::UserError;
  return dump("1-input.mlir", *result.graph);
}

Outcome Compiler::raise() {
  Stopwatch watch(result, "raise");
  PassManager pm(&context);
  backend::addRaising(pm);
  if (Outcome outcome = runPasses(pm, *result.graph, "raise");
      outcome != Outcome::Success)
    return outcome;
  result.notRaised = std::move(diagnostics.notRaised);
  return dump("2-raised.mlir", *result.graph);
}

/// Checks what the passes after this rely on: a kernel may have been in the
/// input, marked by somebody else.
static LogicalResult verifyKernel(func::FuncOp function,
                                  llvm::StringSet<> &names) {
  StringRef name = function.getSymName();
  // The name becomes that of a PTX entry and of a file.
  if (name.empty() ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") !=
          StringRef::npos)
    return function.emitError("expected a kernel name of [a-z0-9_]+, found '")
           << name << "'";
  if (!names.insert(name).second)
    return function.emitError("expected one kernel of the name '")
           << name << "'";
  Operation *body = getKernelOp(function);
  if (!body || !llvm::hasNItems(function.getBody().front(), 2))
    return function.emitError("expected one sparse_attn.attention, or one "
                              "operation around it, and a return in kernel '")
           << name << "'";
  auto op = dyn_cast<AttentionOp>(body);
  SmallVector<Value> arguments(body->getOperands());
  if (op)
    llvm::append_range(arguments, op.getCapturedTensors());
  if (!llvm::equal(arguments, function.getArguments()) ||
      !llvm::equal(body->getResults(),
                   function.getBody().front().getTerminator()->getOperands()))
    return body->emitError("expected a kernel's operation to take the "
                           "function's arguments in order and to give its "
                           "results");
  if (!op)
    return success();
  if (std::optional<ArrayRef<int64_t>> tile = op.getDecisionTile()) {
    int64_t rows = (*tile)[0], keys = (*tile)[1];
    if (!llvm::isPowerOf2_64(rows) || rows < 16 || rows > 256 || keys % 16 ||
        keys > 256)
      return op.emitError("expected a decision tile of 16, 32, 64, 128 or 256 "
                          "rows and a multiple of 16 keys up to 256, found ")
             << rows << " rows and " << keys << " keys";
  }
  return success();
}

Outcome Compiler::plan() {
  Stopwatch watch(result, "plan");
  PassManager policies(&context);
  AssignPoliciesOptions flags;
  flags.filter = options.filter;
  flags.precision = options.precision;
  policies.addPass(createAssignPolicies(flags));
  if (!options.layout.empty()) {
    policies.addPass(createAssignLayout({options.layout}));
    policies.addPass(createPropagateLayouts());
  }
  if (!options.selection.empty()) {
    AssignSelectionOptions select;
    select.selection = options.selection;
    select.layout = options.layout;
    policies.addPass(createAssignSelection(select));
  }
  if (!options.cache.empty()) {
    CacheListsOptions cache;
    cache.schedule = options.cache;
    policies.addPass(createCacheLists(cache));
  }
  if (Outcome outcome = runPasses(policies, *result.graph, "policies",
                                  /*userError=*/true);
      outcome != Outcome::Success)
    return outcome;

  PassManager outline(&context);
  outline.addPass(createDecomposeBlockScores());
  outline.addPass(createSplitKeys());
  outline.addPass(createFoldConstantMasks());
  outline.addPass(createOutlineKernels());
  if (Outcome outcome = runPasses(outline, *result.graph, "outline");
      outcome != Outcome::Success)
    return outcome;
  result.notOutlined = diagnostics.takeNotCompiled();

  llvm::StringSet<> names, kernels;
  bool fine = true;
  result.graph->walk([&](func::FuncOp function) {
    if (!function->hasAttr(kernelAttrName))
      return;
    fine &= succeeded(verifyKernel(function, names));
    if (getKernelAttention(function))
      kernels.insert(function.getSymName());
  });
  if (!fine)
    return Outcome::UserError;

  result.graph->walk<WalkOrder::PreOrder>([&](Operation *op) {
    StringRef callee;
    if (auto call = dyn_cast<func::CallOp>(op))
      callee = call.getCallee();
    else if (auto call = dyn_cast<CallKernelOp>(op))
      callee = call.getCallee();
    // Those that merge shares are part of the attention that was split.
    bool merges = op->hasAttr(mergeAttrName);
    if (isa<AttentionOp>(op) && !merges)
      result.attentions.push_back({formatPlace(op->getLoc()), ""});
    if (names.contains(callee))
      ++result.calls[callee];
    if (kernels.contains(callee) && !merges)
      result.attentions.push_back({formatPlace(op->getLoc()), callee.str()});
    return op->hasAttr(kernelAttrName) ? WalkResult::skip()
                                       : WalkResult::advance();
  });
  return dump("3-graph.mlir", *result.graph);
}

Outcome Compiler::schedule(StringRef chip) {
  Stopwatch watch(result, "plan");
  CompiledTarget target;
  target.chip = chip.str();
  target.module = ModuleOp::create(UnknownLoc::get(&context));
  (*target.module)
      ->setAttr("sparse_attn.target", TargetAttr::get(&context, chip));
  OpBuilder builder(target.module->getBodyRegion());
  result.graph->walk([&](func::FuncOp function) {
    if (function->hasAttr(kernelAttrName))
      builder.clone(*function);
  });
  PassManager pm(&context);
  backend::addScheduling(pm, options.statistics);
  std::string step = "schedule-" + target.chip;
  if (Outcome outcome = runPasses(pm, *target.module, step);
      outcome != Outcome::Success)
    return outcome;
  // Kernels without a schedule are refused by the lowering, which says more.
  for (auto function : target.module->getOps<func::FuncOp>()) {
    CompiledKernel kernel;
    kernel.name = function.getSymName().str();
    kernel.function = function;
    target.kernels.push_back(std::move(kernel));
  }
  if (Outcome outcome =
          dump("4-kernels." + target.chip + ".mlir", *target.module);
      outcome != Outcome::Success)
    return outcome;
  result.targets.push_back(std::move(target));
  return Outcome::Success;
}

/// The reason why `function` was not lowered, taken from `refusals`.
static std::string takeReason(func::FuncOp function,
                              std::vector<Refusal> &refusals) {
  Operation *op = getKernelOp(function);
  auto found = llvm::find_if(refusals, [&](const Refusal &refusal) {
    return op && refusal.loc == op->getLoc();
  });
  if (found == refusals.end())
    found = refusals.begin();
  if (found == refusals.end())
    return "the lowering gave no reason";
  std::string reason = found->reason;
  refusals.erase(found);
  return reason;
}

Outcome Compiler::lower(CompiledTarget &target) {
  Stopwatch watch(result, "ptx");
  OwningOpRef<ModuleOp> module = target.module->clone();
  PassManager pm(&context);
  backend::addLowering(pm);
  diagnostics.notCompiled.clear();
  std::string step = "ptx-" + target.chip;
  if (Outcome outcome = runPasses(pm, *module, step);
      outcome != Outcome::Success)
    return outcome;
  std::vector<Refusal> refusals = diagnostics.takeNotCompiled();

  SymbolTable symbols(*module);
  for (CompiledKernel &kernel : target.kernels) {
    if (auto function = symbols.lookup<func::FuncOp>(kernel.name)) {
      kernel.refusal = takeReason(function, refusals);
      continue;
    }
    std::optional<backend::LoweredKernel> lowered =
        backend::findLowered(*module, kernel.name);
    if (!lowered) {
      diagnostics.error("internal: kernel '" + Twine(kernel.name) +
                        "' did not become a gpu.binary with PTX, threads and "
                        "shared memory");
      return Outcome::InternalError;
    }
    kernel.ptx = std::move(lowered->ptx);
    kernel.threads = lowered->threads;
    kernel.sharedMemory = lowered->sharedMemory;
    if (Outcome outcome = dump("5-" + kernel.fileName(target.chip),
                               [&](raw_ostream &os) { os << kernel.ptx; });
        outcome != Outcome::Success)
      return outcome;
  }
  return Outcome::Success;
}

Outcome Compiler::assemble(CompiledTarget &target) {
  if (!options.ptxas)
    return Outcome::Success;
  Stopwatch watch(result, "ptxas");
  for (CompiledKernel &kernel : target.kernels) {
    if (kernel.ptx.empty())
      continue;
    SmallString<128> path;
    int file;
    std::error_code code = llvm::sys::fs::createTemporaryFile(
        "sparse-attn-" + kernel.name, "ptx", file, path);
    if (code) {
      diagnostics.error("cannot create a temporary file: " + code.message());
      return Outcome::UserError;
    }
    llvm::raw_fd_ostream(file, /*shouldClose=*/true) << kernel.ptx;
    llvm::Expected<PtxasUsage> usage =
        runPtxas(*options.ptxas, target.chip, path);
    if (!usage) {
      // The file stays: it is the reproducer.
      diagnostics.error("internal: ptxas refuses '" + path +
                        "': " + llvm::toString(usage.takeError()));
      return Outcome::InternalError;
    }
    kernel.usage = *usage;
    llvm::sys::fs::remove(path);
  }
  return Outcome::Success;
}

Outcome Compiler::run(std::unique_ptr<llvm::MemoryBuffer> input) {
  Outcome outcome = parse(std::move(input));
  if (outcome == Outcome::Success)
    outcome = raise();
  if (outcome == Outcome::Success)
    outcome = plan();
  for (const std::string &chip : options.targets)
    if (outcome == Outcome::Success)
      outcome = schedule(chip);
  for (CompiledTarget &target : result.targets) {
    if (outcome == Outcome::Success)
      outcome = lower(target);
    if (outcome == Outcome::Success)
      outcome = assemble(target);
  }
  return outcome;
}

Outcome sparse_attn::compile(MLIRContext &context,
                             std::unique_ptr<llvm::MemoryBuffer> input,
                             const CompileOptions &options,
                             DiagnosticCollector &diagnostics,
                             Compilation &result) {
  return Compiler(context, options, diagnostics, result).run(std::move(input));
}

int64_t Compilation::countCalls(StringRef kernel) const {
  return calls.lookup(kernel);
}

//===- StageChecks.cpp - Every floor computes the same ------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/StageChecks.h"
#include "Backend.h"
#include "SmallKernel.h"
#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "SparseAttn/Emulator/Emulator.h"
#include "SparseAttn/Execution/CpuExecution.h"
#include "SparseAttn/Execution/TileInterpreter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// A floor: what to execute, named by the pass that made it.
struct Stage {
  std::string pass;
  /// Executes it on `inputs`, one for each argument of the kernel function;
  /// gives one tensor for each result of the function.
  std::function<llvm::Expected<std::vector<HostTensor>>(
      ArrayRef<HostTensor> inputs)>
      run;
};

/// Keeps the tile IR after every pass that changes it.
class Recorder : public PassInstrumentation {
public:
  struct Snapshot {
    std::string pass;
    OwningOpRef<ModuleOp> module;
  };
  explicit Recorder(std::vector<Snapshot> &snapshots) : snapshots(snapshots) {}

  void runAfterPass(Pass *pass, Operation *op) override {
    // Adaptors only run others.
    if (pass->getArgument().empty())
      return;
    auto gpuModule = dyn_cast<gpu::GPUModuleOp>(op);
    if (!gpuModule)
      gpuModule = op->getParentOfType<gpu::GPUModuleOp>();
    if (auto module = dyn_cast<ModuleOp>(op)) {
      auto inside = module.getOps<gpu::GPUModuleOp>();
      if (!inside.empty())
        gpuModule = *inside.begin();
    }
    if (!gpuModule || !hasTiles(gpuModule))
      return;
    OperationFingerPrint fingerprint(gpuModule);
    if (last && *last == fingerprint)
      return;
    last = fingerprint;
    Snapshot snapshot{pass->getArgument().str(),
                      ModuleOp::create(gpuModule.getLoc())};
    OpBuilder(snapshot.module->getBodyRegion()).clone(*gpuModule);
    snapshots.push_back(std::move(snapshot));
  }

private:
  static bool hasTiles(Operation *root) {
    return root
        ->walk([](Operation *op) {
          return isa<attn_tile::AttnTileDialect>(op->getDialect())
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  std::vector<Snapshot> &snapshots;
  std::optional<OperationFingerPrint> last;
};
} // namespace

static llvm::Error fault(const Twine &text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
}

//===----------------------------------------------------------------------===//
// Executing a floor
//===----------------------------------------------------------------------===//

static std::array<uint32_t, 3> gridOf(const SmallKernel &kernel,
                                      const KernelSignature &signature) {
  return {static_cast<uint32_t>(kernel.evaluate(signature.gridX)),
          static_cast<uint32_t>(kernel.evaluate(signature.gridY)),
          static_cast<uint32_t>(kernel.evaluate(signature.gridZ))};
}

/// What inits hold before a launch: a NaN in every float type, so that an
/// element that no thread writes shows.
static constexpr uint8_t poison = 0xff;

static bool isOutput(const KernelArgument &argument) {
  return argument.role == KernelArgument::Role::Output ||
         argument.role == KernelArgument::Role::Statistic;
}

static llvm::Expected<std::vector<HostTensor>>
runTiles(const SmallKernel &kernel, ModuleOp module,
         ArrayRef<HostTensor> inputs) {
  gpu::GPUFuncOp function;
  module.walk([&](gpu::GPUFuncOp op) { function = op; });
  KernelSignature signature = kernel.getSignature();
  std::vector<HostTensor> tensors(inputs.begin(), inputs.end());
  std::vector<attn_tile::KernelBuffer> buffers;
  for (auto [i, argument] : llvm::enumerate(signature.arguments)) {
    if (argument.role == KernelArgument::Role::Length) {
      buffers.push_back(attn_tile::KernelBuffer::number(
          static_cast<int32_t>(kernel.getSize(argument.of))));
      continue;
    }
    if (isOutput(argument))
      std::fill(tensors[i].bytes.begin(), tensors[i].bytes.end(), poison);
    buffers.push_back(attn_tile::KernelBuffer::memory(tensors[i].elementType,
                                                      tensors[i].bytes));
  }
  if (llvm::Error error = attn_tile::runTileKernel(
          function, gridOf(kernel, signature), buffers))
    return error;
  std::vector<HostTensor> results;
  for (auto [i, argument] : llvm::enumerate(signature.arguments))
    if (isOutput(argument))
      results.push_back(std::move(tensors[i]));
  return results;
}

static llvm::Expected<std::vector<HostTensor>>
runPtx(const SmallKernel &kernel, const backend::LoweredKernel &lowered,
       uint64_t seed, ArrayRef<HostTensor> inputs) {
  namespace emulator = ::sparse_attn::emulator;
  emulator::Error error;
  std::unique_ptr<emulator::Program> program =
      emulator::Program::parse(lowered.ptx, error);
  if (!program)
    return fault(error.str());
  KernelSignature signature = kernel.getSignature();
  emulator::GlobalMemory memory;
  emulator::Launch launch;
  launch.entry = kernel.getName().str();
  launch.grid = gridOf(kernel, signature);
  launch.block = {static_cast<uint32_t>(lowered.threads), 1, 1};
  launch.dynamicSharedBytes = static_cast<uint32_t>(lowered.sharedMemory);
  launch.seed = seed;
  auto pass = [&](auto value) {
    size_t offset = llvm::alignTo(launch.parameters.size(), sizeof(value));
    launch.parameters.resize(offset + sizeof(value));
    std::memcpy(launch.parameters.data() + offset, &value, sizeof(value));
  };
  SmallVector<uint64_t> addresses;
  for (auto [i, argument] : llvm::enumerate(signature.arguments)) {
    if (argument.role == KernelArgument::Role::Length) {
      pass(static_cast<uint32_t>(kernel.getSize(argument.of)));
      continue;
    }
    const std::vector<uint8_t> &bytes = inputs[i].bytes;
    uint64_t address = memory.allocate(bytes.size());
    // Outputs stay uninitialised, which the emulator minds if they are read.
    if (!isOutput(argument))
      memory.write(address, bytes.data(), bytes.size());
    addresses.push_back(address);
    pass(address);
  }
  if (std::optional<emulator::Error> failure =
          emulator::execute(*program, memory, launch))
    return fault(failure->str());
  std::vector<HostTensor> results;
  for (auto [i, argument] : llvm::enumerate(signature.arguments)) {
    if (!isOutput(argument))
      continue;
    HostTensor tensor = inputs[i];
    if (!memory.read(addresses[i], tensor.bytes.data(), tensor.bytes.size()))
      return fault("elements of '" + argument.name + "' were never written");
    results.push_back(std::move(tensor));
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Comparing floors
//===----------------------------------------------------------------------===//

/// The largest difference that rounding explains, relative to the largest
/// value: both floors round the weights and the result once to the type that
/// the tensor cores multiply in.
static double roundingOf(AttentionOp op) {
  Type type = cast<RankedTensorType>(op.getQuery().getType()).getElementType();
  if (type.isF16())
    return 0x1p-9;
  if (type.isBF16())
    return 0x1p-6;
  switch (op.getPrecisionOrDefault()) {
  case Precision::bf16:
    return 0x1p-6;
  case Precision::tf32:
    return 0x1p-9;
  case Precision::tf32x3:
    return 0x1p-16;
  }
  llvm_unreachable("all precisions round");
}

namespace {
struct Difference {
  std::string text;
  /// A decision of a filter differs, which rounding can explain at a boundary.
  bool isDecision = false;
};
} // namespace

static std::string indexText(int64_t linear, ArrayRef<int64_t> shape) {
  SmallVector<std::string> index(shape.size());
  for (size_t dim = shape.size(); dim-- > 0; linear /= shape[dim])
    index[dim] = std::to_string(linear % shape[dim]);
  return "[" + llvm::join(index, ", ") + "]";
}

/// Compares two tensors; NaN equals nothing, not even itself: no floor may
/// compute one.
static std::optional<Difference> compare(StringRef name, const HostTensor &a,
                                         const HostTensor &b,
                                         double tolerance) {
  std::vector<double> x = a.toDoubles(), y = b.toDoubles();
  double worst = -1;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i])
      continue;
    double error = std::abs(x[i] - y[i]);
    if (std::isnan(error))
      error = std::numeric_limits<double>::infinity();
    if (error > worst) {
      worst = error;
      at = i;
    }
  }
  if (worst <= tolerance)
    return std::nullopt;
  Difference difference;
  difference.isDecision = name == "tile_counts";
  llvm::raw_string_ostream(difference.text)
      << name << ": max error " << llvm::format("%.3g", worst) << " at "
      << indexText(at, a.shape) << ", expected " << llvm::format("%.6g", x[at])
      << ", found " << llvm::format("%.6g", y[at]) << ", tolerance "
      << llvm::format("%.3g", tolerance);
  return difference;
}

/// `counts` without the tiles that a kernel looked at to find that a mask
/// hides them from every row, which its filter then skips: the reference does
/// not visit them.
static HostTensor withoutHiddenTiles(const HostTensor &reference,
                                     const HostTensor &counts) {
  std::vector<double> expected = reference.toDoubles(),
                      found = counts.toDoubles();
  for (size_t i = 0; i + 1 < found.size(); i += 2) {
    double hidden = found[i] - expected[i];
    if (hidden <= 0)
      continue;
    found[i] -= hidden;
    if (found[i + 1] - expected[i + 1] == hidden)
      found[i + 1] -= hidden;
  }
  return HostTensor::fromDoubles(counts.shape, counts.elementType, found);
}

static std::optional<Difference> compare(const SmallKernel &kernel,
                                         ArrayRef<HostTensor> inputs,
                                         ArrayRef<HostTensor> a,
                                         ArrayRef<HostTensor> b) {
  AttentionOp op = getKernelAttention(kernel.getFunction());
  double largest = 0;
  for (double value : inputs[2].toDoubles())
    largest = std::max(largest, std::abs(value));
  std::optional<Difference> found;
  size_t result = 0;
  for (const KernelArgument &argument : kernel.getSignature().arguments) {
    if (!isOutput(argument))
      continue;
    double tolerance = argument.name == "output" ? roundingOf(op) * largest
                       : argument.name == "tile_counts" ? 0
                                                        : 1e-3;
    bool mayHide =
        argument.name == "tile_counts" && (op.getMask() || op.hasScore());
    std::optional<Difference> difference =
        compare(argument.name, a[result],
                mayHide ? withoutHiddenTiles(a[result], b[result]) : b[result],
                tolerance);
    ++result;
    // Another decision explains every other difference.
    if (difference && (!found || difference->isDecision))
      found = difference;
  }
  return found;
}

//===----------------------------------------------------------------------===//
// The check
//===----------------------------------------------------------------------===//

namespace {
class Check {
public:
  Check(const CompiledTarget &target, const CompiledKernel &compiled,
        DiagnosticCollector &diagnostics,
        const std::function<void(PassManager &)> &prepare)
      : prepare(prepare), target(target), compiled(compiled),
        diagnostics(diagnostics), kernel(compiled.function) {}

  Outcome run(uint64_t seed, raw_ostream &os);

private:
  Outcome buildStages(uint64_t seed);
  Outcome fail(const Twine &text) {
    diagnostics.error("stage check of " + Twine(compiled.name) + " for " +
                      target.chip + ": " + text);
    return Outcome::InternalError;
  }

  const std::function<void(PassManager &)> &prepare;
  const CompiledTarget &target;
  const CompiledKernel &compiled;
  DiagnosticCollector &diagnostics;
  SmallKernel kernel;
  std::vector<Recorder::Snapshot> snapshots;
  backend::LoweredKernel lowered;
  std::vector<Stage> stages;
};
} // namespace

Outcome Check::buildStages(uint64_t seed) {
  stages.push_back(
      {"convert-sparse-attn-to-linalg", [this](ArrayRef<HostTensor> inputs) {
         return runOnCpu(kernel.getFunction(), inputs);
       }});
  OwningOpRef<ModuleOp> module = kernel.getModule().clone();
  PassManager pm(module->getContext());
  pm.addInstrumentation(std::make_unique<Recorder>(snapshots));
  // After the recorder: instrumentations run in reverse after a pass.
  if (prepare)
    prepare(pm);
  backend::addLowering(pm);
  if (failed(pm.run(*module)))
    return fail("the kernel cannot be lowered for small sizes");
  for (Recorder::Snapshot &snapshot : snapshots)
    stages.push_back({snapshot.pass, [&](ArrayRef<HostTensor> inputs) {
                        return runTiles(kernel, *snapshot.module, inputs);
                      }});
  std::optional<backend::LoweredKernel> found =
      backend::findLowered(*module, compiled.name);
  if (!found)
    return fail("the kernel is refused for small sizes");
  lowered = std::move(*found);
  stages.push_back({"convert-attn-tile-to-nvvm and the PTX back end",
                    [this, seed](ArrayRef<HostTensor> inputs) {
                      return runPtx(kernel, lowered, seed, inputs);
                    }});
  return Outcome::Success;
}

Outcome Check::run(uint64_t seed, raw_ostream &os) {
  if (Outcome outcome = buildStages(seed); outcome != Outcome::Success)
    return outcome;
  // A filter may decide differently where a score lies on its boundary. Other
  // inputs have other boundaries: what is wrong with all of them is wrong.
  constexpr unsigned attempts = 3;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    std::vector<HostTensor> inputs = kernel.makeInputs(seed + attempt);
    std::vector<HostTensor> last;
    std::optional<Difference> difference;
    const Stage *wrong = nullptr;
    for (const Stage &stage : stages) {
      llvm::Expected<std::vector<HostTensor>> results = stage.run(inputs);
      if (!results)
        return fail("what " + stage.pass + " made cannot be executed: " +
                    llvm::toString(results.takeError()));
      if (!last.empty())
        difference = compare(kernel, inputs, last, *results);
      if (difference) {
        wrong = &stage;
        break;
      }
      last = std::move(*results);
    }
    if (!wrong)
      break;
    if (!difference->isDecision || attempt + 1 == attempts)
      return fail(wrong->pass + " changed the result: " + difference->text);
  }
  os << "stages of " << compiled.name << " for " << target.chip << " agree:";
  llvm::ListSeparator comma(",");
  for (const Stage &stage : stages)
    os << comma << ' ' << stage.pass;
  os << '\n';
  return Outcome::Success;
}

Outcome
mlir::sparse_attn::checkStages(const Compilation &compilation, uint64_t seed,
                               DiagnosticCollector &diagnostics,
                               raw_ostream &os,
                               std::function<void(PassManager &)> prepare) {
  for (const CompiledTarget &target : compilation.targets)
    for (const CompiledKernel &compiled : target.kernels) {
      // Kernels around attention go from their operation to PTX in one step.
      if (compiled.ptx.empty() || !getKernelAttention(compiled.function))
        continue;
      if (Outcome outcome =
              Check(target, compiled, diagnostics, prepare).run(seed, os);
          outcome != Outcome::Success)
        return outcome;
    }
  return Outcome::Success;
}

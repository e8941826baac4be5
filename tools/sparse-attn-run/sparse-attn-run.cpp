//===- sparse-attn-run.cpp - Runs kernel packages -------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs one kernel of a package on .npy arrays, on a GPU or on the emulator,
// and reports what it computed and skipped.
//
//===----------------------------------------------------------------------===//

#include "Bindings.h"

#include "SparseAttn/Runtime/Package.h"
#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace sparse_attn::runtime;
using namespace sparse_attn::run;

static constexpr uint64_t emulatorByteLimit = uint64_t(1) << 30;
static constexpr uint64_t cudaByteLimit = uint64_t(64) << 30;

static Expected<std::unique_ptr<Device>> openDevice(const Options &options,
                                                    const Package &package) {
  switch (options.device) {
  case DeviceChoice::Cpu: {
    std::vector<StringRef> targets;
    for (const Kernel &kernel : package.manifest().kernels)
      if (!is_contained(targets, kernel.target))
        targets.push_back(kernel.target);
    return fail("--device=cpu: expected a package with CPU code, found the "
                "targets " +
                join(targets, ", "));
  }
  case DeviceChoice::Cuda: {
    Expected<std::unique_ptr<Device>> device = createCudaDevice();
    if (!device)
      return fail("--device=cuda: " + oneLine(toString(device.takeError())));
    return device;
  }
  case DeviceChoice::Emulator:
    return createEmulatorDevice();
  case DeviceChoice::Default: {
    Expected<std::unique_ptr<Device>> device = createCudaDevice();
    if (device)
      return device;
    // Most machines that run this have no GPU; the summary names the device.
    consumeError(device.takeError());
    return createEmulatorDevice();
  }
  }
  llvm_unreachable("all choices are handled");
}

/// A line on standard error that the next one overwrites; terminals only.
static void showProgress(const std::string &what) {
  errs() << "\r\033[K" << what;
  errs().flush();
}

static void printSummary(raw_ostream &os, const Device &device,
                         const Kernel &kernel, const Bindings &bindings,
                         const KernelRun &run) {
  os << kernel.name << " for " << kernel.target << " on " << device.name();
  if (run.stats.launches != 1)
    os << ", " << run.stats.launches << " launches";
  if (run.stats.milliseconds)
    os << ", " << format("%.4f ms", *run.stats.milliseconds);
  os << '\n';
  for (size_t index = 0; index < run.results.size(); ++index) {
    const Tensor &tensor = run.results[index];
    if (tensor.shape.empty() && tensor.data.empty())
      continue;
    os << "  " << left_justify(kernel.arguments[index].name, 16)
       << elementName(tensor.type) << ' ' << shapeText(tensor.shape);
    if (!bindings.outputs[index].empty())
      os << " -> " << bindings.outputs[index];
    os << '\n';
  }
  if (const std::optional<TileCounts> &tiles = run.stats.tiles)
    os << "  tiles           " << tiles->visited << " visited, "
       << tiles->skipped << " skipped ("
       << format("%.1f %%", 100 * tiles->sparsity()) << ")\n";
  if (const std::optional<RecallBound> &recall = run.stats.recall)
    os << "  recall          at least " << format("%.6f", recall->minimum)
       << ", mean bound " << format("%.6f", recall->mean) << '\n';
}

static Error runPackage(Options options) {
  Expected<Package> package = Package::load(options.directory);
  if (!package)
    return package.takeError();
  Expected<std::unique_ptr<Device>> device = openDevice(options, *package);
  if (!device)
    return device.takeError();
  bool onGpu = (*device)->kind() == Device::Kind::Cuda;
  Expected<const Kernel *> selected = package->select(
      options.function,
      [&](StringRef target) {
        bool wanted = options.target.empty() || target == options.target;
        return wanted ? (*device)->accepts(target) : 0;
      },
      (options.target.empty() ? "" : inQuotes(options.target) + " on ") +
          (*device)->name());
  if (!selected)
    return selected.takeError();
  const Kernel &kernel = **selected;

  options.run.byteLimit =
      options.memoryLimit.value_or(onGpu ? cudaByteLimit : emulatorByteLimit);
  Expected<Bindings> bindings = bindArguments(options, kernel);
  if (!bindings)
    return bindings.takeError();
  Expected<std::vector<Tensor>> inputs =
      readInputs(*bindings, kernel, options.run.byteLimit);
  if (!inputs)
    return inputs.takeError();
  bool onTerminal = errs().is_displayed();
  if (onTerminal)
    options.run.progress = showProgress;
  Expected<KernelRun> run =
      runKernel(kernel, package->ptx(kernel), **device, *inputs, options.run);
  if (onTerminal)
    showProgress("");
  if (!run)
    return run.takeError();

  if (Error error = writeOutputs(*bindings, kernel, *run))
    return error;
  if (!options.stats.empty())
    if (Error error =
            writeFile(options.stats, statsJson((*device)->name(), run->stats)))
      return error;
  if (!options.writesToStandardOutput())
    printSummary(outs(), **device, kernel, *bindings, *run);
  double largest = 0;
  if (Error error = compareOutputs(options, *bindings, kernel, *run, largest))
    return error;
  if (!options.expected.empty() && !options.writesToStandardOutput())
    outs() << "  as expected, largest difference " << format("%.3g", largest)
           << '\n';
  return Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  Expected<Options> options = parseOptions(argc, argv);
  Error error = options ? runPackage(std::move(*options)) : options.takeError();
  if (!error)
    return 0;
  WithColor::error() << oneLine(toString(std::move(error))) << '\n';
  return 1;
}

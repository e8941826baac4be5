//===- Runtime.cpp - Kernel packages from C ------------------------------ ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn-c/Runtime.h"
#include "SparseAttn/Layout/TokenOrder.h"
#include "SparseAttn/Runtime/Package.h"
#include "SparseAttn/Runtime/PackageRunner.h"
#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include <cstring>

using namespace llvm;
using namespace sparse_attn::runtime;
using Role = Argument::Role;

struct SparseAttnPackage {
  Package package;
};

struct SparseAttnDevice {
  std::unique_ptr<Device> device;
  std::string name;
};

struct SparseAttnKernel {
  const Kernel *kernel;
  StringRef ptx;
  Device *device;
  std::string deviceName;
  /// Loaded by the first launch on a stream; runs load it themselves.
  std::unique_ptr<LoadedKernel> loaded;
};

struct SparseAttnRun {
  KernelRun run;
  std::string statistics;
};

/// Hands `error` out as one line; whether there was none.
static bool take(Error error, char **message) {
  if (!error)
    return true;
  std::string text = oneLine(toString(std::move(error)));
  if (message)
    *message = strdup(text.c_str());
  return false;
}

//===----------------------------------------------------------------------===//
// Packages, devices, kernels
//===----------------------------------------------------------------------===//

bool sparseAttnPackageLoad(const char *directory, SparseAttnPackage **package,
                           char **error) {
  Expected<Package> loaded = Package::load(directory);
  if (!loaded)
    return take(loaded.takeError(), error);
  *package = new SparseAttnPackage{std::move(*loaded)};
  return true;
}

void sparseAttnPackageDestroy(SparseAttnPackage *package) { delete package; }

bool sparseAttnDeviceOpen(const char *kind, SparseAttnDevice **device,
                          char **error) {
  StringRef wanted = kind;
  if (wanted != "emulator" && wanted != "cuda")
    return take(
        fail("expected the device emulator or cuda, found '" + wanted + "'"),
        error);
  std::unique_ptr<Device> opened;
  if (wanted == "emulator") {
    opened = createEmulatorDevice();
  } else {
    Expected<std::unique_ptr<Device>> cuda = createCudaDevice();
    if (!cuda)
      return take(cuda.takeError(), error);
    opened = std::move(*cuda);
  }
  std::string name = opened->name();
  *device = new SparseAttnDevice{std::move(opened), std::move(name)};
  return true;
}

const char *sparseAttnDeviceName(const SparseAttnDevice *device) {
  return device->name.c_str();
}

void sparseAttnDeviceDestroy(SparseAttnDevice *device) { delete device; }

bool sparseAttnKernelLoad(const SparseAttnPackage *package,
                          SparseAttnDevice *device, const char *function,
                          SparseAttnKernel **kernel, char **error) {
  Expected<const Kernel *> selected = package->package.select(
      function ? function : "",
      [&](StringRef target) { return device->device->accepts(target); },
      device->name);
  if (!selected)
    return take(selected.takeError(), error);
  *kernel = new SparseAttnKernel{*selected, package->package.ptx(**selected),
                                 device->device.get(), device->name, nullptr};
  return true;
}

size_t sparseAttnKernelCountArguments(const SparseAttnKernel *kernel) {
  return kernel->kernel->arguments.size();
}

SparseAttnArgument sparseAttnKernelGetArgument(const SparseAttnKernel *kernel,
                                               size_t number) {
  const Argument &argument = kernel->kernel->arguments[number];
  if (argument.kind == Argument::Kind::Dim)
    return {argument.name.c_str(), SparseAttnSize, "i32", 0};
  SparseAttnRole role = argument.role == Role::Input    ? SparseAttnInput
                        : argument.role == Role::Output ? SparseAttnOutput
                                                        : SparseAttnStatistic;
  return {argument.name.c_str(), role, elementName(argument.type).data(),
          argument.shape.size()};
}

void sparseAttnKernelDestroy(SparseAttnKernel *kernel) { delete kernel; }

//===----------------------------------------------------------------------===//
// Runs on host memory
//===----------------------------------------------------------------------===//

static Shape shapeOf(const SparseAttnTensor &tensor) {
  return Shape(tensor.shape, tensor.shape + tensor.rank);
}

/// Copies `given`, one for each input, to a tensor for each argument.
static Expected<std::vector<Tensor>>
takeInputs(const Kernel &kernel, ArrayRef<SparseAttnTensor> given) {
  std::vector<Tensor> inputs(kernel.arguments.size());
  size_t next = 0;
  for (auto [argument, input] : zip(kernel.arguments, inputs)) {
    if (!argument.isTensor(Role::Input))
      continue;
    if (next == given.size())
      return fail("kernel '" + kernel.name + "': expected the input '" +
                  argument.name + "', found " + Twine(given.size()) +
                  " inputs");
    const SparseAttnTensor &tensor = given[next++];
    input.type = argument.type;
    input.shape = shapeOf(tensor);
    int64_t bytes = elementBytes(argument.type);
    for (int64_t extent : input.shape) {
      if (extent < 0 || MulOverflow(bytes, extent, bytes))
        return fail("input '" + argument.name +
                    "': expected a shape of a possible size, found " +
                    shapeText(input.shape));
    }
    auto *data = static_cast<const uint8_t *>(tensor.data);
    input.data.assign(data, data + bytes);
  }
  if (next != given.size())
    return fail("kernel '" + kernel.name + "': expected " + Twine(next) +
                " inputs, found " + Twine(given.size()));
  return inputs;
}

bool sparseAttnKernelRun(SparseAttnKernel *kernel,
                         const SparseAttnTensor *inputs, size_t count,
                         const SparseAttnRunOptions *options,
                         SparseAttnRun **run, char **error) {
  RunOptions wanted;
  if (options) {
    wanted.seed = options->seed;
    wanted.checkRaces = options->checkRaces;
    wanted.jobs = options->jobs;
    wanted.repeat = std::max<uint64_t>(options->repeat, 1);
  }
  Expected<std::vector<Tensor>> tensors =
      takeInputs(*kernel->kernel, ArrayRef(inputs, count));
  if (!tensors)
    return take(tensors.takeError(), error);
  Expected<KernelRun> done = runKernel(*kernel->kernel, kernel->ptx,
                                       *kernel->device, *tensors, wanted);
  if (!done)
    return take(done.takeError(), error);
  std::string statistics = statsJson(kernel->deviceName, done->stats);
  *run = new SparseAttnRun{std::move(*done), std::move(statistics)};
  return true;
}

SparseAttnTensor sparseAttnRunGetResult(const SparseAttnRun *run,
                                        size_t argument) {
  const Tensor &tensor = run->run.results[argument];
  return {tensor.data.empty() ? nullptr
                              : const_cast<uint8_t *>(tensor.data.data()),
          tensor.shape.data(), tensor.shape.size()};
}

const char *sparseAttnRunGetStatistics(const SparseAttnRun *run) {
  return run->statistics.c_str();
}

void sparseAttnRunDestroy(SparseAttnRun *run) { delete run; }

//===----------------------------------------------------------------------===//
// Launches on GPU memory
//===----------------------------------------------------------------------===//

/// How to launch `kernel` on `given`, one for each tensor.
static Expected<LaunchSpec> planLaunch(const Kernel &kernel,
                                       ArrayRef<SparseAttnTensor> given) {
  size_t tensors = llvm::count_if(kernel.arguments, [](const Argument &a) {
    return a.kind == Argument::Kind::Tensor;
  });
  if (given.size() != tensors)
    return fail("kernel '" + kernel.name + "': expected " + Twine(tensors) +
                " arrays, found " + Twine(given.size()));
  ArgumentShapes shapes;
  const SparseAttnTensor *next = given.begin();
  for (const Argument &argument : kernel.arguments) {
    shapes.emplace_back();
    if (argument.kind != Argument::Kind::Tensor)
      continue;
    if (argument.role == Role::Input)
      shapes.back() = shapeOf(*next);
    if (reinterpret_cast<uintptr_t>(next->data) % 16)
      return fail("'" + argument.name +
                  "': expected an address that is a "
                  "multiple of 16");
    ++next;
  }
  if (Error error = resolveShapes(kernel, shapes))
    return std::move(error);
  LaunchSpec spec;
  next = given.begin();
  for (auto [argument, shape] : zip(kernel.arguments, shapes)) {
    if (argument.kind == Argument::Kind::Dim) {
      int64_t extent = shapes[argument.of.argument][argument.of.dim];
      spec.parameters.push_back({uint64_t(extent), 4});
      continue;
    }
    if (shapeOf(*next) != shape)
      return fail("'" + argument.name + "': expected the shape " +
                  shapeText(shape) + ", found " + shapeText(shapeOf(*next)));
    spec.parameters.push_back({reinterpret_cast<uintptr_t>(next->data), 8});
    ++next;
  }
  Expected<std::array<uint32_t, 3>> grid = evaluateGrid(kernel, shapes);
  if (!grid)
    return grid.takeError();
  spec.grid = *grid;
  spec.threads = kernel.threads;
  spec.sharedMemory = kernel.sharedMemory;
  return spec;
}

bool sparseAttnKernelLaunch(SparseAttnKernel *kernel, void *stream,
                            const SparseAttnTensor *tensors, size_t count,
                            char **error) {
  Expected<LaunchSpec> spec =
      planLaunch(*kernel->kernel, ArrayRef(tensors, count));
  if (!spec)
    return take(spec.takeError(), error);
  if (!kernel->loaded) {
    Expected<std::unique_ptr<LoadedKernel>> loaded =
        kernel->device->load(*kernel->kernel, kernel->ptx);
    if (!loaded)
      return take(loaded.takeError(), error);
    kernel->loaded = std::move(*loaded);
  }
  // A grid without blocks cannot be launched: all results are empty.
  if (llvm::is_contained(spec->grid, 0u))
    return true;
  return take(kernel->loaded->enqueue(*spec, stream), error);
}

//===----------------------------------------------------------------------===//
// Token orders
//===----------------------------------------------------------------------===//

bool sparseAttnGetPermutation(SparseAttnCurve curve, int64_t frames,
                              int64_t rows, int64_t columns, int64_t tail,
                              int32_t *permutation, char **error) {
  using mlir::sparse_attn::Curve;
  static constexpr Curve curves[] = {Curve::Raster, Curve::Hilbert,
                                     Curve::Gilbert, Curve::Morton};
  if (curve < SparseAttnRaster || curve > SparseAttnMorton)
    return take(fail("expected a curve from 0 to 3, found " +
                     Twine(static_cast<int>(curve))),
                error);
  int64_t count = 1;
  for (int64_t extent : {frames, rows, columns})
    if (extent < 1 || MulOverflow(count, extent, count) ||
        count > mlir::sparse_attn::maxTokens)
      return take(fail("expected a grid of 1 to " +
                       Twine(mlir::sparse_attn::maxTokens) + " tokens, found " +
                       Twine(frames) + "x" + Twine(rows) + "x" +
                       Twine(columns)),
                  error);
  if (tail < 0 || tail > mlir::sparse_attn::maxTokens - count)
    return take(fail("expected a tail of at least 0 tokens and at most " +
                     Twine(mlir::sparse_attn::maxTokens) +
                     " tokens in all, found " + Twine(tail)),
                error);
  mlir::sparse_attn::TokenOrder order;
  order.curve = curves[curve];
  order.grid = {frames, rows, columns};
  order.tail = tail;
  llvm::copy(mlir::sparse_attn::getPermutation(order), permutation);
  return true;
}

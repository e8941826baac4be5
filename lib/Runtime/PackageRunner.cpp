//===- PackageRunner.cpp - Runs a kernel on arrays ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/PackageRunner.h"

#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace llvm;

namespace sparse_attn::runtime {

namespace {
/// One run: what follows from the shapes, then the launches.
class Run {
public:
  Run(const Kernel &kernel, Device &device, ArrayRef<Tensor> inputs,
      const RunOptions &options)
      : kernel(kernel), device(device), inputs(inputs), options(options) {}

  Error prepare();
  Expected<KernelRun> execute(LoadedKernel &loaded);

private:
  Error checkInputs();
  Error expandBlocks();
  Expected<std::vector<uint64_t>> uploadArguments();
  Expected<std::vector<Tensor>> download(ArrayRef<uint64_t> addresses);
  Error downloadPartly(Tensor &tensor, uint64_t address);
  Error checkWritten(const Argument &argument, const Tensor &tensor);
  Error checkSame(const KernelRun &first, ArrayRef<Tensor> results,
                  uint64_t seed);
  Error summarize(KernelRun &run);
  void tell(const Twine &what) const {
    if (options.progress)
      options.progress(what.str());
  }

  const Kernel &kernel;
  Device &device;
  ArrayRef<Tensor> inputs;
  const RunOptions &options;
  ArgumentShapes shapes;
  std::vector<uint64_t> sizes;
  LaunchSpec spec;
};
} // namespace

static bool isResult(const Argument &argument) {
  return argument.isTensor(Argument::Role::Output) ||
         argument.isTensor(Argument::Role::Statistic);
}

Error Run::checkInputs() {
  if (inputs.size() != kernel.arguments.size())
    return fail("kernel '" + kernel.name + "': expected " +
                Twine(kernel.arguments.size()) + " arguments, found " +
                Twine(inputs.size()));
  for (auto [argument, input] : zip(kernel.arguments, inputs)) {
    if (!argument.isTensor(Argument::Role::Input))
      continue;
    if (input.type != argument.type)
      return fail("input '" + argument.name + "': expected the type " +
                  elementName(argument.type) + ", found " +
                  elementName(input.type));
    std::optional<uint64_t> count = elementCount(input.shape);
    if (!count || *count != input.size())
      return fail("input '" + argument.name + "': expected the elements of " +
                  shapeText(input.shape) + ", found " + Twine(input.size()));
  }
  return Error::success();
}

Error Run::expandBlocks() {
  uint64_t total = uint64_t(spec.grid[0]) * spec.grid[1];
  // The first two axes stay below 2^47, the third below 2^16.
  total *= spec.grid[2];
  for (const BlockRange &range : options.blocks) {
    if (total == 0)
      return fail("expected no list of thread blocks for empty results, found "
                  "one");
    if (range.first > range.last || range.last >= total)
      return fail("expected thread blocks from 0 to " + Twine(total - 1) +
                  " in ascending ranges, found " + Twine(range.first) + " to " +
                  Twine(range.last));
    constexpr uint64_t maximumList = 1 << 24;
    if (range.last - range.first >= maximumList - spec.blocks.size())
      return fail("expected at most " + Twine(maximumList) +
                  " thread blocks in a list, found more");
    for (uint64_t block = range.first; block <= range.last; ++block)
      spec.blocks.push_back(block);
  }
  llvm::sort(spec.blocks);
  spec.blocks.erase(llvm::unique(spec.blocks), spec.blocks.end());
  return Error::success();
}

Error Run::prepare() {
  if (Error error = checkInputs())
    return error;
  for (auto [argument, input] : zip(kernel.arguments, inputs))
    shapes.push_back(argument.isTensor(Argument::Role::Input) ? input.shape
                                                              : Shape());
  if (Error error = resolveShapes(kernel, shapes))
    return error;
  uint64_t total = 0;
  for (size_t index = 0; index < kernel.arguments.size(); ++index) {
    sizes.push_back(0);
    if (kernel.arguments[index].kind != Argument::Kind::Tensor)
      continue;
    Expected<uint64_t> bytes =
        tensorBytes(kernel, index, shapes, options.byteLimit);
    if (!bytes)
      return bytes.takeError();
    sizes.back() = *bytes;
    total += *bytes;
    if (total > options.byteLimit)
      return fail("kernel '" + kernel.name + "': expected at most " +
                  Twine(options.byteLimit) +
                  " bytes in all arguments, found more with '" +
                  kernel.arguments[index].name + "'");
  }
  Expected<std::array<uint32_t, 3>> grid = evaluateGrid(kernel, shapes);
  if (!grid)
    return grid.takeError();
  spec.grid = *grid;
  spec.threads = kernel.threads;
  spec.sharedMemory = kernel.sharedMemory;
  spec.jobs = options.jobs;
  spec.checkRaces = options.checkRaces;
  spec.mmaModel = options.mmaModel;
  return expandBlocks();
}

Expected<std::vector<uint64_t>> Run::uploadArguments() {
  device.releaseMemory();
  spec.parameters.clear();
  std::vector<uint64_t> addresses;
  for (size_t index = 0; index < kernel.arguments.size(); ++index) {
    const Argument &argument = kernel.arguments[index];
    addresses.push_back(0);
    if (argument.kind == Argument::Kind::Dim) {
      int64_t extent = shapes[argument.of.argument][argument.of.dim];
      spec.parameters.push_back({uint64_t(extent), 4});
      continue;
    }
    Expected<uint64_t> address = device.allocate(sizes[index]);
    if (!address)
      return address.takeError();
    addresses.back() = *address;
    spec.parameters.push_back({*address, 8});
    if (argument.role == Argument::Role::Input)
      if (Error error = device.write(*address, inputs[index].data))
        return std::move(error);
  }
  return addresses;
}

/// Finds out which elements of a partly written tensor were written: first by
/// chunks, because most are written or missing as a whole.
Error Run::downloadPartly(Tensor &tensor, uint64_t address) {
  unsigned bytes = elementBytes(tensor.type);
  uint64_t count = tensor.size();
  constexpr uint64_t chunk = 1024;
  tensor.written.assign(count, true);
  MutableArrayRef<uint8_t> data(tensor.data);
  for (uint64_t start = 0; start < count; start += chunk) {
    uint64_t end = std::min(count, start + chunk);
    Expected<bool> whole =
        device.read(address + start * bytes,
                    data.slice(start * bytes, (end - start) * bytes));
    if (!whole)
      return whole.takeError();
    for (uint64_t i = start; !*whole && i < end; ++i) {
      Expected<bool> element =
          device.read(address + i * bytes, data.slice(i * bytes, bytes));
      if (!element)
        return element.takeError();
      tensor.written[i] = *element;
      // Two runs must not differ by what was never computed.
      if (!*element)
        std::fill_n(tensor.data.begin() + i * bytes, bytes, 0);
    }
  }
  return Error::success();
}

Error Run::checkWritten(const Argument &argument, const Tensor &tensor) {
  uint64_t missing = llvm::count(tensor.written, false);
  if (missing == 0 || !options.blocks.empty())
    return Error::success();
  uint64_t first = llvm::find(tensor.written, false) - tensor.written.begin();
  return fail(Twine(argument.role == Argument::Role::Output ? "output '"
                                                            : "statistic '") +
              argument.name + "': expected every element written, found " +
              Twine(missing) + " of " + Twine(tensor.size()) +
              " never written, the first at " + tensor.position(first));
}

Expected<std::vector<Tensor>> Run::download(ArrayRef<uint64_t> addresses) {
  std::vector<Tensor> results(kernel.arguments.size());
  for (size_t index = 0; index < kernel.arguments.size(); ++index) {
    const Argument &argument = kernel.arguments[index];
    if (!isResult(argument))
      continue;
    Tensor &tensor = results[index];
    tensor.type = argument.type;
    tensor.shape = shapes[index];
    tensor.data.resize(sizes[index]);
    Expected<bool> written = device.read(addresses[index], tensor.data);
    if (!written)
      return written.takeError();
    if (*written)
      continue;
    if (Error error = downloadPartly(tensor, addresses[index]))
      return std::move(error);
    if (Error error = checkWritten(argument, tensor))
      return std::move(error);
  }
  return results;
}

Error Run::checkSame(const KernelRun &first, ArrayRef<Tensor> results,
                     uint64_t seed) {
  for (size_t index = 0; index < results.size(); ++index) {
    const Tensor &one = first.results[index], &two = results[index];
    if (one.data == two.data && one.written == two.written)
      continue;
    unsigned bytes = elementBytes(one.type);
    uint64_t element = 0;
    while (one.isWritten(element) == two.isWritten(element) &&
           std::equal(&one.data[element * bytes],
                      &one.data[element * bytes] + bytes,
                      &two.data[element * bytes]))
      ++element;
    return fail("'" + kernel.arguments[index].name +
                "': expected the bits of seed " + Twine(options.seed) +
                " under every schedule, found other ones with --seed=" +
                Twine(seed) + ", the first at " + one.position(element));
  }
  return Error::success();
}

Error Run::summarize(KernelRun &run) {
  run.stats.name = kernel.name;
  run.stats.target = kernel.target;
  for (auto [argument, result] : zip(kernel.arguments, run.results)) {
    if (!argument.isTensor(Argument::Role::Statistic))
      continue;
    if (argument.name == "tile_counts") {
      Expected<TileCounts> tiles = sumTileCounts(result);
      if (!tiles)
        return tiles.takeError();
      run.stats.tiles = *tiles;
    } else if (argument.name == "recall_bound") {
      run.stats.recall = summarizeRecall(result);
    }
  }
  return Error::success();
}

Expected<KernelRun> Run::execute(LoadedKernel &loaded) {
  bool onGpu = device.kind() == Device::Kind::Cuda;
  KernelRun run;
  std::vector<double> times;
  for (uint64_t schedule = 0; schedule < options.schedules; ++schedule) {
    spec.seed = options.seed + schedule;
    Expected<std::vector<uint64_t>> addresses = uploadArguments();
    if (!addresses)
      return addresses.takeError();
    // The first launch on a GPU also loads the code and is not timed. A grid
    // without blocks cannot be launched: all results are empty.
    uint64_t launches = onGpu ? options.repeat + 1 : 1;
    if (llvm::is_contained(spec.grid, 0u))
      launches = 0;
    for (uint64_t launch = 0; launch < launches; ++launch) {
      tell(kernel.name + ": " +
           (onGpu
                ? "launch " + Twine(launch + 1) + " of " + Twine(launches)
                : "seed " + Twine(spec.seed) + ", schedule " +
                      Twine(schedule + 1) + " of " + Twine(options.schedules)));
      Expected<LaunchResult> result = loaded.launch(spec);
      if (!result)
        return options.schedules == 1
                   ? result.takeError()
                   : fail(toString(result.takeError()) +
                          " (--seed=" + Twine(spec.seed) + " replays it)");
      if (onGpu && launch == 0)
        continue;
      ++run.stats.launches;
      if (std::optional<double> time = result->milliseconds)
        times.push_back(*time);
      if (run.stats.counters.empty())
        run.stats.counters = std::move(result->counters);
    }
    Expected<std::vector<Tensor>> results = download(*addresses);
    if (!results)
      return results.takeError();
    if (schedule == 0)
      run.results = std::move(*results);
    else if (Error error = checkSame(run, *results, spec.seed))
      return std::move(error);
  }
  device.releaseMemory();
  if (!times.empty()) {
    llvm::sort(times);
    size_t middle = times.size() / 2;
    run.stats.milliseconds = times.size() % 2
                                 ? times[middle]
                                 : (times[middle - 1] + times[middle]) / 2;
  }
  if (Error error = summarize(run))
    return std::move(error);
  return std::move(run);
}

Expected<KernelRun> runKernel(const Kernel &kernel, StringRef ptx,
                              Device &device, ArrayRef<Tensor> inputs,
                              const RunOptions &options) {
  Run run(kernel, device, inputs, options);
  if (Error error = run.prepare())
    return std::move(error);
  Expected<std::unique_ptr<LoadedKernel>> loaded = device.load(kernel, ptx);
  if (!loaded)
    return loaded.takeError();
  return run.execute(**loaded);
}

} // namespace sparse_attn::runtime

//===- Execute.cpp - Launches ---------------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Hazards/RaceChecker.h"
#include "Syntax.h"

#include <algorithm>
#include <atomic>
#include <thread>

using namespace sparse_attn::emulator;

namespace {

std::string triple(const std::array<uint32_t, 3> &value) {
  return std::to_string(value[0]) + "x" + std::to_string(value[1]) + "x" +
         std::to_string(value[2]);
}

/// What a block may use of shared memory, by target.
uint32_t sharedLimit(const std::string &target) {
  if (target == "sm_80" || target == "sm_87")
    return 163 * 1024;
  if (target == "sm_86" || target == "sm_89")
    return 99 * 1024;
  return 227 * 1024;
}

std::array<uint32_t, 3> clusterOf(const Kernel &kernel, const Launch &launch) {
  std::array<uint32_t, 3> cluster = launch.cluster;
  if (cluster == std::array<uint32_t, 3>{0, 0, 0})
    cluster = kernel.requiredCluster;
  for (uint32_t &blocks : cluster)
    if (blocks == 0)
      blocks = 1;
  return cluster;
}

/// Faults of the launch itself.
std::string check(const Program &program, const Kernel &kernel,
                  const Launch &launch) {
  const std::array<uint32_t, 3> &block = launch.block, &grid = launch.grid;
  uint64_t threads = uint64_t(block[0]) * block[1] * block[2];
  // The x dimension alone could overflow the product of the grid.
  if (threads == 0 || block[0] > 1024 || block[1] > 1024 || block[2] > 64 ||
      threads > 1024)
    return "a block must have 1 to 1024 threads, found " + triple(block);
  if (!grid[0] || !grid[1] || !grid[2] || grid[0] > 0x7fffffff ||
      grid[1] > 65535 || grid[2] > 65535)
    return "grid must be at least 1x1x1 and at most 2147483647x65535x65535, "
           "found " +
           triple(grid);
  const std::array<uint32_t, 3> &required = kernel.requiredThreads;
  if (required[0] && required != block)
    return "kernel '" + kernel.name + "' requires blocks of " +
           triple(required) + " threads, found " + triple(block);
  const std::array<uint32_t, 3> &most = kernel.maxThreads;
  if (most[0] && threads > uint64_t(most[0]) * most[1] * most[2])
    return "kernel '" + kernel.name + "' allows at most " + triple(most) +
           " threads a block, found " + triple(block);
  const std::array<uint32_t, 3> cluster = clusterOf(kernel, launch);
  uint64_t together = uint64_t(cluster[0]) * cluster[1] * cluster[2];
  bool divides = true;
  for (unsigned i = 0; i < 3; ++i) {
    divides &= cluster[i] != 0 && grid[i] % cluster[i] == 0;
    if (kernel.requiredCluster[i] && kernel.requiredCluster[i] != cluster[i])
      return "kernel '" + kernel.name + "' requires clusters of " +
             triple(kernel.requiredCluster) + " blocks, found " +
             triple(cluster);
  }
  if (!divides || together > 16)
    return "a cluster must have at most 16 blocks and divide the grid of " +
           triple(grid) + ", found " + triple(cluster);
  if (together > 1 && targetNumber(program.target()) < 90)
    return "clusters need sm_90 or later, found " + program.target();
  if (kernel.staticSharedBytes > 48 * 1024)
    return "kernel '" + kernel.name + "' declares " +
           std::to_string(kernel.staticSharedBytes) +
           " bytes of static shared memory, expected at most 49152";
  uint64_t shared =
      uint64_t(kernel.dynamicSharedOffset) + launch.dynamicSharedBytes;
  if (shared > sharedLimit(program.target()))
    return "kernel '" + kernel.name + "' uses " + std::to_string(shared) +
           " bytes of shared memory, expected at most " +
           std::to_string(sharedLimit(program.target())) + " for " +
           program.target();
  // Hosts often round the buffer up.
  if (launch.parameters.size() < kernel.parameterBytes ||
      launch.parameters.size() > kernel.parameterBytes + 15)
    return "the parameters of kernel '" + kernel.name + "' are " +
           std::to_string(kernel.parameterBytes) + " bytes, found " +
           std::to_string(launch.parameters.size());
  uint64_t blocks = uint64_t(grid[0]) * grid[1] * grid[2];
  for (uint64_t index : launch.onlyBlocks)
    if (index >= blocks)
      return "block " + std::to_string(index) + " is not in the grid of " +
             std::to_string(blocks) + " blocks";
  return {};
}

} // namespace

std::optional<Error> sparse_attn::emulator::execute(const Program &program,
                                                    GlobalMemory &memory,
                                                    const Launch &launch,
                                                    Counters *counters) {
  const Program::Impl &impl = program.impl();
  const Kernel *kernel = impl.kernel(launch.entry);
  if (!kernel)
    return Error{0, "the module has no entry '" + launch.entry + "'"};
  if (std::string fault = check(program, *kernel, launch); !fault.empty())
    return Error{kernel->line, fault};

  LaunchState state{
      impl, *kernel, launch, memory.impl(), clusterOf(*kernel, launch),
      {},   nullptr};
  Buffer &variables = state.moduleVariables;
  variables.base = moduleBase;
  variables.bytes = impl.globalImage.size();
  variables.data = makeZeros(variables.bytes);
  variables.shadow = makeZeros(variables.bytes);
  std::vector<uint8_t> *kept = launch.variables;
  const std::vector<uint8_t> &image =
      kept && kept->size() == variables.bytes ? *kept : impl.globalImage;
  std::copy(image.begin(), image.end(), variables.data.get());
  // Variables without an initialiser are zero, so all of them are written.
  std::fill_n(variables.shadow.get(), variables.bytes, uint8_t(Written));

  if (launch.checkRaces)
    state.races = std::make_unique<RaceChecker>(state);

  std::array<uint32_t, 3> grid = launch.grid; // of clusters
  for (unsigned i = 0; i < 3; ++i)
    grid[i] /= state.cluster[i];
  std::vector<uint64_t> only;
  for (uint64_t block : launch.onlyBlocks) {
    uint64_t x = block % launch.grid[0], rest = block / launch.grid[0];
    uint64_t y = rest % launch.grid[1], z = rest / launch.grid[1];
    only.push_back(x / state.cluster[0] +
                   grid[0] * (y / state.cluster[1] +
                              uint64_t(grid[1]) * (z / state.cluster[2])));
  }
  std::sort(only.begin(), only.end());
  only.erase(std::unique(only.begin(), only.end()), only.end());
  uint64_t clusters = only.empty() ? uint64_t(grid[0]) * grid[1] * grid[2]
                                   : static_cast<uint64_t>(only.size());
  std::atomic<uint64_t> nextCluster{0}, firstFailed{~0ull};
  std::mutex results;
  Error firstError;
  auto work = [&] {
    Cluster cluster(state);
    while (true) {
      uint64_t index = nextCluster++;
      // Clusters below the failed one still count: the lowest error wins.
      if (index >= clusters || index > firstFailed)
        break;
      if (cluster.run(only.empty() ? index : only[index]))
        continue;
      std::lock_guard<std::mutex> lock(results);
      if (index < firstFailed) {
        firstFailed = index;
        firstError = cluster.error;
      }
    }
    std::lock_guard<std::mutex> lock(results);
    if (counters)
      for (const auto &block : cluster.blocks)
        *counters += block->counters;
  };
  uint64_t workers = launch.hostThreads ? launch.hostThreads
                                        : std::thread::hardware_concurrency();
  // One cluster after another, so that reports do not depend on timing.
  if (launch.checkRaces)
    workers = 1;
  workers = std::max<uint64_t>(1, std::min({workers, clusters, uint64_t(256)}));
  std::vector<std::thread> threads;
  for (uint64_t i = 1; i < workers; ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
  if (kept)
    kept->assign(variables.data.get(), variables.data.get() + variables.bytes);
  if (firstFailed == ~0ull)
    return std::nullopt;
  return firstError;
}

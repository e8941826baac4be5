//===- HopperHarness.cpp - Runs sm_90a kernels in tests -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "HopperHarness.h"

#include <cstdlib>
#include <fstream>
#include <unistd.h>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

static std::string findPtxas() {
  for (const char *path : {"/usr/local/cuda/bin/ptxas", "/usr/bin/ptxas"})
    if (access(path, X_OK) == 0)
      return path;
  return "";
}

static void expectAssembles(const std::string &text) {
  static const std::string ptxas = findPtxas();
  if (ptxas.empty())
    return;
  std::string base =
      testing::TempDir() + "emulator-" + std::to_string(getpid());
  std::ofstream(base + ".ptx") << text;
  std::string command = ptxas + " -arch=sm_90a -o /dev/null " + base +
                        ".ptx > " + base + ".log 2>&1";
  int status = std::system(command.c_str());
  std::ifstream log(base + ".log");
  std::string messages((std::istreambuf_iterator<char>(log)), {});
  EXPECT_EQ(status, 0) << messages << text;
  std::remove((base + ".ptx").c_str());
  std::remove((base + ".log").c_str());
}

HopperRun::HopperRun(const std::string &text, bool assemble) : KernelRun(text) {
  if (assemble)
    expectAssembles(text);
}

void HopperRun::prepare() {
  launch.parameters.assign(64 + 4 * TensorMap::bytes, 0);
  std::memcpy(launch.parameters.data(), &in, 8);
  std::memcpy(launch.parameters.data() + 8, &out, 8);
  for (unsigned i = 0; i < 4; ++i)
    std::memcpy(launch.parameters.data() + 64 + i * TensorMap::bytes,
                maps[i].data(), TensorMap::bytes);
}

void HopperRun::expectSuccess() {
  prepare();
  KernelRun::expectSuccess();
}

void HopperRun::expectError(const std::vector<std::string> &parts) {
  prepare();
  KernelRun::expectError(parts);
}

static void configure(HopperRun &run, uint32_t threads,
                      std::array<uint32_t, 3> grid,
                      std::array<uint32_t, 3> cluster) {
  run.launch.block = {threads, 1, 1};
  run.launch.grid = grid;
  run.launch.cluster = cluster;
  run.setInput(std::vector<uint32_t>(threads * grid[0], 7));
  run.setOutput(threads * grid[0] * 4);
}

static const char *const storeWord = "\n  mov.u32 %r60, %ctaid.x;\n"
                                     "  mov.u32 %r61, %ntid.x;\n"
                                     "  mad.lo.u32 %r60, %r60, %r61, %t;\n"
                                     "  mad.wide.u32 %rd31, %r60, 4, %out;\n"
                                     "  st.global.u32 [%rd31], %r1;";

std::vector<uint32_t> test::hopperWords(const std::string &body,
                                        uint32_t threads, uint64_t seed,
                                        const std::string &module,
                                        std::array<uint32_t, 3> grid,
                                        std::array<uint32_t, 3> cluster) {
  HopperRun run(hopperKernel(body + storeWord, module), seed == 0);
  configure(run, threads, grid, cluster);
  run.launch.seed = seed;
  run.expectSuccess();
  return run.output<uint32_t>(threads * grid[0]);
}

void test::expectHopperFault(const std::string &body, uint32_t threads,
                             const std::vector<std::string> &parts,
                             const std::string &module,
                             std::array<uint32_t, 3> grid,
                             std::array<uint32_t, 3> cluster) {
  HopperRun run(hopperKernel(body, module), false);
  configure(run, threads, grid, cluster);
  run.expectError(parts);
}

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

std::string test::hopperKernel(const std::string &body,
                               const std::string &module,
                               const std::string &directives) {
  std::string maps, addresses;
  for (unsigned i = 0; i < 4; ++i) {
    std::string name = std::to_string(i);
    maps += ",\n  .param .align 64 .b8 k_map" + name + "[128]";
    addresses += "  mov.b64 %map" + name + ", k_map" + name + ";\n" +
                 "  cvta.param.u64 %map" + name + ", %map" + name + ";\n";
  }
  return ".version 8.6\n.target sm_90a\n.address_size 64\n" + module +
         "\n.visible .entry k(\n  .param .u64 k_in,\n  .param .u64 k_out" +
         maps + "\n)\n" + directives +
         "\n{\n  .reg .pred %p<9>;\n  .reg .b16 %h<9>;\n"
         "  .reg .b32 %r<64>;\n  .reg .b64 %rd<32>;\n  .reg .f32 %f<256>;\n"
         "  .reg .b32 %t;\n  .reg .b64 %in, %out, %map<4>;\n"
         "  ld.param.u64 %in, [k_in];\n  ld.param.u64 %out, [k_out];\n" +
         addresses + "  mov.u32 %t, %tid.x;\n" + body + "\n  ret;\n}\n";
}

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

//===- Launch.cpp - Kernel launches ---------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Modules.h"
#include "Streams.h"

#include <cstdlib>
#include <cstring>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

namespace {

/// The parameter buffer from either form in which a program passes it.
CUresult readParameters(const emulator::EntryPoint &entry, void **parameters,
                        void **extra, std::vector<uint8_t> &buffer) {
  buffer.assign(entry.parameterBytes, 0);
  if (parameters) {
    for (size_t i = 0; i < entry.parameters.size(); ++i) {
      if (!parameters[i])
        return InvalidValue;
      std::memcpy(&buffer[entry.parameters[i].offset], parameters[i],
                  entry.parameters[i].bytes);
    }
    return Success;
  }
  if (!extra)
    return entry.parameters.empty() ? Success : InvalidValue;
  const void *source = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; extra[i]; i += 2) {
    auto kind = reinterpret_cast<uintptr_t>(extra[i]);
    if (kind == launchParamBuffer)
      source = extra[i + 1];
    else if (kind == launchParamBufferSize && extra[i + 1])
      bytes = *static_cast<size_t *>(extra[i + 1]);
    else
      return InvalidValue;
  }
  if (!source || bytes < buffer.size())
    return InvalidValue;
  if (!buffer.empty())
    std::memcpy(buffer.data(), source, buffer.size());
  return Success;
}

CUresult readAttributes(const CUlaunchConfig &config,
                        emulator::Launch &launch) {
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const CUlaunchAttribute &attribute = config.attrs[i];
    switch (int(attribute.id)) { // may be none of these
    case CUlaunchAttribute::Ignore:
    case CUlaunchAttribute::AccessPolicyWindow:
    case CUlaunchAttribute::SynchronizationPolicy:
    case CUlaunchAttribute::ClusterScheduling:
    case CUlaunchAttribute::Priority:
    case CUlaunchAttribute::MemSyncDomainMap:
    case CUlaunchAttribute::MemSyncDomain:
    // Kernels run one after the other, which programs must allow.
    case CUlaunchAttribute::ProgrammaticSerialization:
      break;
    case CUlaunchAttribute::Cooperative:
      if (attribute.value.number == 0)
        break;
      complain("cooperative launches are not provided");
      return NotSupported;
    case CUlaunchAttribute::ClusterDimension:
      launch.cluster = {attribute.value.cluster.x, attribute.value.cluster.y,
                        attribute.value.cluster.z};
      break;
    default:
      complain("launch attribute " + std::to_string(attribute.id) +
               " is not provided");
      return NotSupported;
    }
  }
  return Success;
}

CUresult run(const emulator::Program &program, const emulator::Launch &launch) {
  Machine &machine = Machine::get();
  std::lock_guard<std::mutex> lock(machine.memoryMutex);
  emulator::Counters counters;
  std::optional<emulator::Error> error =
      emulator::execute(program, machine.memory, launch, &counters);
  reportLaunch(program.target(), launch, counters, error.has_value());
  if (!error)
    return Success;
  complain("kernel '" + launch.entry + "': PTX " + error->str());
  if (settings().exitOnError) {
    // Not exit(): destructors may wait for work that will never end.
    writeStats();
    std::_Exit(1);
  }
  switch (error->kind) {
  case emulator::Error::Kind::IllegalAddress:
    return IllegalAddress;
  case emulator::Error::Kind::MisalignedAddress:
    return MisalignedAddress;
  case emulator::Error::Kind::Other:
    break;
  }
  return LaunchFailed;
}

CUresult launchKernel(const CUlaunchConfig &config, CUfunction function,
                      void **parameters, void **extra) {
  Work work;
  REQUIRE(makeLaunch(config, function, parameters, extra, work));
  return enqueue(config.hStream, std::move(work));
}

} // namespace

CUresult cuda_emulator::makeLaunch(const CUlaunchConfig &config,
                                   CUfunction function, void **parameters,
                                   void **extra, Work &work) {
  REQUIRE(requireContext());
  if (!handles<Function>().contains(function))
    return InvalidHandle;
  emulator::Launch launch = settings().launch;
  REQUIRE(readAttributes(config, launch));
  launch.entry = function->entry->name;
  launch.grid = {config.gridDimX, config.gridDimY, config.gridDimZ};
  launch.block = {config.blockDimX, config.blockDimY, config.blockDimZ};
  launch.dynamicSharedBytes = config.sharedMemBytes;
  for (unsigned extent : launch.grid)
    if (extent == 0)
      return InvalidValue;
  for (unsigned extent : launch.block)
    if (extent == 0 || extent > 1024)
      return InvalidValue;
  if (uint64_t(launch.block[0]) * launch.block[1] * launch.block[2] > 1024)
    return InvalidValue;
  if (int64_t(config.sharedMemBytes) > function->maxDynamicShared) {
    complain("kernel '" + launch.entry + "': expected at most " +
             std::to_string(function->maxDynamicShared) +
             " bytes of dynamic shared memory, as cuFuncSetAttribute allowed, "
             "found " +
             std::to_string(config.sharedMemBytes));
    return InvalidValue;
  }
  REQUIRE(
      readParameters(*function->entry, parameters, extra, launch.parameters));
  work.run = [program = function->program, variables = function->variables,
              launch]() mutable {
    launch.variables = variables.get();
    return run(*program, launch);
  };
  return Success;
}

CUDA_API cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY,
                        unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned sharedBytes, CUstream stream,
                        void **parameters, void **extra) {
  CUlaunchConfig config = {gridX,  gridY,       gridZ,  blockX,  blockY,
                           blockZ, sharedBytes, stream, nullptr, 0};
  return launchKernel(config, function, parameters, extra);
}

CUDA_API cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function,
                          void **parameters, void **extra) {
  return config ? launchKernel(*config, function, parameters, extra)
                : InvalidValue;
}

//===- Devices.cpp - Devices and contexts ---------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Machine.h"

#include <cstring>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

namespace sparse_attn::cuda_emulator {
struct Context {
  bool isPrimary = false;
};
} // namespace sparse_attn::cuda_emulator

namespace {

std::atomic<bool> initialized{false};
std::mutex contextMutex;
Context *primary = nullptr;
unsigned primaryUsers = 0;
thread_local std::vector<Context *> contexts; // the last one is current

/// CUDA 12.8, whose PTX ISA is 8.7.
constexpr int driverVersion = 12080;

unsigned maxShared(unsigned capability) {
  return capability == 90                       ? 227 * 1024
         : capability == 80 || capability == 87 ? 163 * 1024
                                                : 99 * 1024;
}

CUresult requireDevice(CUdevice device) {
  REQUIRE(requireInit());
  return device == 0 ? Success : InvalidDevice;
}

/// Sorted by number, CUdevice_attribute; all others are 0.
int attributeValue(int attribute) {
  unsigned capability = settings().capability;
  switch (attribute) {
  case 1: // MAX_THREADS_PER_BLOCK
  case 2: // MAX_BLOCK_DIM_X
  case 3: // MAX_BLOCK_DIM_Y
    return 1024;
  case 4: // MAX_BLOCK_DIM_Z
    return 64;
  case 5: // MAX_GRID_DIM_X
    return 0x7fffffff;
  case 6: // MAX_GRID_DIM_Y
  case 7: // MAX_GRID_DIM_Z
    return 65535;
  case 8: // MAX_SHARED_MEMORY_PER_BLOCK
    return 48 * 1024;
  case 9: // TOTAL_CONSTANT_MEMORY
    return 64 * 1024;
  case 10: // WARP_SIZE
    return 32;
  case 11: // MAX_PITCH
    return 0x7fffffff;
  case 12: // MAX_REGISTERS_PER_BLOCK
  case 82: // MAX_REGISTERS_PER_MULTIPROCESSOR
    return 65536;
  case 13: // CLOCK_RATE
  case 36: // MEMORY_CLOCK_RATE
    return 1000000;
  case 14: // TEXTURE_ALIGNMENT
    return 512;
  case 37: // GLOBAL_MEMORY_BUS_WIDTH
    return 256;
  case 38: // L2_CACHE_SIZE
    return 1 << 20;
  case 39: // MAX_THREADS_PER_MULTIPROCESSOR
    return capability == 86 || capability == 89 ? 1536 : 2048;
  case 15:  // GPU_OVERLAP
  case 16:  // MULTIPROCESSOR_COUNT, as %nsmid
  case 19:  // CAN_MAP_HOST_MEMORY
  case 31:  // CONCURRENT_KERNELS
  case 40:  // ASYNC_ENGINE_COUNT
  case 41:  // UNIFIED_ADDRESSING
  case 79:  // GLOBAL_L1_CACHE_SUPPORTED
  case 80:  // LOCAL_L1_CACHE_SUPPORTED
  case 83:  // MANAGED_MEMORY
  case 89:  // CONCURRENT_MANAGED_ACCESS
  case 91:  // CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM
  case 99:  // HOST_REGISTER_SUPPORTED
  case 101: // DIRECT_MANAGED_MEM_ACCESS_FROM_HOST
  case 115: // MEMORY_POOLS_SUPPORTED
    return 1;
  case 75: // COMPUTE_CAPABILITY_MAJOR
    return int(capability / 10);
  case 76: // COMPUTE_CAPABILITY_MINOR
    return int(capability % 10);
  case 81: // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    return int(maxShared(capability) + 1024);
  case 97: // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    return int(maxShared(capability));
  case 106: // MAX_BLOCKS_PER_MULTIPROCESSOR
    return 32;
  case 111: // RESERVED_SHARED_MEMORY_PER_BLOCK
    return 1024;
  case 120: // CLUSTER_LAUNCH
  case 127: // TENSOR_MAP_ACCESS_SUPPORTED
    return capability >= 90;
  default:
    return 0;
  }
}

} // namespace

CUresult cuda_emulator::requireInit() {
  if (!initialized)
    return NotInitialized;
  return Machine::get().fault();
}

CUresult cuda_emulator::requireContext() {
  REQUIRE(requireInit());
  return contexts.empty() || !contexts.back() ? InvalidContext : Success;
}

CUDA_API cuInit(unsigned flags) {
  if (flags != 0)
    return InvalidValue;
  if (!settings().fault.empty()) {
    complain(settings().fault);
    return InvalidValue;
  }
  Machine::get();
  initialized = true;
  return Success;
}

CUDA_API cuDriverGetVersion(int *version) {
  if (!version)
    return InvalidValue;
  *version = driverVersion;
  return Success;
}

CUDA_API cuDeviceGetCount(int *count) {
  REQUIRE(requireInit());
  if (!count)
    return InvalidValue;
  *count = 1;
  return Success;
}

CUDA_API cuDeviceGet(CUdevice *device, int ordinal) {
  REQUIRE(requireDevice(ordinal));
  if (!device)
    return InvalidValue;
  *device = 0;
  return Success;
}

CUDA_API cuDeviceGetName(char *name, int length, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!name || length < 1)
    return InvalidValue;
  std::string text =
      "sparse-attn emulator sm_" + std::to_string(settings().capability);
  std::strncpy(name, text.c_str(), size_t(length));
  name[length - 1] = 0;
  return Success;
}

CUDA_API cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!value || attribute < 1 || attribute > 160)
    return InvalidValue;
  *value = attributeValue(attribute);
  return Success;
}

CUDA_API cuDeviceComputeCapability(int *major, int *minor, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!major || !minor)
    return InvalidValue;
  *major = attributeValue(75);
  *minor = attributeValue(76);
  return Success;
}

CUDA_API cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!bytes)
    return InvalidValue;
  *bytes = settings().memoryBytes;
  return Success;
}

CUDA_API cuDeviceGetUuid(CUuuid *uuid, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!uuid)
    return InvalidValue;
  std::memcpy(uuid->bytes, "SparseAttnEmulat", 16);
  return Success;
}

CUDA_API cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
  return cuDeviceGetUuid(uuid, device);
}

CUDA_API cuDeviceGetPCIBusId(char *id, int length, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!id || length < 13)
    return InvalidValue;
  std::memcpy(id, "0000:00:00.0", 13);
  return Success;
}

CUDA_API cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
  REQUIRE(requireDevice(device));
  REQUIRE(requireDevice(peer));
  if (!can)
    return InvalidValue;
  *can = 0;
  return Success;
}

CUDA_API cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!context)
    return InvalidValue;
  std::lock_guard<std::mutex> lock(contextMutex);
  if (!primary) {
    primary = handles<Context>().create();
    primary->isPrimary = true;
  }
  ++primaryUsers;
  *context = primary;
  return Success;
}

CUDA_API cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  if (device != 0)
    return InvalidDevice;
  std::lock_guard<std::mutex> lock(contextMutex);
  // The object stays: other threads may have it on their stacks.
  if (primaryUsers == 0)
    return InvalidContext;
  --primaryUsers;
  return Success;
}

CUDA_API cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags,
                                    int *active) {
  REQUIRE(requireDevice(device));
  if (!flags || !active)
    return InvalidValue;
  std::lock_guard<std::mutex> lock(contextMutex);
  *flags = 0;
  *active = primaryUsers > 0;
  return Success;
}

CUDA_API cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
  return requireDevice(device);
}

CUDA_API cuCtxCreate_v2(CUcontext *context, unsigned, CUdevice device) {
  REQUIRE(requireDevice(device));
  if (!context)
    return InvalidValue;
  *context = handles<Context>().create();
  contexts.push_back(*context);
  return Success;
}

CUDA_API cuCtxCreate_v3(CUcontext *context, void *, int affinities,
                        unsigned flags, CUdevice device) {
  return affinities ? NotSupported : cuCtxCreate_v2(context, flags, device);
}

CUDA_API cuCtxCreate_v4(CUcontext *context, void *parameters, unsigned flags,
                        CUdevice device) {
  return parameters ? NotSupported : cuCtxCreate_v2(context, flags, device);
}

CUDA_API cuCtxDestroy_v2(CUcontext context) {
  if (!handles<Context>().contains(context) || context->isPrimary)
    return InvalidContext;
  Machine::get().waitForAll();
  if (!contexts.empty() && contexts.back() == context)
    contexts.pop_back();
  return handles<Context>().destroy(context) ? Success : InvalidContext;
}

CUDA_API cuCtxSetCurrent(CUcontext context) {
  if (!initialized)
    return NotInitialized;
  if (context && !handles<Context>().contains(context))
    return InvalidContext;
  if (!contexts.empty())
    contexts.pop_back();
  if (context)
    contexts.push_back(context);
  return Success;
}

CUDA_API cuCtxGetCurrent(CUcontext *context) {
  if (!initialized)
    return NotInitialized;
  if (!context)
    return InvalidValue;
  *context = contexts.empty() ? nullptr : contexts.back();
  return Success;
}

CUDA_API cuCtxPushCurrent_v2(CUcontext context) {
  if (!initialized)
    return NotInitialized;
  if (!handles<Context>().contains(context))
    return InvalidContext;
  contexts.push_back(context);
  return Success;
}

CUDA_API cuCtxPopCurrent_v2(CUcontext *context) {
  if (!initialized)
    return NotInitialized;
  if (contexts.empty())
    return InvalidContext;
  if (context)
    *context = contexts.back();
  contexts.pop_back();
  return Success;
}

CUDA_API cuCtxGetDevice(CUdevice *device) {
  REQUIRE(requireContext());
  if (!device)
    return InvalidValue;
  *device = 0;
  return Success;
}

CUDA_API cuCtxGetFlags(unsigned *flags) {
  REQUIRE(requireContext());
  if (!flags)
    return InvalidValue;
  *flags = 0;
  return Success;
}

CUDA_API cuCtxGetApiVersion(CUcontext, unsigned *version) {
  if (!version)
    return InvalidValue;
  *version = 3020;
  return Success;
}

CUDA_API cuCtxSynchronize() {
  REQUIRE(requireContext());
  return Machine::get().waitForAll();
}

CUDA_API cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  REQUIRE(requireContext());
  if (least)
    *least = 0;
  if (greatest)
    *greatest = 0;
  return Success;
}

CUDA_API cuCtxSetLimit(int, size_t) { return requireContext(); }

CUDA_API cuCtxSetCacheConfig(int) { return requireContext(); }

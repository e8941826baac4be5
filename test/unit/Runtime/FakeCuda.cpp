//===- FakeCuda.cpp - Stands in for the CUDA driver -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A library with the driver functions that the runtime calls. Memory is the
// host's; a launch copies the first argument to the second, 16-bit elements,
// as many as the third says. Every call is recorded, and one can be made to
// fail.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {
std::string record;
std::string failing;
int devices = 1;
int allocations = 0;
} // namespace

/// Records the call and leaves with an error if it is to fail.
#define CALLED(name)                                                           \
  record += #name " ";                                                         \
  if (failing == #name)                                                        \
    return 700;

extern "C" {

// What the tests reach into.
const char *fakeRecord() { return record.c_str(); }
void fakeReset(const char *failingCall, int deviceCount) {
  record.clear();
  failing = failingCall;
  devices = deviceCount;
}
int fakeAllocations() { return allocations; }

int cuInit(unsigned) {
  CALLED(cuInit)
  return 0;
}
int cuGetErrorName(int, const char **name) {
  *name = "CUDA_ERROR_FAKE";
  return 0;
}
int cuGetErrorString(int, const char **text) {
  *text = "made to fail";
  return 0;
}
int cuDeviceGetCount(int *count) {
  CALLED(cuDeviceGetCount)
  *count = devices;
  return 0;
}
int cuDeviceGet(int *device, int) {
  CALLED(cuDeviceGet)
  *device = 0;
  return 0;
}
int cuDeviceGetName(char *name, int length, int) {
  CALLED(cuDeviceGetName)
  std::strncpy(name, "Fake GPU", length);
  return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
  CALLED(cuDeviceGetAttribute)
  *value = attribute == 75 ? 8 : attribute == 76 ? 6 : 101376;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int) {
  CALLED(cuDevicePrimaryCtxRetain)
  *context = &record;
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  CALLED(cuDevicePrimaryCtxRelease)
  return 0;
}
int cuCtxSetCurrent(void *) {
  CALLED(cuCtxSetCurrent)
  return 0;
}
int cuModuleLoadDataEx(void **module, const void *text, unsigned count,
                       int *options, void **values) {
  CALLED(cuModuleLoadDataEx)
  if (std::strstr(static_cast<const char *>(text), "syntax error")) {
    if (count == 2 && options[0] == 5 && options[1] == 6)
      std::strncpy(static_cast<char *>(values[0]),
                   "ptxas line 7;\nparse error\n",
                   reinterpret_cast<uintptr_t>(values[1]));
    return 218;
  }
  *module = &record;
  return 0;
}
int cuModuleUnload(void *) {
  CALLED(cuModuleUnload)
  return 0;
}
int cuModuleGetFunction(void **function, void *, const char *name) {
  CALLED(cuModuleGetFunction)
  record += "(" + std::string(name) + ") ";
  *function = &record;
  return 0;
}
int cuFuncSetAttribute(void *, int attribute, int value) {
  CALLED(cuFuncSetAttribute)
  record +=
      "(" + std::to_string(attribute) + " " + std::to_string(value) + ") ";
  return 0;
}
int cuMemAlloc_v2(unsigned long long *pointer, size_t bytes) {
  CALLED(cuMemAlloc)
  ++allocations;
  *pointer = reinterpret_cast<uintptr_t>(std::malloc(bytes));
  return 0;
}
int cuMemFree_v2(unsigned long long pointer) {
  CALLED(cuMemFree)
  --allocations;
  std::free(reinterpret_cast<void *>(pointer));
  return 0;
}
int cuMemsetD8_v2(unsigned long long pointer, unsigned char value,
                  size_t bytes) {
  CALLED(cuMemsetD8)
  std::memset(reinterpret_cast<void *>(pointer), value, bytes);
  return 0;
}
int cuMemcpyHtoD_v2(unsigned long long target, const void *source,
                    size_t bytes) {
  CALLED(cuMemcpyHtoD)
  std::memcpy(reinterpret_cast<void *>(target), source, bytes);
  return 0;
}
int cuMemcpyDtoH_v2(void *target, unsigned long long source, size_t bytes) {
  CALLED(cuMemcpyDtoH)
  std::memcpy(target, reinterpret_cast<void *>(source), bytes);
  return 0;
}
int cuLaunchKernel(void *, unsigned gridX, unsigned gridY, unsigned gridZ,
                   unsigned blockX, unsigned blockY, unsigned blockZ,
                   unsigned shared, void *, void **arguments, void **extra) {
  CALLED(cuLaunchKernel)
  record += "(";
  for (unsigned value : {gridX, gridY, gridZ, blockX, blockY, blockZ, shared})
    record += std::to_string(value) + " ";
  record += extra ? "extra) " : ") ";
  uint64_t source, target;
  int32_t length;
  std::memcpy(&source, arguments[0], 8);
  std::memcpy(&target, arguments[1], 8);
  std::memcpy(&length, arguments[2], 4);
  std::memcpy(reinterpret_cast<void *>(target),
              reinterpret_cast<void *>(source), size_t(length) * 2);
  return 0;
}
int cuEventCreate(void **event, unsigned) {
  CALLED(cuEventCreate)
  *event = &record;
  return 0;
}
int cuEventRecord(void *, void *) {
  CALLED(cuEventRecord)
  return 0;
}
int cuEventSynchronize(void *) {
  CALLED(cuEventSynchronize)
  return 0;
}
int cuEventElapsedTime(float *milliseconds, void *, void *) {
  CALLED(cuEventElapsedTime)
  // 5, 1, 2, 3, ... so that a median differs from a mean and from the first.
  static int launches = 0;
  *milliseconds = launches == 0 ? 5.0F : float(launches);
  ++launches;
  return 0;
}
int cuEventDestroy_v2(void *) {
  CALLED(cuEventDestroy)
  return 0;
}

} // extern "C"

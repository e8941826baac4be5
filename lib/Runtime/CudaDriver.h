//===- CudaDriver.h - The CUDA driver, opened at run time -------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The few functions of libcuda that the runtime calls, looked up by name, so
// that neither CUDA's headers nor its libraries are needed to build or start.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_CUDADRIVER_H
#define SPARSEATTN_LIB_RUNTIME_CUDADRIVER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sparse_attn::runtime::cuda {

// The driver's types, as its interface fixes them.
using Result = int;
using DeviceIndex = int;
using DevicePointer = unsigned long long;
using Context = struct ContextObject *;
using Module = struct ModuleObject *;
using Function = struct FunctionObject *;
using Stream = struct StreamObject *;
using Event = struct EventObject *;

constexpr int computeCapabilityMajor = 75;
constexpr int computeCapabilityMinor = 76;
constexpr int sharedMemoryPerBlockOptin = 97;
constexpr int maxDynamicSharedSizeBytes = 8;
constexpr int jitErrorLogBuffer = 5;
constexpr int jitErrorLogBufferSize = 6;

// Name in this project, name in the library, parameters.
#define SPARSE_ATTN_CUDA_FUNCTIONS(F)                                          \
  F(init, cuInit, (unsigned))                                                  \
  F(errorName, cuGetErrorName, (Result, const char **))                        \
  F(errorString, cuGetErrorString, (Result, const char **))                    \
  F(deviceCount, cuDeviceGetCount, (int *))                                    \
  F(deviceGet, cuDeviceGet, (DeviceIndex *, int))                              \
  F(deviceName, cuDeviceGetName, (char *, int, DeviceIndex))                   \
  F(deviceAttribute, cuDeviceGetAttribute, (int *, int, DeviceIndex))          \
  F(retainContext, cuDevicePrimaryCtxRetain, (Context *, DeviceIndex))         \
  F(releaseContext, cuDevicePrimaryCtxRelease_v2, (DeviceIndex))               \
  F(setContext, cuCtxSetCurrent, (Context))                                    \
  F(loadModule, cuModuleLoadDataEx,                                            \
    (Module *, const void *, unsigned, int *, void **))                        \
  F(unloadModule, cuModuleUnload, (Module))                                    \
  F(getFunction, cuModuleGetFunction, (Function *, Module, const char *))      \
  F(setFunctionAttribute, cuFuncSetAttribute, (Function, int, int))            \
  F(allocate, cuMemAlloc_v2, (DevicePointer *, size_t))                        \
  F(release, cuMemFree_v2, (DevicePointer))                                    \
  F(fill, cuMemsetD8_v2, (DevicePointer, unsigned char, size_t))               \
  F(copyToDevice, cuMemcpyHtoD_v2, (DevicePointer, const void *, size_t))      \
  F(copyToHost, cuMemcpyDtoH_v2, (void *, DevicePointer, size_t))              \
  F(launch, cuLaunchKernel,                                                    \
    (Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,     \
     unsigned, Stream, void **, void **))                                      \
  F(createEvent, cuEventCreate, (Event *, unsigned))                           \
  F(recordEvent, cuEventRecord, (Event, Stream))                               \
  F(waitForEvent, cuEventSynchronize, (Event))                                 \
  F(elapsed, cuEventElapsedTime, (float *, Event, Event))                      \
  F(destroyEvent, cuEventDestroy_v2, (Event))

/// The opened library. It stays open for the life of the process: unloading
/// the driver while it has threads is not safe.
struct Driver {
#define SPARSE_ATTN_DECLARE(name, symbol, parameters)                          \
  Result(*name) parameters = nullptr;
  SPARSE_ATTN_CUDA_FUNCTIONS(SPARSE_ATTN_DECLARE)
#undef SPARSE_ATTN_DECLARE

  static llvm::Expected<std::unique_ptr<Driver>> open(llvm::StringRef library);

  /// Success, or "`what` failed: CUDA_ERROR_...: the driver's words".
  llvm::Error check(Result result, const llvm::Twine &what) const;
};

} // namespace sparse_attn::runtime::cuda

#endif // SPARSEATTN_LIB_RUNTIME_CUDADRIVER_H

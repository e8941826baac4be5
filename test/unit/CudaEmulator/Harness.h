//===- Harness.h - The driver functions for tests ------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_TEST_CUDAEMULATOR_HARNESS_H
#define SPARSEATTN_TEST_CUDAEMULATOR_HARNESS_H

#include "Abi.h"
#include "gtest/gtest.h"

#include <dlfcn.h>
#include <string>

namespace sparse_attn::cuda_emulator {

/// Calls the driver function `name` of the library.
template <class... Arguments>
CUresult call(const char *name, Arguments... arguments) {
  static void *library = dlopen(CUDA_EMULATOR, RTLD_NOW);
  void *function = library ? dlsym(library, name) : nullptr;
  if (!function) {
    ADD_FAILURE() << name << " is not there";
    return NotFound;
  }
  return reinterpret_cast<CUresult (*)(Arguments...)>(function)(arguments...);
}

#define EXPECT_CU(...) EXPECT_EQ(call(__VA_ARGS__), Success)
#define ASSERT_CU(...) ASSERT_EQ(call(__VA_ARGS__), Success)

/// y[i] = x[i] + a for i < n, one element a thread.
inline const char *const addKernel = R"(
.version 7.0
.target sm_80
.address_size 64
.visible .entry add(.param .u64 x, .param .u64 y, .param .u32 a, .param .u32 n)
{
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<6>;
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [y];
  ld.param.u32 %r1, [a];
  ld.param.u32 %r2, [n];
  mov.u32 %r3, %ctaid.x;
  mov.u32 %r4, %ntid.x;
  mov.u32 %r5, %tid.x;
  mad.lo.s32 %r6, %r3, %r4, %r5;
  setp.ge.u32 %p1, %r6, %r2;
  @%p1 ret;
  mul.wide.u32 %rd3, %r6, 4;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  ld.global.u32 %r7, [%rd4];
  add.s32 %r7, %r7, %r1;
  st.global.u32 [%rd5], %r7;
  ret;
}
)";

/// A context, and the kernel above.
class CudaTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_CU("cuInit", 0u);
    ASSERT_CU("cuDevicePrimaryCtxRetain", &context, 0);
    ASSERT_CU("cuCtxSetCurrent", context);
    ASSERT_CU("cuModuleLoadData", &module,
              static_cast<const void *>(addKernel));
    ASSERT_CU("cuModuleGetFunction", &add, module, "add");
  }
  void TearDown() override {
    EXPECT_CU("cuModuleUnload", module);
    EXPECT_CU("cuDevicePrimaryCtxRelease_v2", 0);
  }

  CUdeviceptr allocate(size_t bytes) {
    CUdeviceptr pointer = 0;
    EXPECT_CU("cuMemAlloc_v2", &pointer, bytes);
    return pointer;
  }
  CUresult launch(CUdeviceptr x, CUdeviceptr y, unsigned a, unsigned n,
                  CUstream stream = nullptr) {
    void *parameters[] = {&x, &y, &a, &n};
    return call("cuLaunchKernel", add, (n + 31) / 32, 1u, 1u, 32u, 1u, 1u, 0u,
                stream, static_cast<void **>(parameters),
                static_cast<void **>(nullptr));
  }
  /// The first element of device memory.
  unsigned first(CUdeviceptr pointer) {
    unsigned value = 0;
    EXPECT_CU("cuMemcpyDtoH_v2", static_cast<void *>(&value), pointer,
              sizeof value);
    return value;
  }

  CUcontext context = nullptr;
  CUmodule module = nullptr;
  CUfunction add = nullptr;
};

} // namespace sparse_attn::cuda_emulator

#endif // SPARSEATTN_TEST_CUDAEMULATOR_HARNESS_H

//===- DriverTest.cpp - Tests of the emulated CUDA driver -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

using namespace sparse_attn::cuda_emulator;

namespace {
void *const none = nullptr;

TEST_F(CudaTest, Device) {
  int count = 0, major = 0, shared = 0, version = 0;
  EXPECT_CU("cuDeviceGetCount", &count);
  EXPECT_EQ(count, 1);
  EXPECT_CU("cuDeviceGetAttribute", &major, 75, 0);
  EXPECT_EQ(major, 9);
  EXPECT_CU("cuDeviceGetAttribute", &shared, 97, 0);
  EXPECT_EQ(shared, 227 * 1024);
  EXPECT_CU("cuDriverGetVersion", &version);
  EXPECT_GE(version, 12000);
  char name[64];
  EXPECT_CU("cuDeviceGetName", name, int(sizeof name), 0);
  EXPECT_STREQ(name, "sparse-attn emulator sm_90");
  EXPECT_EQ(call("cuDeviceGetAttribute", &major, 75, 1), InvalidDevice);
  const char *text = nullptr;
  EXPECT_CU("cuGetErrorName", InvalidDevice, &text);
  EXPECT_STREQ(text, "CUDA_ERROR_INVALID_DEVICE");
}

TEST_F(CudaTest, MemoryAndLaunch) {
  std::vector<unsigned> host(100);
  for (unsigned i = 0; i < 100; ++i)
    host[i] = i;
  CUdeviceptr x = allocate(400), y = allocate(400);
  EXPECT_CU("cuMemcpyHtoD_v2", x, static_cast<const void *>(host.data()),
            size_t(400));
  EXPECT_EQ(launch(x, y, 7, 100), Success);
  EXPECT_CU("cuMemcpyDtoH_v2", static_cast<void *>(host.data()), y,
            size_t(400));
  for (unsigned i = 0; i < 100; ++i)
    EXPECT_EQ(host[i], i + 7);
  // The same with the parameters as one buffer.
  struct {
    CUdeviceptr x, y;
    unsigned a, n;
  } buffer = {x, y, 8, 100};
  size_t bytes = sizeof buffer;
  void *extra[] = {reinterpret_cast<void *>(launchParamBuffer), &buffer,
                   reinterpret_cast<void *>(launchParamBufferSize), &bytes,
                   reinterpret_cast<void *>(launchParamEnd)};
  EXPECT_CU("cuLaunchKernel", add, 4u, 1u, 1u, 32u, 1u, 1u, 0u,
            CUstream(nullptr), static_cast<void **>(nullptr),
            static_cast<void **>(extra));
  EXPECT_EQ(first(y), 8u);
  EXPECT_CU("cuMemFree_v2", x);
  EXPECT_EQ(call("cuMemFree_v2", x), InvalidValue);
  EXPECT_CU("cuMemFree_v2", y);
}

TEST_F(CudaTest, HostMemoryIsReachable) {
  unsigned *pinned = nullptr;
  EXPECT_CU("cuMemHostAlloc", reinterpret_cast<void **>(&pinned), size_t(128),
            0u);
  for (unsigned i = 0; i < 32; ++i)
    pinned[i] = i;
  CUdeviceptr managed = 0, mapped = 0;
  EXPECT_CU("cuMemAllocManaged", &managed, size_t(128), 1u);
  EXPECT_CU("cuMemHostGetDevicePointer_v2", &mapped,
            static_cast<void *>(pinned), 0u);
  EXPECT_EQ(launch(mapped, managed, 5, 32), Success);
  EXPECT_CU("cuCtxSynchronize");
  EXPECT_EQ(reinterpret_cast<unsigned *>(managed)[31], 36u);
  std::vector<unsigned> own(64, 3);
  EXPECT_EQ(call("cuMemHostUnregister", static_cast<void *>(own.data())),
            HostMemoryNotRegistered);
  EXPECT_CU("cuMemHostRegister_v2", static_cast<void *>(own.data()),
            size_t(256), 0u);
  EXPECT_EQ(call("cuMemHostRegister_v2", static_cast<void *>(own.data() + 8),
                 size_t(8), 0u),
            HostMemoryAlreadyRegistered);
  EXPECT_EQ(launch(reinterpret_cast<CUdeviceptr>(own.data()), managed, 1, 32),
            Success);
  EXPECT_EQ(first(managed), 4u);
  EXPECT_CU("cuMemHostUnregister", static_cast<void *>(own.data()));
  EXPECT_CU("cuMemFree_v2", managed);
  EXPECT_CU("cuMemFreeHost", static_cast<void *>(pinned));
}

TEST_F(CudaTest, PitchedCopiesAndFills) {
  CUdeviceptr target = 0;
  size_t pitch = 0;
  EXPECT_CU("cuMemAllocPitch_v2", &target, &pitch, size_t(12), size_t(3), 4u);
  EXPECT_GE(pitch, 12u);
  EXPECT_CU("cuMemsetD2D8_v2", target, pitch, static_cast<unsigned char>(9),
            size_t(12), size_t(3));
  const char rows[] = "abcdefghi";
  CUDA_MEMCPY2D copy = {};
  copy.srcMemoryType = Host;
  copy.srcHost = rows;
  copy.srcPitch = 3;
  copy.dstMemoryType = OnDevice;
  copy.dstDevice = target;
  copy.dstPitch = pitch;
  copy.dstXInBytes = 1;
  copy.WidthInBytes = 3;
  copy.Height = 3;
  EXPECT_CU("cuMemcpy2D_v2", static_cast<const CUDA_MEMCPY2D *>(&copy));
  char row[12];
  EXPECT_CU("cuMemcpyDtoH_v2", static_cast<void *>(row), target + 2 * pitch,
            size_t(12));
  EXPECT_EQ(std::string(row, 5), "\tghi\t");
  copy.Height = 4;
  EXPECT_EQ(call("cuMemcpy2D_v2", static_cast<const CUDA_MEMCPY2D *>(&copy)),
            InvalidValue);
  EXPECT_EQ(call("cuMemsetD32_v2", target, 1u, size_t(1) << 20), InvalidValue);
  EXPECT_CU("cuMemFree_v2", target);
}

TEST_F(CudaTest, StreamsAndEvents) {
  CUstream a = nullptr, b = nullptr;
  CUevent start = nullptr, end = nullptr;
  EXPECT_CU("cuStreamCreate", &a, 1u);
  EXPECT_CU("cuStreamCreate", &b, 0u);
  EXPECT_CU("cuEventCreate", &start, 0u);
  EXPECT_CU("cuEventCreate", &end, 0u);
  CUdeviceptr x = 0;
  EXPECT_CU("cuMemAllocAsync", &x, size_t(128), a);
  EXPECT_CU("cuMemsetD32Async", x, 1u, size_t(32), a);
  EXPECT_CU("cuEventRecord", start, a);
  // Work waits behind a callback that the test holds.
  std::atomic<bool> go{false};
  CUhostFn hold = [](void *flag) {
    while (!*static_cast<std::atomic<bool> *>(flag))
      std::this_thread::yield();
  };
  EXPECT_CU("cuLaunchHostFunc", a, hold, static_cast<void *>(&go));
  EXPECT_EQ(launch(x, x, 10, 32, a), Success);
  EXPECT_CU("cuEventRecord", end, a);
  EXPECT_CU("cuStreamWaitEvent", b, end, 0u);
  EXPECT_EQ(call("cuEventQuery", end), NotReady);
  EXPECT_EQ(call("cuStreamQuery", a), NotReady);
  go = true;
  EXPECT_EQ(launch(x, x, 100, 32, b), Success);
  EXPECT_CU("cuStreamSynchronize", b);
  EXPECT_EQ(first(x), 111u);
  EXPECT_CU("cuEventSynchronize", end);
  float milliseconds = -1;
  EXPECT_CU("cuEventElapsedTime", &milliseconds, start, end);
  EXPECT_GE(milliseconds, 0);
  EXPECT_CU("cuMemFreeAsync", x, b);
  EXPECT_CU("cuEventDestroy_v2", start);
  EXPECT_CU("cuEventDestroy_v2", end);
  EXPECT_EQ(call("cuEventQuery", end), InvalidHandle);
  EXPECT_CU("cuStreamDestroy_v2", a);
  EXPECT_CU("cuStreamDestroy_v2", b);
  EXPECT_EQ(call("cuStreamSynchronize", b), InvalidHandle);
}

TEST_F(CudaTest, PageableMemoryMayBeReusedAtOnce) {
  CUstream stream = nullptr;
  EXPECT_CU("cuStreamCreate", &stream, 1u);
  CUdeviceptr x = allocate(4);
  std::atomic<bool> go{false};
  CUhostFn hold = [](void *flag) {
    while (!*static_cast<std::atomic<bool> *>(flag))
      std::this_thread::yield();
  };
  EXPECT_CU("cuLaunchHostFunc", stream, hold, static_cast<void *>(&go));
  unsigned value = 5;
  EXPECT_CU("cuMemcpyHtoDAsync_v2", x, static_cast<const void *>(&value),
            sizeof value, stream);
  value = 6;
  go = true;
  EXPECT_CU("cuStreamSynchronize", stream);
  EXPECT_EQ(first(x), 5u);
  EXPECT_CU("cuStreamDestroy_v2", stream);
  EXPECT_CU("cuMemFree_v2", x);
}

TEST_F(CudaTest, BadPtx) {
  char log[256] = {};
  int options[] = {ErrorLogBuffer, ErrorLogBufferSize};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  CUmodule bad = nullptr;
  testing::internal::CaptureStderr();
  EXPECT_EQ(call("cuModuleLoadDataEx", &bad,
                 static_cast<const void *>(".version 7.0\n.target sm_80\n"
                                           ".nonsense"),
                 2u, static_cast<int *>(options), static_cast<void **>(values)),
            InvalidPtx);
  EXPECT_NE(std::string(log).find("line 3"), std::string::npos) << log;
  EXPECT_EQ(call("cuModuleLoadData", &bad,
                 static_cast<const void *>("\x7f"
                                           "ELF\2\1\1")),
            NoBinaryForGpu);
  EXPECT_EQ(call("cuModuleLoadData", &bad,
                 static_cast<const void *>(".version 8.0\n.target sm_100\n"
                                           ".address_size 64\n")),
            InvalidPtx);
  std::string words = testing::internal::GetCapturedStderr();
  EXPECT_NE(words.find("expected PTX text, found a cubin"), std::string::npos);
  EXPECT_NE(words.find("runs on sm_90, found sm_100"), std::string::npos);
  EXPECT_EQ(call("cuModuleGetFunction", &add, module, "sub"), NotFound);
}

TEST_F(CudaTest, DynamicSharedMemoryIsAskedFor) {
  CUdeviceptr x = allocate(128);
  EXPECT_CU("cuMemsetD8_v2", x, static_cast<unsigned char>(0), size_t(128));
  unsigned a = 1, n = 32;
  void *parameters[] = {&x, &x, &a, &n};
  CUlaunchConfig config = {1, 1, 1, 32, 1, 1, 64 * 1024, nullptr, nullptr, 0};
  auto run = [&] {
    return call(
        "cuLaunchKernelEx", static_cast<const CUlaunchConfig *>(&config), add,
        static_cast<void **>(parameters), static_cast<void **>(nullptr));
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(), InvalidValue);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("found 65536"),
            std::string::npos);
  EXPECT_CU("cuFuncSetAttribute", add, int(MaxDynamicSharedSizeBytes),
            64 * 1024);
  EXPECT_EQ(run(), Success);
  CUlaunchAttribute attribute = {};
  attribute.id = CUlaunchAttribute::Cooperative;
  attribute.value.number = 1;
  config.attrs = &attribute;
  config.numAttrs = 1;
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(), NotSupported);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cooperative"),
            std::string::npos);
  EXPECT_CU("cuMemFree_v2", x);
}

TEST_F(CudaTest, ProcAddress) {
  void *function = nullptr;
  EXPECT_CU("cuGetProcAddress", "cuMemAlloc", &function, 11030, uint64_t(0));
  CUdeviceptr pointer = 0;
  auto allocate =
      reinterpret_cast<CUresult (*)(CUdeviceptr *, size_t)>(function);
  ASSERT_TRUE(allocate);
  EXPECT_EQ(allocate(&pointer, 16), Success);
  EXPECT_CU("cuMemFree_v2", pointer);
  void *old = nullptr;
  EXPECT_CU("cuGetProcAddress", "cuGetProcAddress", &old, 11030, uint64_t(0));
  EXPECT_CU("cuGetProcAddress", "cuGetProcAddress", &function, 12000,
            uint64_t(0));
  EXPECT_NE(old, function);
  testing::internal::CaptureStderr();
  EXPECT_EQ(
      call("cuGetProcAddress", "cuTexRefCreate", &function, 12000, uint64_t(0)),
      NotFound);
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                "'cuTexRefCreate' is not provided"),
            std::string::npos);
  EXPECT_EQ(function, none);
}

TEST_F(CudaTest, WrongHandlesAndPointers) {
  auto *handle = reinterpret_cast<CUstream>(uintptr_t(0x1234));
  EXPECT_EQ(call("cuStreamSynchronize", handle), InvalidHandle);
  EXPECT_EQ(call("cuModuleUnload", reinterpret_cast<CUmodule>(handle)),
            InvalidHandle);
  char byte = 0;
  EXPECT_EQ(call("cuMemcpyDtoH_v2", static_cast<void *>(&byte),
                 CUdeviceptr(0x100000000000), size_t(1)),
            InvalidValue);
  CUdeviceptr x = allocate(16);
  EXPECT_EQ(call("cuMemcpy", x + 8, x, size_t(16)), InvalidValue);
  EXPECT_CU("cuMemFree_v2", x);
  EXPECT_EQ(
      call("cuMemcpy", x, reinterpret_cast<CUdeviceptr>(&byte), size_t(1)),
      InvalidValue);
  CUdeviceptr huge = 0;
  EXPECT_EQ(call("cuMemAlloc_v2", &huge, size_t(1) << 40), OutOfMemory);
  EXPECT_CU("cuCtxSetCurrent", CUcontext(nullptr));
  EXPECT_EQ(call("cuMemAlloc_v2", &huge, size_t(16)), InvalidContext);
  EXPECT_CU("cuCtxSetCurrent", context);
}

TEST_F(CudaTest, ModuleVariablesStay) {
  const char *text = R"(
.version 7.0
.target sm_80
.address_size 64
.global .align 4 .u32 launches = 40;
.visible .entry count(.param .u64 y)
{
  .reg .b32 %r<3>;
  .reg .b64 %rd<3>;
  ld.param.u64 %rd1, [y];
  ld.global.u32 %r1, [launches];
  add.u32 %r2, %r1, 1;
  st.global.u32 [launches], %r2;
  st.global.u32 [%rd1], %r2;
  ret;
}
)";
  CUmodule counting = nullptr;
  CUfunction count = nullptr;
  ASSERT_CU("cuModuleLoadData", &counting, static_cast<const void *>(text));
  ASSERT_CU("cuModuleGetFunction", &count, counting, "count");
  CUdeviceptr y = allocate(4);
  void *parameters[] = {&y};
  for (unsigned i = 1; i < 4; ++i) {
    EXPECT_CU("cuLaunchKernel", count, 1u, 1u, 1u, 1u, 1u, 1u, 0u,
              CUstream(nullptr), static_cast<void **>(parameters),
              static_cast<void **>(nullptr));
    EXPECT_EQ(first(y), 40 + i);
  }
  EXPECT_CU("cuMemFree_v2", y);
  EXPECT_CU("cuModuleUnload", counting);
}

TEST_F(CudaTest, TensorMaps) {
  alignas(64) char map[128] = {};
  CUdeviceptr x = allocate(4096);
  uint64_t sizes[] = {64, 16}, strides[] = {256};
  uint32_t box[] = {32, 8}, steps[] = {1, 1};
  auto encode = [&](unsigned swizzle) {
    return call("cuTensorMapEncodeTiled", static_cast<void *>(map), 7u, 2u,
                reinterpret_cast<void *>(x),
                static_cast<const uint64_t *>(sizes),
                static_cast<const uint64_t *>(strides),
                static_cast<const uint32_t *>(box),
                static_cast<const uint32_t *>(steps), 0u, swizzle, 0u, 0u);
  };
  EXPECT_EQ(encode(3), Success);
  EXPECT_NE(std::string(map, 128), std::string(128, 0));
  testing::internal::CaptureStderr();
  EXPECT_EQ(encode(1), InvalidValue); // rows of 128 bytes
  EXPECT_EQ(encode(9), InvalidValue);
  EXPECT_NE(
      testing::internal::GetCapturedStderr().find("cuTensorMapEncodeTiled: "),
      std::string::npos);
  EXPECT_CU("cuMemFree_v2", x);
}

using CudaDeathTest = CudaTest;

/// A fault ends all further work, and says where it was.
TEST_F(CudaDeathTest, FaultsStay) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        CUdeviceptr x = allocate(64);
        EXPECT_CU("cuMemsetD8_v2", x, static_cast<unsigned char>(0),
                  size_t(64));
        EXPECT_EQ(launch(x, x, 1, 32), Success);
        EXPECT_EQ(call("cuCtxSynchronize"), IllegalAddress);
        EXPECT_EQ(call("cuCtxSynchronize"), IllegalAddress);
        CUdeviceptr more = 0;
        EXPECT_EQ(call("cuMemAlloc_v2", &more, size_t(4)), IllegalAddress);
        std::_Exit(HasFailure());
      },
      testing::ExitedWithCode(0),
      "kernel 'add': PTX line 23: 'ld.global.u32': global address .* is out "
      "of bounds");
  EXPECT_EXIT(
      {
        CUdeviceptr x = allocate(132);
        EXPECT_EQ(launch(x + 2, x, 1, 32), Success);
        EXPECT_EQ(call("cuCtxSynchronize"), MisalignedAddress);
        std::_Exit(HasFailure());
      },
      testing::ExitedWithCode(0), "misaligned");
  EXPECT_EXIT(
      {
        CUdeviceptr x = allocate(128);
        EXPECT_EQ(launch(x, x, 1, 32), Success);
        EXPECT_EQ(call("cuCtxSynchronize"), LaunchFailed);
        std::_Exit(HasFailure());
      },
      testing::ExitedWithCode(0), "reads 4 uninitialised bytes");
}

TEST_F(CudaDeathTest, ErrorsMayEndTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  setenv("SPARSE_ATTN_EMULATOR_ON_ERROR", "exit", 1);
  EXPECT_EXIT(
      {
        launch(0, 0, 1, 32);
        call("cuCtxSynchronize");
        std::_Exit(0);
      },
      testing::ExitedWithCode(1), "out of bounds");
  unsetenv("SPARSE_ATTN_EMULATOR_ON_ERROR");
}
} // namespace

//===- CudaDeviceTest.cpp - Tests of kernels on a GPU ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/PackageRunner.h"
#include "gtest/gtest.h"

#include <cstring>
#include <dlfcn.h>

using namespace sparse_attn::runtime;
using llvm::Expected;
using llvm::StringRef;
using llvm::toString;

namespace {
class CudaDeviceTest : public testing::Test {
protected:
  void SetUp() override {
    library = dlopen(FAKE_CUDA, RTLD_NOW);
    ASSERT_TRUE(library) << dlerror();
    reset("", 1);

    kernel.name = "copy";
    kernel.target = "sm_80";
    kernel.file = "kernels.ptx";
    kernel.threads = 32;
    Argument x, y, length;
    x.name = "x";
    x.type = y.type = ElementType::F16;
    x.shape = {Rule{Rule::Form::Any, -1, {}}};
    y.name = "y";
    y.role = Argument::Role::Output;
    y.shape = {Rule{Rule::Form::Dim, 0, {{0, 0}}}};
    length.name = "length";
    length.kind = Argument::Kind::Dim;
    kernel.arguments = {x, y, length};
    kernel.grid = {Rule{Rule::Form::CeilDiv, 32, {{0, 0}}},
                   Rule{Rule::Form::Constant, 1, {}},
                   Rule{Rule::Form::Constant, 1, {}}};
    inputs.resize(3);
    inputs[0].type = ElementType::F16;
    inputs[0].shape = {40};
    for (unsigned i = 0; i < 80; ++i)
      inputs[0].data.push_back(uint8_t(i));
  }

  template <typename F>
  F *symbol(const char *name) {
    return reinterpret_cast<F *>(dlsym(library, name));
  }
  void reset(const char *failing, int devices) {
    symbol<void(const char *, int)>("fakeReset")(failing, devices);
  }
  std::string record() { return symbol<const char *()>("fakeRecord")(); }

  /// Runs the kernel on a device of its own.
  Expected<KernelRun> run(StringRef ptx = "// PTX") {
    Expected<std::unique_ptr<Device>> device = createCudaDevice(FAKE_CUDA);
    if (!device)
      return device.takeError();
    return runKernel(kernel, ptx, **device, inputs, options);
  }

  void *library = nullptr;
  Kernel kernel;
  std::vector<Tensor> inputs;
  RunOptions options;
};
} // namespace

TEST_F(CudaDeviceTest, MissingDriver) {
  Expected<std::unique_ptr<Device>> device =
      createCudaDevice("libcuda_that_is_not_there.so.1");
  ASSERT_FALSE(device);
  EXPECT_TRUE(StringRef(toString(device.takeError()))
                  .starts_with("no CUDA driver: libcuda_that_is_not_there"));
}

TEST_F(CudaDeviceTest, OtherLibrary) {
  Expected<std::unique_ptr<Device>> device = createCudaDevice("libm.so.6");
  ASSERT_FALSE(device);
  EXPECT_EQ(toString(device.takeError()),
            "no CUDA driver: expected the function cuInit in libm.so.6, found "
            "none");
}

TEST_F(CudaDeviceTest, NoGpu) {
  reset("", 0);
  Expected<std::unique_ptr<Device>> device = createCudaDevice(FAKE_CUDA);
  ASSERT_FALSE(device);
  EXPECT_EQ(toString(device.takeError()), "expected a GPU, found none");
}

TEST_F(CudaDeviceTest, Targets) {
  Expected<std::unique_ptr<Device>> device = createCudaDevice(FAKE_CUDA);
  ASSERT_TRUE(bool(device)) << toString(device.takeError());
  EXPECT_EQ((*device)->name(), "Fake GPU");
  // The fake is an sm_86: older targets run, the newest of them best.
  EXPECT_EQ((*device)->accepts("sm_90"), 0U);
  EXPECT_EQ((*device)->accepts("sm_80a"), 0U);
  EXPECT_EQ((*device)->accepts("x86"), 0U);
  EXPECT_GT((*device)->accepts("sm_80"), 0U);
  EXPECT_GT((*device)->accepts("sm_86"), (*device)->accepts("sm_80"));
  EXPECT_GT((*device)->accepts("sm_86a"), (*device)->accepts("sm_86"));
}

TEST_F(CudaDeviceTest, CallSequence) {
  Expected<KernelRun> result = run();
  ASSERT_TRUE(bool(result)) << toString(result.takeError());
  EXPECT_EQ(result->results[1].data, inputs[0].data);
  EXPECT_TRUE(result->results[1].written.empty());
  EXPECT_EQ(result->stats.launches, 1U);
  std::string launch = "cuEventCreate cuEventCreate cuEventRecord "
                       "cuLaunchKernel (2 1 1 32 1 1 0 ) cuEventRecord "
                       "cuEventSynchronize cuEventElapsedTime cuEventDestroy "
                       "cuEventDestroy ";
  EXPECT_EQ(record(),
            "cuInit cuDeviceGetCount cuDeviceGet cuDeviceGetName "
            "cuDeviceGetAttribute cuDeviceGetAttribute cuDeviceGetAttribute "
            "cuDevicePrimaryCtxRetain cuCtxSetCurrent "
            "cuModuleLoadDataEx cuModuleGetFunction (copy) "
            "cuMemAlloc cuMemsetD8 cuMemcpyHtoD cuMemAlloc cuMemsetD8 " +
                launch + launch +
                "cuMemcpyDtoH cuMemFree cuMemFree cuModuleUnload "
                "cuDevicePrimaryCtxRelease ");
}

TEST_F(CudaDeviceTest, SharedMemoryIsAskedFor) {
  kernel.sharedMemory = 48 * 1024;
  ASSERT_FALSE(bool(run().takeError()));
  EXPECT_EQ(record().find("cuFuncSetAttribute"), std::string::npos);
  reset("", 1);
  kernel.sharedMemory = 48 * 1024 + 16;
  ASSERT_FALSE(bool(run().takeError()));
  EXPECT_NE(record().find("cuFuncSetAttribute (8 49168) "), std::string::npos);
  EXPECT_NE(record().find("(2 1 1 32 1 1 49168 )"), std::string::npos);
}

TEST_F(CudaDeviceTest, TooMuchSharedMemory) {
  kernel.sharedMemory = 128 * 1024;
  EXPECT_EQ(toString(run().takeError()),
            "kernel 'copy': expected at most 101376 bytes of shared memory on "
            "Fake GPU, found 131072");
}

TEST_F(CudaDeviceTest, MedianTime) {
  // Whatever ran before, the times of n launches are consecutive numbers or
  // one 5 before them, and the untimed first launch is left out.
  options.repeat = 3;
  Expected<KernelRun> first = run();
  Expected<KernelRun> second = run();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->stats.launches, 3U);
  ASSERT_TRUE(first->stats.milliseconds && second->stats.milliseconds);
  EXPECT_EQ(*second->stats.milliseconds, *first->stats.milliseconds + 4);
}

TEST_F(CudaDeviceTest, CompilerLog) {
  EXPECT_EQ(toString(run("syntax error").takeError()),
            "kernels.ptx: compiling the PTX failed: CUDA_ERROR_FAKE: made to "
            "fail: ptxas line 7; parse error");
  EXPECT_EQ(toString(run(StringRef("// \0", 4)).takeError()),
            "kernels.ptx: expected PTX text, found a null byte");
}

TEST_F(CudaDeviceTest, EveryCallIsChecked) {
  kernel.sharedMemory = 64 * 1024;
  std::pair<const char *, const char *> cases[] = {
      {"cuInit", "starting the CUDA driver"},
      {"cuDeviceGetCount", "finding GPUs"},
      {"cuDeviceGet", "taking a GPU"},
      {"cuDeviceGetName", "naming a GPU"},
      {"cuDeviceGetAttribute", "reading an attribute of the GPU"},
      {"cuDevicePrimaryCtxRetain", "creating a context on the GPU"},
      {"cuCtxSetCurrent", "entering the context"},
      {"cuModuleLoadDataEx", "kernels.ptx: compiling the PTX"},
      {"cuModuleGetFunction", "kernels.ptx: finding the entry point 'copy'"},
      {"cuFuncSetAttribute", "asking for 65536 bytes of shared memory"},
      {"cuMemAlloc", "allocating 80 bytes on the GPU"},
      {"cuMemsetD8", "filling memory on the GPU"},
      {"cuMemcpyHtoD", "copying to the GPU"},
      {"cuMemcpyDtoH", "copying from the GPU"},
      {"cuLaunchKernel", "launching 'copy'"},
      {"cuEventCreate", "timing"},
      {"cuEventRecord", "timing"},
      {"cuEventSynchronize", "running 'copy'"},
      {"cuEventElapsedTime", "timing"},
  };
  for (auto [call, words] : cases) {
    reset(call, 1);
    EXPECT_EQ(toString(run().takeError()),
              std::string(words) + " failed: CUDA_ERROR_FAKE: made to fail")
        << call;
    EXPECT_EQ(symbol<int()>("fakeAllocations")(), 0) << call;
  }
}

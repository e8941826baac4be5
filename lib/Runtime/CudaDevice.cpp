//===- CudaDevice.cpp - Kernels on a GPU ----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "CudaDriver.h"

#include "SparseAttn/Runtime/Device.h"
#include "SparseAttn/Runtime/Support.h"
#include "SparseAttn/Runtime/TargetName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace llvm;

namespace sparse_attn::runtime {

namespace {
class CudaDevice : public Device {
public:
  explicit CudaDevice(std::unique_ptr<cuda::Driver> opened)
      : driver(std::move(opened)) {}
  ~CudaDevice() override {
    releaseMemory();
    if (context)
      driver->releaseContext(index);
  }

  /// Takes the first GPU and makes its primary context current.
  Error start();

  Kind kind() const override { return Kind::Cuda; }
  std::string name() const override { return deviceName; }
  unsigned accepts(StringRef target) const override {
    // The newest target that runs here; an exact one before a portable one.
    std::optional<TargetName> name = TargetName::parse(target);
    return name && name->runsOn(capability) ? 2 * name->capability + name->exact
                                            : 0;
  }

  Expected<uint64_t> allocate(uint64_t bytes) override;
  Error write(uint64_t address, ArrayRef<uint8_t> bytes) override;
  Expected<bool> read(uint64_t address,
                      MutableArrayRef<uint8_t> bytes) override;
  void releaseMemory() override;
  Expected<std::unique_ptr<LoadedKernel>> load(const Kernel &kernel,
                                               StringRef ptx) override;

private:
  friend class CudaKernel;
  std::unique_ptr<cuda::Driver> driver;
  cuda::DeviceIndex index = 0;
  cuda::Context context = nullptr;
  std::string deviceName;
  unsigned capability = 0;
  unsigned maximumShared = 0;
  std::vector<cuda::DevicePointer> allocations;
};

class CudaKernel : public LoadedKernel {
public:
  CudaKernel(CudaDevice &device, const Kernel &kernel)
      : device(device), name(kernel.name), file(kernel.file) {}
  ~CudaKernel() override {
    if (module)
      device.driver->unloadModule(module);
  }

  Error compile(const std::string &ptx);
  Error allowSharedMemory(unsigned bytes);
  Expected<LaunchResult> launch(const LaunchSpec &spec) override;
  Error enqueue(const LaunchSpec &spec, void *stream) override;

private:
  Error submit(const LaunchSpec &spec, cuda::Stream stream);
  Error timedLaunch(const LaunchSpec &spec, cuda::Event start, cuda::Event stop,
                    float &milliseconds);

  CudaDevice &device;
  std::string name, file;
  cuda::Module module = nullptr;
  cuda::Function function = nullptr;
};
} // namespace

Error CudaDevice::start() {
  if (Error error = driver->check(driver->init(0), "starting the CUDA driver"))
    return error;
  int count = 0;
  if (Error error = driver->check(driver->deviceCount(&count), "finding GPUs"))
    return error;
  if (count < 1)
    return fail("expected a GPU, found none");
  char text[256] = {};
  int major = 0, minor = 0, shared = 0;
  if (Error error = driver->check(driver->deviceGet(&index, 0), "taking a GPU"))
    return error;
  if (Error error = driver->check(
          driver->deviceName(text, sizeof(text) - 1, index), "naming a GPU"))
    return error;
  for (auto [value, attribute] :
       {std::pair(&major, cuda::computeCapabilityMajor),
        std::pair(&minor, cuda::computeCapabilityMinor),
        std::pair(&shared, cuda::sharedMemoryPerBlockOptin)})
    if (Error error =
            driver->check(driver->deviceAttribute(value, attribute, index),
                          "reading an attribute of the GPU"))
      return error;
  deviceName = text;
  capability = 10 * major + minor;
  maximumShared = shared;
  if (Error error = driver->check(driver->retainContext(&context, index),
                                  "creating a context on the GPU"))
    return error;
  return driver->check(driver->setContext(context), "entering the context");
}

Expected<uint64_t> CudaDevice::allocate(uint64_t bytes) {
  cuda::DevicePointer pointer = 0;
  // The driver refuses empty allocations.
  size_t size = std::max<uint64_t>(bytes, 1);
  if (Error error =
          driver->check(driver->allocate(&pointer, size),
                        "allocating " + Twine(bytes) + " bytes on the GPU"))
    return std::move(error);
  allocations.push_back(pointer);
  // What no block writes shows up as NaN instead of as an earlier result.
  if (Error error = driver->check(driver->fill(pointer, 0xff, size),
                                  "filling memory on the GPU"))
    return std::move(error);
  return pointer;
}

Error CudaDevice::write(uint64_t address, ArrayRef<uint8_t> bytes) {
  return driver->check(
      driver->copyToDevice(address, bytes.data(), bytes.size()),
      "copying to the GPU");
}

Expected<bool> CudaDevice::read(uint64_t address,
                                MutableArrayRef<uint8_t> bytes) {
  if (Error error =
          driver->check(driver->copyToHost(bytes.data(), address, bytes.size()),
                        "copying from the GPU"))
    return std::move(error);
  return true;
}

void CudaDevice::releaseMemory() {
  for (cuda::DevicePointer pointer : allocations)
    driver->release(pointer);
  allocations.clear();
}

Expected<std::unique_ptr<LoadedKernel>> CudaDevice::load(const Kernel &kernel,
                                                         StringRef ptx) {
  if (kernel.sharedMemory > maximumShared)
    return fail("kernel '" + kernel.name + "': expected at most " +
                Twine(maximumShared) + " bytes of shared memory on " +
                deviceName + ", found " + Twine(kernel.sharedMemory));
  // The driver reads up to a null byte.
  if (ptx.contains('\0'))
    return fail(kernel.file + ": expected PTX text, found a null byte");
  auto loaded = std::make_unique<CudaKernel>(*this, kernel);
  if (Error error = loaded->compile(ptx.str()))
    return std::move(error);
  // More than 48 KiB must be asked for.
  if (kernel.sharedMemory > 48 * 1024)
    if (Error error = loaded->allowSharedMemory(kernel.sharedMemory))
      return std::move(error);
  return std::move(loaded);
}

Error CudaKernel::compile(const std::string &ptx) {
  char log[8192] = {};
  int options[] = {cuda::jitErrorLogBuffer, cuda::jitErrorLogBufferSize};
  // The driver takes the size by value in a pointer's place.
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log) - 1)};
  cuda::Result result =
      device.driver->loadModule(&module, ptx.c_str(), 2, options, values);
  if (result != 0) {
    std::string words =
        toString(device.driver->check(result, file + ": compiling the PTX"));
    StringRef detail = StringRef(log).trim();
    return fail(detail.empty() ? words : words + ": " + oneLine(detail));
  }
  return device.driver->check(
      device.driver->getFunction(&function, module, name.c_str()),
      file + ": finding the entry point '" + name + "'");
}

Error CudaKernel::allowSharedMemory(unsigned bytes) {
  return device.driver->check(
      device.driver->setFunctionAttribute(
          function, cuda::maxDynamicSharedSizeBytes, int(bytes)),
      "asking for " + Twine(bytes) + " bytes of shared memory");
}

Error CudaKernel::enqueue(const LaunchSpec &spec, void *stream) {
  // The caller's thread may never have been here before.
  if (Error error = device.driver->check(
          device.driver->setContext(device.context), "entering the context"))
    return error;
  return submit(spec, static_cast<cuda::Stream>(stream));
}

Error CudaKernel::submit(const LaunchSpec &spec, cuda::Stream stream) {
  const cuda::Driver &driver = *device.driver;
  // Each entry points to a value; a little-endian host keeps an i32 in the
  // first four bytes.
  std::vector<uint64_t> values;
  for (const KernelParameter &parameter : spec.parameters)
    values.push_back(parameter.value);
  std::vector<void *> pointers;
  for (uint64_t &value : values)
    pointers.push_back(&value);
  return driver.check(driver.launch(function, spec.grid[0], spec.grid[1],
                                    spec.grid[2], spec.threads, 1, 1,
                                    spec.sharedMemory,
                                    static_cast<cuda::Stream>(stream),
                                    pointers.data(), nullptr),
                      "launching '" + name + "'");
}

Error CudaKernel::timedLaunch(const LaunchSpec &spec, cuda::Event start,
                              cuda::Event stop, float &milliseconds) {
  const cuda::Driver &driver = *device.driver;
  if (Error error = driver.check(driver.recordEvent(start, nullptr), "timing"))
    return error;
  if (Error error = submit(spec, /*stream=*/nullptr))
    return error;
  if (Error error = driver.check(driver.recordEvent(stop, nullptr), "timing"))
    return error;
  if (Error error =
          driver.check(driver.waitForEvent(stop), "running '" + name + "'"))
    return error;
  return driver.check(driver.elapsed(&milliseconds, start, stop), "timing");
}

Expected<LaunchResult> CudaKernel::launch(const LaunchSpec &spec) {
  const cuda::Driver &driver = *device.driver;
  cuda::Event start = nullptr, stop = nullptr;
  scope_exit destroy([&] {
    for (cuda::Event event : {start, stop})
      if (event)
        driver.destroyEvent(event);
  });
  for (cuda::Event *event : {&start, &stop})
    if (Error error = driver.check(driver.createEvent(event, 0), "timing"))
      return std::move(error);
  float milliseconds = 0;
  if (Error error = timedLaunch(spec, start, stop, milliseconds))
    return std::move(error);
  LaunchResult result;
  result.milliseconds = milliseconds;
  return std::move(result);
}

Expected<std::unique_ptr<Device>> createCudaDevice(StringRef library) {
  Expected<std::unique_ptr<cuda::Driver>> driver = cuda::Driver::open(library);
  if (!driver)
    return driver.takeError();
  auto device = std::make_unique<CudaDevice>(std::move(*driver));
  if (Error error = device->start())
    return std::move(error);
  return std::move(device);
}

} // namespace sparse_attn::runtime

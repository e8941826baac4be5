//===- EmulatorDevice.cpp - Kernels on the emulator -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Emulator/Emulator.h"
#include "SparseAttn/Runtime/Device.h"
#include "SparseAttn/Runtime/Support.h"
#include "SparseAttn/Runtime/TargetName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace sparse_attn::runtime {

LoadedKernel::~LoadedKernel() = default;
Device::~Device() = default;

namespace {
class EmulatorDevice : public Device {
public:
  EmulatorDevice() { releaseMemory(); }

  Kind kind() const override { return Kind::Emulator; }
  std::string name() const override { return "emulator"; }

  unsigned accepts(StringRef target) const override {
    // The oldest target uses the plainest instructions and runs fastest here.
    std::optional<TargetName> name = TargetName::parse(target);
    return name && name->capability < 1000
               ? 2 * (1000 - name->capability) - name->exact
               : 0;
  }

  Expected<uint64_t> allocate(uint64_t bytes) override {
    return memory->allocate(bytes);
  }
  Error write(uint64_t address, ArrayRef<uint8_t> bytes) override {
    memory->write(address, bytes.data(), bytes.size());
    return Error::success();
  }
  Expected<bool> read(uint64_t address,
                      MutableArrayRef<uint8_t> bytes) override {
    return memory->read(address, bytes.data(), bytes.size());
  }
  void releaseMemory() override {
    memory = std::make_unique<emulator::GlobalMemory>();
  }

  Expected<std::unique_ptr<LoadedKernel>> load(const Kernel &kernel,
                                               StringRef ptx) override;

private:
  friend class EmulatedKernel;
  std::unique_ptr<emulator::GlobalMemory> memory;
};

class EmulatedKernel : public LoadedKernel {
public:
  EmulatedKernel(EmulatorDevice &device, const Kernel &kernel,
                 std::unique_ptr<emulator::Program> program)
      : device(device), name(kernel.name), file(kernel.file),
        program(std::move(program)) {}

  Expected<LaunchResult> launch(const LaunchSpec &spec) override;
  Error enqueue(const LaunchSpec &, void *) override {
    return fail("expected a GPU for a launch on a stream, found the emulator");
  }

private:
  EmulatorDevice &device;
  std::string name, file;
  std::unique_ptr<emulator::Program> program;
};
} // namespace

/// "attention_0.sm_80.ptx:12: message".
static Error faultIn(StringRef file, const emulator::Error &error) {
  if (error.line == 0)
    return fail(file + ": " + error.message);
  return fail(file + ":" + Twine(error.line) + ": " + error.message);
}

Expected<std::unique_ptr<LoadedKernel>>
EmulatorDevice::load(const Kernel &kernel, StringRef ptx) {
  emulator::Error error;
  std::unique_ptr<emulator::Program> program =
      emulator::Program::parse({ptx.data(), ptx.size()}, error);
  if (!program)
    return faultIn(kernel.file, error);
  std::vector<std::string> entries = program->entries();
  if (!is_contained(entries, kernel.name))
    return fail(kernel.file + ": expected the entry point '" + kernel.name +
                "', found " +
                (entries.empty() ? "none" : inQuotes(join(entries, ", "))));
  if (program->target() != kernel.target)
    return fail(kernel.file + ": expected the target " + kernel.target +
                " as the manifest says, found " + inQuotes(program->target()));
  return std::make_unique<EmulatedKernel>(*this, kernel, std::move(program));
}

Expected<LaunchResult> EmulatedKernel::launch(const LaunchSpec &spec) {
  emulator::Launch launch;
  launch.entry = name;
  launch.grid = spec.grid;
  launch.block = {spec.threads, 1, 1};
  launch.dynamicSharedBytes = spec.sharedMemory;
  launch.seed = spec.seed;
  launch.checkRaces = spec.checkRaces;
  launch.mmaModel = spec.mmaModel;
  launch.onlyBlocks = spec.blocks;
  launch.hostThreads = spec.jobs;
  for (const KernelParameter &parameter : spec.parameters) {
    // Each parameter is aligned to its own size; the host is little-endian.
    launch.parameters.resize(
        alignTo(launch.parameters.size(), parameter.bytes));
    auto *bytes = reinterpret_cast<const uint8_t *>(&parameter.value);
    launch.parameters.insert(launch.parameters.end(), bytes,
                             bytes + parameter.bytes);
  }
  emulator::Counters counters;
  if (std::optional<emulator::Error> error =
          emulator::execute(*program, *device.memory, launch, &counters))
    return faultIn(file, *error);
  LaunchResult result;
  result.counters = counters.named();
  return std::move(result);
}

std::unique_ptr<Device> createEmulatorDevice() {
  return std::make_unique<EmulatorDevice>();
}

} // namespace sparse_attn::runtime

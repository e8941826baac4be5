//===- Device.h - What executes kernels -------------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One interface over the CUDA driver and the PTX emulator: memory, copies,
// loading a kernel and launching it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_DEVICE_H
#define SPARSEATTN_RUNTIME_DEVICE_H

#include "SparseAttn/Runtime/Manifest.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>

namespace sparse_attn::emulator {
enum class MmaModel;
} // namespace sparse_attn::emulator

namespace sparse_attn::runtime {

/// A pointer (8 bytes) or an i32 (4 bytes).
struct KernelParameter {
  uint64_t value = 0;
  unsigned bytes = 8;
};

struct LaunchSpec {
  std::array<uint32_t, 3> grid = {1, 1, 1};
  uint32_t threads = 1;
  uint32_t sharedMemory = 0;
  std::vector<KernelParameter> parameters;
  /// Emulator only: the order of warps, whether to look for data races, the
  /// arithmetic of tensor cores, the thread blocks to run (all when empty), and
  /// the host's worker threads (0: one per core).
  uint64_t seed = 0;
  bool checkRaces = false;
  emulator::MmaModel mmaModel = {}; // exact sums
  std::vector<uint64_t> blocks;
  unsigned jobs = 0;
};

/// What a device measured of one launch.
struct LaunchResult {
  std::optional<double> milliseconds;
  std::vector<std::pair<std::string, uint64_t>> counters;
};

/// A kernel on a device, ready to be launched. Must not outlive the device.
class LoadedKernel {
public:
  virtual ~LoadedKernel();
  /// Runs to completion.
  virtual llvm::Expected<LaunchResult> launch(const LaunchSpec &spec) = 0;
  /// Returns once the launch is in `stream`, a CUstream of the GPU's primary
  /// context, whose memory the parameters name.
  virtual llvm::Error enqueue(const LaunchSpec &spec, void *stream) = 0;
};

class Device {
public:
  enum class Kind { Emulator, Cuda };

  virtual ~Device();
  virtual Kind kind() const = 0;
  /// Such as "emulator" or "NVIDIA A100-SXM4-40GB".
  virtual std::string name() const = 0;
  /// How well a kernel for `target` suits this device; 0: it cannot run.
  virtual unsigned accepts(llvm::StringRef target) const = 0;

  /// Device memory, at least 256-byte aligned and not initialised.
  virtual llvm::Expected<uint64_t> allocate(uint64_t bytes) = 0;
  virtual llvm::Error write(uint64_t address,
                            llvm::ArrayRef<uint8_t> bytes) = 0;
  /// Returns false when the device knows that some of the bytes were never
  /// written.
  virtual llvm::Expected<bool> read(uint64_t address,
                                    llvm::MutableArrayRef<uint8_t> bytes) = 0;
  /// Frees everything that was allocated.
  virtual void releaseMemory() = 0;

  virtual llvm::Expected<std::unique_ptr<LoadedKernel>>
  load(const Kernel &kernel, llvm::StringRef ptx) = 0;
};

/// The PTX emulator; needs no GPU.
std::unique_ptr<Device> createEmulatorDevice();

/// The first GPU of the CUDA driver, which is opened at run time; an error
/// when the driver or a GPU is missing.
llvm::Expected<std::unique_ptr<Device>>
createCudaDevice(llvm::StringRef library = "libcuda.so.1");

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_DEVICE_H

//===- Memory.cpp - Allocations -------------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Streams.h"

#include <cstdlib>
#include <cstring>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

namespace sparse_attn::cuda_emulator {
struct MemoryPool {
  std::map<int, uint64_t> attributes;
};
} // namespace sparse_attn::cuda_emulator

namespace {

using Kind = Allocation::Kind;
using Lock = std::lock_guard<std::mutex>;

CUresult allocate(Kind kind, size_t bytes, uint64_t &base) {
  REQUIRE(requireContext());
  if (bytes == 0)
    return InvalidValue;
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  if (bytes > settings().memoryBytes - machine.usedBytes)
    return OutOfMemory;
  if (kind == Kind::Device) {
    base = machine.memory.allocate(bytes);
  } else {
    void *host = nullptr;
    if (posix_memalign(&host, 4096, bytes) != 0)
      return OutOfMemory;
    std::memset(host, 0, bytes);
    machine.memory.map(host, bytes);
    base = reinterpret_cast<uint64_t>(host);
  }
  machine.allocations[base] = {kind, base, bytes};
  machine.usedBytes += bytes;
  return Success;
}

/// Frees what begins at `base` if it is one of the kinds.
CUresult release(uint64_t base, std::initializer_list<Kind> kinds,
                 CUresult otherwise) {
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  auto found = machine.allocations.find(base);
  if (found == machine.allocations.end())
    return otherwise;
  const Allocation allocation = found->second;
  bool matches = false;
  for (Kind kind : kinds)
    matches |= allocation.kind == kind;
  if (!matches)
    return otherwise;
  machine.memory.release(base);
  machine.allocations.erase(found);
  if (allocation.kind != Kind::Registered)
    machine.usedBytes -= allocation.bytes;
  if (allocation.kind == Kind::Host || allocation.kind == Kind::Managed)
    std::free(reinterpret_cast<void *>(base));
  return Success;
}

} // namespace

CUDA_API cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes) {
  uint64_t base;
  if (!pointer)
    return InvalidValue;
  REQUIRE(allocate(Kind::Device, bytes, base));
  *pointer = base;
  return Success;
}

CUDA_API cuMemAllocPitch_v2(CUdeviceptr *pointer, size_t *pitch, size_t width,
                            size_t height, unsigned) {
  if (!pitch || width > (size_t(1) << 32) || height > (size_t(1) << 31))
    return InvalidValue;
  size_t rounded = (width + 511) / 512 * 512;
  REQUIRE(cuMemAlloc_v2(pointer, rounded * height));
  *pitch = rounded;
  return Success;
}

CUDA_API cuMemAllocManaged(CUdeviceptr *pointer, size_t bytes, unsigned) {
  uint64_t base;
  if (!pointer)
    return InvalidValue;
  REQUIRE(allocate(Kind::Managed, bytes, base));
  *pointer = base;
  return Success;
}

CUDA_API cuMemFree_v2(CUdeviceptr pointer) {
  if (!pointer)
    return Success;
  // Work that was submitted before may still use it.
  Machine::get().waitForAll();
  return release(pointer, {Kind::Device, Kind::Managed}, InvalidValue);
}

CUDA_API cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  uint64_t base;
  if (!pointer)
    return InvalidValue;
  REQUIRE(allocate(Kind::Host, bytes, base));
  *pointer = reinterpret_cast<void *>(base);
  return Success;
}

CUDA_API cuMemAllocHost_v2(void **pointer, size_t bytes) {
  return cuMemHostAlloc(pointer, bytes, 0);
}

CUDA_API cuMemFreeHost(void *pointer) {
  if (!pointer)
    return Success;
  Machine::get().waitForAll();
  return release(reinterpret_cast<uint64_t>(pointer), {Kind::Host},
                 InvalidValue);
}

CUDA_API cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned) {
  REQUIRE(requireContext());
  if (!pointer || bytes == 0)
    return InvalidValue;
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  uint64_t base = reinterpret_cast<uint64_t>(pointer);
  auto after = machine.allocations.lower_bound(base);
  bool overlaps = machine.find(base) || (after != machine.allocations.end() &&
                                         after->first < base + bytes);
  if (overlaps)
    return HostMemoryAlreadyRegistered;
  machine.memory.map(pointer, bytes);
  machine.allocations[base] = {Kind::Registered, base, bytes};
  return Success;
}

CUDA_API cuMemHostUnregister(void *pointer) {
  Machine::get().waitForAll();
  return release(reinterpret_cast<uint64_t>(pointer), {Kind::Registered},
                 HostMemoryNotRegistered);
}

CUDA_API cuMemHostGetDevicePointer_v2(CUdeviceptr *result, void *pointer,
                                      unsigned flags) {
  REQUIRE(requireContext());
  if (!result || flags != 0)
    return InvalidValue;
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  uint64_t address = reinterpret_cast<uint64_t>(pointer);
  if (!machine.find(address))
    return InvalidValue;
  *result = address;
  return Success;
}

CUDA_API cuMemHostGetFlags(unsigned *flags, void *pointer) {
  CUdeviceptr unused;
  REQUIRE(cuMemHostGetDevicePointer_v2(&unused, pointer, 0));
  if (!flags)
    return InvalidValue;
  *flags = 0;
  return Success;
}

CUDA_API cuMemGetInfo_v2(size_t *available, size_t *total) {
  REQUIRE(requireContext());
  if (!available || !total)
    return InvalidValue;
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  *total = settings().memoryBytes;
  *available = *total - machine.usedBytes;
  return Success;
}

CUDA_API cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes,
                                 CUdeviceptr pointer) {
  REQUIRE(requireContext());
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  const Allocation *found = machine.find(pointer);
  if (!found)
    return NotFound;
  if (base)
    *base = found->base;
  if (bytes)
    *bytes = found->bytes;
  return Success;
}

CUDA_API cuPointerGetAttribute(void *data, int attribute, CUdeviceptr pointer) {
  REQUIRE(requireInit());
  if (!data)
    return InvalidValue;
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  const Allocation *found = machine.find(pointer);
  if (!found)
    return InvalidValue;
  bool onDevice = found->kind == Kind::Device || found->kind == Kind::Managed;
  switch (attribute) {
  case 2: // MEMORY_TYPE
    *static_cast<unsigned *>(data) = onDevice ? OnDevice : Host;
    return Success;
  case 3: // DEVICE_POINTER
    *static_cast<CUdeviceptr *>(data) = pointer;
    return Success;
  case 4: // HOST_POINTER
    if (found->kind == Kind::Device)
      return InvalidValue;
    *static_cast<CUdeviceptr *>(data) = pointer;
    return Success;
  case 8: // IS_MANAGED
    *static_cast<unsigned *>(data) = found->kind == Kind::Managed;
    return Success;
  case 9: // DEVICE_ORDINAL
    *static_cast<int *>(data) = 0;
    return Success;
  case 11: // RANGE_START_ADDR
    *static_cast<CUdeviceptr *>(data) = found->base;
    return Success;
  case 12: // RANGE_SIZE
    *static_cast<size_t *>(data) = found->bytes;
    return Success;
  case 13: // MAPPED
    *static_cast<unsigned *>(data) = 1;
    return Success;
  default:
    return NotSupported;
  }
}

CUDA_API cuMemPrefetchAsync(CUdeviceptr, size_t, CUdevice, CUstream stream) {
  return findStream(stream) ? requireContext() : InvalidHandle;
}

CUDA_API cuMemAdvise(CUdeviceptr, size_t, int, CUdevice) {
  return requireContext();
}

// Pools keep nothing: an address is never given out twice, so that a use after
// the free is an error.

CUDA_API cuMemPoolCreate(CUmemoryPool *pool, const void *properties) {
  REQUIRE(requireInit());
  if (!pool || !properties)
    return InvalidValue;
  *pool = handles<MemoryPool>().create();
  return Success;
}

CUDA_API cuMemPoolDestroy(CUmemoryPool pool) {
  return handles<MemoryPool>().destroy(pool) ? Success : InvalidValue;
}

CUDA_API cuDeviceGetDefaultMemPool(CUmemoryPool *pool, CUdevice device) {
  REQUIRE(requireInit());
  static MemoryPool *standard = handles<MemoryPool>().create();
  if (!pool || device != 0)
    return InvalidValue;
  *pool = standard;
  return Success;
}

CUDA_API cuDeviceGetMemPool(CUmemoryPool *pool, CUdevice device) {
  return cuDeviceGetDefaultMemPool(pool, device);
}

CUDA_API cuMemPoolSetAttribute(CUmemoryPool pool, int attribute, void *value) {
  if (!handles<MemoryPool>().contains(pool) || !value || attribute < 1 ||
      attribute > 8)
    return InvalidValue;
  // 1 to 3 are switches, all others byte counts.
  pool->attributes[attribute] = attribute <= 3
                                    ? uint64_t(*static_cast<int *>(value) != 0)
                                    : *static_cast<uint64_t *>(value);
  return Success;
}

CUDA_API cuMemPoolGetAttribute(CUmemoryPool pool, int attribute, void *value) {
  if (!handles<MemoryPool>().contains(pool) || !value || attribute < 1 ||
      attribute > 8)
    return InvalidValue;
  uint64_t number = pool->attributes[attribute];
  if (attribute <= 3)
    *static_cast<int *>(value) = int(number);
  else
    *static_cast<uint64_t *>(value) = number;
  return Success;
}

CUDA_API cuMemPoolSetAccess(CUmemoryPool pool, const void *, size_t) {
  return handles<MemoryPool>().contains(pool) ? Success : InvalidValue;
}

CUDA_API cuMemPoolTrimTo(CUmemoryPool pool, size_t) {
  return handles<MemoryPool>().contains(pool) ? Success : InvalidValue;
}

CUDA_API cuMemAllocAsync(CUdeviceptr *pointer, size_t bytes, CUstream stream) {
  if (!findStream(stream))
    return InvalidHandle;
  return cuMemAlloc_v2(pointer, bytes);
}

CUDA_API cuMemAllocFromPoolAsync(CUdeviceptr *pointer, size_t bytes,
                                 CUmemoryPool pool, CUstream stream) {
  if (!handles<MemoryPool>().contains(pool))
    return InvalidValue;
  return cuMemAllocAsync(pointer, bytes, stream);
}

CUDA_API cuMemFreeAsync(CUdeviceptr pointer, CUstream stream) {
  Work work;
  work.run = [=] {
    return release(pointer, {Kind::Device, Kind::Managed}, InvalidValue);
  };
  {
    Machine &machine = Machine::get();
    Lock lock(machine.memoryMutex);
    if (!machine.allocations.count(pointer))
      return InvalidValue;
  }
  return enqueue(stream, std::move(work));
}

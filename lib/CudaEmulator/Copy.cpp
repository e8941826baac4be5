//===- Copy.cpp - Copies and fills ----------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Streams.h"

#include <cstring>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

CUDA_API cuStreamSynchronize(CUstream stream);

namespace {

using Lock = std::lock_guard<std::mutex>;

/// Rows of bytes on one side of a copy.
struct Side {
  uint64_t base = 0;
  size_t pitch = 0, slice = 0; // bytes from row to row, plane to plane
  bool isKnown = false;        // in an allocation, not the host's own memory
};

struct Rows {
  size_t width = 0, height = 1, depth = 1;
};

/// The bytes from the first to the last one that is touched.
size_t extentOf(const Side &side, const Rows &rows) {
  return (rows.depth - 1) * side.slice + (rows.height - 1) * side.pitch +
         rows.width;
}

/// Finds out where a side lies, and that it lies there as a whole.
CUresult resolve(Side &side, CUmemorytype type, const Rows &rows) {
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  const Allocation *found = machine.find(side.base);
  side.isKnown = found;
  if (found)
    return machine.memory.contains(side.base, extentOf(side, rows))
               ? Success
               : InvalidValue;
  bool mayBeHost = type == Host || type == Unified;
  return mayBeHost && side.base && !machine.memory.spans(side.base)
             ? Success
             : InvalidValue;
}

void copyRow(emulator::GlobalMemory &memory, uint64_t target, bool toKnown,
             uint64_t source, bool fromKnown, size_t bytes) {
  if (toKnown && fromKnown)
    memory.copy(target, source, bytes);
  else if (toKnown)
    memory.write(target, reinterpret_cast<const void *>(source), bytes);
  else if (fromKnown)
    memory.read(source, reinterpret_cast<void *>(target), bytes);
  else
    std::memmove(reinterpret_cast<void *>(target),
                 reinterpret_cast<const void *>(source), bytes);
}

CUresult runCopy(const Side &to, const Side &from, const Rows &rows) {
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  for (size_t z = 0; z < rows.depth; ++z)
    for (size_t y = 0; y < rows.height; ++y) {
      uint64_t target = to.base + z * to.slice + y * to.pitch;
      uint64_t source = from.base + z * from.slice + y * from.pitch;
      // Freed while the copy was waiting for its turn.
      if ((to.isKnown && !machine.memory.contains(target, rows.width)) ||
          (from.isKnown && !machine.memory.contains(source, rows.width))) {
        complain("a copy touches memory that was freed before it ran");
        return IllegalAddress;
      }
      copyRow(machine.memory, target, to.isKnown, source, from.isKnown,
              rows.width);
    }
  return Success;
}

CUresult prepare(const CUDA_MEMCPY3D &copy, Side &to, Side &from, Rows &rows) {
  REQUIRE(requireContext());
  rows = {copy.WidthInBytes, copy.Height, copy.Depth};
  for (CUmemorytype type : {copy.srcMemoryType, copy.dstMemoryType})
    if (type != Host && type != OnDevice && type != Unified)
      return type == Array ? NotSupported : InvalidValue;
  constexpr size_t limit = size_t(1) << 46;
  for (size_t value :
       {rows.width, rows.height, rows.depth, copy.srcPitch, copy.dstPitch,
        copy.srcHeight, copy.dstHeight, copy.srcY, copy.dstY, copy.srcZ,
        copy.dstZ, copy.srcXInBytes, copy.dstXInBytes})
    if (value > limit)
      return InvalidValue;
  auto begin = [](CUmemorytype type, const void *host, CUdeviceptr device) {
    return type == Host ? reinterpret_cast<uint64_t>(host) : uint64_t(device);
  };
  from.pitch = copy.srcPitch ? copy.srcPitch : rows.width;
  from.slice = from.pitch * (copy.srcHeight ? copy.srcHeight : rows.height);
  from.base = begin(copy.srcMemoryType, copy.srcHost, copy.srcDevice) +
              copy.srcZ * from.slice + copy.srcY * from.pitch +
              copy.srcXInBytes;
  to.pitch = copy.dstPitch ? copy.dstPitch : rows.width;
  to.slice = to.pitch * (copy.dstHeight ? copy.dstHeight : rows.height);
  to.base = begin(copy.dstMemoryType, copy.dstHost, copy.dstDevice) +
            copy.dstZ * to.slice + copy.dstY * to.pitch + copy.dstXInBytes;
  if (rows.width == 0 || rows.height == 0 || rows.depth == 0)
    return Success;
  REQUIRE(resolve(from, copy.srcMemoryType, rows));
  return resolve(to, copy.dstMemoryType, rows);
}

bool isEmpty(const Rows &rows) {
  return rows.width == 0 || rows.height == 0 || rows.depth == 0;
}

CUresult copyNow(const CUDA_MEMCPY3D &copy) {
  Work work;
  REQUIRE(makeCopy(copy, work));
  return runNow(std::move(work));
}

/// As a GPU does: memory that is not page-locked is read before the call
/// returns, and written before it returns.
CUresult copyAsync(const CUDA_MEMCPY3D &copy, CUstream stream) {
  Side to, from;
  Rows rows;
  REQUIRE(prepare(copy, to, from, rows));
  Stream *found = findStream(stream);
  if (!found)
    return InvalidHandle;
  if (isEmpty(rows))
    return Success;
  Work work;
  std::shared_ptr<std::vector<uint8_t>> staged;
  if (!from.isKnown && !found->capture) {
    const auto *source = reinterpret_cast<const uint8_t *>(from.base);
    staged = std::make_shared<std::vector<uint8_t>>(
        source, source + extentOf(from, rows));
    from.base = reinterpret_cast<uint64_t>(staged->data());
  }
  work.run = [=] {
    (void)staged; // lives as long as the work
    return runCopy(to, from, rows);
  };
  REQUIRE(enqueue(stream, std::move(work)));
  if (!to.isKnown && !found->capture)
    return cuStreamSynchronize(stream);
  return Success;
}

CUDA_MEMCPY3D linear(CUmemorytype to, uint64_t target, CUmemorytype from,
                     uint64_t source, size_t bytes) {
  CUDA_MEMCPY3D copy;
  std::memset(&copy, 0, sizeof copy);
  copy.srcMemoryType = from;
  copy.srcHost = reinterpret_cast<const void *>(source);
  copy.srcDevice = source;
  copy.dstMemoryType = to;
  copy.dstHost = reinterpret_cast<void *>(target);
  copy.dstDevice = target;
  copy.WidthInBytes = bytes;
  copy.Height = copy.Depth = 1;
  return copy;
}

CUDA_MEMCPY3D deepened(const CUDA_MEMCPY2D &flat) {
  CUDA_MEMCPY3D copy;
  std::memset(&copy, 0, sizeof copy);
  copy.srcXInBytes = flat.srcXInBytes;
  copy.srcY = flat.srcY;
  copy.srcMemoryType = flat.srcMemoryType;
  copy.srcHost = flat.srcHost;
  copy.srcDevice = flat.srcDevice;
  copy.srcPitch = flat.srcPitch;
  copy.dstXInBytes = flat.dstXInBytes;
  copy.dstY = flat.dstY;
  copy.dstMemoryType = flat.dstMemoryType;
  copy.dstHost = flat.dstHost;
  copy.dstDevice = flat.dstDevice;
  copy.dstPitch = flat.dstPitch;
  copy.WidthInBytes = flat.WidthInBytes;
  copy.Height = flat.Height;
  copy.Depth = 1;
  return copy;
}

CUresult runFill(const CUDA_MEMSET_NODE_PARAMS &fill, size_t pitch) {
  std::vector<uint8_t> row(fill.width * fill.elementSize);
  for (size_t i = 0; i < row.size(); i += fill.elementSize)
    std::memcpy(&row[i], &fill.value, fill.elementSize);
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  for (size_t y = 0; y < fill.height; ++y) {
    uint64_t target = fill.dst + y * pitch;
    if (!machine.memory.contains(target, row.size())) {
      complain("a fill touches memory that was freed before it ran");
      return IllegalAddress;
    }
    machine.memory.write(target, row.data(), row.size());
  }
  return Success;
}

CUresult fillAsync(CUdeviceptr target, size_t pitch, unsigned value,
                   unsigned elementSize, size_t width, size_t height,
                   CUstream stream) {
  Work work;
  REQUIRE(makeFill({target, pitch, value, elementSize, width, height}, work));
  return enqueue(stream, std::move(work));
}

CUresult fillNow(CUdeviceptr target, size_t pitch, unsigned value,
                 unsigned elementSize, size_t width, size_t height) {
  Work work;
  REQUIRE(makeFill({target, pitch, value, elementSize, width, height}, work));
  return runNow(std::move(work));
}

} // namespace

CUresult cuda_emulator::makeCopy(const CUDA_MEMCPY3D &copy, Work &work) {
  Side to, from;
  Rows rows;
  REQUIRE(prepare(copy, to, from, rows));
  work.run = [=] { return isEmpty(rows) ? Success : runCopy(to, from, rows); };
  return Success;
}

CUresult cuda_emulator::makeFill(const CUDA_MEMSET_NODE_PARAMS &fill,
                                 Work &work) {
  REQUIRE(requireContext());
  constexpr size_t limit = size_t(1) << 46;
  unsigned size = fill.elementSize;
  if ((size != 1 && size != 2 && size != 4) || fill.width > limit ||
      fill.height > limit || fill.pitch > limit || fill.dst % size)
    return InvalidValue;
  size_t pitch = fill.height > 1 ? fill.pitch : 0;
  if (fill.width == 0 || fill.height == 0) {
    work.run = [] { return Success; };
    return Success;
  }
  Machine &machine = Machine::get();
  Lock lock(machine.memoryMutex);
  if (!machine.memory.contains(fill.dst,
                               (fill.height - 1) * pitch + fill.width * size))
    return InvalidValue;
  work.run = [=] { return runFill(fill, pitch); };
  return Success;
}

CUDA_API cuMemcpy(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
  return copyNow(linear(Unified, target, Unified, source, bytes));
}
CUDA_API cuMemcpyAsync(CUdeviceptr target, CUdeviceptr source, size_t bytes,
                       CUstream stream) {
  return copyAsync(linear(Unified, target, Unified, source, bytes), stream);
}
CUDA_API cuMemcpyHtoD_v2(CUdeviceptr target, const void *source, size_t bytes) {
  return copyNow(linear(OnDevice, target, Host,
                        reinterpret_cast<uint64_t>(source), bytes));
}
CUDA_API cuMemcpyHtoDAsync_v2(CUdeviceptr target, const void *source,
                              size_t bytes, CUstream stream) {
  return copyAsync(
      linear(OnDevice, target, Host, reinterpret_cast<uint64_t>(source), bytes),
      stream);
}
CUDA_API cuMemcpyDtoH_v2(void *target, CUdeviceptr source, size_t bytes) {
  return copyNow(linear(Host, reinterpret_cast<uint64_t>(target), OnDevice,
                        source, bytes));
}
CUDA_API cuMemcpyDtoHAsync_v2(void *target, CUdeviceptr source, size_t bytes,
                              CUstream stream) {
  return copyAsync(
      linear(Host, reinterpret_cast<uint64_t>(target), OnDevice, source, bytes),
      stream);
}
CUDA_API cuMemcpyDtoD_v2(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
  return copyNow(linear(OnDevice, target, OnDevice, source, bytes));
}
CUDA_API cuMemcpyDtoDAsync_v2(CUdeviceptr target, CUdeviceptr source,
                              size_t bytes, CUstream stream) {
  return copyAsync(linear(OnDevice, target, OnDevice, source, bytes), stream);
}

CUDA_API cuMemcpy2D_v2(const CUDA_MEMCPY2D *copy) {
  return copy ? copyNow(deepened(*copy)) : InvalidValue;
}
CUDA_API cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D *copy) {
  return cuMemcpy2D_v2(copy);
}
CUDA_API cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *copy, CUstream stream) {
  return copy ? copyAsync(deepened(*copy), stream) : InvalidValue;
}
CUDA_API cuMemcpy3D_v2(const CUDA_MEMCPY3D *copy) {
  return copy ? copyNow(*copy) : InvalidValue;
}
CUDA_API cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D *copy, CUstream stream) {
  return copy ? copyAsync(*copy, stream) : InvalidValue;
}

CUDA_API cuMemsetD8_v2(CUdeviceptr target, unsigned char value, size_t count) {
  return fillNow(target, 0, value, 1, count, 1);
}
CUDA_API cuMemsetD16_v2(CUdeviceptr target, unsigned short value,
                        size_t count) {
  return fillNow(target, 0, value, 2, count, 1);
}
CUDA_API cuMemsetD32_v2(CUdeviceptr target, unsigned value, size_t count) {
  return fillNow(target, 0, value, 4, count, 1);
}
CUDA_API cuMemsetD8Async(CUdeviceptr target, unsigned char value, size_t count,
                         CUstream stream) {
  return fillAsync(target, 0, value, 1, count, 1, stream);
}
CUDA_API cuMemsetD16Async(CUdeviceptr target, unsigned short value,
                          size_t count, CUstream stream) {
  return fillAsync(target, 0, value, 2, count, 1, stream);
}
CUDA_API cuMemsetD32Async(CUdeviceptr target, unsigned value, size_t count,
                          CUstream stream) {
  return fillAsync(target, 0, value, 4, count, 1, stream);
}
CUDA_API cuMemsetD2D8_v2(CUdeviceptr target, size_t pitch, unsigned char value,
                         size_t width, size_t height) {
  return fillNow(target, pitch, value, 1, width, height);
}
CUDA_API cuMemsetD2D16_v2(CUdeviceptr target, size_t pitch,
                          unsigned short value, size_t width, size_t height) {
  return fillNow(target, pitch, value, 2, width, height);
}
CUDA_API cuMemsetD2D32_v2(CUdeviceptr target, size_t pitch, unsigned value,
                          size_t width, size_t height) {
  return fillNow(target, pitch, value, 4, width, height);
}
CUDA_API cuMemsetD2D8Async(CUdeviceptr target, size_t pitch,
                           unsigned char value, size_t width, size_t height,
                           CUstream stream) {
  return fillAsync(target, pitch, value, 1, width, height, stream);
}
CUDA_API cuMemsetD2D32Async(CUdeviceptr target, size_t pitch, unsigned value,
                            size_t width, size_t height, CUstream stream) {
  return fillAsync(target, pitch, value, 4, width, height, stream);
}

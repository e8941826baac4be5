//===- Streams.cpp - Streams and events -----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Streams.h"

#include <chrono>

using namespace sparse_attn::cuda_emulator;

namespace sparse_attn::cuda_emulator {
struct Event {
  /// What the work that records it still writes after it was destroyed.
  struct Moment {
    std::chrono::steady_clock::time_point time;
  };
  unsigned flags = 0;
  bool isRecorded = false;
  uint64_t ticket = 0;
  Graph *capture = nullptr; // recorded in a stream that is captured
  std::shared_ptr<Moment> moment = std::make_shared<Moment>();
};
} // namespace sparse_attn::cuda_emulator

namespace {
constexpr unsigned disableTiming = 2;

Stream &defaultStream() {
  static auto *stream = new Stream;
  return *stream;
}

bool isDefault(CUstream handle) {
  // CU_STREAM_LEGACY and CU_STREAM_PER_THREAD are 1 and 2.
  return reinterpret_cast<uintptr_t>(handle) <= 2;
}

/// Several threads may use one stream.
std::mutex &orderMutex() {
  static auto *mutex = new std::mutex;
  return *mutex;
}

uint64_t lastOf(const Stream &stream) {
  std::lock_guard<std::mutex> lock(orderMutex());
  return stream.last;
}

CUresult findEvent(CUevent event) {
  REQUIRE(requireInit());
  return handles<Event>().contains(event) ? Success : InvalidHandle;
}
} // namespace

Stream *sparse_attn::cuda_emulator::findStream(CUstream handle) {
  if (isDefault(handle))
    return &defaultStream();
  return handles<Stream>().contains(handle) ? handle : nullptr;
}

CUresult sparse_attn::cuda_emulator::enqueue(CUstream handle, Work work) {
  if (!work.always)
    REQUIRE(requireContext());
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  std::lock_guard<std::mutex> lock(orderMutex());
  if (stream->capture)
    captureWork(*stream->capture, std::move(work));
  else
    stream->last = Machine::get().submit(std::move(work));
  return Success;
}

CUresult sparse_attn::cuda_emulator::runNow(Work work) {
  REQUIRE(requireContext());
  Machine &machine = Machine::get();
  return machine.waitFor(machine.submit(std::move(work)));
}

CUresult sparse_attn::cuda_emulator::makeEventRecord(CUevent event,
                                                     Work &work) {
  if (!handles<Event>().contains(event))
    return InvalidHandle;
  work.run = [moment = event->moment] {
    moment->time = std::chrono::steady_clock::now();
    return Success;
  };
  return Success;
}

Work sparse_attn::cuda_emulator::makeHostCall(CUhostFn function, void *data) {
  Work work;
  work.run = [=] {
    function(data);
    return Success;
  };
  work.always = true;
  return work;
}

CUDA_API cuStreamCreate(CUstream *stream, unsigned flags) {
  REQUIRE(requireContext());
  if (!stream || flags > 1)
    return InvalidValue;
  *stream = handles<Stream>().create();
  (*stream)->flags = flags;
  return Success;
}

CUDA_API cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int) {
  return cuStreamCreate(stream, flags);
}

CUDA_API cuStreamDestroy_v2(CUstream stream) {
  if (isDefault(stream) || !handles<Stream>().contains(stream))
    return InvalidHandle;
  Machine::get().waitFor(lastOf(*stream));
  leaveCapture(*stream);
  return handles<Stream>().destroy(stream) ? Success : InvalidHandle;
}

CUDA_API cuStreamSynchronize(CUstream handle) {
  REQUIRE(requireContext());
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  if (stream->capture)
    return StreamCaptureUnsupported;
  // The default stream waits for the others.
  return isDefault(handle) ? Machine::get().waitForAll()
                           : Machine::get().waitFor(lastOf(*stream));
}

CUDA_API cuStreamQuery(CUstream handle) {
  REQUIRE(requireContext());
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  return Machine::get().isFinished(lastOf(*stream)) ? Machine::get().fault()
                                                    : NotReady;
}

CUDA_API cuStreamWaitEvent(CUstream handle, CUevent event, unsigned) {
  REQUIRE(findEvent(event));
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  // Submission order is enough; only a capture spreads.
  if (event->capture)
    joinCapture(*event->capture, *stream);
  return Success;
}

CUDA_API cuStreamGetFlags(CUstream handle, unsigned *flags) {
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  if (!flags)
    return InvalidValue;
  *flags = stream->flags;
  return Success;
}

CUDA_API cuStreamGetPriority(CUstream handle, int *priority) {
  if (!findStream(handle))
    return InvalidHandle;
  if (!priority)
    return InvalidValue;
  *priority = 0;
  return Success;
}

CUDA_API cuLaunchHostFunc(CUstream stream, CUhostFn function, void *data) {
  if (!function)
    return InvalidValue;
  return enqueue(stream, makeHostCall(function, data));
}

CUDA_API cuStreamAddCallback(CUstream stream,
                             void (*function)(CUstream, CUresult, void *),
                             void *data, unsigned flags) {
  if (!function || flags != 0)
    return InvalidValue;
  Work work;
  work.run = [=] {
    function(stream, Machine::get().fault(), data);
    return Success;
  };
  work.always = true;
  return enqueue(stream, std::move(work));
}

CUDA_API cuEventCreate(CUevent *event, unsigned flags) {
  REQUIRE(requireContext());
  if (!event)
    return InvalidValue;
  *event = handles<Event>().create();
  (*event)->flags = flags;
  return Success;
}

CUDA_API cuEventDestroy_v2(CUevent event) {
  return handles<Event>().destroy(event) ? Success : InvalidHandle;
}

CUDA_API cuEventRecord(CUevent event, CUstream handle) {
  REQUIRE(findEvent(event));
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  event->capture = stream->capture;
  if (stream->capture)
    return Success;
  Work work;
  REQUIRE(makeEventRecord(event, work));
  REQUIRE(enqueue(handle, std::move(work)));
  event->isRecorded = true;
  event->ticket = lastOf(*stream);
  return Success;
}

CUDA_API cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned) {
  return cuEventRecord(event, stream);
}

CUDA_API cuEventQuery(CUevent event) {
  REQUIRE(findEvent(event));
  if (event->isRecorded && !Machine::get().isFinished(event->ticket))
    return NotReady;
  return Machine::get().fault();
}

CUDA_API cuEventSynchronize(CUevent event) {
  REQUIRE(findEvent(event));
  return Machine::get().waitFor(event->isRecorded ? event->ticket : 0);
}

CUDA_API cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  REQUIRE(findEvent(start));
  REQUIRE(findEvent(end));
  if (!milliseconds)
    return InvalidValue;
  for (Event *event : {start, end}) {
    if ((event->flags & disableTiming) || !event->isRecorded)
      return InvalidHandle;
    if (!Machine::get().isFinished(event->ticket))
      return NotReady;
  }
  *milliseconds = std::chrono::duration<float, std::milli>(end->moment->time -
                                                           start->moment->time)
                      .count();
  return Success;
}

CUDA_API cuEventElapsedTime_v2(float *milliseconds, CUevent start,
                               CUevent end) {
  return cuEventElapsedTime(milliseconds, start, end);
}

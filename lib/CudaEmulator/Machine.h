//===- Machine.h - The emulated device ------------------------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Work of all streams runs in the order of submission, on one thread: an order
// that every program must allow, in which events, waits between streams and
// dependencies of graphs hold by themselves.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CUDAEMULATOR_MACHINE_H
#define SPARSEATTN_LIB_CUDAEMULATOR_MACHINE_H

#include "Abi.h"
#include "Settings.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_set>

namespace sparse_attn::cuda_emulator {

/// Something that a stream does. A result other than Success stays: nothing
/// runs any more but work with `always`, so that programs that wait for a
/// callback do not hang.
struct Work {
  std::function<CUresult()> run;
  bool always = false;
};

struct Allocation {
  enum class Kind { Device, Host, Managed, Registered };
  Kind kind = Kind::Device;
  uint64_t base = 0;
  size_t bytes = 0;
};

class Machine {
public:
  /// Lives until the process ends: threads may outlast static destructors.
  static Machine &get();

  /// The place of the work in the order.
  uint64_t submit(Work work);
  bool isFinished(uint64_t ticket);
  /// Waits for the work and all before it; the fault if there is one.
  CUresult waitFor(uint64_t ticket);
  /// Waits for all that was submitted.
  CUresult waitForAll();
  CUresult fault() const { return CUresult(currentFault.load()); }

  /// Held by kernels and copies while they run, and to change allocations.
  std::mutex memoryMutex;
  emulator::GlobalMemory memory;
  std::map<uint64_t, Allocation> allocations; // by base
  uint64_t usedBytes = 0;

  /// The allocation that holds the address, or null; under the mutex.
  const Allocation *find(uint64_t address) const;

private:
  Machine();
  void work();

  std::mutex queueMutex;
  std::condition_variable submittedWork, finishedWork;
  std::deque<Work> queue;
  uint64_t submitted = 0, finished = 0;
  std::atomic<int> currentFault{Success};
};

/// The objects of one type that a program holds pointers to: a wrong handle is
/// an error instead of a crash.
template <class T>
class Handles {
public:
  T *create(T value = T()) {
    T *object = new T(std::move(value));
    std::lock_guard<std::mutex> lock(mutex);
    objects.insert(object);
    return object;
  }
  bool contains(const T *object) {
    std::lock_guard<std::mutex> lock(mutex);
    return objects.count(const_cast<T *>(object));
  }
  /// False if there is no such object.
  bool destroy(T *object) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!objects.erase(object))
        return false;
    }
    delete object;
    return true;
  }

private:
  std::mutex mutex;
  std::unordered_set<T *> objects;
};

template <class T>
Handles<T> &handles() {
  static auto *all = new Handles<T>;
  return *all;
}

/// "sparse-attn CUDA emulator: message" on standard error.
void complain(const std::string &message);

// The launches, for the log and stats.json; in Report.cpp.
void reportLaunch(const std::string &target, const emulator::Launch &launch,
                  const emulator::Counters &counters, bool failed);
/// Done at the end of the process by itself.
void writeStats();

/// What every call must find: cuInit done, and no fault.
CUresult requireInit();
/// Besides, a context that is current on this thread.
CUresult requireContext();

#define REQUIRE(check)                                                         \
  if (CUresult result = (check); result != Success)                            \
  return result

} // namespace sparse_attn::cuda_emulator

#endif // SPARSEATTN_LIB_CUDAEMULATOR_MACHINE_H

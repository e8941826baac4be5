//===- Machine.cpp - The emulated device ----------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Machine.h"

#include <cstdio>
#include <thread>

using namespace sparse_attn::cuda_emulator;

Machine &Machine::get() {
  static auto *machine = new Machine;
  return *machine;
}

Machine::Machine() {
  std::thread([this] { work(); }).detach();
}

uint64_t Machine::submit(Work work) {
  std::lock_guard<std::mutex> lock(queueMutex);
  queue.push_back(std::move(work));
  submittedWork.notify_one();
  return ++submitted;
}

void Machine::work() {
  while (true) {
    Work next;
    {
      std::unique_lock<std::mutex> lock(queueMutex);
      submittedWork.wait(lock, [&] { return !queue.empty(); });
      next = std::move(queue.front());
      queue.pop_front();
    }
    if (currentFault == Success || next.always) {
      CUresult result = next.run();
      if (currentFault == Success)
        currentFault = result;
    }
    // What the work captured goes before anybody learns of its end.
    next = {};
    std::lock_guard<std::mutex> lock(queueMutex);
    ++finished;
    finishedWork.notify_all();
  }
}

bool Machine::isFinished(uint64_t ticket) {
  std::lock_guard<std::mutex> lock(queueMutex);
  return finished >= ticket;
}

CUresult Machine::waitFor(uint64_t ticket) {
  std::unique_lock<std::mutex> lock(queueMutex);
  finishedWork.wait(lock, [&] { return finished >= ticket; });
  return fault();
}

CUresult Machine::waitForAll() {
  uint64_t last;
  {
    std::lock_guard<std::mutex> lock(queueMutex);
    last = submitted;
  }
  return waitFor(last);
}

const Allocation *Machine::find(uint64_t address) const {
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin())
    return nullptr;
  const Allocation &before = std::prev(after)->second;
  return address - before.base < before.bytes ? &before : nullptr;
}

void sparse_attn::cuda_emulator::complain(const std::string &message) {
  std::fprintf(stderr, "sparse-attn CUDA emulator: %s\n", message.c_str());
}

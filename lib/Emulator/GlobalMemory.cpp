//===- GlobalMemory.cpp - Buffers with shadow bytes -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "GlobalMemory.h"

#include <algorithm>

using namespace sparse_attn::emulator;

GlobalMemory::GlobalMemory() : pimpl(std::make_unique<Impl>()) {}
GlobalMemory::~GlobalMemory() = default;

uint64_t GlobalMemory::allocate(size_t bytes) {
  Buffer buffer;
  buffer.base = pimpl->next;
  buffer.bytes = bytes;
  buffer.data = makeZeros(bytes);
  buffer.shadow = makeZeros(bytes);
  pimpl->next = (buffer.base + bytes + globalGap + 255) & ~uint64_t(255);
  pimpl->buffers.push_back(std::move(buffer));
  return pimpl->buffers.back().base;
}

const Buffer *GlobalMemory::Impl::find(uint64_t address) const {
  auto after = std::upper_bound(
      buffers.begin(), buffers.end(), address,
      [](uint64_t value, const Buffer &buffer) { return value < buffer.base; });
  return after == buffers.begin() ? nullptr : &*(after - 1);
}

void GlobalMemory::write(uint64_t address, const void *source, size_t bytes) {
  const Buffer *buffer = pimpl->find(address);
  if (!buffer || !buffer->contains(address, bytes) || bytes == 0)
    return;
  std::memcpy(buffer->data.get() + (address - buffer->base), source, bytes);
  std::memset(buffer->shadow.get() + (address - buffer->base), Written, bytes);
}

bool GlobalMemory::read(uint64_t address, void *target, size_t bytes) const {
  if (bytes == 0)
    return true;
  const Buffer *buffer = pimpl->find(address);
  if (!buffer || !buffer->contains(address, bytes))
    return false;
  uint64_t offset = address - buffer->base;
  std::memcpy(target, buffer->data.get() + offset, bytes);
  return allWritten(buffer->shadow.get() + offset, bytes);
}

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
  uint64_t base = buffer.base;
  pimpl->next = (base + bytes + globalGap + 255) & ~uint64_t(255);
  pimpl->insert(std::move(buffer));
  return base;
}

void GlobalMemory::map(void *host, size_t bytes) {
  Buffer buffer;
  buffer.base = reinterpret_cast<uint64_t>(host);
  buffer.bytes = bytes;
  buffer.data = SparseBytes(static_cast<uint8_t *>(host), Release{false});
  buffer.shadow = makeZeros(bytes);
  std::memset(buffer.shadow.get(), Written, bytes);
  pimpl->insert(std::move(buffer));
}

bool GlobalMemory::release(uint64_t address) {
  const Buffer *found = pimpl->find(address);
  if (!found || found->base != address)
    return false;
  pimpl->buffers.erase(pimpl->buffers.begin() +
                       (found - pimpl->buffers.data()));
  return true;
}

bool GlobalMemory::contains(uint64_t address, size_t bytes) const {
  const Buffer *buffer = pimpl->find(address);
  return buffer && buffer->contains(address, bytes);
}

bool GlobalMemory::spans(uint64_t address) const {
  return address >= globalBase && address < pimpl->next;
}

void GlobalMemory::Impl::insert(Buffer buffer) {
  auto after = std::upper_bound(
      buffers.begin(), buffers.end(), buffer.base,
      [](uint64_t value, const Buffer &other) { return value < other.base; });
  buffers.insert(after, std::move(buffer));
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

void GlobalMemory::copy(uint64_t target, uint64_t source, size_t bytes) {
  const Buffer *to = pimpl->find(target), *from = pimpl->find(source);
  if (!to || !from || !to->contains(target, bytes) ||
      !from->contains(source, bytes) || bytes == 0)
    return;
  uint64_t at = target - to->base, offset = source - from->base;
  std::memmove(to->data.get() + at, from->data.get() + offset, bytes);
  std::memmove(to->shadow.get() + at, from->shadow.get() + offset, bytes);
}

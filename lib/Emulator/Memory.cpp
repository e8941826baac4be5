//===- Memory.cpp - ld, st, and checked access ----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Memory.h"
#include "SharedBanks.h"

#include "Hazards/RaceChecker.h"

#include <algorithm>
#include <cstdio>

using namespace sparse_attn::emulator;

std::string sparse_attn::emulator::hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

/// Turns a generic address into one of the window's space.
static Space resolveGeneric(uint64_t &address) {
  if (address < sharedWindow)
    return Space::Global;
  if (address - sharedWindow < windowBytes) {
    address -= sharedWindow;
    return Space::SharedCluster;
  }
  if (address - localWindow < windowBytes) {
    address -= localWindow;
    return Space::Local;
  }
  if (address - paramWindow < windowBytes) {
    address -= paramWindow;
    return Space::Param;
  }
  return Space::Global;
}

/// Finds shared memory without looking at what is there.
static bool findSharedBytes(Warp &warp, unsigned lane, Space space,
                            uint64_t address, uint64_t bytes,
                            Location &location) {
  Block &block = *warp.block;
  Block *owner = &block;
  uint64_t given = address;
  if (space == Space::SharedCluster)
    owner = block.cluster.findShared(block, address);
  uint64_t offset = address - sharedBase;
  if (!owner || owner->shared.size() < bytes ||
      offset > owner->shared.size() - bytes) {
    bool isRemote = space == Space::Shared && given >= remoteStride;
    warp.fail(lane,
              "shared address " + hex(given) + " is out of bounds: " +
                  (isRemote ? "it names another block, expected shared::cluster"
                            : "the block has " +
                                  std::to_string(block.shared.size()) +
                                  " bytes from " + hex(sharedBase)),
              Error::Kind::IllegalAddress);
    return false;
  }
  if (owner != &block) {
    // PTX ISA, "Cluster of Cooperative Thread Arrays".
    const char *fault = owner->finished() ? "has exited" : nullptr;
    if (!fault && block.cluster.barrierPhases == 0)
      fault = "may not have started, expected a barrier.cluster before";
    if (fault) {
      warp.fail(lane, "accesses shared memory of block rank " +
                          std::to_string(owner->rank) + ", which " + fault);
      return false;
    }
  }
  location.data = owner->shared.data() + offset;
  location.shadow = owner->sharedShadow.data() + offset;
  location.space = Space::Shared;
  location.owner = owner;
  return true;
}

bool sparse_attn::emulator::requireAligned(Warp &warp, unsigned lane,
                                           uint64_t address, unsigned align) {
  if (address % align == 0)
    return true;
  warp.fail(lane,
            "address " + hex(address) +
                " is misaligned, expected a multiple of " +
                std::to_string(align),
            Error::Kind::MisalignedAddress);
  return false;
}

bool sparse_attn::emulator::locateShared(Warp &warp, unsigned lane, Space space,
                                         uint64_t address, uint64_t bytes,
                                         unsigned align, Location &location) {
  if (!requireAligned(warp, lane, address, align))
    return false;
  if (space == Space::Generic)
    space = resolveGeneric(address);
  if (space != Space::Shared && space != Space::SharedCluster) {
    warp.fail(lane, "address " + hex(address) + " is not in shared memory");
    return false;
  }
  return findSharedBytes(warp, lane, space, address, bytes, location);
}

Mbarrier *sparse_attn::emulator::findMbarrier(Warp &warp, unsigned lane,
                                              const Location &location) {
  Block &owner = *location.owner;
  uint32_t offset = static_cast<uint32_t>(location.data - owner.shared.data());
  auto found = owner.mbarriers.find(offset);
  if (found != owner.mbarriers.end())
    return &found->second;
  warp.fail(lane, "no mbarrier object is at shared address " +
                      hex(offset + sharedBase) +
                      ", expected mbarrier.init "
                      "before");
  return nullptr;
}

bool sparse_attn::emulator::locate(Warp &warp, unsigned lane, Space space,
                                   uint64_t address, unsigned bytes,
                                   Location &location, bool store) {
  Block &block = *warp.block;
  if (!requireAligned(warp, lane, address, bytes))
    return false;
  if (space == Space::Generic)
    space = resolveGeneric(address);
  uint64_t offset = address, size = 0;
  const char *name = "";
  location.space = space;
  switch (space) {
  case Space::Shared:
  case Space::SharedCluster: {
    if (!findSharedBytes(warp, lane, space, address, bytes, location))
      return false;
    uint32_t begin =
        static_cast<uint32_t>(location.data - location.owner->shared.data());
    if (store && location.owner->overlapsMbarrier(begin, bytes)) {
      warp.fail(lane, "writes over an mbarrier object at shared address " +
                          hex(address) + ", expected an mbarrier.inval before");
      return false;
    }
    return true;
  }
  case Space::Local: {
    size = block.kernel.localBytes;
    if (size >= bytes && offset <= size - bytes) {
      size_t thread = size_t(warp.index()) * 32 + lane;
      location.data = block.local.data() + thread * size + offset;
      location.shadow = block.localShadow.data() + thread * size + offset;
      return true;
    }
    name = "local";
    break;
  }
  case Space::Param:
    size = block.kernel.parameterBytes;
    if (size >= bytes && offset <= size - bytes && !store) {
      const uint8_t *data = block.launch.launch.parameters.data();
      location.data = const_cast<uint8_t *>(data) + offset;
      location.shadow = nullptr;
      return true;
    }
    if (store) {
      warp.fail(lane, "parameters cannot be written");
      return false;
    }
    name = "parameter";
    break;
  default: {
    if (const Buffer *buffer = block.findGlobal(address, bytes)) {
      location.data = buffer->data.get() + (address - buffer->base);
      location.shadow = buffer->shadow.get() + (address - buffer->base);
      return true;
    }
    warp.fail(lane,
              "global address " + hex(address) + " is out of bounds: it " +
                  block.describeGlobal(address),
              Error::Kind::IllegalAddress);
    return false;
  }
  }
  warp.fail(lane,
            std::string(name) + " address " + hex(address) +
                " is out of bounds: there are " + std::to_string(size) +
                " bytes",
            Error::Kind::IllegalAddress);
  return false;
}

bool sparse_attn::emulator::requireInitialised(Warp &warp, unsigned lane,
                                               const Location &location,
                                               uint64_t address,
                                               unsigned bytes) {
  if (!location.shadow || allWritten(location.shadow, bytes))
    return true;
  bool inFlight = false, opaque = false;
  for (unsigned i = 0; i < bytes; ++i) {
    inFlight |= location.shadow[i] == InFlight;
    opaque |= location.shadow[i] == Opaque;
  }
  if (opaque) {
    warp.fail(lane, "reads bytes of an mbarrier object at " + hex(address));
    return false;
  }
  warp.fail(lane, inFlight ? "reads " + std::to_string(bytes) + " bytes at " +
                                 hex(address) + " that a copy is still writing"
                           : "reads " + std::to_string(bytes) +
                                 " uninitialised bytes at " + hex(address));
  return false;
}

namespace {

// Inst::a elements of Inst::b bytes; Inst::c bit 0: wide registers, bit 1:
// sign-extended.
enum Flag : uint8_t { WideRegister = 1, SignExtend = 2 };

uint64_t readElement(const uint8_t *data, unsigned bytes, bool isSigned) {
  switch (bytes) {
  case 1: {
    uint8_t value = *data;
    return isSigned ? static_cast<uint64_t>(int64_t(int8_t(value))) : value;
  }
  case 2: {
    uint16_t value;
    std::memcpy(&value, data, 2);
    return isSigned ? static_cast<uint64_t>(int64_t(int16_t(value))) : value;
  }
  case 4: {
    uint32_t value;
    std::memcpy(&value, data, 4);
    return isSigned ? static_cast<uint64_t>(int64_t(int32_t(value))) : value;
  }
  default: {
    uint64_t value;
    std::memcpy(&value, data, 8);
    return value;
  }
  }
}

void count(Warp &warp, Space space, unsigned bytes) {
  Counters &counters = warp.block->counters;
  (space == Space::Global  ? counters.globalBytes
   : space == Space::Local ? counters.localBytes
                           : counters.sharedBytes) += bytes;
}

void runLoad(Warp &warp, const Inst &inst, const uint32_t *slots) {
  unsigned elements = inst.a, bytes = inst.b, total = elements * bytes;
  uint32_t addressSlot = slots[elements];
  uint32_t lanes = warp.lanes;
  RaceChecker *races = warp.block->races;
  // Read all lanes before writing any: a target may be the address.
  alignas(16) uint8_t values[32][16];
  SharedAccess banks;
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t address =
        addressOf(warp, addressSlot, inst.wideAddress, inst.imm, lane);
    Location location;
    if (!locate(warp, lane, inst.space, address, total, location, false) ||
        (races &&
         !races->read(warp, lane, location, address, total, inst.order)) ||
        !requireInitialised(warp, lane, location, address, total))
      return;
    std::memcpy(values[lane], location.data, total);
    if (inst.space != Space::Param)
      count(warp, location.space, total);
    if (location.space == Space::Shared)
      banks.add(lane, address);
  }
  banks.count(warp.block->counters, total);
  for (unsigned i = 0; i < elements; ++i) {
    uint8_t *out = warp.slot(slots[i]);
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
      unsigned lane = __builtin_ctz(rest);
      uint64_t value =
          readElement(values[lane] + i * bytes, bytes, inst.c & SignExtend);
      if (inst.c & WideRegister)
        putLane<uint64_t>(out, lane, value);
      else
        putLane<uint32_t>(out, lane,
                          static_cast<uint32_t>(value) &
                              static_cast<uint32_t>(inst.registerMask));
    }
  }
}

void runStore(Warp &warp, const Inst &inst, const uint32_t *slots) {
  RaceChecker *races = warp.block->races;
  unsigned elements = inst.a, bytes = inst.b, total = elements * bytes;
  SharedAccess banks;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint64_t address =
        addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    Location location;
    if (!locate(warp, lane, inst.space, address, total, location, true))
      return;
    uint8_t values[16];
    for (unsigned i = 0; i < elements; ++i) {
      const uint8_t *source = warp.slot(slots[1 + i]);
      uint64_t value = inst.c & WideRegister ? getLane<uint64_t>(source, lane)
                                             : getLane<uint32_t>(source, lane);
      std::memcpy(values + i * bytes, &value, bytes);
    }
    if (races &&
        !races->write(warp, lane, location, address, total, values, inst.order))
      return;
    std::memcpy(location.data, values, total);
    std::memset(location.shadow, Written, total);
    count(warp, location.space, total);
    if (location.space == Space::Shared)
      banks.add(lane, address);
  }
  banks.count(warp.block->counters, total);
}

} // namespace

void sparse_attn::emulator::takeCacheModifiers(Decoder &d) {
  for (const char *modifier :
       {"ca", "cg", "cs", "lu", "cv", "wb", "wt", "L1::evict_normal",
        "L1::evict_unchanged", "L1::evict_first", "L1::evict_last",
        "L1::no_allocate", "L2::evict_normal", "L2::evict_first",
        "L2::evict_last", "L2::64B", "L2::128B", "L2::256B", "unified"})
    d.take(modifier);
}

MemoryOrder sparse_attn::emulator::takeMemoryOrder(Decoder &d) {
  MemoryOrder order;
  d.take("weak");
  bool isVolatile = d.take("volatile") || d.take("mmio");
  bool both = d.take("acq_rel");
  order.acquire = d.take("acquire") || both;
  order.release = d.take("release") || both;
  order.strong =
      d.take("relaxed") || isVolatile || order.acquire || order.release;
  // Without a scope (weak accesses, atom, red) it is that of the GPU.
  order.scope = d.take("cta")       ? Scope::Cta
                : d.take("cluster") ? Scope::Cluster
                : d.take("gpu")     ? Scope::Gpu
                : d.take("sys")     ? Scope::Sys
                : isVolatile        ? Scope::Sys
                                    : Scope::Gpu;
  return order;
}

void sparse_attn::emulator::decodeLoadStore(Decoder &d) {
  bool store = d.base() == "st";
  if (store && d.take("async"))
    return decodeAsyncStore(d);
  d.inst.order = takeMemoryOrder(d);
  takeCacheModifiers(d);
  d.inst.order.readOnly = !store && d.take("nc");
  bool policy = d.take("L2::cache_hint");
  d.inst.space = d.take("global")                            ? Space::Global
                 : d.take("shared") || d.take("shared::cta") ? Space::Shared
                 : d.take("shared::cluster") ? Space::SharedCluster
                 : d.take("local")           ? Space::Local
                 : d.take("const")           ? Space::Const
                 : d.take("param") || d.take("param::entry") ? Space::Param
                                                             : Space::Generic;
  unsigned count = d.take("v2") ? 2 : d.take("v4") ? 4 : 1;
  Type type = d.takeType();
  unsigned bytes = bitsOf(type) / 8;
  if (bytes == 0 || bytes * count > 16)
    return void(d.unsupported());
  if (store && (d.inst.space == Space::Const || d.inst.space == Space::Param))
    return void(d.unsupported());
  if (!d.expectOperands(2 + policy))
    return;
  const Operand &value = d.operand(store ? 1 : 0);
  std::vector<Operand> elements = {value};
  if (value.kind == Operand::Vector)
    elements = value.elements;
  if (elements.size() != count)
    return void(d.fail("expected " + std::to_string(count) +
                       " registers, found " + std::to_string(elements.size())));
  // All registers of a vector have one width.
  unsigned width = 0;
  for (const Operand &element : elements) {
    unsigned bits = bitsOf(d.registerType(element));
    if (bits && width && bits != width)
      return void(d.fail("the registers of a vector differ in width"));
    if (bits)
      width = bits;
  }
  if (width == 0)
    width = std::max(bitsOf(type), 32u);
  d.inst.a = static_cast<uint8_t>(count);
  d.inst.b = static_cast<uint8_t>(bytes);
  d.inst.c =
      (width == 64 ? WideRegister : 0) | (isSigned(type) ? SignExtend : 0);
  d.inst.registerMask = width == 16 ? 0xffff : ~0u;
  if (store)
    d.address(d.operand(0));
  for (const Operand &element : elements) {
    if (!store)
      d.dst(element, type, true);
    else if (d.registerType(element) == Type::None && width == 64)
      d.src(element, Type::B64);
    else
      d.src(element, type, true);
  }
  if (!store)
    d.address(d.operand(1));
  if (policy)
    d.src(2, Type::B64);
  d.emit(store ? runStore : runLoad);
}

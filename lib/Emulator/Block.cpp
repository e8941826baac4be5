//===- Block.cpp - A thread block -----------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Hazards/RaceChecker.h"

#include <algorithm>

using namespace sparse_attn::emulator;

Block::Block(Cluster &cluster, unsigned rank)
    : cluster(cluster), launch(cluster.launch), kernel(launch.kernel),
      rank(rank), races(launch.races.get()) {
  const std::array<uint32_t, 3> &shape = launch.launch.block;
  threads = shape[0] * shape[1] * shape[2];
  size_t sharedBytes = kernel.staticSharedBytes;
  if (launch.launch.dynamicSharedBytes)
    sharedBytes = kernel.dynamicSharedOffset + launch.launch.dynamicSharedBytes;
  shared.resize(sharedBytes);
  sharedShadow.resize(sharedBytes);
  local.resize(size_t(kernel.localBytes) * threads);
  localShadow.resize(local.size());
  initiallyWritten.assign(kernel.slots, 0);
  for (const Constant &constant : kernel.constants)
    initiallyWritten[constant.slot] = ~0u;
  for (const auto &[slot, meaning] : kernel.specials)
    initiallyWritten[slot] = ~0u;
  warpgroups = std::vector<Warpgroup>((threads + 127) / 128);
  for (unsigned i = 0; i * 32 < threads; ++i) {
    warps.push_back(std::make_unique<Warp>());
    Warp &warp = *warps.back();
    warp.create(*this, i);
    for (const Constant &constant : kernel.constants)
      for (unsigned lane = 0; lane < 32; ++lane) {
        uint8_t *slot = warp.slot(constant.slot);
        if (constant.wide)
          putLane<uint64_t>(slot, lane, constant.value);
        else
          putLane<uint32_t>(slot, lane, static_cast<uint32_t>(constant.value));
      }
  }
}

uint32_t Block::specialValue(Special special, unsigned thread) const {
  const std::array<uint32_t, 3> &shape = launch.launch.block;
  const std::array<uint32_t, 3> &grid = launch.launch.grid;
  const std::array<uint32_t, 3> &group = launch.cluster;
  unsigned lane = thread % 32;
  auto axis = [=](Special first) {
    return unsigned(special) - unsigned(first);
  };
  switch (special) {
  case Special::TidX:
    return thread % shape[0];
  case Special::TidY:
    return thread / shape[0] % shape[1];
  case Special::TidZ:
    return thread / shape[0] / shape[1];
  case Special::NtidX:
  case Special::NtidY:
  case Special::NtidZ:
    return shape[axis(Special::NtidX)];
  case Special::CtaidX:
  case Special::CtaidY:
  case Special::CtaidZ:
    return ctaid[axis(Special::CtaidX)];
  case Special::NctaidX:
  case Special::NctaidY:
  case Special::NctaidZ:
    return grid[axis(Special::NctaidX)];
  case Special::ClusteridX:
  case Special::ClusteridY:
  case Special::ClusteridZ: {
    unsigned i = axis(Special::ClusteridX);
    return ctaid[i] / group[i];
  }
  case Special::NclusteridX:
  case Special::NclusteridY:
  case Special::NclusteridZ: {
    unsigned i = axis(Special::NclusteridX);
    return grid[i] / group[i];
  }
  case Special::ClusterCtaidX:
  case Special::ClusterCtaidY:
  case Special::ClusterCtaidZ: {
    unsigned i = axis(Special::ClusterCtaidX);
    return ctaid[i] % group[i];
  }
  case Special::ClusterNctaidX:
  case Special::ClusterNctaidY:
  case Special::ClusterNctaidZ:
    return group[axis(Special::ClusterNctaidX)];
  case Special::ClusterCtarank:
    return rank;
  case Special::ClusterNctarank:
    return group[0] * group[1] * group[2];
  case Special::LaneId:
    return lane;
  case Special::WarpId:
    return thread / 32;
  case Special::NWarpId:
    return (threads + 31) / 32;
  case Special::NSmId:
    return 1;
  case Special::SmId:
  case Special::GridId:
    return 0;
  case Special::LanemaskEq:
    return 1u << lane;
  case Special::LanemaskLe:
    return (2u << lane) - 1;
  case Special::LanemaskLt:
    return (1u << lane) - 1;
  case Special::LanemaskGe:
    return ~((1u << lane) - 1);
  case Special::LanemaskGt:
    return ~((2u << lane) - 1);
  case Special::DynamicSharedSize:
    return launch.launch.dynamicSharedBytes;
  case Special::TotalSharedSize:
    return static_cast<uint32_t>(shared.size());
  }
  return 0;
}

void Block::start(const std::array<uint32_t, 3> &index) {
  ctaid = index;
  std::fill(sharedShadow.begin(), sharedShadow.end(), uint8_t(Unwritten));
  std::fill(localShadow.begin(), localShadow.end(), uint8_t(Unwritten));
  barriers.fill({});
  mbarriers.clear();
  freeRegisters = 0;
  for (Warpgroup &warpgroup : warpgroups)
    warpgroup.reset();
  for (auto &warp : warps) {
    warp->start();
    warp->writtenMasks = initiallyWritten;
    warp->inFlight.assign(kernel.slots, 0);
    warp->registers = initialRegisters();
    for (const auto &[slot, meaning] : kernel.specials)
      for (unsigned lane = 0; lane < 32; ++lane)
        putLane<uint32_t>(warp->slot(slot), lane,
                          specialValue(meaning, warp->index() * 32 + lane));
  }
}

bool Block::overlapsMbarrier(uint32_t offset, uint32_t bytes) const {
  // The last object that begins before the end.
  auto after = mbarriers.lower_bound(offset + bytes);
  return after != mbarriers.begin() && std::prev(after)->first + 8 > offset;
}

bool Block::finished() const {
  for (const auto &warp : warps)
    if (!warp->finished())
      return false;
  return true;
}

static std::string triple(const std::array<uint32_t, 3> &value) {
  return "(" + std::to_string(value[0]) + ", " + std::to_string(value[1]) +
         ", " + std::to_string(value[2]) + ")";
}

std::string Block::threadName(unsigned warp, unsigned lane) const {
  unsigned thread = warp * 32 + lane;
  return "block " + triple(ctaid) + ", thread " +
         triple({specialValue(Special::TidX, thread),
                 specialValue(Special::TidY, thread),
                 specialValue(Special::TidZ, thread)});
}

const Buffer *Block::findGlobal(uint64_t address, uint64_t bytes) {
  if (lastBuffer && lastBuffer->contains(address, bytes))
    return lastBuffer;
  if (launch.moduleVariables.contains(address, bytes))
    return &launch.moduleVariables;
  const Buffer *found = launch.memory.find(address);
  if (!found || !found->contains(address, bytes))
    return nullptr;
  return lastBuffer = found;
}

std::string Block::describeGlobal(uint64_t address) const {
  const std::vector<Buffer> &buffers = launch.memory.buffers;
  const Buffer *before = launch.memory.find(address);
  const Buffer *after = before ? before + 1 : buffers.data();
  auto name = [](const Buffer &buffer) {
    return "a buffer of " + std::to_string(buffer.bytes) + " bytes";
  };
  if (before) {
    uint64_t offset = address - before->base;
    if (offset < before->bytes)
      return "is " + std::to_string(offset) + " bytes into " + name(*before);
    if (offset - before->bytes < globalGap / 2)
      return "is " + std::to_string(offset - before->bytes) +
             " bytes past the end of " + name(*before);
  }
  if (after != buffers.data() + buffers.size() &&
      after->base - address < globalGap / 2)
    return "is " + std::to_string(after->base - address) + " bytes before " +
           name(*after);
  return "is in no buffer";
}

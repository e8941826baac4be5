//===- TensorCopy.cpp - cp.async.bulk.tensor ----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Data Movement and Conversion Instructions: Tensor copy" and
// "Tensors": boxes, tile mode, out-of-bounds elements and swizzling. Boxes lie
// densely in shared memory, dimension 0 first; a swizzle exchanges 16-byte
// chunks by address bits.
//
//===----------------------------------------------------------------------===//

#include "BulkCopy.h"
#include "SparseAttn/Emulator/TensorMap.h"

#include <algorithm>

using namespace sparse_attn::emulator;

namespace {

/// Elements that do not exist, as far as they are not zero.
const uint8_t *fillOf(const TensorMap &map) {
  static const uint16_t half[8] = {0x7fff, 0x7fff, 0x7fff, 0x7fff,
                                   0x7fff, 0x7fff, 0x7fff, 0x7fff};
  static const uint32_t single[4] = {0x7fffffff, 0x7fffffff, 0x7fffffff,
                                     0x7fffffff};
  static const uint64_t wide[2] = {0x7fffffffffffffff, 0x7fffffffffffffff};
  if (map.oobFill != TensorMap::OobFill::Nan)
    return nullptr;
  const void *fill = map.elementBytes() == 2 ? static_cast<const void *>(half)
                     : map.elementBytes() == 4
                         ? static_cast<const void *>(single)
                         : static_cast<const void *>(wide);
  return static_cast<const uint8_t *>(fill);
}

/// A run of bytes of a box.
struct Run {
  uint64_t shared = 0; // offset in shared memory, before swizzling
  uint64_t global = 0; // address
  uint64_t bytes = 0;
  bool exists = false; // in the tensor
};

/// Calls `f(run)` for all runs of the box at `coordinates` that begins at
/// `offset` of shared memory; stops when it returns false.
template <class F>
bool forEachRun(const TensorMap &map, const int32_t (&coordinates)[5],
                uint64_t offset, F f) {
  uint64_t element = map.elementBytes(), width = map.boxElements(0);
  int64_t first = coordinates[0], size = static_cast<int64_t>(map.sizes[0]);
  // Of a row, the elements [low, high) exist.
  auto clamp = [&](int64_t value) {
    return static_cast<uint64_t>(
        std::clamp<int64_t>(value, 0, static_cast<int64_t>(width)));
  };
  uint64_t low = clamp(-first), high = std::max(low, clamp(size - first));
  uint32_t index[5] = {};
  for (;;) {
    bool exists = true;
    int64_t address = static_cast<int64_t>(map.address) +
                      first * static_cast<int64_t>(element);
    for (unsigned i = 1; i < map.rank; ++i) {
      int64_t at =
          int64_t(coordinates[i]) + int64_t(index[i]) * map.elementStrides[i];
      exists &= at >= 0 && at < static_cast<int64_t>(map.sizes[i]);
      if (exists)
        address += at * static_cast<int64_t>(map.strides[i]);
    }
    uint64_t begin = exists ? low : width, end = exists ? high : width;
    const uint64_t edges[] = {0, begin, end, width};
    for (unsigned part = 0; part < 3; ++part) {
      if (edges[part] == edges[part + 1])
        continue;
      Run run;
      run.shared = offset + edges[part] * element;
      run.global = static_cast<uint64_t>(address) + edges[part] * element;
      run.bytes = (edges[part + 1] - edges[part]) * element;
      run.exists = part == 1;
      if (!f(run))
        return false;
    }
    offset += width * element;
    unsigned i = 1;
    while (i < map.rank && ++index[i] == map.boxElements(i))
      index[i++] = 0;
    if (i >= map.rank)
      return true;
  }
}

/// Calls `f(offset, done, bytes)` for the parts of a run that stay together in
/// shared memory, `done` bytes after its beginning.
template <class F>
void forEachPart(const TensorMap &map, const Run &run, F f) {
  unsigned mode = static_cast<unsigned>(map.swizzle);
  if (mode == 0)
    return f(run.shared, uint64_t(0), run.bytes);
  uint64_t mask = (1u << mode) - 1;
  for (uint64_t done = 0; done < run.bytes;) {
    uint64_t at = run.shared + done;
    uint64_t part = std::min(16 - at % 16, run.bytes - done);
    // Shared memory begins at a multiple of 1024.
    f(at ^ (at >> 7 & mask) << 4, done, part);
    done += part;
  }
}

std::optional<TensorMap> findMap(Warp &warp, unsigned lane, const Inst &inst,
                                 uint32_t slot, bool wide, int64_t offset) {
  uint64_t address = addressOf(warp, slot, wide, offset, lane);
  Location location;
  if (address % 64) {
    warp.fail(lane, "the tensor map at " + hex(address) +
                        " is misaligned, expected a multiple of 64");
    return std::nullopt;
  }
  uint8_t bytes[TensorMap::bytes];
  for (unsigned i = 0; i < TensorMap::bytes; i += 16) {
    if (!locate(warp, lane, Space::Generic, address + i, 16, location, false) ||
        !requireInitialised(warp, lane, location, address + i, 16))
      return std::nullopt;
    std::memcpy(bytes + i, location.data, 16);
  }
  std::optional<TensorMap> map = TensorMap::decode(bytes);
  if (!map) {
    warp.fail(lane, "no tensor map is at " + hex(address));
    return std::nullopt;
  }
  if (map->rank != inst.a) {
    warp.fail(lane, "the tensor has " + std::to_string(map->rank) +
                        " dimensions, expected " + std::to_string(inst.a));
    return std::nullopt;
  }
  uint64_t row = uint64_t(map->boxElements(0)) * map->elementBytes();
  uint64_t span = 16ull << static_cast<unsigned>(map->swizzle);
  if (map->swizzle != TensorMap::Swizzle::None && row != span) {
    warp.fail(lane, "rows of " + std::to_string(row) +
                        " bytes in a swizzle of " + std::to_string(span) +
                        " bytes are not supported");
    return std::nullopt;
  }
  return map;
}

// Inst::a is the rank, Inst::b whether there is a mask of blocks, Inst::c the
// reduction of a store.

/// Slots: target, map, mbarrier, coordinates, [mask].
void runTensorLoad(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Block &block = *warp.block;
  Cluster &cluster = block.cluster;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    std::optional<TensorMap> map =
        findMap(warp, lane, inst, slots[1], inst.wideAddress2, inst.imm2);
    if (!map)
      return;
    int32_t coordinates[5] = {};
    for (unsigned i = 0; i < inst.a; ++i)
      coordinates[i] = getLane<int32_t>(warp.slot(slots[3 + i]), lane);
    uint64_t target =
        addressOf(warp, slots[0], inst.wideAddress, inst.imm, lane);
    uint64_t barrier =
        addressOf(warp, slots[2], inst.wideAddress3, inst.imm3, lane);
    std::optional<uint32_t> mask;
    if (inst.b)
      mask = getLane<uint32_t>(warp.slot(slots[3 + inst.a]), lane) & 0xffff;
    std::vector<Destination> destinations;
    if (!findDestinations(warp, lane, inst.space, target, barrier, mask,
                          map->boxBytes(), 128, destinations))
      return;
    for (const Destination &to : destinations) {
      auto op = std::make_unique<CopyOp>(warp, 1u << lane, inst, Proxy::Async,
                                         Publisher::Mbarrier);
      op->mbarrier = to.mbarrier;
      op->transactions = map->boxBytes();
      op->targetBlock = to.block;
      op->fill = fillOf(*map);
      bool isValid =
          forEachRun(*map, coordinates, to.offset, [&](const Run &run) {
            Location from;
            if (run.exists) {
              if (!locateBytes(warp, lane, Space::Global, run.global, run.bytes,
                               1, from) ||
                  !requireInitialised(warp, lane, from, run.global, run.bytes))
                return false;
              block.counters.globalBytes += run.bytes;
            }
            forEachPart(*map, run,
                        [&](uint64_t at, uint64_t done, uint64_t bytes) {
                          CopyOp::Piece piece;
                          piece.lane = static_cast<uint8_t>(lane);
                          piece.source = from.data ? from.data + done : nullptr;
                          piece.sourceAddress = run.global + done;
                          piece.target = to.block->shared.data() + at;
                          piece.shadow = to.block->sharedShadow.data() + at;
                          piece.targetAddress = at;
                          piece.bytes = static_cast<uint32_t>(bytes);
                          op->pieces.push_back(piece);
                        });
            return true;
          });
      if (!isValid)
        return;
      block.counters.sharedBytes += map->boxBytes();
      op->markInFlight();
      cluster.async.issue(std::move(op), cluster.finishesAtOnce());
      if (cluster.failed)
        return;
    }
  }
}

Type elementType(TensorMap::DataType type) {
  switch (type) {
  case TensorMap::DataType::UInt32:
    return Type::U32;
  case TensorMap::DataType::Int32:
    return Type::S32;
  case TensorMap::DataType::UInt64:
    return Type::U64;
  case TensorMap::DataType::Int64:
    return Type::S64;
  case TensorMap::DataType::Float16:
    return Type::F16;
  case TensorMap::DataType::BFloat16:
    return Type::BF16;
  case TensorMap::DataType::Float32:
    return Type::F32;
  case TensorMap::DataType::Float64:
    return Type::F64;
  default:
    return Type::None;
  }
}

std::unique_ptr<CopyOp> makeStore(Warp &warp, unsigned lane, const Inst &inst,
                                  const TensorMap &map) {
  uint32_t lanes = 1u << lane;
  if (inst.c == 0)
    return std::make_unique<CopyOp>(warp, lanes, inst, Proxy::Async,
                                    Publisher::BulkGroup);
  Type type = elementType(map.dataType);
  auto reduction = static_cast<Reduction>(inst.c);
  if (reduction >= Reduction::And && bitsOf(type) >= 32)
    type = bitsOf(type) == 64 ? Type::B64 : Type::B32;
  auto op = std::make_unique<ReduceOp>(warp, lanes, inst, Proxy::Async,
                                       Publisher::BulkGroup);
  op->combine = combineOf(reduction, type);
  op->elementBytes = map.elementBytes();
  if (op->combine)
    return op;
  warp.fail(lane, "elements of the tensor's type cannot be reduced so");
  return nullptr;
}

/// Slots: map, source, coordinates.
void runTensorStore(Warp &warp, const Inst &inst, const uint32_t *slots) {
  Block &block = *warp.block;
  Cluster &cluster = block.cluster;
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    std::optional<TensorMap> map =
        findMap(warp, lane, inst, slots[0], inst.wideAddress, inst.imm);
    if (!map)
      return;
    int32_t coordinates[5] = {};
    for (unsigned i = 0; i < inst.a; ++i)
      coordinates[i] = getLane<int32_t>(warp.slot(slots[2 + i]), lane);
    uint64_t source =
        addressOf(warp, slots[1], inst.wideAddress2, inst.imm2, lane);
    Location box;
    if (!locateBytes(warp, lane, Space::Shared, source, map->boxBytes(), 128,
                     box))
      return;
    auto op = makeStore(warp, lane, inst, *map);
    if (!op)
      return;
    op->group = warp.bulkGroups[lane];
    op->sourceBlock = &block;
    uint64_t begin = static_cast<uint64_t>(box.data - block.shared.data());
    bool isValid = forEachRun(*map, coordinates, begin, [&](const Run &run) {
      if (!run.exists)
        return true; // elements that do not exist are not written
      Location to;
      if (!locateBytes(warp, lane, Space::Global, run.global, run.bytes, 1, to))
        return false;
      if (inst.c && !requireInitialised(warp, lane, to, run.global, run.bytes))
        return false;
      bool isWritten = true;
      forEachPart(*map, run, [&](uint64_t at, uint64_t done, uint64_t bytes) {
        Location from;
        from.data = block.shared.data() + at;
        from.shadow = block.sharedShadow.data() + at;
        isWritten = isWritten && requireInitialised(warp, lane, from,
                                                    at + sharedBase, bytes);
        CopyOp::Piece piece;
        piece.lane = static_cast<uint8_t>(lane);
        piece.source = from.data;
        piece.sourceAddress = at;
        piece.target = to.data + done;
        piece.shadow = to.shadow + done;
        piece.targetAddress = run.global + done;
        piece.bytes = static_cast<uint32_t>(bytes);
        op->pieces.push_back(piece);
      });
      block.counters.globalBytes += run.bytes;
      block.counters.sharedBytes += run.bytes;
      return isWritten;
    });
    if (!isValid)
      return;
    cluster.async.issue(std::move(op), cluster.finishesAtOnce());
  }
}

/// Slots: map, coordinates.
void runTensorPrefetch(Warp &warp, const Inst &inst, const uint32_t *slots) {
  for (uint32_t rest = warp.lanes; rest; rest &= rest - 1)
    if (!findMap(warp, __builtin_ctz(rest), inst, slots[0], inst.wideAddress,
                 inst.imm))
      return;
}

bool takeCoordinates(Decoder &d, const Operand &map) {
  if (map.elements.size() != d.inst.a)
    return d.fail("expected " + std::to_string(d.inst.a) +
                  " coordinates, found " + std::to_string(map.elements.size()));
  for (const Operand &coordinate : map.elements)
    d.src(coordinate, Type::S32);
  return true;
}

} // namespace

void sparse_attn::emulator::decodeTensorCopy(Decoder &d, bool reduces,
                                             bool prefetches) {
  const char *ranks[] = {"1d", "2d", "3d", "4d", "5d"};
  for (uint8_t i = 0; i < 5; ++i)
    if (d.take(ranks[i]))
      d.inst.a = static_cast<uint8_t>(i + 1);
  if (d.inst.a == 0)
    return void(d.unsupported());
  d.take("tile");
  bool policy = d.take("L2::cache_hint");
  bool global = d.take("global"), cta = d.take("shared::cta");
  if (prefetches) {
    if (!d.take("L2") || !global)
      return void(d.unsupported());
    if (!d.expectOperands(1 + policy))
      return;
    d.address(d.operand(0));
    if (!takeCoordinates(d, d.operand(0)))
      return;
    if (policy)
      d.src(1, Type::B64);
    return d.emit(runTensorPrefetch);
  }
  if (d.take("bulk_group")) {
    if (!global || !cta)
      return void(d.unsupported());
    if (reduces) {
      Reduction reduction = takeReduction(d);
      if (reduction == Reduction::None)
        return void(d.unsupported());
      d.inst.c = static_cast<uint8_t>(reduction);
    }
    if (!d.expectOperands(2 + policy))
      return;
    d.inst.space = Space::Shared; // so that variables may be named
    d.addresses({&d.operand(0), &d.operand(1)});
    if (!takeCoordinates(d, d.operand(0)))
      return;
    if (policy)
      d.src(2, Type::B64);
    return d.emit(runTensorStore);
  }
  bool cluster = d.take("shared::cluster");
  d.inst.b = d.take("multicast::cluster");
  if (reduces || !global || cta == cluster || (d.inst.b && cta) ||
      !d.take("mbarrier::complete_tx::bytes"))
    return void(d.unsupported());
  d.inst.space = cluster ? Space::SharedCluster : Space::Shared;
  if (!d.expectOperands(3 + d.inst.b + policy))
    return;
  d.addresses({&d.operand(0), &d.operand(1), &d.operand(2)});
  if (!takeCoordinates(d, d.operand(1)))
    return;
  if (d.inst.b)
    d.src(3, Type::U16);
  if (policy)
    d.src(d.operands() - 1, Type::B64);
  d.emit(runTensorLoad);
}

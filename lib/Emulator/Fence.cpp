//===- Fence.cpp - fences, prefetches, hints ----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Threads here see each other's stores at once, and data of the async proxy
// when they arrive: fences only matter to the checker of races. Prefetches and
// dependent launches only matter for speed; their operands are ignored.
//
//===----------------------------------------------------------------------===//

#include "Hazards/RaceChecker.h"

using namespace sparse_attn::emulator;

static void runNothing(Warp &, const Inst &, const uint32_t *) {}

static void runSleep(Warp &warp, const Inst &, const uint32_t *) {
  warp.yield();
}

static void runFence(Warp &warp, const Inst &inst, const uint32_t *) {
  RaceChecker *races = warp.block->races;
  if (!races)
    return;
  // fence.mbarrier_init (Inst::a) shows what mbarrier.init wrote to all who
  // complete transactions, asynchronous operations too.
  if (inst.a)
    races->fenceProxy(warp);
  races->fence(warp, inst.order);
}

/// fence.proxy: between proxies, not between threads.
static void runProxyFence(Warp &warp, const Inst &, const uint32_t *) {
  if (warp.block->races)
    warp.block->races->fenceProxy(warp);
}

static void decodeProxyFence(Decoder &d) {
  bool isMap = d.take("tensormap::generic"), isAsync = false;
  takeMemoryOrder(d);
  if (!isMap) {
    isAsync = d.take("async") || d.take("async::generic");
    if (!isAsync && !d.take("alias"))
      return void(d.unsupported());
    for (const char *modifier :
         {"global", "shared::cta", "shared::cluster", "shared",
          "sync_restrict::shared::cta", "sync_restrict::shared::cluster"})
      d.take(modifier);
  }
  // fence.proxy.tensormap acquires the bytes of a tensor map.
  d.expectOperands(0, isMap ? 2 : 0);
  d.emit(isAsync ? runProxyFence : runNothing);
}

void sparse_attn::emulator::decodeFence(Decoder &d) {
  if (d.base() == "membar") {
    d.inst.order.scope = d.take("cta")  ? Scope::Cta
                         : d.take("gl") ? Scope::Gpu
                                        : Scope::Sys;
    if (d.inst.order.scope == Scope::Sys && !d.take("sys"))
      return void(d.unsupported());
  } else if (d.take("proxy")) {
    return decodeProxyFence(d);
  } else {
    d.take("sc");
    d.inst.a = d.take("mbarrier_init");
    // Narrows what is ordered; taken for the whole.
    d.take("sync_restrict::shared::cta");
    d.take("sync_restrict::shared::cluster");
    d.inst.order = takeMemoryOrder(d);
  }
  d.expectOperands(0);
  d.emit(runFence);
}

/// A policy is opaque, and no cache is emulated.
static void runPolicy(Warp &warp, const Inst &, const uint32_t *slots) {
  eachLane<uint64_t>(warp, slots[0], [](unsigned) { return uint64_t(0); });
}

void sparse_attn::emulator::decodePolicy(Decoder &d) {
  if (!d.take("fractional"))
    return void(d.unsupported());
  d.takeIf([](std::string_view name) { return name.substr(0, 4) == "L2::"; });
  d.takeIf([](std::string_view name) { return name.substr(0, 4) == "L2::"; });
  if (d.takeType() != Type::B64)
    return void(d.unsupported());
  if (d.expectOperands(1, 2))
    d.dst(0, Type::B64);
  if (d.operands() == 2)
    d.src(1, Type::F32);
  d.emit(runPolicy);
}

void sparse_attn::emulator::decodeNothing(Decoder &d) {
  for (const char *modifier :
       {"global", "local", "L1", "L2", "uniform", "L2::evict_last",
        "L2::evict_normal", "u32", "tensormap", "param", "const", "wait",
        "launch_dependents"})
    d.take(modifier);
  d.emit(d.base() == "nanosleep" ? runSleep : runNothing);
}

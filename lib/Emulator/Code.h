//===- Code.h - Decoded programs ------------------------------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What a parsed program looks like to the interpreter: every instruction is a
// function pointer and a list of register slots. Immediates and special
// registers are slots too (filled before a warp starts), so that an operand
// is never anything but an index.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_CODE_H
#define SPARSEATTN_LIB_EMULATOR_CODE_H

#include "SparseAttn/Emulator/Emulator.h"
#include "Types.h"

namespace sparse_attn::emulator {

class Warp;
struct Inst;

/// Executes one instruction for the lanes in `Warp::lanes`. `slots` lists the
/// destinations, then the sources.
using Handler = void (*)(Warp &warp, const Inst &inst, const uint32_t *slots);

constexpr uint32_t noSlot = ~0u;
constexpr uint32_t noPc = ~0u;

/// Where the windows of the generic address space lie. Shared memory does not
/// begin at 0, so that a null pointer is out of bounds everywhere.
constexpr uint64_t sharedBase = 1024;
constexpr uint64_t sharedWindow = 1ull << 48;
constexpr uint64_t localWindow = 1ull << 49;
constexpr uint64_t paramWindow = 1ull << 50;
constexpr uint64_t windowBytes = 1ull << 32;
/// In the shared::cluster window, the memory of rank r begins at r + 1 times
/// this; addresses below are the executing block's own.
constexpr uint64_t remoteStride = 1ull << 24;

/// Shared is shared::cta.
enum class Space : uint8_t {
  Generic,
  Global,
  Shared,
  SharedCluster,
  Local,
  Const,
  Param
};

/// The threads that an access or a fence has to do with.
enum class Scope : uint8_t { Cta, Cluster, Gpu, Sys };

/// How an access or a fence takes part in the order of memory (PTX ISA,
/// "Memory Consistency Model"). Relaxed and volatile accesses are strong.
struct MemoryOrder {
  bool strong = false;
  bool acquire = false;
  bool release = false;
  bool readOnly = false; // ld.global.nc: nobody writes there during the launch
  Scope scope = Scope::Cta;
};

struct Inst {
  Handler run = nullptr;
  int64_t imm = 0;         // the address offset, or what the family needs
  int64_t imm2 = 0;        // the offset of a second address
  int64_t imm3 = 0;        // and of a third
  uint32_t slots = 0;      // first in Kernel::operands
  uint32_t guard = noSlot; // predicate slot
  uint32_t line = 0;
  uint32_t opcode = 0;    // in Kernel::opcodes
  uint32_t target = noPc; // branches: the target
  uint32_t join = noPc;   // branches: where diverged lanes meet again
  uint8_t dsts = 0;
  uint8_t srcs = 0;
  bool guardNegated = false;
  bool isAsync = false;       // uses its registers after it was issued
  bool checksSources = false; // the handler judges unwritten sources itself
  /// The result of unwritten sources counts as unwritten: compilers compute
  /// with undefined values whose results they do not use.
  bool carriesUnwritten = false;
  Counters::Class kind = Counters::Control;
  uint8_t a = 0, b = 0, c = 0; // small parameters of the family
  bool wideAddress = false;    // the address is 64 bits wide
  bool wideAddress2 = false;   // so is the second address
  bool wideAddress3 = false;   // and the third
  uint32_t registerMask = ~0u; // loads: what a narrow register can hold
  Space space = Space::Generic;
  MemoryOrder order;
};

/// What wgmma.mma_async says besides its registers.
struct WgmmaShape {
  Type result = Type::None, typeA = Type::None, typeB = Type::None;
  uint16_t n = 0, k = 0;
  bool isARegisters = false;
  bool negatesA = false, negatesB = false;
  bool transposesA = false, transposesB = false;
  bool saturates = false;

  unsigned resultRegisters() const {
    return result == Type::F16 ? n / 4 : n / 2;
  }
};

enum class Special : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  ClusteridX,
  ClusteridY,
  ClusteridZ,
  NclusteridX,
  NclusteridY,
  NclusteridZ,
  ClusterCtaidX,
  ClusterCtaidY,
  ClusterCtaidZ,
  ClusterNctaidX,
  ClusterNctaidY,
  ClusterNctaidZ,
  ClusterCtarank,
  ClusterNctarank,
  LaneId,
  WarpId,
  NWarpId,
  SmId,
  NSmId,
  GridId,
  LanemaskEq,
  LanemaskLe,
  LanemaskLt,
  LanemaskGe,
  LanemaskGt,
  DynamicSharedSize,
  TotalSharedSize
};

struct Constant {
  uint32_t slot = 0;
  uint64_t value = 0;
  bool wide = false;
  bool dynamicShared = false; // relative to the dynamic shared array
};

/// For messages about addresses.
struct SharedVariable {
  std::string name;
  uint32_t offset = 0;
};

/// An entry point. A slot is an index in units of 128 bytes (32 lanes of 32
/// bits); 64-bit registers take two.
struct Kernel : EntryPoint {
  uint32_t maxRegisters = 0; // .maxnreg, or 0
  uint32_t minBlocks = 0;    // .minnctapersm, or 0
  std::vector<Inst> code;
  std::vector<uint32_t> operands;
  std::vector<std::string> opcodes;
  uint32_t slots = 0;
  std::vector<Constant> constants;
  std::vector<std::pair<uint32_t, Special>> specials; // slot, meaning
  std::vector<std::pair<uint32_t, std::string>> registerNames;
  std::vector<std::vector<uint32_t>> branchTables;
  std::vector<WgmmaShape> wgmmaShapes;
  uint32_t dynamicSharedOffset = 0; // from sharedBase
  uint32_t dynamicSharedAlign = 16;
  uint32_t localBytes = 0;
  std::vector<SharedVariable> sharedVariables;

  std::string registerName(uint32_t slot) const;
};

/// A variable of the module or of a kernel.
struct Variable {
  std::string name;
  Space space = Space::Global;
  std::string type; // of an element, as written: "f32"
  uint32_t align = 1;
  uint64_t bytes = 0;
  bool isPointer = false; // .ptr
  bool dynamic = false;   // .extern .shared name[]
  uint32_t offset = 0;    // in its space's segment; in shared memory per kernel
};

struct Program::Impl {
  std::string target;
  std::vector<std::unique_ptr<Kernel>> kernels;
  std::vector<uint8_t> globalImage; // .global and .const variables

  const Kernel *kernel(std::string_view name) const;
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_CODE_H

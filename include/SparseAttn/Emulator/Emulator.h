//===- Emulator.h - Executes PTX on the CPU ---------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parses PTX and executes it, warp by warp, without a GPU. Whatever a GPU
// would do silently wrong is an error that names the PTX line: accesses that
// are out of bounds, misaligned or uninitialised, deadlocks, and instructions
// this emulator does not know. Neither MLIR nor LLVM is needed.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_EMULATOR_H
#define SPARSEATTN_EMULATOR_EMULATOR_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sparse_attn::emulator {

/// What went wrong, and at which line of the PTX text (1-based; 0 when the
/// fault belongs to no line, such as a missing entry point).
struct Error {
  /// As the CUDA driver classifies faults.
  enum class Kind { Other, IllegalAddress, MisalignedAddress };

  unsigned line = 0;
  std::string message;
  Kind kind = Kind::Other;

  /// "line 12: message", or the message alone when there is no line.
  std::string str() const;
};

/// A parameter of an entry point (PTX ISA, "Kernel Function Parameters").
struct Parameter {
  std::string name;
  std::string type;    // of an element, as written: "u64", "f32", "b8"
  uint32_t offset = 0; // in the parameter buffer
  uint32_t bytes = 0;
  uint32_t align = 1;
  bool isPointer = false; // declared with .ptr
};

/// What a launch must know about an entry point.
struct EntryPoint {
  std::string name;
  unsigned line = 0;
  std::vector<Parameter> parameters;
  uint32_t parameterBytes = 0;
  uint32_t staticSharedBytes = 0;
  bool usesDynamicShared = false;
  std::array<uint32_t, 3> maxThreads = {0, 0, 0};      // .maxntid, or 0
  std::array<uint32_t, 3> requiredThreads = {0, 0, 0}; // .reqntid, or 0
  std::array<uint32_t, 3> requiredCluster = {0, 0, 0}; // .reqnctapercluster
};

/// A parsed PTX module. Immutable; may be launched from several threads.
class Program {
public:
  /// Parses `text`. Returns null and fills `error` when the text is not PTX
  /// that this emulator can execute; never executes anything.
  static std::unique_ptr<Program> parse(std::string_view text, Error &error);
  ~Program();

  /// The names of the entry points (`.entry`), in the order of the text.
  std::vector<std::string> entries() const;
  /// The entry point with this name, or null.
  const EntryPoint *entry(std::string_view name) const;
  /// The `.target` of the module, such as "sm_80".
  std::string target() const;

  struct Impl;
  const Impl &impl() const { return *pimpl; }

private:
  Program();
  std::unique_ptr<Impl> pimpl;
};

/// Global memory: buffers at addresses that never touch each other, so that a
/// store past the end of one is an error instead of a write into the next.
class GlobalMemory {
public:
  GlobalMemory();
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;
  GlobalMemory &operator=(const GlobalMemory &) = delete;

  /// Allocates `bytes` (256-byte aligned) whose contents are uninitialised:
  /// reading a byte before it was written is an error. Zero bytes are allowed.
  uint64_t allocate(size_t bytes);
  /// Copies from the host; the bytes become initialised.
  void write(uint64_t address, const void *source, size_t bytes);
  /// Copies to the host, uninitialised bytes too. Returns false if any of the
  /// bytes was never written.
  bool read(uint64_t address, void *target, size_t bytes) const;
  /// Copies within this memory; bytes that were never written stay so.
  void copy(uint64_t target, uint64_t source, size_t bytes);
  /// True if one buffer holds all of these bytes.
  bool contains(uint64_t address, size_t bytes) const;
  /// True from the first to the last buffer that was ever allocated, also
  /// between them: such an address is never one of the host's.
  bool spans(uint64_t address) const;

  /// Makes host memory a buffer at its own address, as page-locked and managed
  /// memory are on a GPU. Counts as initialised. It must stay until released.
  void map(void *host, size_t bytes);
  /// Forgets the buffer that begins at `address`: a later access is an error.
  /// False if none begins there. No kernel may be running.
  bool release(uint64_t address);

  struct Impl;
  Impl &impl() const { return *pimpl; }

private:
  std::unique_ptr<Impl> pimpl;
};

/// When the data of asynchronous operations (cp.async, bulk and tensor copies,
/// wgmma) move.
enum class Arrival {
  BySeed,  ///< Latest for seed 0; see Launch::seed.
  Latest,  ///< When somebody waits for them: a missing wait is an error.
  Earliest ///< When they are issued.
};

/// How mma.sync and wgmma sum their products.
enum class MmaModel {
  Ieee,   ///< Exact products and sums, rounded once for each instruction.
  Ampere, ///< As the tensor cores of these architectures do.
  Ada,
  Hopper
};

/// One kernel launch.
struct Launch {
  std::string entry;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  std::array<uint32_t, 3> block = {1, 1, 1};
  /// Blocks of a cluster; where 0, what the kernel requires, else 1.
  std::array<uint32_t, 3> cluster = {0, 0, 0};
  uint32_t dynamicSharedBytes = 0;
  /// What the variables of the module hold (`.global`, `.const`), before and
  /// after the launch. Where null or empty they begin with their initial
  /// values.
  std::vector<uint8_t> *variables = nullptr;
  /// The parameter buffer, laid out as the entry declares its parameters
  /// (each aligned to its own size).
  std::vector<uint8_t> parameters;
  /// Decides the order in which warps run. 0 runs them in order. Odd seeds
  /// draw the next warp at random; the others starve one warp, another one for
  /// each seed: it runs only while all others wait.
  uint64_t seed = 0;
  /// Run only the blocks with linear index (x fastest) in this list, and the
  /// others of their clusters; all blocks when empty. Lets a caller sample a
  /// large grid.
  std::vector<uint64_t> onlyBlocks;
  /// Worker threads over blocks; 0 means one per core.
  unsigned hostThreads = 0;
  Arrival arrival = Arrival::BySeed;
  MmaModel mmaModel = MmaModel::Ieee;
  /// Report accesses that nothing orders; blocks then run one by one.
  bool checkRaces = false;
  /// Warp instructions after which a block counts as endless; 0: 2^40.
  uint64_t instructionLimit = 0;
};

/// What a launch executed, summed over its warps.
struct Counters {
  /// What an instruction does.
  enum Class : uint8_t {
    Integer, // logic and bits too
    Float,
    Half, // f16, bf16, packed or not
    Compare,
    Convert,
    Move,
    Memory, // ld, st, atom, red
    Copy,   // cp
    Matrix, // ldmatrix, stmatrix, mma, wgmma
    Exchange,
    Synchronize,
    Control,
    ClassCount
  };

  uint64_t instructions = 0; // warp instructions
  std::array<uint64_t, ClassCount> byClass = {};
  uint64_t mma = 0;          // mma.sync, wgmma.mma_async
  uint64_t exponentials = 0; // ex2, per thread
  // Bytes read or written, per thread.
  uint64_t globalBytes = 0, sharedBytes = 0, localBytes = 0;
  /// Rounds that the banks of shared memory need for ld, st, ldmatrix,
  /// stmatrix and cp.async, and how many of them are due to conflicts.
  uint64_t sharedWavefronts = 0, bankConflicts = 0;

  /// The counters with the names that stats.json gives them.
  std::vector<std::pair<std::string, uint64_t>> named() const;
  Counters &operator+=(const Counters &other);
};

/// Executes `launch`. Returns nothing on success, else the first error (the
/// lowest block index wins, so that the report does not depend on timing).
std::optional<Error> execute(const Program &program, GlobalMemory &memory,
                             const Launch &launch,
                             Counters *counters = nullptr);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_EMULATOR_H

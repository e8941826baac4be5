//===- Decoder.h - Turns statements into instructions --------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_DECODER_H
#define SPARSEATTN_LIB_EMULATOR_DECODER_H

#include "Syntax.h"

#include <map>
#include <unordered_map>

namespace sparse_attn::emulator {

/// Collects the names and the instructions of one entry point.
class KernelBuilder {
public:
  KernelBuilder(Kernel &kernel,
                const std::unordered_map<std::string_view, Variable> &module,
                std::string_view target, Error &error)
      : kernel(kernel), module(module), target(target), error(error) {
    openScope();
  }

  void openScope();
  void closeScope() { currentScope = scopes[currentScope].parent; }
  bool atOutermostScope() const { return currentScope == 0; }
  bool declareRegister(std::string_view name, Type type, unsigned line);
  /// `.reg type name<count>`.
  bool declareRegisters(std::string_view prefix, Type type, uint64_t count,
                        unsigned line);
  bool declareVariable(const Variable &variable, std::string_view name,
                       unsigned line);
  bool defineLabel(std::string_view name, unsigned line);
  bool defineBranchTargets(std::string_view name,
                           std::vector<std::string_view> targets,
                           unsigned line);
  /// Decodes one statement; false if `error` was filled.
  bool add(const Statement &statement);
  /// Resolves labels and inserts the joins.
  bool finish();

private:
  friend class Decoder;

  struct Register {
    Type type = Type::None;
    uint32_t slot = noSlot; // allocated when first used
  };
  struct Family {
    Type type = Type::None;
    uint64_t count = 0;
    std::unordered_map<uint64_t, Register> members;
  };
  struct Scope {
    unsigned parent = 0;
    std::unordered_map<std::string_view, Register> registers;
    std::unordered_map<std::string_view, Family> families;
    std::unordered_map<std::string_view, Variable> variables;
    std::unordered_map<std::string_view, uint32_t> labels; // instruction
    std::unordered_map<std::string_view, std::vector<std::string_view>> tables;
  };

  bool fail(unsigned line, std::string message);
  Register *findRegister(std::string_view name);
  const Variable *findVariable(std::string_view name) const;
  uint32_t allocate(unsigned bits);
  uint32_t constant(Constant wanted);
  /// The slot of a special register, or noSlot.
  uint32_t special(std::string_view name);
  uint32_t addressOf(const Variable &variable, bool wide);
  uint32_t findLabel(std::string_view name, unsigned scope) const;
  bool resolveBranches();

  struct BranchUse {
    size_t inst;
    std::string_view label;
    unsigned scope;
    bool indexed;
  };

  Kernel &kernel;
  const std::unordered_map<std::string_view, Variable> &module;
  std::string_view target;
  Error &error;
  std::vector<Scope> scopes;
  unsigned currentScope = 0;
  std::vector<BranchUse> branches;
  std::map<std::pair<uint64_t, unsigned>, uint32_t> constantSlots;
  std::map<Special, uint32_t> specialSlots;
  std::unordered_map<const Variable *, uint32_t> sharedOffsets, localOffsets;
  std::unordered_map<std::string, uint32_t> opcodeIndex;
};

/// Decodes one statement. Faults stick: after the first one the rest of the
/// decoding is harmless and `KernelBuilder::add` reports it.
class Decoder {
public:
  Decoder(KernelBuilder &builder, const Statement &statement);

  Inst inst;

  // Modifiers, in any order; each is consumed once.
  bool take(std::string_view modifier);
  /// Whether it is there.
  bool has(std::string_view modifier) const {
    for (std::string_view found : statement.modifiers)
      if (found == modifier)
        return true;
    return false;
  }
  /// Consumes the first modifier that `wanted` accepts.
  template <class F>
  bool takeIf(F wanted) {
    for (size_t i = 0; i < used.size(); ++i)
      if (!used[i] && wanted(statement.modifiers[i])) {
        used[i] = true;
        return true;
      }
    return false;
  }
  /// Consumes the first modifier that is a type.
  Type takeType();
  std::string_view base() const { return statement.base; }

  // Operands, appended destinations first.
  size_t operands() const { return statement.operands.size(); }
  const Operand &operand(size_t index) const;
  bool expectOperands(size_t low, size_t high);
  bool expectOperands(size_t count) { return expectOperands(count, count); }
  void dst(const Operand &operand, Type type, bool mayBeWider = false);
  void src(const Operand &operand, Type type, bool mayBeWider = false);
  void dst(size_t index, Type type) { dst(operand(index), type); }
  void src(size_t index, Type type) { src(operand(index), type); }
  /// A predicate source that may be negated.
  bool predicateSrc(const Operand &operand);
  /// An address operand: one source slot, and the offset in `inst.imm`.
  void address(const Operand &operand);
  /// Up to three addresses; the offsets go to imm, imm2 and imm3.
  void addresses(std::initializer_list<const Operand *> operands);
  /// The name of a register operand's type; None if it is not a register.
  Type registerType(const Operand &operand);
  /// The value of an operand that must be an integer literal.
  uint64_t literal(size_t index);
  void label(size_t index, bool indexed);
  /// Adds it to the kernel; returns its number.
  int64_t addWgmmaShape(const WgmmaShape &shape);

  bool fail(std::string message);
  bool unsupported(); // "instruction '...' is not supported"
  bool failed() const { return hasFailed; }
  void emit(Handler handler) { inst.run = handler; }

private:
  friend class KernelBuilder;
  bool done();
  uint32_t slotOf(const Operand &operand, Type type, bool mayBeWider);

  KernelBuilder &builder;
  const Statement &statement;
  std::vector<bool> used; // modifiers
  std::vector<uint32_t> slots;
  bool hasFailed = false;
};

using DecodeFunction = void (*)(Decoder &);

/// The decoder of the instructions called `base`, or null if unknown.
DecodeFunction findDecoder(std::string_view base);
/// What the instruction is counted as.
Counters::Class classOf(DecodeFunction decode, const Statement &statement);

// One for each family, in the file that implements it.
void decodeArithmetic(Decoder &d); // add sub mul mad fma div ... of any type
bool decodeInteger(Decoder &d, Type type);
bool decodeFloat(Decoder &d, Type type);
bool decodeHalf(Decoder &d, Type type);
void decodeExtendedPrecision(Decoder &d); // addc subc madc
void decodeLogic(Decoder &d);
void decodeBits(Decoder &d);
void decodeCompare(Decoder &d);
void decodeSelect(Decoder &d);
void decodeConvert(Decoder &d);
void decodeConvertFp8(Decoder &d, Type to, Type from);
void decodeMove(Decoder &d);
void decodeAddress(Decoder &d); // cvta, isspacep
void decodeLoadStore(Decoder &d);
void decodeCopy(Decoder &d); // cp
void decodeAsyncCopy(Decoder &d);
void decodeCopyArrive(Decoder &d); // cp.async.mbarrier.arrive
void decodeAsyncStore(Decoder &d); // st.async, red.async
void decodeMbarrier(Decoder &d);
void decodeDotProduct(Decoder &d); // dp4a, dp2a
void decodePolicy(Decoder &d);     // createpolicy
void decodeTranspose(Decoder &d);  // movmatrix
void decodeAtomic(Decoder &d);
void decodeMatrix(Decoder &d); // ldmatrix, stmatrix
void decodeMma(Decoder &d);
void decodeWgmma(Decoder &d);
void decodeBarrier(Decoder &d);
void decodeClusterBarrier(Decoder &d);
void decodeRank(Decoder &d);         // mapa, getctarank
void decodeSetRegisters(Decoder &d); // setmaxnreg
void decodeElect(Decoder &d);
void decodeShuffle(Decoder &d); // shfl, vote, activemask, redux, match
void decodeBranch(Decoder &d);  // bra, brx, ret, exit, trap
void decodeNothing(Decoder &d); // prefetches, hints
void decodeFence(Decoder &d);   // fence, membar

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_DECODER_H

//===- Families.cpp - Which family decodes an instruction -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Decoder.h"

using namespace sparse_attn::emulator;

Type sparse_attn::emulator::typeNamed(std::string_view name) {
  static const std::unordered_map<std::string_view, Type> types = {
      {"pred", Type::Pred},     {"b8", Type::B8},
      {"u8", Type::U8},         {"s8", Type::S8},
      {"b16", Type::B16},       {"u16", Type::U16},
      {"s16", Type::S16},       {"f16", Type::F16},
      {"bf16", Type::BF16},     {"b32", Type::B32},
      {"u32", Type::U32},       {"s32", Type::S32},
      {"f32", Type::F32},       {"tf32", Type::TF32},
      {"f16x2", Type::F16x2},   {"bf16x2", Type::BF16x2},
      {"b64", Type::B64},       {"u64", Type::U64},
      {"s64", Type::S64},       {"f64", Type::F64},
      {"e4m3", Type::E4M3},     {"e5m2", Type::E5M2},
      {"e4m3x2", Type::E4M3x2}, {"e5m2x2", Type::E5M2x2}};
  auto found = types.find(name);
  return found == types.end() ? Type::None : found->second;
}

DecodeFunction sparse_attn::emulator::findDecoder(std::string_view base) {
  static const std::unordered_map<std::string_view, DecodeFunction> families = {
      {"add", decodeArithmetic},
      {"sub", decodeArithmetic},
      {"mul", decodeArithmetic},
      {"mad", decodeArithmetic},
      {"fma", decodeArithmetic},
      {"div", decodeArithmetic},
      {"rem", decodeArithmetic},
      {"abs", decodeArithmetic},
      {"neg", decodeArithmetic},
      {"min", decodeArithmetic},
      {"max", decodeArithmetic},
      {"sad", decodeArithmetic},
      {"mul24", decodeArithmetic},
      {"mad24", decodeArithmetic},
      {"rcp", decodeArithmetic},
      {"sqrt", decodeArithmetic},
      {"rsqrt", decodeArithmetic},
      {"ex2", decodeArithmetic},
      {"lg2", decodeArithmetic},
      {"sin", decodeArithmetic},
      {"cos", decodeArithmetic},
      {"tanh", decodeArithmetic},
      {"copysign", decodeArithmetic},
      {"addc", decodeExtendedPrecision},
      {"subc", decodeExtendedPrecision},
      {"madc", decodeExtendedPrecision},
      {"and", decodeLogic},
      {"or", decodeLogic},
      {"xor", decodeLogic},
      {"not", decodeLogic},
      {"cnot", decodeLogic},
      {"shl", decodeLogic},
      {"shr", decodeLogic},
      {"lop3", decodeLogic},
      {"shf", decodeBits},
      {"bfe", decodeBits},
      {"bfi", decodeBits},
      {"bfind", decodeBits},
      {"popc", decodeBits},
      {"clz", decodeBits},
      {"brev", decodeBits},
      {"prmt", decodeBits},
      {"setp", decodeCompare},
      {"set", decodeCompare},
      {"testp", decodeCompare},
      {"selp", decodeSelect},
      {"slct", decodeSelect},
      {"cvt", decodeConvert},
      {"mov", decodeMove},
      {"cvta", decodeAddress},
      {"isspacep", decodeAddress},
      {"ld", decodeLoadStore},
      {"ldu", decodeLoadStore},
      {"st", decodeLoadStore},
      {"cp", decodeCopy},
      {"dp4a", decodeDotProduct},
      {"dp2a", decodeDotProduct},
      {"createpolicy", decodePolicy},
      {"applypriority", decodeNothing},
      {"movmatrix", decodeTranspose},
      {"mbarrier", decodeMbarrier},
      {"mapa", decodeRank},
      {"getctarank", decodeRank},
      {"atom", decodeAtomic},
      {"red", decodeAtomic},
      {"ldmatrix", decodeMatrix},
      {"stmatrix", decodeMatrix},
      {"mma", decodeMma},
      {"wgmma", decodeWgmma},
      {"bar", decodeBarrier},
      {"barrier", decodeBarrier},
      {"setmaxnreg", decodeSetRegisters},
      {"elect", decodeElect},
      {"shfl", decodeShuffle},
      {"vote", decodeShuffle},
      {"match", decodeShuffle},
      {"redux", decodeShuffle},
      {"activemask", decodeShuffle},
      {"bra", decodeBranch},
      {"brx", decodeBranch},
      {"ret", decodeBranch},
      {"exit", decodeBranch},
      {"trap", decodeBranch},
      {"fence", decodeFence},
      {"membar", decodeFence},
      {"prefetch", decodeNothing},
      {"prefetchu", decodeNothing},
      {"nanosleep", decodeNothing},
      {"griddepcontrol", decodeNothing},
  };
  auto found = families.find(base);
  return found == families.end() ? nullptr : found->second;
}

/// By the widest type that the modifiers name.
static Counters::Class arithmeticClass(const Statement &statement) {
  Counters::Class result = Counters::Integer;
  for (std::string_view modifier : statement.modifiers) {
    Type type = typeNamed(modifier);
    if (!isFloat(type))
      continue;
    bool isHalf =
        bitsOf(type) == 16 || type == Type::F16x2 || type == Type::BF16x2;
    if (!isHalf)
      return Counters::Float;
    result = Counters::Half;
  }
  return result;
}

Counters::Class sparse_attn::emulator::classOf(DecodeFunction decode,
                                               const Statement &statement) {
  static const std::unordered_map<DecodeFunction, Counters::Class> classes = {
      {decodeExtendedPrecision, Counters::Integer},
      {decodeLogic, Counters::Integer},
      {decodeBits, Counters::Integer},
      {decodeCompare, Counters::Compare},
      {decodeSelect, Counters::Compare},
      {decodeConvert, Counters::Convert},
      {decodeMove, Counters::Move},
      {decodeAddress, Counters::Move},
      {decodeRank, Counters::Move},
      {decodeLoadStore, Counters::Memory},
      {decodeAtomic, Counters::Memory},
      {decodeCopy, Counters::Copy},
      {decodeMatrix, Counters::Matrix},
      {decodeMma, Counters::Matrix},
      {decodeWgmma, Counters::Matrix},
      {decodeShuffle, Counters::Exchange},
      {decodeElect, Counters::Exchange},
      {decodeBarrier, Counters::Synchronize},
      {decodeClusterBarrier, Counters::Synchronize},
      {decodeMbarrier, Counters::Synchronize},
      {decodeFence, Counters::Synchronize}};
  if (decode == decodeArithmetic)
    return arithmeticClass(statement);
  auto found = classes.find(decode);
  return found == classes.end() ? Counters::Control : found->second;
}

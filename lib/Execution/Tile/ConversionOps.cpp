//===- ConversionOps.cpp - Casts, selection, splats -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn_tile;

/// Copies an element of a tile of the same element type.
static void copyElement(Tile &target, size_t into, const Tile &source,
                        size_t from) {
  if (target.element.isFloat())
    target.floats[into] = source.floats[from];
  else
    target.integers[into] = source.integers[from];
}

static llvm::Error runSplat(Operation *, ArrayRef<const Tile *> operands,
                            Tile &result) {
  for (size_t i = 0, size = result.size(); i < size; ++i)
    copyElement(result, i, *operands[0], 0);
  return llvm::Error::success();
}

static llvm::Error runSelect(Operation *, ArrayRef<const Tile *> operands,
                             Tile &result) {
  const std::vector<int64_t> &condition = operands[0]->integers;
  // One condition may choose between two tiles.
  bool one = condition.size() == 1;
  for (size_t i = 0, size = result.size(); i < size; ++i)
    copyElement(result, i, *operands[condition[one ? 0 : i] ? 1 : 2], i);
  return llvm::Error::success();
}

/// extf and truncf: the only rounding is to the nearest even number.
static llvm::Error runFloatCast(Operation *op, ArrayRef<const Tile *> operands,
                                Tile &result) {
  if (auto truncation = dyn_cast<arith::TruncFOp>(op))
    if (auto mode = truncation.getRoundingmode();
        mode && *mode != arith::RoundingMode::to_nearest_even)
      return fault(op, "expected rounding to_nearest_even, found " +
                           arith::stringifyRoundingMode(*mode));
  result.floats = operands[0]->floats;
  result.round();
  return llvm::Error::success();
}

/// A handler from integers, seen with or without a sign, to integers.
static TileHandler integerCast(bool isSigned) {
  return
      [isSigned](Operation *, ArrayRef<const Tile *> operands, Tile &result) {
        const Element &from = operands[0]->element;
        for (size_t i = 0, size = result.size(); i < size; ++i) {
          int64_t value = operands[0]->integers[i];
          if (!isSigned)
            value = from.zeroExtend(value);
          else if (from.width == 1)
            value = -value;
          result.integers[i] = result.element.wrap(value);
        }
        return llvm::Error::success();
      };
}

/// An integer as a float of the result's type, rounded once.
static TileHandler toFloat(bool isSigned) {
  return [isSigned](Operation *op, ArrayRef<const Tile *> operands,
                    Tile &result) -> llvm::Error {
    const Element &from = operands[0]->element;
    for (size_t i = 0, size = result.size(); i < size; ++i) {
      int64_t value = operands[0]->integers[i];
      if (isSigned && from.width == 1)
        value = -value;
      uint64_t magnitude =
          isSigned ? llvm::AbsoluteValue(value) : from.zeroExtend(value);
      float number = static_cast<float>(magnitude);
      // Rounding to f32 first and to 16 bits then is only right where the
      // first step is exact.
      if (result.element.kind != Element::Kind::F32 && magnitude >= 1u << 24)
        return fault(op, "expected numbers below 2^24, found " + Twine(value));
      result.floats[i] = isSigned && value < 0 ? -number : number;
    }
    result.round();
    return llvm::Error::success();
  };
}

/// A float cut to an integer. Numbers that do not fit become the nearest that
/// does, NaN becomes 0, as cvt.rzi has it.
static TileHandler toInteger(bool isSigned) {
  return [isSigned](Operation *, ArrayRef<const Tile *> operands,
                    Tile &result) {
    unsigned width = result.element.width;
    double least = isSigned ? -std::ldexp(1.0, width - 1) : 0;
    double past = std::ldexp(1.0, isSigned ? width - 1 : width);
    int64_t greatest = isSigned ? llvm::maxIntN(width)
                                : static_cast<int64_t>(llvm::maxUIntN(width));
    for (size_t i = 0, size = result.size(); i < size; ++i) {
      double value = std::trunc(operands[0]->floats[i]);
      int64_t number = 0;
      if (value >= past)
        number = greatest;
      else if (value < least)
        number = isSigned ? llvm::minIntN(width) : 0;
      else if (!std::isnan(value))
        number = isSigned ? static_cast<int64_t>(value)
                          : static_cast<int64_t>(static_cast<uint64_t>(value));
      result.integers[i] = result.element.wrap(number);
    }
    return llvm::Error::success();
  };
}

/// Through the bytes that the elements have in memory.
static llvm::Error runBitcast(Operation *op, ArrayRef<const Tile *> operands,
                              Tile &result) {
  if (operands[0]->element.getBytes() != result.element.getBytes())
    return fault(op, "expected elements of one size");
  std::vector<uint8_t> bytes(result.size() * result.element.getBytes());
  operands[0]->encode(bytes.data(), 0, result.size());
  result.decode(bytes.data(), 0, result.size());
  return llvm::Error::success();
}

void attn_tile::addConversionOps(OpTable &table) {
  auto &ops = table.tileOps;
  ops["tensor.splat"] = runSplat;
  ops["arith.select"] = runSelect;
  ops["arith.extf"] = runFloatCast;
  ops["arith.truncf"] = runFloatCast;
  ops["arith.extsi"] = integerCast(/*isSigned=*/true);
  ops["arith.extui"] = integerCast(/*isSigned=*/false);
  ops["arith.trunci"] = integerCast(/*isSigned=*/true);
  ops["arith.index_cast"] = integerCast(/*isSigned=*/true);
  ops["arith.index_castui"] = integerCast(/*isSigned=*/false);
  ops["arith.sitofp"] = toFloat(/*isSigned=*/true);
  ops["arith.uitofp"] = toFloat(/*isSigned=*/false);
  ops["arith.fptosi"] = toInteger(/*isSigned=*/true);
  ops["arith.fptoui"] = toInteger(/*isSigned=*/false);
  ops["arith.bitcast"] = runBitcast;
}

//===- FloatOps.cpp - Elementwise float operations ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every operation computes in float and rounds the result to its type. Fast
// math flags allow what this does: they are ignored.
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn_tile;

/// A handler that applies `function` to each element.
template <typename Function>
static TileHandler unary(Function function) {
  return
      [function](Operation *, ArrayRef<const Tile *> operands, Tile &result) {
        const std::vector<float> &a = operands[0]->floats;
        for (size_t i = 0, size = a.size(); i < size; ++i)
          result.floats[i] = function(a[i]);
        result.round();
        return llvm::Error::success();
      };
}

template <typename Function>
static TileHandler binary(Function function) {
  return
      [function](Operation *, ArrayRef<const Tile *> operands, Tile &result) {
        const std::vector<float> &a = operands[0]->floats;
        const std::vector<float> &b = operands[1]->floats;
        for (size_t i = 0, size = a.size(); i < size; ++i)
          result.floats[i] = function(a[i], b[i]);
        result.round();
        return llvm::Error::success();
      };
}

static llvm::Error runFma(Operation *, ArrayRef<const Tile *> operands,
                          Tile &result) {
  for (size_t i = 0, size = result.size(); i < size; ++i)
    result.floats[i] = std::fma(operands[0]->floats[i], operands[1]->floats[i],
                                operands[2]->floats[i]);
  result.round();
  return llvm::Error::success();
}

/// The maximum or minimum that is NaN where an operand is.
template <typename Function>
static TileHandler propagateNaN(Function function) {
  return binary([function](float a, float b) {
    return std::isnan(a) || std::isnan(b)
               ? std::numeric_limits<float>::quiet_NaN()
               : function(a, b);
  });
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

/// Which of the four relations of two floats make the predicate true.
struct FloatPredicate {
  bool less, equal, greater, unordered;
};

static FloatPredicate describe(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::AlwaysFalse:
    return {false, false, false, false};
  case P::OEQ:
    return {false, true, false, false};
  case P::OGT:
    return {false, false, true, false};
  case P::OGE:
    return {false, true, true, false};
  case P::OLT:
    return {true, false, false, false};
  case P::OLE:
    return {true, true, false, false};
  case P::ONE:
    return {true, false, true, false};
  case P::ORD:
    return {true, true, true, false};
  case P::UEQ:
    return {false, true, false, true};
  case P::UGT:
    return {false, false, true, true};
  case P::UGE:
    return {false, true, true, true};
  case P::ULT:
    return {true, false, false, true};
  case P::ULE:
    return {true, true, false, true};
  case P::UNE:
    return {true, false, true, true};
  case P::UNO:
    return {false, false, false, true};
  case P::AlwaysTrue:
    return {true, true, true, true};
  }
  llvm_unreachable("every predicate is listed");
}

static llvm::Error runCompare(Operation *op, ArrayRef<const Tile *> operands,
                              Tile &result) {
  FloatPredicate predicate = describe(cast<arith::CmpFOp>(op).getPredicate());
  for (size_t i = 0, size = result.size(); i < size; ++i) {
    float a = operands[0]->floats[i], b = operands[1]->floats[i];
    result.integers[i] = a < b    ? predicate.less
                         : a == b ? predicate.equal
                         : a > b  ? predicate.greater
                                  : predicate.unordered;
  }
  return llvm::Error::success();
}

void attn_tile::addFloatOps(OpTable &table) {
  auto &ops = table.tileOps;
  ops["arith.addf"] = binary([](float a, float b) { return a + b; });
  ops["arith.subf"] = binary([](float a, float b) { return a - b; });
  ops["arith.mulf"] = binary([](float a, float b) { return a * b; });
  ops["arith.divf"] = binary([](float a, float b) { return a / b; });
  ops["arith.remf"] = binary([](float a, float b) { return std::fmod(a, b); });
  ops["arith.maxnumf"] =
      binary([](float a, float b) { return std::fmax(a, b); });
  ops["arith.minnumf"] =
      binary([](float a, float b) { return std::fmin(a, b); });
  ops["arith.maximumf"] =
      propagateNaN([](float a, float b) { return std::fmax(a, b); });
  ops["arith.minimumf"] =
      propagateNaN([](float a, float b) { return std::fmin(a, b); });
  ops["arith.negf"] = unary([](float a) { return -a; });
  ops["arith.cmpf"] = runCompare;
  ops["math.fma"] = runFma;
  ops["math.absf"] = unary([](float a) { return std::fabs(a); });
  ops["math.exp"] = unary([](float a) { return std::exp(a); });
  ops["math.exp2"] = unary([](float a) { return std::exp2(a); });
  ops["math.log"] = unary([](float a) { return std::log(a); });
  ops["math.log2"] = unary([](float a) { return std::log2(a); });
  ops["math.sqrt"] = unary([](float a) { return std::sqrt(a); });
  ops["math.rsqrt"] = unary([](float a) { return 1.0f / std::sqrt(a); });
  ops["math.sin"] = unary([](float a) { return std::sin(a); });
  ops["math.cos"] = unary([](float a) { return std::cos(a); });
  ops["math.tanh"] = unary([](float a) { return std::tanh(a); });
}

//===- IntegerOps.cpp - Elementwise integer operations --------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integers are held sign-extended, so signed operations see their value; an i1
// is held as 0 or 1, its signed value being 0 or -1. Results wrap around.
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn_tile;

/// The value of an element as a signed number.
static int64_t toSigned(const Element &element, int64_t value) {
  return element.width == 1 ? -value : value;
}

/// How an operation sees its operands.
enum class Sign { Signed, Unsigned };

/// A handler that applies `function`, from two int64_t or uint64_t to one, to
/// each element.
template <typename Function>
static TileHandler binary(Sign sign, Function function) {
  return [sign, function](Operation *, ArrayRef<const Tile *> operands,
                          Tile &result) {
    const Element &element = operands[0]->element;
    for (size_t i = 0, size = result.size(); i < size; ++i) {
      int64_t a = operands[0]->integers[i], b = operands[1]->integers[i];
      if (sign == Sign::Signed)
        a = toSigned(element, a), b = toSigned(element, b);
      else
        a = element.zeroExtend(a), b = element.zeroExtend(b);
      result.integers[i] = element.wrap(function(a, b));
    }
    return llvm::Error::success();
  };
}

/// A handler of a division: `function` on operands that it is defined for.
template <typename Number, typename Function>
static TileHandler division(Function function) {
  return [function](Operation *op, ArrayRef<const Tile *> operands,
                    Tile &result) -> llvm::Error {
    const Element &element = operands[0]->element;
    for (size_t i = 0, size = result.size(); i < size; ++i) {
      int64_t a = operands[0]->integers[i], b = operands[1]->integers[i];
      if (b == 0)
        return fault(op, "divides " + Twine(a) + " by 0");
      if constexpr (std::is_signed_v<Number>) {
        a = toSigned(element, a), b = toSigned(element, b);
        if (b == -1 && a == llvm::minIntN(element.width))
          return fault(op, "the quotient of " + Twine(a) +
                               " and -1 does not "
                               "fit " +
                               Twine(element.width) + " bits");
      } else {
        a = element.zeroExtend(a), b = element.zeroExtend(b);
      }
      result.integers[i] = element.wrap(
          function(static_cast<Number>(a), static_cast<Number>(b)));
    }
    return llvm::Error::success();
  };
}

/// A handler of a shift by less than the width.
template <typename Function>
static TileHandler shift(Sign sign, Function function) {
  return [sign, function](Operation *op, ArrayRef<const Tile *> operands,
                          Tile &result) -> llvm::Error {
    const Element &element = operands[0]->element;
    for (size_t i = 0, size = result.size(); i < size; ++i) {
      int64_t a = operands[0]->integers[i];
      uint64_t by = element.zeroExtend(operands[1]->integers[i]);
      if (by >= element.width)
        return fault(op, "shifts " + Twine(element.width) + " bits by " +
                             Twine(by));
      a = sign == Sign::Signed ? toSigned(element, a) : element.zeroExtend(a);
      result.integers[i] = element.wrap(function(a, by));
    }
    return llvm::Error::success();
  };
}

static llvm::Error runCompare(Operation *op, ArrayRef<const Tile *> operands,
                              Tile &result) {
  const Element &element = operands[0]->element;
  using P = arith::CmpIPredicate;
  P predicate = cast<arith::CmpIOp>(op).getPredicate();
  for (size_t i = 0, size = result.size(); i < size; ++i) {
    int64_t a = toSigned(element, operands[0]->integers[i]);
    int64_t b = toSigned(element, operands[1]->integers[i]);
    uint64_t ua = element.zeroExtend(a), ub = element.zeroExtend(b);
    auto holds = [&] {
      switch (predicate) {
      case P::eq:
        return a == b;
      case P::ne:
        return a != b;
      case P::slt:
        return a < b;
      case P::sle:
        return a <= b;
      case P::sgt:
        return a > b;
      case P::sge:
        return a >= b;
      case P::ult:
        return ua < ub;
      case P::ule:
        return ua <= ub;
      case P::ugt:
        return ua > ub;
      case P::uge:
        return ua >= ub;
      }
      llvm_unreachable("every predicate is listed");
    };
    result.integers[i] = holds();
  }
  return llvm::Error::success();
}

static int64_t floorDivide(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t ceilDivide(int64_t a, int64_t b) {
  return a / b + (a % b != 0 && (a < 0) == (b < 0));
}

void attn_tile::addIntegerOps(OpTable &table) {
  auto &ops = table.tileOps;
  auto divide = [](auto a, auto b) { return a / b; };
  auto remainder = [](auto a, auto b) { return a % b; };
  // Sums and products are computed without a sign: overflow wraps around.
  auto wrapping = [](auto function) {
    return binary(Sign::Unsigned, [function](uint64_t a, uint64_t b) {
      return static_cast<int64_t>(function(a, b));
    });
  };
  ops["arith.addi"] = wrapping([](uint64_t a, uint64_t b) { return a + b; });
  ops["arith.subi"] = wrapping([](uint64_t a, uint64_t b) { return a - b; });
  ops["arith.muli"] = wrapping([](uint64_t a, uint64_t b) { return a * b; });
  ops["arith.andi"] = wrapping([](uint64_t a, uint64_t b) { return a & b; });
  ops["arith.ori"] = wrapping([](uint64_t a, uint64_t b) { return a | b; });
  ops["arith.xori"] = wrapping([](uint64_t a, uint64_t b) { return a ^ b; });
  ops["arith.maxui"] =
      wrapping([](uint64_t a, uint64_t b) { return std::max(a, b); });
  ops["arith.minui"] =
      wrapping([](uint64_t a, uint64_t b) { return std::min(a, b); });
  ops["arith.maxsi"] =
      binary(Sign::Signed, [](int64_t a, int64_t b) { return std::max(a, b); });
  ops["arith.minsi"] =
      binary(Sign::Signed, [](int64_t a, int64_t b) { return std::min(a, b); });
  ops["arith.divsi"] = division<int64_t>(divide);
  ops["arith.divui"] = division<uint64_t>(divide);
  ops["arith.remsi"] = division<int64_t>(remainder);
  ops["arith.remui"] = division<uint64_t>(remainder);
  ops["arith.floordivsi"] = division<int64_t>(floorDivide);
  ops["arith.ceildivsi"] = division<int64_t>(ceilDivide);
  ops["arith.ceildivui"] = division<uint64_t>(
      [](uint64_t a, uint64_t b) { return a / b + (a % b != 0); });
  ops["arith.shli"] = shift(Sign::Unsigned, [](int64_t a, uint64_t by) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) << by);
  });
  ops["arith.shrsi"] =
      shift(Sign::Signed, [](int64_t a, uint64_t by) { return a >> by; });
  ops["arith.shrui"] = shift(Sign::Unsigned, [](int64_t a, uint64_t by) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) >> by);
  });
  ops["arith.cmpi"] = runCompare;
}

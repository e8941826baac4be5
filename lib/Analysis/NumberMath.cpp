//===- NumberMath.cpp - Integers known now or in the kernel ---------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/NumberMath.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static bool isInfinite(const Number &x) {
  return x.is(NumberMath::infinity) || x.is(-NumberMath::infinity);
}

Value NumberMath::materialize(Number x) {
  return x.value
             ? x.value
             : arith::ConstantOp::create(*b, b->getI64IntegerAttr(x.constant));
}

Number NumberMath::add(Number x, Number y) {
  if (isInfinite(x) || y.is(0))
    return x;
  if (isInfinite(y) || x.is(0))
    return y;
  if (!x.value && !y.value)
    return x.constant + y.constant;
  return arith::AddIOp::create(*b, materialize(x), materialize(y)).getResult();
}

Number NumberMath::negate(Number x) {
  if (!x.value)
    return -x.constant;
  APInt zero;
  if (auto negated = x.value.getDefiningOp<arith::SubIOp>();
      negated && matchPattern(negated.getLhs(), m_ConstantInt(&zero)) &&
      zero.isZero())
    return negated.getRhs();
  return arith::SubIOp::create(*b, materialize(0), x.value).getResult();
}

Number NumberMath::scale(Number x, int64_t by) {
  if (by == 1)
    return x;
  if (by == -1)
    return negate(x);
  if (isInfinite(x))
    return by < 0 ? -x.constant : x.constant;
  if (!x.value)
    return x.constant * by;
  return arith::MulIOp::create(*b, x.value, materialize(by)).getResult();
}

Number NumberMath::floorDiv(Number x, int64_t by) {
  if (by == 1 || isInfinite(x))
    return x;
  if (!x.value)
    return llvm::divideFloorSigned(x.constant, by);
  if (llvm::isPowerOf2_64(by))
    return arith::ShRSIOp::create(*b, x.value, materialize(llvm::Log2_64(by)))
        .getResult();
  // Division truncates: make what it cuts off of a negative number count.
  Value zero = materialize(0), divisor = materialize(by);
  Value negative =
      arith::CmpIOp::create(*b, arith::CmpIPredicate::slt, x.value, zero);
  Value lowered = arith::SubIOp::create(*b, x.value, materialize(by - 1));
  Value dividend = arith::SelectOp::create(*b, negative, lowered, x.value);
  return arith::DivSIOp::create(*b, dividend, divisor).getResult();
}

Number NumberMath::min(Number x, Number y) {
  if (x.is(infinity) || y.is(-infinity) || same(x, y))
    return y;
  if (y.is(infinity) || x.is(-infinity))
    return x;
  if (!x.value && !y.value)
    return std::min(x.constant, y.constant);
  return arith::MinSIOp::create(*b, materialize(x), materialize(y)).getResult();
}

Number NumberMath::max(Number x, Number y) {
  if (x.is(-infinity) || y.is(infinity) || same(x, y))
    return y;
  if (y.is(-infinity) || x.is(infinity))
    return x;
  if (!x.value && !y.value)
    return std::max(x.constant, y.constant);
  return arith::MaxSIOp::create(*b, materialize(x), materialize(y)).getResult();
}

Number NumberMath::ifLessEqual(Number x, Number y, Number yes, Number no) {
  if (same(yes, no) || same(x, y) || x.is(-infinity) || y.is(infinity))
    return yes;
  if (x.is(infinity) || y.is(-infinity))
    return no;
  if (!x.value && !y.value)
    return x.constant <= y.constant ? yes : no;
  Value condition = arith::CmpIOp::create(*b, arith::CmpIPredicate::sle,
                                          materialize(x), materialize(y));
  return arith::SelectOp::create(*b, condition, materialize(yes),
                                 materialize(no))
      .getResult();
}

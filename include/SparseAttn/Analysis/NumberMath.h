//===- NumberMath.h - Integers known now or in the kernel -------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_NUMBERMATH_H
#define SPARSEATTN_ANALYSIS_NUMBERMATH_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparse_attn {

/// An integer that is known now or, as an i64 value, in the kernel.
struct Number {
  int64_t constant = 0;
  Value value; // null if the constant holds
  Number(int64_t constant = 0) : constant(constant) {}
  Number(Value value) : value(value) {}

  /// Whether the number is known to be this one.
  bool is(int64_t number) const { return !value && constant == number; }
  /// Whether two numbers are known to be equal.
  friend bool same(const Number &x, const Number &y) {
    return x.value == y.value && (x.value || x.constant == y.constant);
  }
};

/// Arithmetic on numbers; saturates at the infinities. Needs a builder only
/// where a number is a value.
class NumberMath {
public:
  explicit NumberMath(ImplicitLocOpBuilder *b = nullptr) : b(b) {}

  /// Beyond every number that positions and accepted constants combine to.
  static constexpr int64_t infinity = int64_t(1) << 60;

  Number add(Number x, Number y);
  Number sub(Number x, Number y) { return add(x, negate(y)); }
  Number negate(Number x);
  Number scale(Number x, int64_t by);
  Number floorDiv(Number x, int64_t by); // by > 0
  Number min(Number x, Number y);
  Number max(Number x, Number y);
  /// x <= y ? yes : no.
  Number ifLessEqual(Number x, Number y, Number yes, Number no);

  /// The value as i64.
  Value materialize(Number x);

private:
  ImplicitLocOpBuilder *b;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_NUMBERMATH_H

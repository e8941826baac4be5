//===- ScoreRegionBuilder.h - Writes a score region ------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SCOREREGIONBUILDER_H
#define SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SCOREREGIONBUILDER_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/ScoreMatcher.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::sparse_attn {

/// Rebuilds the matched steps in terms of the region's indices. Integer
/// arithmetic on indices is done in `index`, with divisions as `arith.divui`
/// and `arith.remui`, and comparisons are written with the key on the left, so
/// that all spellings of a causal mask end as `arith.cmpi sle, %key, %query`.
class ScoreRegionBuilder {
public:
  /// `indexOf` gives the region's argument for an axis, `regroup` writes a list
  /// of axes in those.
  ScoreRegionBuilder(Tracer &tracer, OpBuilder &builder, Location loc,
                     llvm::DenseMap<unsigned, Value> indexOf,
                     function_ref<AxisList(ArrayRef<unsigned>)> regroup,
                     std::optional<unsigned> keyAxis)
      : tracer(tracer), builder(builder), loc(loc), indexOf(std::move(indexOf)),
        regroup(regroup), keyAxis(keyAxis) {}

  /// The score after `step`, which is no mask.
  Value apply(const ScoreStep &step, Value score);
  /// The score where all of `masks` keep it.
  Value maskOut(ArrayRef<ScoreStep> masks, Value score);

private:
  /// An integer as a sum of multiples of indices and quotients or remainders
  /// of them, with its bounds.
  struct Linear {
    llvm::SmallMapVector<Value, int64_t, 4> terms;
    int64_t constant = 0, low = 0, high = 0;

    void multiply(int64_t factor);
    void add(const Linear &other, int64_t sign);
  };
  std::optional<Linear> getLinear(const Element &element);
  std::optional<Linear> getQuotient(const Element &dividend, int64_t divisor,
                                    bool remainder);
  /// An integer quotient that is computed in floats, where they are exact
  /// enough to give it.
  std::optional<Linear> getFloatQuotient(const Element &element);
  /// `x` where `element` is `|x|`, through casts.
  std::optional<Linear> getAbsolute(const Element &element);
  /// An index or constant sequence; the layout made sure that the axes are
  /// the region's and the sizes known that it needs.
  Linear getLinear(const Ramp &ramp);

  Value emit(const Element &element);
  Value emitF32(const Element &element);
  /// An i1 that is true where `condition` is `wanted`.
  Value emitCondition(const Element &condition, bool wanted);
  Value emitCompare(const Element &compare, bool wanted);
  Value emitLinearCompare(arith::CmpIPredicate predicate, const Linear &left,
                          const Linear &right);
  /// The comparison of `|inner|` with `bound`, if it is one of size.
  Value emitAbsoluteCompare(arith::CmpIPredicate predicate, const Linear &inner,
                            const Linear &bound);
  Value emitLinear(const Linear &linear, Type type);
  /// The sum of the terms of one sign, and the constant if it has that sign.
  Value emitSide(const Linear &linear, int sign);
  Value emitOp(Operation *op, ValueRange operands, Type type);
  Value index(int64_t value);

  Tracer &tracer;
  OpBuilder &builder;
  Location loc;
  llvm::DenseMap<unsigned, Value> indexOf;
  function_ref<AxisList(ArrayRef<unsigned>)> regroup;
  std::optional<unsigned> keyAxis;
  /// The key, and the quotients and remainders of it.
  llvm::SmallPtrSet<Value, 4> keyTerms;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_SCOREREGIONBUILDER_H

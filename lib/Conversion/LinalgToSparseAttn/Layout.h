//===- Layout.h - Chooses tensors and indexing maps for attention --*- C++
//-*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_LAYOUT_H
#define SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_LAYOUT_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/AttentionPlan.h"

namespace mlir::sparse_attn {

/// A chosen tensor and its final view: each dimension's list are the axes that
/// a reshape has to give a dimension of their own.
struct Chosen {
  const Candidate *candidate = nullptr;
  AxisView axes;

  /// All axes in order: the dimensions of the operand.
  AxisList flat() const {
    AxisList result;
    for (const AxisList &list : axes)
      llvm::append_range(result, list);
    return result;
  }
};

/// Which candidates the attention is written on, and its iteration space.
class Layout {
public:
  Layout(Tracer &tracer, const AttentionPlan &plan, Refusal &refusal)
      : tracer(tracer), space(tracer.getSpace()), plan(plan), refusal(refusal) {
  }

  /// Makes all choices or refuses.
  LogicalResult compute();

  Chosen query, key, value, output;
  SmallVector<Chosen> masks;
  /// The axes of all masks together, in the order of the dimensions.
  AxisList maskAxes;
  /// Axes in the order of the iteration space's dimensions.
  AxisList dims;
  AttentionOp::Dims roles;
  double scale = 1;

  AffineMap getMap(ArrayRef<unsigned> axes, MLIRContext *context) const;
  /// `list` in the axes of the iteration space.
  AxisList regroup(ArrayRef<unsigned> list) const;
  /// The static size of an axis if any tensor tells it.
  int64_t getSize(unsigned axis) const;

private:
  LogicalResult chooseInputs();
  LogicalResult chooseOutput();
  LogicalResult checkScale();
  LogicalResult checkTypes();
  LogicalResult checkMasks();
  void mergeAxes();
  /// Gives the axis of a role that has size 1 a place in two operands.
  unsigned addUnit(ArrayRef<Chosen *> operands);
  void addUnits();
  void putQueriesLast();
  LogicalResult checkRegion();
  SmallVector<Chosen *> all();

  Tracer &tracer;
  AxisSpace &space;
  const AttentionPlan &plan;
  Refusal &refusal;
  SmallVector<Candidate> maskCandidates;
  /// Pairs of axes that became one, in order.
  struct Merge {
    unsigned outer, inner, whole;
  };
  SmallVector<Merge> merges;
  /// Lists that the region's indices are made of.
  SmallVector<AxisList> indexLists;
};

/// Makes -inf of finite fills in the score region where that changes nothing:
/// beside a score, the exponential of a fill is 0, so that only rows without
/// any key could tell. Masks show their structure then.
void sharpenFills(AttentionOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_CONVERSION_LINALGTOSPARSEATTN_LAYOUT_H

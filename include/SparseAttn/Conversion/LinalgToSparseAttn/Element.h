//===- Element.h - One element of a tensor, traced to its scalars --*- C++
//-*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_ELEMENT_H
#define SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_ELEMENT_H

#include "SparseAttn/Conversion/LinalgToSparseAttn/AxisSpace.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::sparse_attn {

/// What a tensor holds at one point of the axis space, or a scalar in the body
/// of a linalg op at one point of its loops. Dataflow between elements does not
/// know where one linalg op ends and the next begins, so fused and unfused
/// spellings, reshapes, transposes and broadcasts all look alike.
struct Element {
  /// A tensor, a scalar in the body of `op`, or a scalar outside of any.
  Value value;
  /// The op whose body `value` is in; null otherwise.
  linalg::LinalgOp op;
  /// Axes for each dimension of the tensor, or for each loop of `op`.
  AxisView axes;

  bool isTensor() const { return isa<RankedTensorType>(value.getType()); }
  /// The op that computes a scalar; null for a tensor or an argument.
  Operation *getScalarOp() const {
    return isTensor() ? nullptr : value.getDefiningOp();
  }
  Type getElementType() const { return getElementTypeOrSelf(value.getType()); }
};

/// An attribute of an op of a dialect that is not linked: such ops have theirs
/// in `<{...}>`, or with the discardable ones in older dumps.
Attribute getForeignAttr(Operation *op, StringRef name);

/// The tensor ops that a match passed through.
using Trace = llvm::SetVector<Operation *>;

/// Integers that grow evenly: `start + step * index`.
struct Ramp {
  int64_t start, step;
  AxisList index;
};

/// How far `Tracer::peel` goes.
enum class Peel {
  /// To the op that computes the scalar, or a tensor that is none's.
  compute,
  /// Through copies only: the result is the same tensor data, reordered.
  copies
};

/// Follows elements up the graph.
class Tracer {
public:
  explicit Tracer(AxisSpace &space) : space(space) {}
  AxisSpace &getSpace() { return space; }

  /// Takes the scalars of `block`, a score region of an op that is not
  /// linalg's, to be computed at each point of `loops`.
  void enterRegion(Block *block, AxisView loops) {
    region = block;
    regionLoops = std::move(loops);
  }
  /// Whether `value` is computed inside of that region.
  bool isInRegion(Value value) const {
    return region && region->getParent()->isAncestor(value.getParentRegion());
  }
  /// The scalar `value` that is in no body of a linalg op.
  Element scalar(Value value) const {
    return {value, nullptr,
            value.getParentBlock() == region ? regionLoops : AxisView()};
  }

  /// The origin of `element`: through reshapes, copies and the bodies of
  /// elementwise ops to a scalar op, a constant or a tensor that is neither.
  Element peel(Element element, Trace *trace = nullptr,
               Peel how = Peel::compute);
  /// One step of it: from a tensor into the body of its op or through a
  /// reshape, from an argument of a body to the tensor. Null at an origin.
  Element stepUp(const Element &element) {
    return step(element, Peel::compute).value_or(Element());
  }
  /// Operand `index` of the scalar op of `element`, peeled.
  Element operand(const Element &element, unsigned index,
                  Trace *trace = nullptr);
  /// The same, not peeled.
  Element rawOperand(const Element &element, unsigned index);
  /// Peels through float casts as well.
  Element stripCasts(Element element, Trace *trace = nullptr);

  /// The float that `element` is everywhere, rounded to its own type.
  std::optional<APFloat> getFloat(const Element &element, unsigned depth = 6);
  std::optional<double> getDouble(const Element &element);
  /// The integer (or i1) that `element` is everywhere.
  std::optional<APInt> getInteger(const Element &element);
  /// The index, or constant tensor of evenly growing integers, that `element`
  /// is; its values fit 32 bits unless it is an index.
  std::optional<Ramp> getRamp(const Element &element);
  bool isNegativeInfinity(const Element &element);
  bool isZero(const Element &element);

  /// Whether two elements are the same value at every point; compares what is
  /// computed twice by its structure.
  bool same(Element a, Element b, Trace *trace = nullptr, unsigned depth = 8);

  /// Axes for the loops of `op` of which an element described by `map` and
  /// `axes` is written; loops that the map does not name come from `loops`,
  /// or must have size 1 if there are none given.
  std::optional<AxisView>
  bindLoops(linalg::LinalgOp op, AffineMap map, ArrayRef<AxisList> axes,
            ArrayRef<std::optional<AxisList>> loops = {});
  /// The view of `tensor` that `map` reads at `loops`.
  std::optional<AxisView> applyMap(AffineMap map, ArrayRef<AxisList> loops,
                                   Type tensor);

  /// The view on the other side of `reshape`: of its source, or of its result
  /// if not `up`. Nothing if its sizes are not understood.
  std::optional<AxisView> throughReshape(tensor::ReshapeOp reshape,
                                         ArrayRef<AxisList> axes, bool up);
  /// Whether an axis in `list` is the same on both sides of a reshape only
  /// because no other dimension there is empty.
  bool isInferred(ArrayRef<unsigned> list) const;

private:
  /// One step up from a tensor or a block argument; nothing at an origin.
  std::optional<Element> step(const Element &element, Peel how);
  std::optional<Element> stepReshape(const Element &element);
  /// From the one element of a tensor to the scalar that it is made from.
  std::optional<Element> stepFromElements(const Element &element);
  /// From a scalar that is read from a tensor of rank 0 to that tensor.
  std::optional<Element> stepExtract(const Element &element);

  AxisSpace &space;
  /// What `isInferred` finds.
  llvm::SetVector<AxisList, SmallVector<AxisList, 0>> inferred;
  Block *region = nullptr;
  AxisView regionLoops;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_LINALGTOSPARSEATTN_ELEMENT_H

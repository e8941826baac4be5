//===- ConstantMask.h - Masks known when compiling --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ANALYSIS_CONSTANTMASK_H
#define SPARSEATTN_ANALYSIS_CONSTANTMASK_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// What a kernel does with a pair of a query tile and a key tile.
enum class TileKind : char { Empty = '.', Partial = '+', Full = '#' };

/// The mask operand of an attention whose elements are known.
class ConstantMask {
public:
  /// None where there is no mask, where it is no constant, or where the sizes
  /// of the attention are dynamic.
  static std::optional<ConstantMask> get(AttentionOp op);

  /// Empty where the mask hides every score of the tile, full where it neither
  /// hides nor changes any. `last` queries and keys are included.
  TileKind getKind(ArrayRef<int64_t> batch, int64_t firstQuery,
                   int64_t lastQuery, int64_t firstKey, int64_t lastKey) const;

  /// Positions, among the batch dimensions, of those that the mask has.
  ArrayRef<unsigned> getBatchDims() const { return batchDims; }

  /// Where the mask is `first <= key - query <= last` and no more: both bounds,
  /// none for one that hides nothing.
  struct Band {
    std::optional<int64_t> first, last;
  };
  std::optional<Band> getBand() const;

private:
  enum class Element : uint8_t { Hides, Keeps, Adds };

  /// `alone`: nothing but the mask hides scores.
  void classify(DenseElementsAttr attr, bool alone);
  int64_t offset(ArrayRef<int64_t> batch) const;
  Element at(int64_t offset, int64_t query, int64_t key) const {
    return elements[offset + query * queryPitch + key * keyPitch];
  }

  std::vector<Element> elements;
  SmallVector<unsigned> batchDims;
  SmallVector<int64_t> batchPitches; // of batchDims
  int64_t queries, keys, queryPitch = 0, keyPitch = 0;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_ANALYSIS_CONSTANTMASK_H

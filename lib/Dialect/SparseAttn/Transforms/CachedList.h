//===- CachedList.h - Block lists that become state ------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_CACHEDLIST_H
#define SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_CACHEDLIST_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// A list that an attention visits, and what computes it.
struct CachedList {
  AttentionOp attention;
  SelectBlocksOp select;
  /// What computes the list from query and key, in order: no effects, and no
  /// attention among it.
  SmallVector<Operation *> slice;
  /// How the recall of the list is certified, where it is: part of the slice.
  CertifyRecallOp certify;
  ListRecallOp recall;
  /// The state: arguments of the function.
  Value counts, indices;
};

/// The lists of the attentions in order that a function holds, which has one
/// region. Attentions whose number is among `denseLayers` lose theirs. Reports
/// a list that cannot be state.
FailureOr<SmallVector<CachedList>>
collectCachedLists(Operation *function, ArrayRef<int64_t> denseLayers);

/// Erases the operations of a slice that nothing uses.
void eraseUnused(ArrayRef<Operation *> slice);

/// A number that two functions share only if their lists mean the same: made
/// from the schedule, the attentions' shapes and what computes each list.
/// Positive.
int32_t computeTag(CacheScheduleAttr schedule, ArrayRef<CachedList> lists);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_CACHEDLIST_H

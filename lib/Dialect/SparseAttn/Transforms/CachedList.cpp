//===- CachedList.cpp - Block lists that become state ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CachedList.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::sparse_attn;

void sparse_attn::eraseUnused(ArrayRef<Operation *> slice) {
  for (Operation *op : llvm::reverse(slice))
    if (op->use_empty())
      op->erase();
}

/// Finds what computes the list from the attention's query and key. Whatever
/// moves into a branch must have no effects, and an attention there would run
/// twice.
static LogicalResult findSlice(CachedList &list) {
  AttentionOp attention = list.attention;
  Operation *query = attention.getQuery().getDefiningOp();
  Operation *key = attention.getKey().getDefiningOp();
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitUsesFromAbove = false;
  options.filter = [&](Operation *op) {
    return op != query && op != key && op->getBlock() == attention->getBlock();
  };
  if (failed(getBackwardSlice(list.select.getOperation(), &slice, options)))
    return failure();
  for (Operation *op : slice)
    if (isa<AttentionOp>(op) || !isMemoryEffectFree(op)) {
      InFlightDiagnostic error = attention.emitOpError(
          "expected a block list computed from its query and key without "
          "effects, to keep as state, found '");
      error << op->getName() << "' on the way";
      error.attachNote(op->getLoc()) << "the operation is here";
      return error;
    }
  list.slice = llvm::to_vector(slice);
  llvm::sort(list.slice,
             [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  for (Operation *op : list.slice)
    if (auto certify = dyn_cast<CertifyRecallOp>(op))
      if (auto recall = certify.getRecalls().getDefiningOp<ListRecallOp>()) {
        list.certify = certify;
        list.recall = recall;
        break;
      }
  return success();
}

FailureOr<SmallVector<CachedList>>
sparse_attn::collectCachedLists(Operation *function,
                                ArrayRef<int64_t> denseLayers) {
  SmallVector<AttentionOp> attentions;
  function->walk([&](AttentionOp op) { attentions.push_back(op); });
  SmallVector<CachedList> lists;
  for (int64_t layer : denseLayers)
    if (layer < 0 || layer >= static_cast<int64_t>(attentions.size()))
      return function->emitError("expected dense attentions among the ")
             << attentions.size() << " of the function, numbered from 0, found "
             << layer;
  for (auto [number, op] : llvm::enumerate(attentions)) {
    if (!op.getBlockCounts())
      continue;
    CachedList list;
    list.attention = op;
    list.select = op.getBlockCounts().getDefiningOp<SelectBlocksOp>();
    if (!list.select || op.getBlockIndices() != list.select.getIndices() ||
        op->getBlock() != &function->getRegion(0).front() ||
        list.select->getBlock() != op->getBlock())
      return op.emitOpError("expected a block list made by one "
                            "sparse_attn.select_blocks, in the function's "
                            "body, to keep as state");
    if (failed(findSlice(list)))
      return failure();
    if (!llvm::is_contained(denseLayers, number)) {
      lists.push_back(std::move(list));
      continue;
    }
    op.getBlockCountsMutable().clear();
    op.getBlockIndicesMutable().clear();
    op.removeBlockShapeAttr();
    eraseUnused(list.slice);
  }
  return lists;
}

int32_t sparse_attn::computeTag(CacheScheduleAttr schedule,
                                ArrayRef<CachedList> lists) {
  std::string text;
  llvm::raw_string_ostream os(text);
  // Attributes and types, but no operation as such: how that prints depends on
  // what stands around it.
  os << schedule;
  for (const CachedList &list : lists) {
    AttentionOp attention = list.attention;
    os << attention.getQuery().getType() << attention.getKey().getType()
       << attention.getBlockShapeAttr();
    for (Operation *op : list.slice) {
      os << op->getName() << op->getAttrDictionary();
      llvm::interleaveComma(op->getResultTypes(), os);
    }
  }
  return static_cast<int32_t>(llvm::xxh3_64bits(text) % INT32_MAX) + 1;
}

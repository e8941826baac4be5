//===- TileShape.cpp - What tiles of a kernel take up ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/TileShape.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Every tile begins where its swizzle does.
static constexpr int64_t alignment = 1024;

int64_t sparse_attn::getTileColumns(int64_t headDim) {
  return llvm::alignTo(headDim, 16);
}

int64_t sparse_attn::getSharedBytes(AttentionOp op, int64_t rows,
                                    int64_t keys) {
  AttentionOp::Dims dims = op.getDims();
  // Far above what any thread block has: products must not overflow.
  auto bounded = [](int64_t size) {
    return std::clamp<int64_t>(size, 0, 1 << 20);
  };
  int64_t head = getTileColumns(bounded(op.getDimSize(dims.k1)));
  int64_t valueHead = getTileColumns(bounded(op.getDimSize(dims.n)));
  int64_t width = getElementTypeOrSelf(op.getQuery()).getIntOrFloatBitWidth();
  auto tile = [&](int64_t rows, int64_t columns) -> int64_t {
    return llvm::alignTo(bounded(rows) * columns * width / 8, alignment);
  };
  // A vote on the mean of the rows sums them through shared memory.
  auto recall = dyn_cast<RecallFilterAttr>(op.getFilterOrDefault());
  int64_t scratch = recall && recall.getPerTile() ? alignment : 0;
  return tile(rows, head) + tile(keys, head) + tile(keys, valueHead) + scratch;
}

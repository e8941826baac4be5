//===- BlockScores.h - Block scores without pooling ------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_BLOCKSCORES_H
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_BLOCKSCORES_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// Replaces `op` by one with a tile of 1 on pooled query and key.
BlockScoresOp takePoolingOut(RewriterBase &rewriter, BlockScoresOp op);

/// Emits `sparse_attn.pool_tokens` along dimension `dim` of `source`.
Value poolTokens(OpBuilder &b, Location loc, Value source, int64_t dim,
                 int64_t tile, bool variance, bool zeroPadded);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_BLOCKSCORES_H

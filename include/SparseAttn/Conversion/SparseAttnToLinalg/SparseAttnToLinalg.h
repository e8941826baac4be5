//===- SparseAttnToLinalg.h - Reference semantics of attention -*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_SPARSEATTNTOLINALG_SPARSEATTNTOLINALG_H
#define SPARSEATTN_CONVERSION_SPARSEATTNTOLINALG_SPARSEATTNTOLINALG_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace mlir::sparse_attn {

/// Lowers sparse_attn.attention to linalg, scf, tensor, arith and math: without
/// loops where the result depends on no tiles, else as one loop nest over
/// batch, query tiles and key tiles.
void populateSparseAttnToLinalgPatterns(RewritePatternSet &patterns);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CONVERSION_SPARSEATTNTOLINALG_SPARSEATTNTOLINALG_H

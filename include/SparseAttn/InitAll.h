//===- InitAll.h - Registers everything that the project has ---*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_INITALL_H
#define SPARSEATTN_INITALL_H

#include "SparseAttn/Conversion/Passes.h"
#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Pipelines/Passes.h"

namespace mlir::sparse_attn {

/// Adds the project's dialects and the extensions of upstream ones that its
/// passes load.
inline void registerAllDialects(DialectRegistry &registry) {
  registry.insert<attn_tile::AttnTileDialect, SparseAttnDialect>();
}

/// Registers the project's passes and pipelines by name.
inline void registerAllPasses() {
  attn_tile::registerAttnTilePasses();
  registerSparseAttnPasses();
  registerSparseAttnConversionPasses();
  registerSparseAttnPipelinePasses();
  registerSparseAttnPipelines();
}

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_INITALL_H

//===- consumer.cpp - The libraries from another project ----------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/InitAll.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

/// Raises the graph in argv[1] and prints how many attentions it has.
int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::sparse_attn::registerAllDialects(registry);
  mlir::sparse_attn::registerAllPasses();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(argv[1], &context);
  mlir::PassManager pm(&context);
  if (!module ||
      failed(mlir::parsePassPipeline("convert-linalg-to-sparse-attn", pm)) ||
      failed(pm.run(*module)))
    return 1;
  int count = 0;
  module->walk([&](mlir::sparse_attn::AttentionOp) { ++count; });
  llvm::outs() << "attentions: " << count << '\n';
}

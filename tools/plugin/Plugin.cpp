//===- Plugin.cpp - The project inside a stock mlir-opt ------------------ ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// mlir-opt-22 --load-dialect-plugin=SparseAttnPlugin.so
//             --load-pass-plugin=SparseAttnPlugin.so --pass-pipeline=...
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/InitAll.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "SparseAttn", SPARSE_ATTN_VERSION,
          [](mlir::DialectRegistry *registry) {
            mlir::sparse_attn::registerAllDialects(*registry);
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "SparseAttn", SPARSE_ATTN_VERSION,
          [] { mlir::sparse_attn::registerAllPasses(); }};
}

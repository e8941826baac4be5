//===- CompiledPackage.cpp - A compilation as the files of a package ----- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Compiler.h"
#include "SparseAttn/Package/KernelManifest.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparse_attn;

std::string sparse_attn::printGraph(const Compilation &compilation) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  compilation.graph.get().getOperation()->print(stream);
  stream << '\n';
  return text;
}

void sparse_attn::buildPackage(const Compilation &compilation,
                               std::vector<PackageFile> &files,
                               std::string &manifest) {
  llvm::json::Array kernels;
  for (const CompiledTarget &target : compilation.targets)
    for (const CompiledKernel &kernel : target.kernels) {
      if (kernel.ptx.empty())
        continue;
      std::string file = kernel.fileName(target.chip);
      llvm::json::Object object =
          describeKernel(kernel.function, kernel.threads, kernel.sharedMemory);
      object["target"] = target.chip;
      object["file"] = file;
      object["calls"] = compilation.countCalls(kernel.name);
      kernels.push_back(std::move(object));
      files.push_back({file, kernel.ptx});
    }
  files.push_back({"graph.mlir", printGraph(compilation)});
  manifest = buildManifest(std::move(kernels), files);
}

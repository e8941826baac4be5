//===- ManifestFuzzer.cpp - Fuzzes the reader of manifests ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Manifest.h"
#include "SparseAttn/Runtime/Shape.h"

using namespace sparse_attn::runtime;

/// Evaluates every rule of an accepted kernel on inputs of small extents: a
/// reference that parsing let through would read past the end.
static void evaluateRules(const Kernel &kernel) {
  ArgumentShapes shapes;
  for (const Argument &argument : kernel.arguments) {
    Shape &shape = shapes.emplace_back();
    if (!argument.isTensor(Argument::Role::Input))
      continue;
    for (const Rule &extent : argument.shape)
      shape.push_back(extent.form == Rule::Form::Constant ? extent.value : 3);
  }
  if (llvm::Error error = resolveShapes(kernel, shapes)) {
    llvm::consumeError(std::move(error));
    return;
  }
  llvm::consumeError(evaluateGrid(kernel, shapes).takeError());
  for (size_t index = 0; index < shapes.size(); ++index)
    if (kernel.arguments[index].kind == Argument::Kind::Tensor)
      llvm::consumeError(
          tensorBytes(kernel, index, shapes, UINT64_MAX).takeError());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::Expected<Manifest> manifest =
      parseManifest({reinterpret_cast<const char *>(data), size});
  if (!manifest) {
    llvm::consumeError(manifest.takeError());
    return 0;
  }
  for (const Kernel &kernel : manifest->kernels)
    evaluateRules(kernel);
  return 0;
}

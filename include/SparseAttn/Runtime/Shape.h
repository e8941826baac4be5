//===- Shape.h - Shapes and grids from inputs -------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks the shapes of inputs against a kernel's arguments and evaluates the
// rules that follow from them, with checked arithmetic.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_SHAPE_H
#define SPARSEATTN_RUNTIME_SHAPE_H

#include "SparseAttn/Runtime/Manifest.h"
#include "llvm/ADT/ArrayRef.h"

namespace sparse_attn::runtime {

using Shape = std::vector<int64_t>;

/// The shapes of a kernel's arguments in order; empty for dims, and for
/// outputs until they are computed.
using ArgumentShapes = std::vector<Shape>;

/// Checks the inputs in `shapes` (rank, fixed extents, extents that rules
/// give) and fills in the shapes of outputs and statistics.
llvm::Error resolveShapes(const Kernel &kernel, ArgumentShapes &shapes);

/// The value of `rule`; the inputs in `shapes` have been checked.
llvm::Expected<int64_t> evaluate(const Rule &rule, const Kernel &kernel,
                                 const ArgumentShapes &shapes);

/// The number of thread blocks along each axis, within what CUDA launches.
llvm::Expected<std::array<uint32_t, 3>>
evaluateGrid(const Kernel &kernel, const ArgumentShapes &shapes);

/// The bytes of the tensor argument `index`, at most `limit`.
llvm::Expected<uint64_t> tensorBytes(const Kernel &kernel, size_t index,
                                     const ArgumentShapes &shapes,
                                     uint64_t limit);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_SHAPE_H

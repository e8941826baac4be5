//===- Passes.h - Conversions between the floors ---------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_PASSES_H
#define SPARSEATTN_CONVERSION_PASSES_H

#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace func {
class FuncDialect;
} // namespace func
namespace gpu {
class GPUDialect;
class GPUModuleOp;
} // namespace gpu
namespace linalg {
class LinalgDialect;
} // namespace linalg
namespace math {
class MathDialect;
} // namespace math
namespace NVVM {
class NVVMDialect;
} // namespace NVVM
namespace scf {
class SCFDialect;
} // namespace scf
namespace tensor {
class TensorDialect;
} // namespace tensor
namespace vector {
class VectorDialect;
} // namespace vector

namespace sparse_attn {

#define GEN_PASS_DECL
#include "SparseAttn/Conversion/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "SparseAttn/Conversion/Passes.h.inc"

} // namespace sparse_attn
} // namespace mlir

#endif // SPARSEATTN_CONVERSION_PASSES_H

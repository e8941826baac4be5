//===- Passes.td - Conversions between the floors ---------*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_CONVERSION_PASSES
#define SPARSEATTN_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Raising
//===----------------------------------------------------------------------===//

def ConvertLinalgToSparseAttn : Pass<"convert-linalg-to-sparse-attn"> {
  let summary = "Raise softmax(Q K^T) V in linalg to sparse_attn.attention";
  let description = [{
    Finds attention by its dataflow: a normalised exponential (or
    `linalg.softmax`) over the dimension that a product with the values sums
    over, whose scores come from another product. Scales, casts, masks,
    transposes, broadcasts and reshapes are absorbed into the op's scale, score
    region, mask operand and indexing maps; what nothing else uses is erased.

    Each softmax that is not raised gets a remark with the reason.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::sparse_attn::SparseAttnDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numRaised", "raised", "Number of attentions raised">,
    Statistic<"numRefused", "refused", "Number of softmaxes left alone">];
}

def ConvertLinalgExtToSparseAttn : Pass<"convert-linalg-ext-to-sparse-attn"> {
  let summary = "Raise IREE's attention to sparse_attn.attention";
  let description = [{
    Rewrites `iree_linalg_ext.attention` and `iree_linalg_ext.online_attention`,
    ops of an unregistered dialect in the generic form, with scale, mask and
    region. The region's arithmetic on scores and `iree_linalg_ext.index`
    becomes the score region, and so do masks that depend on nothing but
    indices. Online attention leaves the division by its row sums to its user:
    the op, its starting values and the division become one attention.

    Each such op that is not raised gets a remark with the reason.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::sparse_attn::SparseAttnDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numRaised", "raised", "Number of attentions raised">,
    Statistic<"numRefused", "refused", "Number of attentions left alone">];
}

//===----------------------------------------------------------------------===//
// sparse_attn to attn_tile
//===----------------------------------------------------------------------===//

def ConvertSparseAttnToAttnTile
    : Pass<"convert-sparse-attn-to-attn-tile", "::mlir::ModuleOp"> {
  let summary = "Make a kernel of each kernel function, attention a flash loop on tiles";
  let description = [{
    Every function marked `sparse_attn.kernel` (see
    `sparse-attn-outline-kernels`) whose attention the kernels can express
    becomes a `gpu.module` with one kernel of the same name: the prologue finds
    the block's query tile, one loop runs over the key tiles that every row sees
    in full, a second over those that need masking, the filter is an `scf.if`
    around the softmax and the product with the values. Key tiles that a causal
    region hides from the whole query tile are not visited.

    `sparse_attn.block_scores` with a tile of 1 becomes two loops over the key
    tiles: one for the maximum and the sum of each row, one that computes the
    scores again and adds them up to blocks. The other operations around
    attention become kernels of one warp a row.

    A function that cannot be fused stays, with a remark that says why.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::attn_tile::AttnTileDialect",
    "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "Kernel functions that became kernels">,
    Statistic<"numRefused", "refused", "Kernel functions that stayed">
  ];
}

//===----------------------------------------------------------------------===//
// SparseAttnToLinalg
//===----------------------------------------------------------------------===//

def ConvertSparseAttnToLinalg : Pass<"convert-sparse-attn-to-linalg"> {
  let summary = "Lower attention to its reference semantics in linalg";
  let description = [{
    Lowers every `sparse_attn.attention` to linalg in f32, which is what the op
    means: kernels are compared with it. Attention whose result depends on no
    tiles becomes plain linalg: contraction, score, maximum, exponential, sum,
    contraction, quotient. With a block list, a filter that can skip and has
    its decision tile, or tile counts, it becomes a loop nest over batch, query
    tiles and key tiles that decides as the filter says. The operations around
    attention become linalg too.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numDense", "dense", "Number of attentions lowered without tiles">,
    Statistic<"numTiled", "tiled", "Number of attentions lowered tile by tile">];
}

//===----------------------------------------------------------------------===//
// attn_tile to NVVM
//===----------------------------------------------------------------------===//

def ConvertAttnTileToNVVM
    : Pass<"convert-attn-tile-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Take laid-out tiles to the registers of each thread";
  let description = [{
    One tile becomes as many values as one thread owns of it. Products become
    `mma.sync` (fed by `ldmatrix`), copies `cp.async`, votes a barrier with a
    reduction. Expects the output of `attn-tile-assign-layouts`; an operation
    that is left over is an error. Shared tiles are laid one after the other in
    dynamic shared memory, whose size the kernel states as
    `sparse_attn.shared_memory`, in bytes.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

#endif // SPARSEATTN_CONVERSION_PASSES

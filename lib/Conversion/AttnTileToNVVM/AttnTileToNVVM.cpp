//===- AttnTileToNVVM.cpp - From tiles to registers -----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Registers.h"
#include "SparseAttn/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_CONVERTATTNTILETONVVM
#include "SparseAttn/Conversion/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::attn_tile;

/// The name of dynamic shared memory in a kernel's module.
static constexpr StringLiteral sharedName = "dynamic_shared_memory";

/// Gives each user of shared memory its place; returns the bytes in all.
static int64_t layOutSharedMemory(gpu::GPUFuncOp kernel) {
  OpBuilder b(kernel);
  int64_t bytes = 0;
  auto place = [&](Operation *op, int64_t size) {
    op->setAttr(scratchAttr, b.getI64IntegerAttr(bytes));
    // Every tile begins where its swizzle does.
    bytes += llvm::alignTo(size, 1024);
  };
  kernel.walk([&](AllocSharedOp alloc) {
    place(alloc, alloc.getResult().getType().getBytes());
  });
  kernel.walk([&](SumRowsOp sum) { place(sum, 32 * sizeof(float)); });
  return bytes;
}

/// Checks that each tile has a layout, for this number of warps.
static LogicalResult verifyLayouts(gpu::GPUFuncOp kernel, int64_t warps) {
  WalkResult result = kernel.walk([&](Operation *op) {
    for (Type type : op->getResultTypes()) {
      auto tile = dyn_cast<RankedTensorType>(type);
      if (!tile)
        continue;
      auto layout = dyn_cast_or_null<TileLayoutInterface>(tile.getEncoding());
      if (layout && layout.getNumWarps() == warps)
        continue;
      op->emitOpError("expected tiles laid out for the ")
          << warps << " warps of known_block_size, found " << tile;
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

static ThreadIndices createIndices(gpu::GPUFuncOp kernel, int64_t warps) {
  AddressBuilder b(kernel.getLoc(), kernel.getContext());
  b.setInsertionPointToStart(&kernel.getBody().front());
  ThreadIndices t;
  t.warps = warps;
  t.thread = NVVM::ThreadIdXOp::create(b, b.getI32Type());
  t.lane = b.bits(t.thread, 31);
  t.warp = b.shr(t.thread, 5);
  t.group = b.shr(t.lane, 2);
  t.member = b.bits(t.lane, 3);
  t.shared = LLVM::AddressOfOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext(), 3), sharedName);
  return t;
}

namespace {

struct ConvertAttnTileToNVVM
    : sparse_attn::impl::ConvertAttnTileToNVVMBase<ConvertAttnTileToNVVM> {
  void runOnOperation() override {
    gpu::GPUModuleOp module = getOperation();
    OpBuilder b(&getContext());
    b.setInsertionPointToStart(module.getBody());
    if (!module.lookupSymbol(sharedName))
      LLVM::GlobalOp::create(
          b, module.getLoc(), LLVM::LLVMArrayType::get(b.getI8Type(), 0),
          /*isConstant=*/false, LLVM::Linkage::External, sharedName,
          Attribute(), /*alignment=*/1024, /*addrSpace=*/3);
    for (auto kernel : module.getOps<gpu::GPUFuncOp>())
      if (failed(convert(kernel)))
        return signalPassFailure();
  }

private:
  LogicalResult convert(gpu::GPUFuncOp kernel) {
    std::optional<ArrayRef<int32_t>> block = kernel.getKnownBlockSize();
    if (!block || (*block)[0] <= 0 || (*block)[0] % 32)
      return kernel.emitError("expected known_block_size of whole warps; run "
                              "attn-tile-assign-layouts first");
    int64_t warps = (*block)[0] / 32;
    if (failed(verifyLayouts(kernel, warps)))
      return failure();
    int64_t bytes = layOutSharedMemory(kernel);
    kernel->setAttr("sparse_attn.shared_memory",
                    OpBuilder(kernel).getI64IntegerAttr(bytes));
    ThreadIndices indices = createIndices(kernel, warps);

    MLIRContext *context = &getContext();
    RegisterConverter converter;
    ConversionTarget target(*context);
    target.addIllegalDialect<AttnTileDialect>();
    target.markUnknownOpDynamicallyLegal(
        [&](Operation *op) { return converter.isLegal(op); });
    RewritePatternSet patterns(context);
    populateElementwisePatterns(patterns, converter, indices);
    populateMemoryPatterns(patterns, converter, indices);
    populateMmaPatterns(patterns, converter, indices);
    populateReductionPatterns(patterns, converter, indices);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                         target);
    ConversionConfig config;
    config.allowPatternRollback = false;
    if (failed(applyPartialConversion(kernel, target, std::move(patterns),
                                      config)))
      return failure();

    RewritePatternSet scalar(context);
    populateScalarMathPatterns(scalar);
    walkAndApplyPatterns(kernel, std::move(scalar));
    return success();
  }
};

} // namespace

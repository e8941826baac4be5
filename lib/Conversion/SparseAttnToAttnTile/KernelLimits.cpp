//===- KernelLimits.cpp - What kernels can do -----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlashLoop.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Analysis/ModuleTarget.h"
#include "SparseAttn/Analysis/TileShape.h"

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

/// What is wrong with the decision tile of `op`; empty if nothing is.
static std::string findTileObstacle(AttentionOp op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  int64_t rows = (*op.getDecisionTile())[0], keys = (*op.getDecisionTile())[1];
  // Warps own 16 rows each, and their number is a power of two.
  if (rows < 16 || rows > 512 || !llvm::isPowerOf2_64(rows) || keys % 16) {
    os << "expected a decision tile of 16, 32, 64, 128, 256 or 512 queries and "
          "a multiple of 16 keys, found "
       << rows << " and " << keys;
    return text;
  }
  const TargetInfo &target = getModuleTarget(op->getParentOfType<ModuleOp>());
  if (getSharedBytes(op, rows, keys) > target.maxSharedBytes)
    os << "expected tiles that fit the " << target.maxSharedBytes
       << " bytes of shared memory of " << target.chip
       << ", found a decision tile of " << rows << " queries and " << keys
       << " keys";
  return text;
}

std::string attn_tile::findObstacle(AttentionOp op) {
  AttentionOp::Dims dims = op.getDims();
  std::string text;
  llvm::raw_string_ostream os(text);
  if (!op.getDecisionTile())
    return "no decision_tile; run sparse-attn-assign-schedule first";
  // Rows begin and end with the 16 bytes that a thread copies at once.
  int64_t multiple =
      128 / getElementTypeOrSelf(op.getQuery()).getIntOrFloatBitWidth();
  for (auto [name, dim] : {std::pair<StringRef, unsigned>{"head_dim", dims.k1},
                           {"value head_dim", dims.n}}) {
    int64_t size = op.getDimSize(dim);
    if (size >= multiple && size <= maxHeadDim && size % multiple == 0)
      continue;
    os << "expected a " << name << " of a multiple of " << multiple << " from "
       << multiple << " to " << maxHeadDim << ", found ";
    if (ShapedType::isDynamic(size))
      os << "a dynamic one";
    else
      os << size;
    return text;
  }
  struct Operand {
    StringRef name;
    Value value;
    AffineMap map;
    unsigned rows, columns;
  };
  for (auto [name, value, map, rows, columns] :
       {Operand{"query", op.getQuery(), op.getQueryMap(), dims.m, dims.k1},
        Operand{"key", op.getKey(), op.getKeyMap(), dims.k2, dims.k1},
        Operand{"value", op.getValue(), op.getValueMap(), dims.k2, dims.n},
        Operand{"output", op.getOutput(), op.getOutputMap(), dims.m, dims.n}}) {
    auto type = cast<RankedTensorType>(value.getType());
    if (*getPosition(map, columns) + 1 != map.getNumResults()) {
      os << "expected head_dim as the last dimension of the " << name
         << ", found it at " << *getPosition(map, columns) << " of "
         << map.getNumResults();
      return text;
    }
    if (!getPitch(type, *getPosition(map, rows))) {
      os << "expected static sizes behind the token dimension of the " << name
         << ", found " << type;
      return text;
    }
  }
  if (std::optional<ArrayRef<int64_t>> block = op.getBlockShape())
    if (int64_t keys = (*op.getDecisionTile())[1]; (*block)[1] % keys) {
      os << "expected a decision tile whose keys divide those of block_shape, "
         << (*block)[1] << ", found " << keys;
      return text;
    }
  if (AffineMap map = op.getMaskMap()) {
    auto type = cast<RankedTensorType>(op.getMask().getType());
    std::optional<unsigned> keys = getPosition(map, dims.k2);
    for (unsigned dim : {dims.m, dims.k2})
      // Rows that follow each other are as far apart as they have keys.
      if (auto position = getPosition(map, dim);
          position && !getPitch(type, *position) &&
          !(dim == dims.m && keys == *position + 1 &&
            *keys + 1 == type.getRank())) {
        os << "expected static sizes behind the token dimensions of the mask, "
              "found "
           << type;
        return text;
      }
  }
  if (Operation *inner = findUnsupportedScoreOp(op)) {
    os << "expected elementwise arithmetic in the score region, found "
       << inner->getName();
    return text;
  }
  for (Value tensor : op.getCapturedTensors()) {
    auto type = cast<RankedTensorType>(tensor.getType());
    Type element = type.getElementType();
    if (!element.isF16() && !element.isBF16() && !element.isF32() &&
        !element.isInteger(1) && !element.isInteger(32) &&
        !element.isInteger(64)) {
      os << "expected f16, bf16, f32, i1, i32 or i64 in a tensor that the "
            "score region reads, found "
         << type;
      return text;
    }
    // Offsets into the tensor run in i32.
    int64_t count = 1;
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size) &&
          (llvm::MulOverflow(count, size, count) || !llvm::isInt<31>(count))) {
        os << "expected fewer than 2^30 elements in a tensor that the score "
              "region reads, found "
           << type;
        return text;
      }
  }
  if (op.hasScore())
    for (auto constant : op.getScore().front().getOps<arith::ConstantOp>())
      // Index arithmetic runs in i32, on positions that are no larger.
      if (auto index = dyn_cast<IntegerAttr>(constant.getValue());
          index && index.getType().isIndex() &&
          !llvm::isInt<31>(index.getInt())) {
        os << "expected index constants within 2^30 in the score region, found "
           << index.getInt();
        return text;
      }
  return findTileObstacle(op);
}

//===- BlockKernels.cpp - How kernels of block lists are launched ---------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Analysis/BlockKernels.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

SplitShape sparse_attn::splitShape(ArrayRef<int64_t> shape, int64_t dim) {
  return {ShapedType::getNumElements(shape.take_front(dim)), shape[dim],
          ShapedType::getNumElements(shape.drop_front(dim + 1))};
}

ScoreTile sparse_attn::getScoreTile(BlockScoresOp op) {
  BlockScoresOp::Dims dims = op.getDims();
  bool isF32 = getElementTypeOrSelf(op.getQuery()).isF32();
  // Split f32 fragments of a wide head need the registers of half the scores.
  int64_t keys = isF32 && op.getDimSize(dims.features) > 96 ? 32 : 64;
  return {64, std::max(keys, op.getBlock()[1])};
}

int64_t sparse_attn::getCountedTokens(BlockScoresOp op, unsigned dim) {
  int64_t size = op.getDimSize(dim);
  if (!op.getZeroPadded())
    return size;
  bool isKeys = dim == op.getDims().keys;
  return llvm::alignTo(size, op.getBlock()[isKeys]);
}

BlockGrid sparse_attn::getBlockGrid(KernelOpInterface op) {
  // One warp for 32 columns of a token.
  auto tokens = [](Value result, int64_t dim) {
    SplitShape shape = splitShape(shapeOf(result), dim);
    int64_t warps = llvm::divideCeil(shape.inner, 32);
    return BlockGrid{shape.size * warps, shape.outer};
  };
  // One warp for each element.
  auto rows = [](ArrayRef<int64_t> shape) {
    return BlockGrid{shape.back(),
                     ShapedType::getNumElements(shape.drop_back())};
  };
  return TypeSwitch<Operation *, BlockGrid>(op)
      .Case([&](PoolTokensOp pool) {
        return tokens(pool.getResult(), pool.getDim());
      })
      .Case([&](SampleTokensOp sample) {
        return tokens(sample.getResult(), sample.getDim());
      })
      .Case([&](BlockScoresOp scores) {
        BlockScoresOp::Dims dims = scores.getDims();
        ArrayRef<int64_t> shape = shapeOf(scores.getResult());
        int64_t queries = getCountedTokens(scores, dims.queries);
        return BlockGrid{static_cast<int64_t>(llvm::divideCeil(
                             queries, getScoreTile(scores).rows)),
                         ShapedType::getNumElements(shape.drop_back(2))};
      })
      .Case([&](GaussianScoresOp scores) {
        return rows(shapeOf(scores.getResult()).drop_back());
      })
      .Case([&](SelectBlocksOp select) {
        return rows(shapeOf(select.getCounts()));
      })
      .Case([&](ListRecallOp recall) {
        return rows(shapeOf(recall.getResult()));
      })
      .Case([&](CertifyRecallOp certify) {
        return BlockGrid{
            1, ShapedType::getNumElements(shapeOf(certify.getResult()))};
      })
      .Default([](Operation *) -> BlockGrid {
        llvm_unreachable("every kernel op has a grid");
      });
}

/// What is special about the scores of blocks.
static void findScoreObstacle(BlockScoresOp op, int64_t maxSharedBytes,
                              raw_ostream &os) {
  BlockScoresOp::Dims dims = op.getDims();
  if (op.getTile() != 1) {
    os << "expected a tile of 1 token, found " << op.getTile()
       << "; run sparse-attn-decompose-block-scores first";
    return;
  }
  int64_t rows = op.getBlock()[0], keys = op.getBlock()[1];
  if (!llvm::isPowerOf2_64(rows) || rows > 8 || !llvm::isPowerOf2_64(keys) ||
      keys < 2 || keys > 128) {
    os << "expected blocks of 1, 2, 4 or 8 rows and of a power of 2 from 2 to "
          "128 keys, found "
       << rows << " and " << keys;
    return;
  }
  // Rows begin and end with the 16 bytes that a thread copies at once.
  int64_t width = getElementTypeOrSelf(op.getQuery()).getIntOrFloatBitWidth();
  int64_t multiple = 128 / width, head = op.getDimSize(dims.features);
  if (head % multiple || head < multiple || head > maxHeadDim) {
    os << "expected a head_dim of a multiple of " << multiple << " from "
       << multiple << " to " << maxHeadDim << ", found " << head;
    return;
  }
  for (auto [name, map] :
       {std::pair("query", op.getQueryMap()), std::pair("key", op.getKeyMap())})
    if (map.getDimPosition(map.getNumResults() - 1) != dims.features) {
      os << "expected head_dim as the last dimension of the " << name;
      return;
    }
  ScoreTile tile = getScoreTile(op);
  int64_t bytes = (tile.rows + tile.keys) * getTileColumns(head) * width / 8;
  if (bytes > maxSharedBytes)
    os << "expected tiles that fit " << maxSharedBytes
       << " bytes of shared memory, found " << bytes;
}

std::string sparse_attn::findKernelObstacle(KernelOpInterface op,
                                            int64_t maxSharedBytes) {
  std::string text;
  llvm::raw_string_ostream os(text);
  // Indices inside one entry of the batch are i32.
  for (Value operand : op->getOperands())
    if (ShapedType::getNumElements(shapeOf(operand)) > INT32_MAX) {
      os << "expected tensors of at most " << INT32_MAX << " elements, found "
         << operand.getType();
      return text;
    }
  if (auto scores = dyn_cast<BlockScoresOp>(op.getOperation()))
    findScoreObstacle(scores, maxSharedBytes, os);
  if (!text.empty())
    return text;
  if (BlockGrid grid = getBlockGrid(op); grid.y > 65535)
    os << "expected at most 65535 entries of the batch, found " << grid.y;
  return text;
}
